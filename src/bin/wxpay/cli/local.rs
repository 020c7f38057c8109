//! What needs no call, or only looks.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Check a saved notification, or any answer: timestamp, serial, signature
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay verify --headers notification.headers notification.json\n  \
    wxpay verify --headers notification.headers notification.json --any-time")]
pub(crate) struct Saved {
    /// The body as it came, byte for byte; - for stdin
    #[arg(value_name = "BODY")]
    pub(crate) body: PathBuf,
    /// The headers, a line each, as `Wechatpay-Serial: …`; a JSON object of them will do
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: PathBuf,
    /// Leave out how old it is: all but the clock is checked
    #[arg(long)]
    pub(crate) any_time: bool,
}

/// Check a saved notification, then decrypt its resource with the APIv3 key
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay decrypt --headers notification.headers notification.json\n  \
    wxpay decrypt --headers notification.headers notification.json --any-time --jq .resource.out_trade_no --raw")]
pub(crate) struct Decrypt {
    #[command(flatten)]
    pub(crate) saved: Saved,
    /// Pass what was decrypted through a jq filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) jq: Option<String>,
    /// With --jq, print texts without quotes
    #[arg(long, requires = "jq")]
    pub(crate) raw: bool,
}

/// Sign stdin, byte for byte, with the merchant's private key; prints base64
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    printf 'GET\\n/v3/certificates\\n1763690000\\n0123456789abcdef0123456789abcdef\\n\\n' | wxpay sign")]
pub(crate) struct Sign {}

/// Check keys, clock, hosts and the whole way there and back, and say what to do about each failure
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay doctor\n  \
    wxpay doctor --profile hongkong")]
pub(crate) struct Doctor {}

/// Print a completion script for a shell
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay completions bash > wxpay.bash")]
pub(crate) struct Completions {
    /// bash, elvish, fish, powershell or zsh
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    pub(crate) shell: Shell,
}

/// Print a manual page (roff): the program's, or a command's
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay man > wxpay.1\n  \
    wxpay man post > wxpay-post.1")]
pub(crate) struct Man {
    /// The command
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}
