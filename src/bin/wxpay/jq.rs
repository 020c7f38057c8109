//! `--jq`: filters in the language of jq, run by jaq.

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{Fun, v};
use jaq_core::{Compiler, Ctx, RunPtr, Vars};
use jaq_json::Val;

use crate::failure::{Failure, usage_error};
use crate::output;
use crate::text::{Excerpt, lines};

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
        let functions = functions.filter(|(name, ..)| !["env", "debug_empty", "stderr_empty"].contains(name));
        let functions = functions.chain(stderr_functions());
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
            match value.map_err(|end| end.get_err().map_err(jaq_core::Exn::get_halt)) {
                Ok(value) => each(value)?,
                Err(Ok(error)) => return Err(usage_error(format!("--jq: {error}"))),
                // `halt`, and `halt_error`, which has printed its message: the filter chooses the exit code.
                Err(Err(Ok(0))) => return Ok(()),
                Err(Err(Ok(code))) => return Err(Failure::Reported(code.to_le_bytes()[0])),
                Err(Err(Err(_))) => {
                    return Err(usage_error("--jq: the filter leaves a `label` that is not there"));
                }
            }
        }
        Ok(())
    }
}

/// What `debug`, `stderr` and `halt_error` print. jaq's own versions write to a log, which the program does not have.
fn stderr_functions() -> impl Iterator<Item = Fun<JustLut<Val>>> {
    fn function(name: &'static str, run: RunPtr<JustLut<Val>>) -> Fun<JustLut<Val>> {
        jaq_core::native::run::<JustLut<Val>>((name, v(0), run))
    }
    let debug = function("debug_empty", |cv| {
        print(&format!("[\"DEBUG:\",{}]", cv.1));
        Box::new(std::iter::empty())
    });
    let stderr = function("stderr_empty", |cv| {
        match &cv.1 {
            Val::TStr(text) => print(&String::from_utf8_lossy(text)),
            value => print(&value.to_string()),
        }
        Box::new(std::iter::empty())
    });
    [debug, stderr].into_iter()
}

fn print(text: &str) {
    output::error_lines(&lines(text));
}
