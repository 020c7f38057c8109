//! The command line: all commands, and which code runs each.

use clap::{CommandFactory as _, Parser, Subcommand};
use wechatpay_chain::http::Method;

use crate::commands::{
    batch::{self, BatchArgs},
    bill::{self, BillArgs},
    call::{self, GetArgs, WriteArgs},
    certs::{self, CertsArgs},
    completions::{self, CompletionsArgs},
    config::{self, ConfigArgs},
    decrypt::{self, DecryptArgs},
    doctor::{self, DoctorArgs},
    endpoints::{self, EndpointsArgs},
    help::{self, HelpArgs, VersionArgs},
    man::{self, ManArgs},
    sandbox::{self, SandboxArgs},
    sign::{self, SignArgs},
    trigger::{self, TriggerArgs},
    upload::{self, UploadArgs},
    verify::{self, VerifyArgs},
};
use crate::failure::Failure;
use crate::global::{GlobalArgs, unused};
use crate::layout::{self, WIDTH};
use crate::topics::{self, TOPICS};
use crate::verbose;

const EXAMPLES: &str = "Examples:\n  \
    wxpay --sandbox post v3/security/echo echo_message=你好\n  \
    wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109\n  \
    wxpay post v3/payscore/partner/permissions/terminate -d @body.json\n  \
    wxpay doctor";

/// WeChat Pay (微信支付) APIv3 from the shell: call any endpoint, signed and verified
///
/// Credentials come from WECHATPAY_* variables or a profile of config.toml, never from an argument.
/// With --sandbox, every command runs against an offline platform and needs no account.
#[derive(Parser)]
#[command(
    name = "wxpay",
    version,
    disable_help_subcommand = true,
    max_term_width = WIDTH,
    after_help = format!("{EXAMPLES}\n\n{}\n\n{}\n\nMore with --help.", topics(), topics::exit_codes()),
    after_long_help = format!(
        "{EXAMPLES}\n\n{}\n\n{}\n\n{}\n\n{}",
        topics(),
        topics::environment(),
        topics::PROFILES,
        topics::exit_codes()
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
    Config(ConfigArgs),
    Endpoints(EndpointsArgs),
    Sandbox(Box<SandboxArgs>),
    Trigger(TriggerArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Help(HelpArgs),
    Version(VersionArgs),
}

impl Cli {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Cli { global, command } = self;
        global.refuse_unused(command.name())?;
        let global = global.with_environment()?;
        verbose::start(global.verbose);
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
            Command::Sign(args) => sign::run(&global, &args),
            Command::Doctor(args) => doctor::run(&global, &args),
            Command::Config(args) => config::run(&global, &args),
            Command::Endpoints(args) => endpoints::run(&global, &args),
            Command::Sandbox(args) => sandbox::run(*args),
            Command::Trigger(args) => trigger::run(&global, &args),
            Command::Completions(args) => completions::run(&args, Cli::command(), crate::completion::script),
            Command::Man(args) => man::run(&args, documented(clap::ColorChoice::Auto)),
            Command::Help(args) => help::run(&args, documented(clap::ColorChoice::Auto)),
            Command::Version(VersionArgs {}) => help::version(),
        }
    }
}

impl Command {
    /// The name of a command that refuses some of the global options.
    fn name(&self) -> &'static str {
        match self {
            Command::Sandbox(_) => "sandbox",
            Command::Sign(_) => "sign",
            Command::Config(args) => args.name(),
            _ => "",
        }
    }
}

/// The commands as the help and the manual pages show them: the options of every command stand once, in the help of the
/// program.
pub(crate) fn documented(colours: clap::ColorChoice) -> clap::Command {
    let mut program = Cli::command().color(colours);
    program.build();
    let global: Vec<_> = program
        .get_arguments()
        .filter(|argument| argument.is_global_set())
        .filter_map(|argument| argument.get_long().map(|name| format!("--{name}")))
        .collect();
    without_global(program, "", &global)
}

/// `command` with subcommands that name the global options instead of explaining them. `above`: its name, and a blank.
fn without_global(command: clap::Command, above: &str, global: &[String]) -> clap::Command {
    command.mut_subcommands(|command| {
        let name = format!("{above}{}", command.get_name());
        let unused = unused(&name);
        let global: Vec<_> =
            global.iter().filter(|option| !unused.contains(&option.as_str())).cloned().collect();
        let note = format!("Global options, see `wxpay --help`: {}", global.join(", "));
        let note = layout::paragraph(&note);
        let text = match command.get_after_help() {
            Some(text) => format!("{text}\n\n{note}"),
            None => note,
        };
        let hide = |argument: clap::Arg| match argument.is_global_set() {
            true => argument.hide(true),
            false => argument,
        };
        without_global(command.mut_args(hide).after_help(text), &format!("{name} "), &global)
    })
}

/// The section that names the topics of `wxpay help`.
fn topics() -> String {
    let rows = TOPICS.map(|topic| [format!("wxpay help {}", topic.name), topic.about.to_owned()]);
    format!("Topics:\n{}", layout::table(&rows))
}
