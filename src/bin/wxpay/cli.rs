//! What the program can be told: one noun for each command, and what all of them share.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser as Text;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use crate::commands::batch::args::Batch;
pub(crate) use crate::commands::call::args::{Body, Call, Get, Write};
use crate::commands::sandbox::server;

mod files;
mod local;

pub(crate) use files::{Bill, Certs, Kind, Upload};
pub(crate) use local::{Completions, Decrypt, Doctor, Man, Saved, Sign};

#[derive(Parser)]
#[command(
    name = "wxpay",
    version,
    about = "WeChat Pay (微信支付) APIv3 from the shell: any endpoint, signed and verified",
    long_about = "WeChat Pay (微信支付) APIv3 from the shell: any endpoint, signed and verified.\n\n\
                  Who calls is said by WECHATPAY_* variables, or by a profile of config.toml; never by an argument. \
                  With --sandbox every command runs against an offline platform, without an account.",
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        wxpay --sandbox post v3/security/echo echo_message=你好\n  \
        wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109\n  \
        wxpay post v3/payscore/partner/permissions/terminate -d @body.json\n  \
        wxpay doctor\n\n\
        Exit codes:\n  \
        0  done\n  \
        1  an argument, the configuration or a file is wrong\n  \
        2  the platform refused\n  \
        3  no connection, a timeout, a broken answer\n  \
        4  what came is not proved to be the platform's, or does not decrypt"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "For every command")]
pub(crate) struct Global {
    /// Run against an offline platform, started for this command; its keys are fresh, or those in the folder
    /// that WECHATPAY_SANDBOX_KEYS names
    #[arg(long, global = true, conflicts_with_all = ["profile", "config"])]
    pub(crate) sandbox: bool,
    /// Take this profile of config.toml instead of the environment
    #[arg(long, global = true, value_name = "NAME", value_parser = Text::new())]
    pub(crate) profile: Option<String>,
    /// Take this file instead of the config.toml in the usual folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Another base URL than the configured one
    #[arg(long, global = true, value_name = "URL", value_parser = Text::new())]
    pub(crate) base_url: Option<String>,
    /// How long a call may take
    #[arg(long, global = true, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,
    /// When JSON is coloured, and set out over lines
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub(crate) color: When,
    /// Tell an error as a line of JSON
    #[arg(long, global = true)]
    pub(crate) json_errors: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Get(Get),
    /// Call an endpoint with POST
    Post(Write),
    /// Call an endpoint with PUT
    Put(Write),
    /// Call an endpoint with PATCH
    Patch(Write),
    /// Call an endpoint with DELETE
    Delete(Write),
    Upload(Upload),
    Batch(Batch),
    Bill(Bill),
    Certs(Certs),
    Verify(Saved),
    Decrypt(Decrypt),
    Sign(Sign),
    Doctor(Doctor),
    /// Be the platform: an offline one for any SDK, until Ctrl-C
    #[command(
        after_help = "Examples:\n  wxpay sandbox\n  wxpay sandbox --port 8080 --keys keys --state state.db\n  wxpay sandbox --fault 'rate-limited share=0.1' --seed 7"
    )]
    Sandbox(Box<server::Options>),
    Completions(Completions),
    Man(Man),
}
