//! `wxpay batch`: runs calls from JSON lines, with a crash-safe journal.
//!
//! A killed batch can be resumed because a call is announced in the journal, on the disk, before it is sent, and because
//! its result is in the journal before it counts.

mod args;
mod calls;
mod check;
mod journal;
mod outcome;
mod rate_limiter;
mod records;
mod refusals;
mod resume;
mod shutdown;
mod states;
mod summary;
mod worker;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use tokio::task::JoinSet;
use wechatpay_chain::{Prepared, WeChatPay};

pub(crate) use args::BatchArgs;

use crate::apiv2;
use crate::complete_file::is_standard_stream;
use crate::config::{Session, base_url, sandbox};
use crate::exit;
use crate::failure::{self, Failure, usage_error};
use crate::global::GlobalArgs;
use crate::hints::PathHints;
use crate::output;
use crate::progress;
use crate::signals::Signals;
use crate::text::{Message, ShownPath, io_text};
use calls::{Call, Calls};
use journal::Journal;
use outcome::{NextStep, Outcome};
use rate_limiter::RateLimiter;
use records::{ResultRecord, RunRecord, VERSION};
use refusals::Refusals;
use shutdown::Shutdown;
use states::{State, States};
use summary::Ending;
use worker::{Finished, Worker};

/// After a signal, calls in flight may take this long to finish.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A batch stops after this number of consecutive failures, or two for each call in flight if that is more.
const MIN_FAILURE_LIMIT: u32 = 10;

pub(crate) fn run(global: &GlobalArgs, args: &BatchArgs) -> Result<(), Failure> {
    if args.check {
        return check::run(global, args);
    }
    let session = Session::open(global)?;
    let target = Target::of(args)?;
    let run = RunRecord {
        run: VERSION,
        mchid: session.wx.mchid().to_owned(),
        platform: if global.sandbox { "sandbox".to_owned() } else { base_url(&session.wx)? },
    };
    let mut calls = Calls::open(&args.calls)?;
    if global.sandbox {
        calls = calls.without_apiv2(apiv2::NO_SANDBOX);
    }
    let (mut states, some_of_apiv3) = validate(&mut calls, &session.wx)?;
    if some_of_apiv3 {
        download_first_certificates(&session.wx)?;
    }
    calls.rewind()?;
    let mut refusals = Refusals::default();
    let file = match &target {
        Target::File(path) => resume::open(path, args.resume, &run, &mut states, &mut refusals)?,
        Target::Stdout => {
            stdout().map_err(|e| usage_error(format!("cannot write to stdout: {}", io_text(&e))))?
        }
    };
    let jobs = usize::from(args.jobs);
    let cannot_write = |e: io::Error| {
        failure::print("error", &format!("cannot write the journal {target}: {}", io_text(&e)));
        Failure::Reported(exit::TRANSPORT)
    };
    let worker = Worker {
        wx: session.wx.clone(),
        journal: Journal::start(file, 2 * jobs).map_err(cannot_write)?,
        rate_limiter: RateLimiter::new(),
        shutdown: Shutdown::new(),
        repeat_unknown: args.repeat_unknown,
        max_failures: MIN_FAILURE_LIMIT.max(2 * u32::from(args.jobs)),
        failures: AtomicU32::new(0),
        permanent: OnceLock::new(),
        not_modelled: AtomicU32::new(0),
    };
    let mut batch = Batch {
        calls,
        states,
        refusals,
        worker: Arc::new(worker),
        jobs,
        sent: 0,
        signal: None,
        bar: progress::bar("{pos} of {len} {bar:30} {per_sec}, {eta} left"),
    };
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| usage_error(format!("cannot start a runtime: {}", io_text(&e))))?;
    let result = runtime.block_on(batch.run(&run));
    // Ends the calls that were aborted, which still hold the worker and its journal.
    runtime.shutdown_timeout(Duration::from_secs(1));
    batch.bar.finish_and_clear();
    let Batch { states, refusals, worker, sent, signal, .. } = batch;
    let Some(Worker { journal, shutdown, rate_limiter, permanent, not_modelled, .. }) =
        Arc::into_inner(worker)
    else {
        return Err(cannot_write(io::Error::other("a call in flight did not end")));
    };
    journal.close().map_err(cannot_write)?;
    result?;
    if not_modelled.into_inner() > 0 {
        sandbox::warn_not_modelled();
    }
    summary::report(
        global,
        &target,
        &Ending {
            summary: states.summary(),
            refusals: refusals.groups(),
            stopped: shutdown.reason(),
            slowdowns: rate_limiter.slowdowns(),
            sent,
            duration: began.elapsed(),
            signal,
            permanent: permanent.into_inner(),
        },
    )
}

/// Checks every call before the first one is sent; of a path that may be mistyped, it says so once. Also says whether
/// there is a call of APIv3.
fn validate(calls: &mut Calls, wx: &WeChatPay) -> Result<(States, bool), Failure> {
    let (mut paths, mut some_of_apiv3) = (PathHints::default(), false);
    let states = validated(calls, wx, |calls, call, prepared| {
        some_of_apiv3 |= !call.is_apiv2();
        if let Some(hint) = paths.next(call.verb(), call.path(), prepared) {
            failure::print("hint", &format!("{}: {hint}", calls.place(call.line)));
        }
        Ok(())
    })?;
    Ok((states, some_of_apiv3))
}

/// Checks every call, and shows it to `look`.
fn validated(
    calls: &mut Calls,
    wx: &WeChatPay,
    mut look: impl FnMut(&Calls, &Call, &Prepared) -> Result<(), Failure>,
) -> Result<States, Failure> {
    let mut states = States::default();
    while let Some(call) = calls.next()? {
        let prepared = calls.check(&call, wx)?;
        look(calls, &call, &prepared)?;
        if let Err(line) = states.add(&call) {
            let failure = calls.invalid(call.line, &format!("its `id` is already used on line {line}"));
            return Err(
                failure.with_hint("give each call an id of its own; one without an id is known by its line")
            );
        }
    }
    Ok(states)
}

/// Without a platform key no call can be sent. A setting for which none can be downloaded is an error before the journal
/// begins; anything else may pass while the batch runs.
fn download_first_certificates(wx: &WeChatPay) -> Result<(), Failure> {
    if !wx.platform_serials().is_empty() {
        return Ok(());
    }
    match wx.refresh_certificates().wait() {
        Err(wechatpay_chain::Error::PlatformKeys(keys)) if !keys.is_permanent() => Ok(()),
        result => Ok(result?),
    }
}

/// A running batch.
struct Batch {
    calls: Calls,
    states: States,
    refusals: Refusals,
    worker: Arc<Worker>,
    jobs: usize,
    /// Calls that this run sent.
    sent: u64,
    /// The exit code of the signal that ended it.
    signal: Option<u8>,
    bar: ProgressBar,
}

impl Batch {
    async fn run(&mut self, run: &RunRecord) -> Result<(), Failure> {
        let mut signals = Signals::listen()
            .map_err(|e| usage_error(format!("cannot listen to signals: {}", io_text(&e))))?;
        // If this fails, the announcement of the first call fails, too, and stops the batch.
        let _ = self.worker.journal.write_and_sync(run).await;
        self.bar.set_length(self.states.summary().calls);
        let mut in_flight = JoinSet::new();
        let mut deadline = None;
        loop {
            while in_flight.len() < self.jobs && !self.worker.shutdown.is_requested() {
                match self.next_call().await {
                    Ok(Some(call)) => {
                        let worker = Arc::clone(&self.worker);
                        // If it is aborted, this remains its state: the outcome is unknown.
                        let before = self.states.set(&call.id, State::Sent);
                        in_flight.spawn(async move {
                            let finished = worker.run(&call).await;
                            (call.id, before, finished)
                        });
                    }
                    Ok(None) => break,
                    Err(failure) => self.worker.shutdown.request(failure.to_string()),
                }
            }
            let deadline_reached = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                finished = in_flight.join_next() => match finished {
                    Some(Ok((id, before, None))) => {
                        self.states.set(&id, before);
                    }
                    Some(Ok((id, _, Some(Finished { outcome, refusal })))) => {
                        self.states.set(&id, State::Finished(outcome));
                        if let Some(refusal) = refusal {
                            self.refusals.add(&id, refusal);
                        }
                        self.sent += 1;
                        self.bar.inc(1);
                    }
                    Some(Err(_)) => {}
                    None => return Ok(()),
                },
                (number, name) = signals.next() => {
                    let code = exit::after_signal(number);
                    if self.signal.is_some() {
                        self.print(&format!("second {name}: ending at once"));
                        std::process::exit(i32::from(code));
                    }
                    self.signal = Some(code);
                    self.worker.shutdown.request(format!("ended by {name}"));
                    deadline = Some(tokio::time::Instant::now() + GRACE_PERIOD);
                    self.print(&format!("{name}: no new calls; waiting for {} in flight", in_flight.len()));
                }
                () = deadline_reached => {
                    in_flight.abort_all();
                    deadline = None;
                }
            }
        }
    }

    /// The next call to send.
    async fn next_call(&mut self) -> Result<Option<Call>, Failure> {
        while let Some(call) = self.calls.next()? {
            let Some(state) = self.states.get(&call) else {
                return Err(self.calls.invalid(call.line, "the line changed while the batch was running"));
            };
            match state.next_step() {
                NextStep::Send => return Ok(Some(call)),
                NextStep::SendIfRepeatable if self.worker.may_repeat(&call) => return Ok(Some(call)),
                NextStep::SendIfRepeatable if state == State::Sent => {
                    // If this fails, the next write or the end of the journal fails, too.
                    let _ = self.worker.journal.write(&ResultRecord::interrupted(&call)).await;
                    self.states.set(&call.id, State::Finished(Outcome::Unknown));
                }
                NextStep::SendIfRepeatable | NextStep::Skip => {}
            }
            // The rate is that of the calls that are sent.
            self.bar.inc(1);
            self.bar.reset_eta();
        }
        Ok(None)
    }

    /// Prints a line to stderr, above the progress bar.
    fn print(&self, text: &str) {
        self.bar.suspend(|| output::error_lines(&format!("wxpay: {}", Message(text))));
    }
}

/// Where the journal goes.
enum Target {
    File(PathBuf),
    Stdout,
}

impl Target {
    fn of(args: &BatchArgs) -> Result<Target, Failure> {
        match &args.output {
            Some(output) if is_standard_stream(output) && args.resume => {
                Err(usage_error("a journal on stdout cannot be read again")
                    .with_hint("use -o FILE with --resume"))
            }
            Some(output) if is_standard_stream(output) => Ok(Target::Stdout),
            Some(output) => Ok(Target::File(output.clone())),
            None if is_standard_stream(&args.calls) => {
                Err(usage_error("the journal has no name: it cannot be named after stdin")
                    .with_hint("name it with -o"))
            }
            None => Ok(Target::File(args.calls.with_extension("results.jsonl"))),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::File(path) => write!(f, "{}", ShownPath(path)),
            Target::Stdout => f.write_str("on stdout"),
        }
    }
}

#[cfg(unix)]
fn stdout() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn stdout() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(io::stdout().as_handle().try_clone_to_owned()?.into())
}
