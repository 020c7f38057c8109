//! `wxpay sandbox -- COMMAND`: runs a program against the sandbox. `examples/sandbox.rs` includes this file.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::signals::Signals;

/// Settings of another merchant, or of another platform, must not reach the program.
const PREFIX: &str = "WECHATPAY_";

/// Runs the command with these variables, passes signals on to it, and returns its exit code.
pub(crate) async fn run(
    command: &[OsString],
    variables: Vec<(&'static str, String)>,
    signals: &mut Signals,
) -> io::Result<u8> {
    let (program, arguments) = command.split_first().ok_or_else(|| io::Error::other("no command"))?;
    let mut command = Command::new(program);
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with(PREFIX)) {
        command.env_remove(name);
    }
    let mut further = FurtherSignals::listen()?;
    let mut child = command.args(arguments).envs(variables).spawn()?;
    let id = child.id();
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    loop {
        let signal = tokio::select! {
            status = &mut ended => return Ok(exit_code(status??)),
            (number, _) = signals.next() => number,
            number = further.next() => number,
        };
        pass_on(id, signal);
    }
}

/// Whether the command can be run, as far as that can be told before it is: a sandbox that starts in vain would leave
/// its keys and its state.
#[cfg(unix)]
pub(crate) fn check(command: &[OsString]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(program) = command.first().map(Path::new) else { return Ok(()) };
    let runs = |path: &Path| match std::fs::metadata(path) {
        Ok(file) if file.is_file() && file.permissions().mode() & 0o111 != 0 => Ok(()),
        Ok(_) => Err(io::ErrorKind::PermissionDenied.into()),
        Err(e) => Err(e),
    };
    // With a slash, or empty, it is not searched for.
    if program.components().count() != 1 || program.as_os_str().to_string_lossy().contains('/') {
        return runs(program);
    }
    // Without `PATH`, the system has one of its own.
    let Some(path) = std::env::var_os("PATH") else { return Ok(()) };
    let mut tried = std::env::split_paths(&path).map(|folder| runs(&folder.join(program)));
    if tried.any(|tried| tried.is_ok()) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Other systems add extensions and folders of their own: only running it tells.
#[cfg(not(unix))]
pub(crate) fn check(_: &[OsString]) -> io::Result<()> {
    Ok(())
}

/// As a shell reports it.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).unwrap_or(u8::MAX);
    }
    status.code().map_or(u8::MAX, |code| code.to_le_bytes()[0])
}

/// Signals that would end the sandbox and leave the command alone.
#[cfg(unix)]
struct FurtherSignals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl FurtherSignals {
    fn listen() -> io::Result<FurtherSignals> {
        use tokio::signal::unix::{SignalKind, signal};
        let [quit, one, two] =
            [SignalKind::quit(), SignalKind::user_defined1(), SignalKind::user_defined2()].map(signal);
        Ok(FurtherSignals([quit?, one?, two?]))
    }

    async fn next(&mut self) -> u8 {
        use rustix::process::Signal;
        let number = |signal: Signal| u8::try_from(signal.as_raw()).unwrap_or_default();
        let [quit, one, two] = &mut self.0;
        tokio::select! {
            _ = quit.recv() => number(Signal::QUIT),
            _ = one.recv() => number(Signal::USR1),
            _ = two.recv() => number(Signal::USR2),
        }
    }
}

#[cfg(unix)]
fn pass_on(child: u32, signal: u8) {
    use rustix::process::{Pid, Signal, getpgrp, kill_process};
    use rustix::termios::tcgetpgrp;
    let Some(named) = Signal::from_named_raw(signal.into()) else { return };
    // A terminal sends these to all processes in its foreground: the command has it already. All of stdin, stdout and
    // stderr may be elsewhere.
    let of_terminal = [Signal::INT, Signal::QUIT].contains(&named);
    let in_foreground = |terminal: std::fs::File| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp());
    if of_terminal && std::fs::File::open("/dev/tty").is_ok_and(in_foreground) {
        return;
    }
    if let Some(child) = i32::try_from(child).ok().and_then(Pid::from_raw) {
        // If it has just ended, the signal has no receiver.
        let _ = kill_process(child, named);
    }
}

/// Only Unix has further ones.
#[cfg(not(unix))]
struct FurtherSignals;

#[cfg(not(unix))]
impl FurtherSignals {
    fn listen() -> io::Result<FurtherSignals> {
        Ok(FurtherSignals)
    }

    async fn next(&mut self) -> u8 {
        std::future::pending().await
    }
}

/// A console sends Ctrl-C to all its processes.
#[cfg(not(unix))]
fn pass_on(_: u32, _: u8) {}
