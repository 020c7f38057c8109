//! `wxpay batch`: calls from JSON lines, into a journal that survives a crash.
//!
//! What holds at any moment, so that a killed batch can go on: a call is announced in the journal, on the disk, before
//! it is sent, and its answer stands there before it counts.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinSet;
use wechatpay_chain::WeChatPay;

use crate::cli::{self, Global};
use crate::config;
use crate::exit::{self, Failure, usage};

pub(crate) mod args;
mod calls;
mod journal;
mod outcome;
mod rate_limiter;
mod records;
mod resume;
mod shutdown;
mod states;
mod worker;

use calls::{Call, Calls};
use journal::Journal;
use outcome::{Next, Outcome, Summary};
use rate_limiter::Pace;
use records::{Ended, Run, VERSION};
use shutdown::{Signals, Stop};
use states::{Ledger, Phase};
use worker::Worker;

/// How long a signal leaves the calls that are in flight.
const GRACE: Duration = Duration::from_secs(30);

/// A batch stops after so many failures in a row, or two for each call in flight.
const FEWEST_FAILURES: u32 = 10;

pub(crate) fn run(global: &Global, batch: &args::Batch) -> Result<(), Failure> {
    let session = config::open(global)?;
    let output = output(batch)?;
    let run = Run {
        run: VERSION,
        mchid: session.wx.mchid().to_owned(),
        platform: if global.sandbox { "sandbox".to_owned() } else { base_url(&session.wx)? },
    };
    let mut calls = Calls::open(&batch.calls)?;
    let mut ledger = Ledger::default();
    while let Some(call) = calls.next()? {
        calls.check(&call, &session.wx)?;
        if let Err(line) = ledger.enter(&call) {
            return Err(calls.wrong(call.line, &format!("its id is that of line {line}, too")));
        }
    }
    calls.rewind()?;
    let file = resume::open(&output, batch.resume, &run, &mut ledger)?;
    let jobs = usize::from(batch.jobs);
    let unwritable = |e: io::Error| {
        let _ = writeln!(io::stderr(), "wxpay: the journal `{}` cannot be written: {e}", output.display());
        Failure::Told(exit::TRANSPORT)
    };
    let worker = Worker {
        wx: session.wx.clone(),
        journal: Journal::start(file, 2 * jobs).map_err(unwritable)?,
        pace: Pace::new(),
        stop: Stop::new(),
        repeat_unknown: batch.repeat_unknown,
        most_failures: FEWEST_FAILURES.max(2 * u32::from(batch.jobs)),
        failures: AtomicU32::new(0),
    };
    let mut batch = Batch { calls, ledger, worker: Arc::new(worker), jobs, signal: None, bar: bar() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| usage(format!("no runtime can be started: {e}")))?;
    let went = runtime.block_on(batch.go(&run));
    // Ends what was given up, so that nobody but this function has the journal.
    runtime.shutdown_timeout(Duration::from_secs(1));
    batch.bar.finish_and_clear();
    let Batch { ledger, worker, signal, .. } = batch;
    let Some(Worker { journal, stop, pace, .. }) = Arc::into_inner(worker) else {
        return Err(unwritable(io::Error::other("a call still has it")));
    };
    journal.close().map_err(unwritable)?;
    went?;
    let (why, slowed) = (stop.why(), pace.times());
    tell(global, &output, ledger.summary(), why, slowed, signal)
}

/// A batch on its way.
struct Batch {
    calls: Calls,
    ledger: Ledger,
    worker: Arc<Worker>,
    jobs: usize,
    /// The exit code of the signal that ended it.
    signal: Option<u8>,
    bar: ProgressBar,
}

impl Batch {
    async fn go(&mut self, run: &Run) -> Result<(), Failure> {
        let mut signals =
            Signals::listen().map_err(|e| usage(format!("signals cannot be listened to: {e}")))?;
        // A failure shows with the first call.
        let _ = self.worker.journal.write(run).await;
        let summary = self.ledger.summary();
        self.bar.set_length(summary.calls);
        let mut in_flight = JoinSet::new();
        let mut deadline = None;
        loop {
            while in_flight.len() < self.jobs && !self.worker.stop.is_raised() {
                match self.next().await {
                    Ok(Some(call)) => {
                        let worker = Arc::clone(&self.worker);
                        // Until it ends, nobody knows; nor ever, if it is given up.
                        let before = self.ledger.set(&call.id, Phase::Sent);
                        in_flight.spawn(async move {
                            let outcome = worker.run(&call).await;
                            (call.id, outcome.map_or(before, Phase::Ended))
                        });
                    }
                    Ok(None) => break,
                    Err(failure) => self.worker.stop.raise(failure.to_string()),
                }
            }
            let ended = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = in_flight.join_next() => match ended {
                    Some(Ok((id, phase))) => {
                        self.ledger.set(&id, phase);
                        self.bar.inc(1);
                    }
                    Some(Err(_)) => {}
                    None => return Ok(()),
                },
                (code, name) = signals.next() => {
                    if self.signal.is_some() {
                        self.say(&format!("{name} again: ended at once"));
                        std::process::exit(i32::from(code));
                    }
                    self.signal = Some(code);
                    self.worker.stop.raise(format!("ended by {name}"));
                    deadline = Some(tokio::time::Instant::now() + GRACE);
                    self.say(&format!("{name}: no new calls; waiting for {} in flight", in_flight.len()));
                }
                () = ended => {
                    in_flight.abort_all();
                    deadline = None;
                }
            }
        }
    }

    /// The next call that is to be sent.
    async fn next(&mut self) -> Result<Option<Call>, Failure> {
        while let Some(call) = self.calls.next()? {
            let Some(phase) = self.ledger.phase(&call) else {
                return Err(self.calls.wrong(call.line, "changed while the batch was running"));
            };
            match phase.next() {
                Next::Send => return Ok(Some(call)),
                Next::Ask if self.worker.may_repeat(&call) => return Ok(Some(call)),
                Next::Ask if phase == Phase::Sent => {
                    // A failure shows with the next call, or at the end.
                    let _ = self.worker.journal.tell(&Ended::lost(&call)).await;
                    self.ledger.set(&call.id, Phase::Ended(Outcome::Unknown));
                }
                Next::Ask | Next::Nothing => {}
            }
            self.bar.inc(1);
        }
        Ok(None)
    }

    fn say(&self, text: &str) {
        // Nowhere to say it, if this fails.
        self.bar.suspend(|| drop(writeln!(io::stderr(), "wxpay: {text}")));
    }
}

/// The summary, on stderr, and the exit code.
fn tell(
    global: &Global,
    output: &Path,
    summary: Summary,
    why: Option<String>,
    slowed: u32,
    signal: Option<u8>,
) -> Result<(), Failure> {
    let Summary { calls, ok, refused, unknown, unverified, left } = summary;
    let text = match (global.json_errors, serde_json::to_value(summary)) {
        (true, Ok(mut json)) => {
            if let Some(why) = why {
                json["stopped"] = why.into();
            }
            json.to_string()
        }
        _ => {
            let mut text =
                format!("wxpay: {calls} calls: {ok} ok, {refused} refused, {unknown} unknown, {left} left");
            if unverified > 0 {
                text.push_str(&format!(", {unverified} unverified"));
            }
            text.push_str(&format!("; the journal is `{}`", output.display()));
            if slowed > 0 {
                text.push_str(&format!("\n  slowed down {slowed} times by a rate limit"));
            }
            if let Some(why) = why {
                text.push_str(&format!("\n  stopped early: {why}"));
            }
            if left > 0 {
                text.push_str("\n  --resume goes on with what is left");
            }
            if unknown + unverified > 0 {
                text.push_str(
                    "\n  query what is unknown, or repeat it, with the same numbers, by --resume --repeat-unknown",
                );
            }
            text
        }
    };
    // Nowhere to say it, if this fails.
    let _ = writeln!(io::stderr(), "{text}");
    match (signal, summary.code()) {
        (Some(signal), _) if left > 0 => Err(Failure::Told(signal)),
        (_, 0) => Ok(()),
        (_, code) => Err(Failure::Told(code)),
    }
}

/// Where the journal is.
fn output(batch: &args::Batch) -> Result<PathBuf, Failure> {
    match &batch.output {
        Some(output) => Ok(output.clone()),
        None if batch.calls.as_os_str() == "-" => {
            Err(usage("-o is needed: calls from stdin have no name to call the journal by"))
        }
        None => Ok(batch.calls.with_extension("results.jsonl")),
    }
}

/// Whom the calls go to.
fn base_url(wx: &WeChatPay) -> Result<String, Failure> {
    let prepared = wx.chain("v3").get().prepare()?;
    Ok(prepared.url().trim_end_matches("v3").to_owned())
}

/// A bar on stderr, on a terminal only.
fn bar() -> ProgressBar {
    let bar = ProgressBar::no_length();
    // The template is right, and the default one would do.
    match ProgressStyle::with_template("{pos} of {len} {bar:30} {per_sec}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
