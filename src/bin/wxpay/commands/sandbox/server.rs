//! Runs the sandbox as a server. `examples/sandbox.rs` includes this file, so it imports nothing from the program but
//! `signals`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use wechatpay_chain::sandbox::{FaultRule, Sandbox, Seen, SnippetLanguage};

use super::signals::Signals;

#[derive(Clone, clap::Args)]
pub(crate) struct Options {
    /// Listen on this port of 127.0.0.1 [default: a free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Keep keys, merchant number and APIv3 key in this folder [default: new ones for each run]
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
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
    /// Print code that points this SDK at the sandbox
    #[arg(long, value_name = "LANGUAGE")]
    snippet: Option<Snippet>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Snippet {
    Php,
    Node,
    Go,
    Java,
    Python,
    Rust,
}

impl From<Snippet> for SnippetLanguage {
    fn from(snippet: Snippet) -> SnippetLanguage {
        match snippet {
            Snippet::Php => SnippetLanguage::Php,
            Snippet::Node => SnippetLanguage::Node,
            Snippet::Go => SnippetLanguage::Go,
            Snippet::Java => SnippetLanguage::Java,
            Snippet::Python => SnippetLanguage::Python,
            Snippet::Rust => SnippetLanguage::Rust,
        }
    }
}

/// Lines that wait to be printed. If nobody reads stderr, further ones are counted and omitted: the sandbox goes on.
const MAX_LINES: usize = 1_000;

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
    let _ = print_banner(&sandbox, &keys, options, &mut out).and_then(|()| out.flush());
    runtime.block_on(signals.next());
    Ok(())
}

fn start(options: &Options, keys: &Path) -> Result<Sandbox, BoxError> {
    let mut builder = Sandbox::builder()
        .port(options.port)
        .keys(keys)
        .strict(options.strict)
        .time_scale(options.time_scale)
        .clock_skew(options.clock_skew)
        .hold_refunds(options.hold_refunds)
        .watch(printer()?);
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

fn print_banner(sandbox: &Sandbox, keys: &Path, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let exports = sandbox.exports(keys).map_err(io::Error::other)?;
    let snippet = options.snippet.map(|language| sandbox.snippet(language.into(), keys)).transpose();
    writeln!(out, "# web page      {} (open it in a browser)", sandbox.base_url())?;
    writeln!(out, "# base URL      {}", sandbox.base_url())?;
    writeln!(out, "# mchid         {}", sandbox.mchid())?;
    writeln!(out, "# serial        {}", sandbox.serial())?;
    writeln!(out, "# APIv3 key     {}", sandbox.apiv3_key())?;
    let note = if options.keys.is_none() { " (deleted at the end)" } else { "" };
    writeln!(out, "# keys          {}{note}", keys.display())?;
    writeln!(out, "# seed          {}", sandbox.seed())?;
    writeln!(out, "\n{exports}")?;
    if let Some(snippet) = snippet.map_err(io::Error::other)? {
        writeln!(out, "{snippet}")?;
    }
    writeln!(out, "# listening on {} until Ctrl-C", sandbox.base_url())
}

/// Prints a line on stderr for each request and each attempt to send a notification. On a thread of its own, since a
/// terminal can block.
fn printer() -> io::Result<impl Fn(Seen<'_>) + Send + Sync + 'static> {
    let (sender, lines) = mpsc::sync_channel::<String>(MAX_LINES);
    let omitted = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&omitted);
    thread::Builder::new().name("sandbox-printer".into()).spawn(move || {
        for line in lines {
            let mut err = io::stderr().lock();
            let missing = omitted.swap(0, Ordering::Relaxed);
            // If this fails, there is nowhere left to report it.
            let _ = match missing {
                0 => writeln!(err, "{line}"),
                _ => writeln!(err, "({missing} lines omitted)\n{line}"),
            };
        }
    })?;
    Ok(move |seen: Seen<'_>| {
        let line = match seen {
            Seen::Request(request) => request.to_string(),
            Seen::Notification(notification) => notification.to_string(),
            _ => return,
        };
        if sender.try_send(line).is_err() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    })
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
