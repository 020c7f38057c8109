//! The sandbox as a program: `wxpay sandbox`, and `examples/sandbox.rs`, which is this file with a `main`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wechatpay_chain::sandbox::{FaultRule, Sandbox};

/// How the platform is to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The port of 127.0.0.1 to listen on [default: any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Keep keys, merchant id and APIv3 key in this folder [default: fresh ones, gone at the end]
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// Keep orders, refunds, files and all other state in this SQLite file over restarts [default: in memory]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Leave refunds at PROCESSING, instead of settling them at once
    #[arg(long)]
    hold_refunds: bool,
    /// Scripted answers, a JSON object a line; may be given more than once
    #[arg(long, value_name = "FILE")]
    script: Vec<PathBuf>,
    /// Answer 404 for a path that nothing models
    #[arg(long)]
    strict: bool,
    /// How many times faster than the platform's the schedule of notifications runs
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Send notifications to this host, too, not only to this machine; may be given more than once
    #[arg(long, value_name = "HOST")]
    notify_host: Vec<String>,
    /// Of the faults that hit a share of the requests [default: a random one]
    #[arg(long)]
    seed: Option<u64>,
    /// A fault and what it hits, such as "rate-limited share=0.1 path=v3/pay/{+rest}"; may be given more than once
    #[arg(long, value_name = "RULE")]
    fault: Vec<FaultRule>,
    /// Seconds that the sandbox's clock is ahead
    #[arg(long, value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true)]
    clock_skew: i64,
}

pub(crate) type Broken = Box<dyn std::error::Error>;

/// Runs until Ctrl-C, or until the system asks it to end.
pub(crate) fn run(options: &Options) -> Result<(), Broken> {
    // Removed when this ends; a folder that the user named stays.
    let temporary = if options.keys.is_none() { Some(tempfile::tempdir()?) } else { None };
    let keys = match (&options.keys, &temporary) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) => folder.path().join("keys"),
        (None, None) => return Err("there is no folder for the keys".into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Before anything is printed: whoever waits for that may end it at once.
    let end = runtime.block_on(async { signals() })?;
    let sandbox = start(options, &keys)?;
    let mut out = io::stdout().lock();
    // A reader that has gone away is no reason to end.
    let _ = introduce(&sandbox, &keys, options.keys.is_none(), &mut out).and_then(|()| out.flush());
    runtime.block_on(end);
    Ok(())
}

fn start(options: &Options, keys: &Path) -> Result<Sandbox, Broken> {
    let mut builder = Sandbox::builder()
        .port(options.port)
        .keys(keys)
        .strict(options.strict)
        .time_scale(options.time_scale)
        .clock_skew(options.clock_skew)
        .hold_refunds(options.hold_refunds);
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

fn introduce(sandbox: &Sandbox, keys: &Path, temporary: bool, out: &mut impl Write) -> io::Result<()> {
    let pasted = sandbox.exports(keys).and_then(|exports| Ok((exports, sandbox.snippets(keys)?)));
    let (exports, snippets) = pasted.map_err(io::Error::other)?;
    writeln!(out, "# base URL      {}", sandbox.base_url())?;
    writeln!(out, "# mchid         {}", sandbox.mchid())?;
    writeln!(out, "# serial        {}", sandbox.serial())?;
    writeln!(out, "# APIv3 key     {}", sandbox.apiv3_key())?;
    let until = if temporary { " (until this ends)" } else { "" };
    writeln!(out, "# keys          {}{until}", keys.display())?;
    writeln!(out, "# seed          {}", sandbox.seed())?;
    writeln!(out, "\n{exports}\n{snippets}")?;
    writeln!(out, "# listening on {} until Ctrl-C", sandbox.base_url())
}

/// Listens at once; ends at Ctrl-C, or when the system asks it to.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// An error with all that caused it.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
