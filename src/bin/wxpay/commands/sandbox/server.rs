//! Runs the sandbox as a server. `examples/sandbox.rs` includes this file, so it imports nothing from the program but
//! `signals`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use wechatpay_chain::sandbox::{FaultRule, Sandbox, Seen, SigningMode, SnippetLanguage};

use super::{child, ready::ReadyFile, signals::Signals};

#[derive(Clone, clap::Args)]
pub(crate) struct Options {
    /// Listen on this port; 0: a free port [default: 8933, or a free port if it is taken]
    #[arg(long)]
    port: Option<u16>,
    /// Listen on this address; any but a loopback address opens the sandbox to the network
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Accept this host name at the web page and the control endpoint, with any port (repeatable)
    #[arg(long, value_name = "NAME")]
    allow_host: Vec<String>,
    /// Write address, process ID and variables to this file, as JSON, once the sandbox listens; removed at the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Keep keys, merchant number and APIv3 key in this folder [default: new ones for each run]
    #[arg(long, value_name = "DIR")]
    pub(crate) keys: Option<PathBuf>,
    /// Sign responses and notifications with this kind of key: public-key, certificate, or migration for both
    /// [default: the kind that --keys has, or what the client has]
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
    /// Leave code payments in USERPAYING, as if the user had to enter a password
    #[arg(long)]
    hold_code_payments: bool,
    /// Read scripted responses from this file, one JSON object per line (repeatable)
    #[arg(long, value_name = "FILE")]
    script: Vec<PathBuf>,
    /// Refuse everything that differs from the documents; return 404 for undocumented endpoints
    #[arg(long)]
    strict: bool,
    /// Send repeated notifications X times as fast as the platform
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    time_scale: f64,
    /// Send notifications to this host, too; by default only to this machine (repeatable)
    #[arg(long, value_name = "HOST")]
    notify_host: Vec<String>,
    /// Random seed for faults with a `share` and for values in responses [default: random]
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
    /// Run this command with the variables set, end with it, and return its exit code
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// So that a client's base URL stays the same.
const DEFAULT_PORT: u16 = 8933;

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

/// Lines that wait to be printed. If stderr is not read, further ones are counted and omitted: the sandbox goes on.
const MAX_LINES: usize = 1_000;

type BoxError = Box<dyn std::error::Error>;

/// Runs until Ctrl-C, SIGTERM or SIGHUP, or until the command ends. Returns the exit code.
pub(crate) fn run(options: &Options) -> Result<u8, BoxError> {
    let cannot_run = |error| format!("the command {}", about(Path::new(&options.command[0]), error));
    child::check(&options.command).map_err(cannot_run)?;
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
        return Ok(0);
    };
    let sandbox = started??;
    let _ready = match &options.ready_file {
        Some(file) => Some(ReadyFile::write(file, &sandbox, &keys).map_err(|e| about(file, e))?),
        None => None,
    };
    warn_if_open(&sandbox);
    if !options.command.is_empty() {
        let variables = sandbox.file_variables(&keys)?;
        let ended = runtime.block_on(child::run(&options.command, variables, &mut signals));
        return ended.map_err(|e| cannot_run(e).into());
    }
    let mut out = io::stdout().lock();
    // The sandbox keeps running if the reader of its output is gone.
    let _ = print_banner(&sandbox, &keys, options, &mut out).and_then(|()| out.flush());
    runtime.block_on(signals.next());
    Ok(0)
}

fn about(path: &Path, error: io::Error) -> BoxError {
    format!("{}: {error}", path.display()).into()
}

/// What a listen address opens that others can reach.
fn warn_if_open(sandbox: &Sandbox) {
    let address = sandbox.address();
    if !address.ip().is_loopback() {
        // If this fails, there is nowhere left to report it.
        let _ = writeln!(
            io::stderr(),
            "# warning: {address} is open to the network: everyone who can reach it can read the requests, pay orders \
             and change keys at the web page and the control endpoint, without a signature"
        );
    }
}

fn start(options: &Options, keys: &Path) -> Result<Sandbox, BoxError> {
    let mut builder = Sandbox::builder()
        .host(options.host)
        .keys(keys)
        .serial_zero(options.serial_zero)
        .strict(options.strict)
        .time_scale(options.time_scale)
        .clock_skew(options.clock_skew)
        .hold_refunds(options.hold_refunds)
        .hold_code_payments(options.hold_code_payments)
        .watch(printer(options.command.is_empty())?);
    builder = match options.port {
        Some(port) => builder.port(port),
        None => builder.prefer_port(DEFAULT_PORT),
    };
    for name in &options.allow_host {
        builder = builder.allow_host(name);
    }
    if let Some(file) = &options.ready_file {
        ReadyFile::prepare(file).map_err(|e| about(file, e))?;
    }
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

fn print_banner(sandbox: &Sandbox, keys: &Path, options: &Options, out: &mut impl Write) -> io::Result<()> {
    let exports = sandbox.exports(keys).map_err(io::Error::other)?;
    let snippet = options.snippet.map(|language| sandbox.snippet(language.into(), keys)).transpose();
    writeln!(out, "# web page      {} (open it in a browser)", sandbox.base_url())?;
    writeln!(out, "# base URL      {}", sandbox.base_url())?;
    if options.port.is_none() && sandbox.address().port() != DEFAULT_PORT {
        writeln!(out, "# port {DEFAULT_PORT} is taken, so this is a free one; choose one with --port")?;
    }
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
fn printer(prints: bool) -> io::Result<impl Fn(Seen<'_>) + Send + Sync + 'static> {
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
        // The terminal is the command's.
        if !prints {
            return;
        }
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
    // The number of an error of the operating system says nothing to a person.
    let text = |error: &dyn std::error::Error| {
        let mut text = error.to_string();
        text.truncate(text.find(" (os error ").unwrap_or(text.len()));
        text
    };
    let (mut all, mut source) = (text(error), error.source());
    while let Some(error) = source {
        all = format!("{all}: {}", text(error));
        source = error.source();
    }
    all
}
