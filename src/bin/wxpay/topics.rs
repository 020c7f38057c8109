//! The sections of the help that are more than the arguments of a command; each is a topic of `wxpay help`, too.

use crate::exit::{self, Row};
use crate::layout;
use crate::variables;

/// A topic of `wxpay help` that is not a command.
pub(crate) struct Topic {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) text: fn() -> String,
}

pub(crate) const TOPICS: [Topic; 4] = [
    Topic {
        name: "environment",
        about: "environment variables and the keys of a profile",
        text: environment,
    },
    Topic { name: "profiles", about: "config.toml, and where the credentials come from", text: profiles },
    Topic { name: "exit-codes", about: "exit codes of all commands, and of batch", text: all_exit_codes },
    Topic { name: "outcomes", about: "outcomes of the calls of a batch", text: outcomes },
];

/// Variables and keys.
pub(crate) fn environment() -> String {
    let rows: Vec<_> = variables::TABLE
        .iter()
        .map(|variable| {
            let secret = if variable.is_secret() { " (secret)" } else { "" };
            [variable.name.to_owned(), format!("{}{secret}", variable.doc)]
        })
        .collect();
    format!("Environment variables:\n{}\n{PROXIES}", layout::table(&rows))
}

const PROXIES: &str = "  Proxies are taken from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.";

fn profiles() -> String {
    let rows: Vec<_> = variables::settings()
        .filter_map(|variable| Some([variable.key()?, variable.doc.to_owned()]))
        .collect();
    format!("{PROFILES}\n\nKeys of a profile:\n{}", layout::table(&rows))
}

pub(crate) const PROFILES: &str = "Profiles:\n  \
    A profile is a table of config.toml: [default], unless --profile or WXPAY_PROFILE names another.\n  \
    Its keys are the names of the variables in lower case, without WECHATPAY_ (such as mchid).\n  \
    The file is ~/.config/wxpay/config.toml, on Windows %APPDATA%\\wxpay\\config.toml.\n  \
    Without --profile, WXPAY_PROFILE and --config, it is used only if WECHATPAY_MCHID is not set.\n  \
    `wxpay config init` asks for the values and writes them.";

/// Of every command but `batch`.
pub(crate) fn exit_codes() -> String {
    format!("Exit codes:\n{}", codes(|row| row.meaning))
}

pub(crate) fn batch_exit_codes() -> String {
    format!("Exit codes:\n{}", codes(|row| row.batch))
}

fn all_exit_codes() -> String {
    format!(
        "Exit codes of every command but batch:\n{}\n\nExit codes of batch:\n{}",
        codes(|row| row.meaning),
        codes(|row| row.batch)
    )
}

fn codes(meaning: impl Fn(&Row) -> &'static str) -> String {
    let rows: Vec<_> =
        exit::TABLE.iter().map(|row| [row.code.to_string(), meaning(row).to_owned()]).collect();
    layout::table(&rows)
}

/// Of the calls of a batch.
pub(crate) fn outcomes() -> String {
    let row = |name: &str, meaning: &str| [name.to_owned(), meaning.to_owned()];
    let rows = [
        row("ok", "success, verified; never sent again"),
        row("refused", "the platform's own error: verified, or its JSON with a code; never sent again"),
        row("limited", "rejected by a rate limit, so not carried out; --resume sends it"),
        row("unsent", "not carried out: no connection, or 401; --resume sends it"),
        row("unknown", "possibly carried out; --resume repeats a GET, --repeat-unknown all others"),
        row("unverified", "not the platform's word, possibly carried out; as unknown"),
    ];
    format!("Outcomes:\n{}", layout::table(&rows))
}
