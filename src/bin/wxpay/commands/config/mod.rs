//! `wxpay config`.

mod init;
mod questions;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::config::{profile, variables};
use crate::failure::{Failure, usage_error};
use crate::files;
use crate::global::GlobalArgs;
use crate::output::Output;
use crate::text::Message;
use init::InitArgs;

/// Write, list and find the profiles of config.toml
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay config path\n  \
    wxpay config list\n  \
    wxpay config init --profile hongkong")]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    Init(InitArgs),
    List(ListArgs),
    Path(PathArgs),
}

/// Print the profiles as JSON, without secrets
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay config list\n  \
    wxpay config list --pretty")]
struct ListArgs {
    #[command(flatten)]
    output: OutputArgs,
}

/// Print the path of config.toml
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay config path")]
struct PathArgs {
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args)]
struct OutputArgs {
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl OutputArgs {
    fn open(&self, global: &GlobalArgs) -> Result<Output, Failure> {
        Output::new(global).with_file(self.output.as_deref())
    }
}

pub(crate) fn run(global: &GlobalArgs, args: &ConfigArgs) -> Result<(), Failure> {
    match &args.command {
        ConfigCommand::Init(args) => init::run(global, args),
        ConfigCommand::List(args) => list(global, &args.output.open(global)?),
        ConfigCommand::Path(args) => args.output.open(global)?.text(&file(global)?.display().to_string()),
    }
}

impl ConfigArgs {
    /// The name of the command.
    pub(crate) fn name(&self) -> &'static str {
        match &self.command {
            ConfigCommand::Init(_) => "config init",
            ConfigCommand::List(_) => "config list",
            ConfigCommand::Path(_) => "config path",
        }
    }
}

/// The file of `--config`, or the default one.
fn file(global: &GlobalArgs) -> Result<PathBuf, Failure> {
    let file = global.config.clone().or_else(profile::default_file);
    file.ok_or_else(|| usage_error("there is no configuration folder").with_hint("name a file with --config"))
}

fn list(global: &GlobalArgs, output: &Output) -> Result<(), Failure> {
    let file = file(global)?;
    let mut profiles = Vec::new();
    for (name, value) in profile::load(&file)? {
        // As reading the file for a command would: other values are ignored there.
        let Some(table) = value.as_table() else { continue };
        let mut shown = Map::new();
        shown.insert("profile".to_owned(), json!(name));
        for (key, value) in table {
            let variable = variables::settings().find(|variable| variable.key().as_deref() == Some(key));
            let value = match value {
                // The path of a key is not secret.
                toml::Value::String(text) if files::path_of(text).is_some() => shown_text(text),
                _ if variable.is_none_or(|variable| variable.is_secret()) => json!("…"),
                toml::Value::String(text) => shown_text(text),
                toml::Value::Boolean(on) => json!(on),
                toml::Value::Integer(number) => json!(number),
                toml::Value::Float(number) => json!(number),
                // Refused when the profile is used; it may hold anything.
                _ => json!("…"),
            };
            shown.insert(Message(key).to_string(), value);
        }
        profiles.push(Value::Object(shown));
    }
    output.json(&Value::Array(profiles))
}

/// A text without what may be a key: it may stand in the place of another setting.
fn shown_text(text: &str) -> Value {
    json!(Message(text).to_string())
}
