//! The Tab key in real shells, on a pseudo-terminal.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::completions::ASKING;
use crate::support::has;

/// Types keys into a shell on a pseudo-terminal; returns the words of the line that they make.
fn typed(shell: &str, keys: &str) -> Option<Vec<String>> {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(env!("CARGO_BIN_EXE_wxpay"), bin.join("wxpay")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let (command, start) = match shell {
        "bash" => ("bash --norc --noprofile -i", "source <(wxpay completions bash)"),
        "zsh" => ("zsh -f -i", "autoload -Uz compinit; compinit -u -D; source <(wxpay completions zsh)"),
        _ => ("fish --no-config -i", "wxpay completions fish | source"),
    };
    let show = match shell {
        "fish" => "function show; printf '%s\\n' $argv > words.part; mv words.part words; end",
        _ => "show() { printf '%s\\n' \"$@\" > words.part; mv words.part words; }",
    };
    let mut child = Command::new("script")
        .args(["-qec", command, "/dev/null"])
        .env_clear()
        .env("PATH", path)
        .env("HOME", home.path())
        .env("TERM", "xterm")
        .env("LANG", "C.UTF-8")
        .current_dir(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    // Whatever is not read would stop the shell.
    let reader = std::thread::spawn(move || {
        let mut shown = Vec::new();
        let _ = screen.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    let wait_for = |file: &Path| {
        let begin = Instant::now();
        while !file.exists() && begin.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(20));
        }
        file.exists()
    };
    write!(keyboard, "{start}; {show}\r touch ready\r").unwrap();
    let mut words = None;
    if wait_for(&home.path().join("ready")) {
        // To the beginning of the line (Ctrl-A), `show` before it, to its end, and run.
        write!(keyboard, "{keys}\x01show \x05\r").unwrap();
        if wait_for(&home.path().join("words")) {
            words = std::fs::read_to_string(home.path().join("words")).ok();
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    drop(keyboard);
    let screen = reader.join().unwrap();
    let words = words.map(|words| words.lines().map(str::to_owned).collect());
    if words.is_none() {
        eprintln!("{shell}: {keys:?}: {screen}");
    }
    words
}

#[test]
fn the_tab_key_completes_in_real_shells() {
    if !has("script") {
        return;
    }
    for shell in ASKING.into_iter().filter(|shell| has(shell)) {
        for (keys, expected) in [
            ("wxpay post v3/refund/\t", "wxpay post v3/refund/domestic/"),
            (
                "wxpay post v3/pay/transactions/nati\tdesc\t",
                "wxpay post v3/pay/transactions/native description=",
            ),
            (
                "wxpay get v3/bill/tradebill bill_type==RECH\t",
                "wxpay get v3/bill/tradebill bill_type==RECHARGE_REFUND",
            ),
            (
                "wxpay get v3/bill/tradebill -q bill_type=RECH\t",
                "wxpay get v3/bill/tradebill -q bill_type=RECHARGE_REFUND",
            ),
            (
                "wxpay post v3/refund/domestic/refunds 'amount[tot\tQ1",
                "wxpay post v3/refund/domestic/refunds amount[total]:=1",
            ),
            (
                "wxpay post v3/refund/domestic/refunds amou\ttot\t1",
                "wxpay post v3/refund/domestic/refunds amount[total]:=1",
            ),
            (
                "wxpay get v3/pay/transactions/id/\t--var \t",
                "wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=",
            ),
            ("wxpay --color=al\t", "wxpay --color=always"),
            (
                "wxpay post https://api.mch.weixin.qq.com/v3/refund/\t",
                "wxpay post https://api.mch.weixin.qq.com/v3/refund/domestic/",
            ),
        ] {
            // bash closes the quote, the others wait for more.
            let keys = &match shell {
                "bash" => keys.replace("Q1", "1"),
                _ => keys.replace("Q1", "1'"),
            };
            let expected: Vec<_> = expected.split(' ').map(str::to_owned).collect();
            assert_eq!(typed(shell, keys).as_ref(), Some(&expected), "{shell}: {keys:?}");
        }
    }
}
