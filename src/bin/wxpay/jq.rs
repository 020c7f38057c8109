//! `--jq`: filters in the language of jq, run by jaq.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars};
use jaq_json::Val;

use crate::failure::{Failure, usage_error};
use crate::text::Excerpt;

/// A compiled filter.
pub(crate) struct Filter(jaq_core::compile::Filter<jaq_core::Native<JustLut<Val>>>);

impl Filter {
    pub(crate) fn compile(code: &str) -> Result<Filter, Failure> {
        let invalid =
            |reason: String| usage_error(format!("--jq: invalid jq filter {}{reason}", Excerpt(code)));
        let arena = Arena::default();
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let modules = Loader::new(definitions).load(&arena, File { code, path: () });
        let modules = modules.map_err(|_| invalid(String::new()))?;
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        // The environment may hold keys, which must never be printed.
        let functions = functions.filter(|(name, ..)| *name != "env");
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let unknown: Vec<_> =
                errors.iter().flat_map(|(_, all)| all.iter().map(|(name, _)| format!("`{name}`"))).collect();
            invalid(format!(": {} is not defined", unknown.join(", ")))
        })?;
        Ok(Filter(filter))
    }

    /// Passes every output of the filter to `each`.
    pub(crate) fn run(
        &self,
        input: Val,
        mut each: impl FnMut(Val) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for value in self.0.id.run((context, input)) {
            match value.map_err(jaq_core::Exn::get_err) {
                Ok(value) => each(value)?,
                Err(Ok(error)) => return Err(usage_error(format!("--jq: {error}"))),
                // `halt` and the like end a filter without an error.
                Err(Err(_)) => return Ok(()),
            }
        }
        Ok(())
    }
}
