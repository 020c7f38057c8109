//! Runs the sandbox as a server. `examples/sandbox.rs` includes this file, so it imports nothing from the program but
//! `signals`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wechatpay_chain::sandbox::{FaultRule, Sandbox, SigningMode};

use super::signals::Signals;

#[derive(Clone, clap::Args)]
pub(crate) struct Options {
    /// Listen on this port of 127.0.0.1 [default: a free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Keep keys, merchant number and APIv3 key in this folder [default: new ones for each run]
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// Sign responses and notifications with this kind of key: public-key, certificate, or migration for both
    /// [default: the kind that --keys has, or public-key]
    #[arg(long, value_name = "KIND")]
    sign_with: Option<SigningMode>,
    /// Begin the serials of new certificates with a zero, as a test of clients
    #[arg(long)]
    serial_zero: bool,
    /// Keep orders, refunds, files and all other state in this SQLite file [default: in memory]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Leave refunds in PROCESSING instead of completing them at once
    #[arg(long)]
    hold_refunds: bool,
    /// Read scripted responses from this file, one JSON object per line (repeatable)
    #[arg(long, value_name = "FILE")]
    script: Vec<PathBuf>,
    /// Return 404 for endpoints that are neither modelled nor scripted
    #[arg(long)]
    strict: bool,
    /// Send repeated notifications X times as fast as the platform
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Send notifications to this host, too; by default only to this machine (repeatable)
    #[arg(long, value_name = "HOST")]
    notify_host: Vec<String>,
    /// Random seed for faults with a `share` [default: random]
    #[arg(long)]
    seed: Option<u64>,
    /// Inject a fault, such as "rate-limited share=0.1 path=v3/pay/{+rest}" (repeatable)
    #[arg(long, value_name = "RULE")]
    fault: Vec<FaultRule>,
    /// Set the sandbox's clock ahead by this many seconds; behind, if negative
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_skew: i64,
}

type BoxError = Box<dyn std::error::Error>;

/// Runs until Ctrl-C, SIGTERM or SIGHUP.
pub(crate) fn run(options: &Options) -> Result<(), BoxError> {
    // Removed at the end; the folder of `--keys` is kept.
    let temporary = if options.keys.is_none() { Some(tempfile::tempdir()?) } else { None };
    let keys = match (&options.keys, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => folder.path().join("keys"),
        (None, None) => return Err("no folder for the keys".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Listens before anything is printed: a caller that waits for the output may send the signal at once.
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    // On a thread of its own: a script may be a pipe that nobody writes to, and the signal must end that, too.
    let starting = {
        let (options, keys) = (options.clone(), keys.clone());
        move || start(&options, &keys).map_err(|e| with_sources(&*e))
    };
    let started = runtime.block_on(async {
        tokio::select! {
            _ = signals.next() => None,
            started = tokio::task::spawn_blocking(starting) => Some(started),
        }
    });
    let Some(started) = started else {
        runtime.shutdown_background();
        return Ok(());
    };
    let sandbox = started??;
    let mut out = io::stdout().lock();
    // The sandbox keeps running if the reader of its output is gone.
    let _ = print_banner(&sandbox, &keys, options.keys.is_none(), &mut out).and_then(|()| out.flush());
    runtime.block_on(signals.next());
    Ok(())
}

fn start(options: &Options, keys: &Path) -> Result<Sandbox, BoxError> {
    let mut builder = Sandbox::builder()
        .port(options.port)
        .keys(keys)
        .serial_zero(options.serial_zero)
        .strict(options.strict)
        .time_scale(options.time_scale)
        .clock_skew(options.clock_skew)
        .hold_refunds(options.hold_refunds);
    if let Some(mode) = options.sign_with {
        builder = builder.sign_with(mode);
    }
    if let Some(file) = &options.state {
        builder = builder.state(file);
    }
    for file in &options.script {
        builder = builder.script(file);
    }
    for host in &options.notify_host {
        builder = builder.notify_host(host);
    }
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    let sandbox = builder.start()?;
    for rule in &options.fault {
        sandbox.inject_rule(rule.clone())?;
    }
    Ok(sandbox)
}

fn print_banner(sandbox: &Sandbox, keys: &Path, temporary: bool, out: &mut impl Write) -> io::Result<()> {
    let exports = sandbox.exports(keys).map_err(io::Error::other)?;
    let snippets = sandbox.snippets(keys).map_err(io::Error::other)?;
    writeln!(out, "# base URL      {}", sandbox.base_url())?;
    writeln!(out, "# mchid         {}", sandbox.mchid())?;
    writeln!(out, "# serial        {}", sandbox.serial())?;
    writeln!(out, "# APIv3 key     {}", sandbox.apiv3_key())?;
    let note = if temporary { " (deleted at the end)" } else { "" };
    writeln!(out, "# keys          {}{note}", keys.display())?;
    writeln!(out, "# seed          {}", sandbox.seed())?;
    writeln!(out, "\n{exports}\n{snippets}")?;
    writeln!(out, "# listening on {} until Ctrl-C", sandbox.base_url())
}

/// The message of an error, followed by those of its sources.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
