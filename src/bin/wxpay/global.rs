//! The options that every command takes.

use std::env::VarError;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser as NonEmpty;
use clap::{ArgAction, Args, ValueEnum};

use crate::failure::{Failure, usage_error};
use crate::variables;

#[derive(Args, Clone)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Run against an offline platform that is started for this command; no account is needed
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// Use this profile of config.toml instead of the environment [default: WXPAY_PROFILE]
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmpty::new())]
    pub(crate) profile: Option<String>,
    /// Use this configuration file instead of the default config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Use this base URL instead of the configured one
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmpty::new())]
    pub(crate) base_url: Option<String>,
    /// Time limit of a call with all its attempts, in seconds [default: the configured one, or 30]
    #[arg(long, global = true, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,
    /// When to colour and indent JSON: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColorChoice,
    /// Print JSON on one line, also on a terminal
    #[arg(long, global = true, conflicts_with = "pretty")]
    pub(crate) compact: bool,
    /// Indent JSON, also in a pipe
    #[arg(long, global = true)]
    pub(crate) pretty: bool,
    /// Print each request to stderr: its line and host, the attempts, the time and the Request-ID; -vv also headers and
    /// bodies, without secrets
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Print errors as one line of JSON
    #[arg(long, global = true)]
    pub(crate) json_errors: bool,
}

/// The options that have a value.
const WITH_VALUE: [&str; 5] = ["--profile", "--config", "--base-url", "--timeout", "--color"];

/// The commands that have no use for an option that says who calls, and where. The other global options are about the
/// output, and any command may get them; and the commands that print a text about the program may get all.
const UNUSED: [(&str, &[&str]); 5] = [
    // It is the platform, so --sandbox says the same.
    ("sandbox", &["--profile", "--config", "--base-url", "--timeout"]),
    // It sends nothing.
    ("sign", &["--base-url", "--timeout"]),
    // The base URL of a profile is an answer.
    ("config init", &["--sandbox", "--base-url"]),
    ("config list", &["--sandbox", "--profile", "--base-url", "--timeout"]),
    ("config path", &["--sandbox", "--profile", "--base-url", "--timeout"]),
];

/// The global options that a command has no use for, and refuses.
pub(crate) fn unused(command: &str) -> &'static [&'static str] {
    UNUSED.iter().find(|(name, _)| *name == command).map_or(&[], |(_, options)| options)
}

/// The colours of the help, which is printed before the arguments are parsed.
pub(crate) fn help_colours(arguments: &[OsString]) -> clap::ColorChoice {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    let joined = texts.iter().find_map(|text| text.strip_prefix("--color="));
    let apart = || texts.iter().skip_while(|text| *text != "--color").nth(1).map(|text| &**text);
    match joined.or_else(apart) {
        Some("never") => clap::ColorChoice::Never,
        Some("always") => clap::ColorChoice::Always,
        _ => clap::ColorChoice::Auto,
    }
}

impl GlobalArgs {
    /// Refuses options that contradict each other. clap looks only at those on the same side of the command, and of an
    /// option that is given on both sides, it silently drops the first.
    pub(crate) fn check(&self, arguments: &[OsString]) -> Result<(), Failure> {
        if self.sandbox {
            let other = match self {
                GlobalArgs { profile: Some(_), .. } => "--profile",
                GlobalArgs { config: Some(_), .. } => "--config",
                _ => "",
            };
            if !other.is_empty() {
                return Err(usage_error(format!("--sandbox cannot be used with {other}")));
            }
        }
        let arguments: Vec<_> = arguments.iter().take_while(|argument| *argument != "--").collect();
        for option in WITH_VALUE {
            // No value of another option begins with `--`.
            let is_this = |argument: &&&OsString| {
                argument
                    .to_str()
                    .and_then(|text| text.strip_prefix(option))
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
            };
            if arguments.iter().filter(is_this).count() > 1 {
                return Err(usage_error(format!("{option} cannot be used multiple times")));
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

impl GlobalArgs {
    /// Refuses an option that the command would ignore.
    pub(crate) fn refuse_unused(&self, command: &str) -> Result<(), Failure> {
        let given = |name: &str| match name {
            "--sandbox" => self.sandbox,
            "--profile" => self.profile.is_some(),
            "--config" => self.config.is_some(),
            "--base-url" => self.base_url.is_some(),
            _ => self.timeout.is_some(),
        };
        match unused(command).iter().find(|name| given(name)) {
            Some(name) => Err(usage_error(format!("{name} cannot be used with `wxpay {command}`"))),
            None => Ok(()),
        }
    }

    /// With the profile of the environment, unless an option names the source of the settings.
    pub(crate) fn with_environment(mut self) -> Result<GlobalArgs, Failure> {
        if self.profile.is_none() && !self.sandbox {
            self.profile = match std::env::var(variables::PROFILE) {
                Ok(profile) => Some(profile).filter(|profile| !profile.is_empty()),
                Err(VarError::NotPresent) => None,
                Err(VarError::NotUnicode(_)) => {
                    return Err(usage_error(format!("`{}` is not UTF-8", variables::PROFILE)));
                }
            };
        }
        Ok(self)
    }
}
