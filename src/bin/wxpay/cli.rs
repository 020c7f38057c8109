//! The command line: all commands, and which code runs each.

use clap::{CommandFactory as _, Parser, Subcommand};
use wechatpay_chain::http::Method;

use crate::commands::{
    batch::{self, BatchArgs},
    bill::{self, BillArgs},
    call::{self, GetArgs, WriteArgs},
    certs::{self, CertsArgs},
    completions::{self, CompletionsArgs},
    decrypt::{self, DecryptArgs},
    doctor::{self, DoctorArgs},
    man::{self, ManArgs},
    sandbox::{self, SandboxArgs},
    sign::{self, SignArgs},
    upload::{self, UploadArgs},
    verify::{self, VerifyArgs},
};
use crate::config::variables;
use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;

const EXAMPLES: &str = "Examples:\n  \
    wxpay --sandbox post v3/security/echo echo_message=你好\n  \
    wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109\n  \
    wxpay post v3/payscore/partner/permissions/terminate -d @body.json\n  \
    wxpay doctor";

const PROFILES: &str = "Profiles:\n  \
    A profile is a table of config.toml: [default], unless --profile names another one.\n  \
    Its keys are the names above in lower case, without WECHATPAY_ (such as mchid).\n  \
    The file is ~/.config/wxpay/config.toml, on Windows %APPDATA%\\wxpay\\config.toml.\n  \
    Without --profile and --config, it is used only if WECHATPAY_MCHID is not set.";

/// WeChat Pay (微信支付) APIv3 from the shell: call any endpoint, signed and verified
///
/// Credentials come from WECHATPAY_* variables or a profile of config.toml, never from an argument.
/// With --sandbox, every command runs against an offline platform and needs no account.
#[derive(Parser)]
#[command(
    name = "wxpay",
    version,
    disable_help_subcommand = true,
    after_help = format!("{EXAMPLES}\n\n{}\n\nMore with --help.", exit::help()),
    after_long_help = format!(
        "{EXAMPLES}\n\n{}\n\n{PROFILES}\n\n{}",
        variables::help(),
        exit::help()
    )
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Get(GetArgs),
    /// Call an endpoint with POST
    Post(WriteArgs),
    /// Call an endpoint with PUT
    Put(WriteArgs),
    /// Call an endpoint with PATCH
    Patch(WriteArgs),
    /// Call an endpoint with DELETE
    Delete(WriteArgs),
    Upload(UploadArgs),
    Batch(BatchArgs),
    Bill(BillArgs),
    Certs(CertsArgs),
    Verify(VerifyArgs),
    Decrypt(DecryptArgs),
    Sign(SignArgs),
    Doctor(DoctorArgs),
    Sandbox(Box<SandboxArgs>),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

impl Cli {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Cli { global, command } = self;
        match command {
            Command::Get(args) => call::get(&global, &args),
            Command::Post(args) => call::write(&global, Method::POST, &args),
            Command::Put(args) => call::write(&global, Method::PUT, &args),
            Command::Patch(args) => call::write(&global, Method::PATCH, &args),
            Command::Delete(args) => call::write(&global, Method::DELETE, &args),
            Command::Upload(args) => upload::run(&global, &args),
            Command::Batch(args) => batch::run(&global, &args),
            Command::Bill(args) => bill::run(&global, &args),
            Command::Certs(args) => certs::run(&global, &args),
            Command::Verify(args) => verify::run(&global, &args),
            Command::Decrypt(args) => decrypt::run(&global, &args),
            Command::Sign(SignArgs {}) => sign::run(&global),
            Command::Doctor(DoctorArgs {}) => doctor::run(&global),
            Command::Sandbox(args) => sandbox::run(*args),
            Command::Completions(args) => completions::run(&args, Cli::command()),
            Command::Man(args) => man::run(&args, Cli::command()),
        }
    }
}
