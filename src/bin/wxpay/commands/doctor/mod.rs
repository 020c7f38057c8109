//! `wxpay doctor`: runs one check after another, and says how to fix each failure.

mod calls;
mod certificates;
mod configuration;
mod network;
mod report;

use std::cmp::Ordering;
use std::path::PathBuf;

use clap::Args;
use wechatpay_chain::{Clock as _, SystemClock};

use crate::config::{SettingsSource, reject_base_url_with_sandbox};
use crate::exit;
use crate::failure::Failure;
use crate::global::GlobalArgs;
use crate::output::Output;
use configuration::Configuration;
use report::Report;

/// Check configuration, keys, certificates, network, clock and a signed call; print a fix for each failure
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay doctor\n  \
    wxpay doctor --profile hongkong\n  \
    wxpay doctor -o report.jsonl")]
pub(crate) struct DoctorArgs {
    /// Write the checks to this file, one JSON object per line; it appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const MAIN_HOST: &str = "https://api.mch.weixin.qq.com/";
const SPARE_HOST: &str = "https://api2.mch.weixin.qq.com/";

/// The platform refuses a request whose timestamp differs more from its clock (PROTOCOL).
const MAX_CLOCK_SKEW: u64 = 300;

/// A smaller difference needs no warning.
const NOTABLE_CLOCK_SKEW: u64 = 30;

pub(crate) fn run(global: &GlobalArgs, args: &DoctorArgs) -> Result<(), Failure> {
    reject_base_url_with_sandbox(global)?;
    let report = Report::new(Output::new(global).with_file(args.output.as_deref())?);
    check(global, report, SettingsSource::find(global))
}

/// Checks settings that were found, or may not be written yet.
pub(crate) fn check_new(global: &GlobalArgs, found: Result<SettingsSource, Failure>) -> Result<(), Failure> {
    check(global, Report::new(Output::new(global)), found)
}

fn check(
    global: &GlobalArgs,
    mut report: Report,
    found: Result<SettingsSource, Failure>,
) -> Result<(), Failure> {
    let configuration = Configuration::check(&mut report, global, found)?;
    let server = match &configuration.base_url {
        Some(base_url) => hosts(&mut report, base_url)?,
        None => Server::default(),
    };
    let clock_fits = clock(&mut report, server.time)?;
    let (Some(wx), Some(source)) = (&configuration.wx, &configuration.source) else {
        report.skipped("echo", "not sent: the settings above do not make a client")?;
        return report.finish();
    };
    // The local clock may be wrong.
    let now = server.time.unwrap_or_else(|| SystemClock.unix_seconds());
    certificates::check(&mut report, wx, source, now)?;
    let obstacle = match () {
        () if !server.responds => Some("no host responds"),
        () if !clock_fits => Some("the platform refuses a request with this clock"),
        () => None,
    };
    calls::check(&mut report, global, &configuration, source, wx, obstacle)?;
    report.finish()
}

/// What the hosts returned.
#[derive(Default)]
struct Server {
    responds: bool,
    /// In Unix seconds.
    time: Option<u64>,
}

fn hosts(report: &mut Report, base_url: &str) -> Result<Server, Failure> {
    let proxy_works = network::proxy(report, base_url)?;
    let mut bases = vec![base_url];
    if base_url.starts_with(MAIN_HOST.trim_end_matches('/')) {
        bases.push(SPARE_HOST);
    }
    let mut server = Server::default();
    for base in bases {
        let Some(date) = network::host(report, base, proxy_works)? else { continue };
        server.responds = true;
        server.time = server.time.or(date);
    }
    Ok(server)
}

/// Compares the clocks; `false` if the platform would refuse a request.
fn clock(report: &mut Report, server: Option<u64>) -> Result<bool, Failure> {
    let Some(server) = server else {
        return report.skipped("clock", "no host returned a date").map(|()| true);
    };
    let now = SystemClock.unix_seconds();
    let skew = now.abs_diff(server);
    let found = match now.cmp(&server) {
        Ordering::Equal => "in sync with the server".to_owned(),
        Ordering::Less => format!("{skew} s behind the server"),
        Ordering::Greater => format!("{skew} s ahead of the server"),
    };
    let fix = "enable NTP (timedatectl set-ntp true); the platform refuses a difference of more than 300 s";
    match skew {
        ..NOTABLE_CLOCK_SKEW => report.ok("clock", &found)?,
        NOTABLE_CLOCK_SKEW..=MAX_CLOCK_SKEW => report.warned("clock", &found, fix)?,
        _ => report.failed("clock", exit::USAGE, &found, fix)?,
    }
    Ok(skew <= MAX_CLOCK_SKEW)
}
