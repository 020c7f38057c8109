//! The state file: kept over restarts and kills; files that are refused. `sqlite3` reads it.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Delivery, Sandbox, SandboxError};
use wechatpay_chain::{Error, Media, WeChatPay};

use crate::support::{alone, has, sandbox_builder, skipped};

/// Set for the child that is to be killed: the folder to write in.
const CHILD: &str = "WECHATPAY_SANDBOX_STATE_CHILD";

fn start(folder: &Path) -> (Sandbox, WeChatPay) {
    let sandbox = Sandbox::builder().keys(folder.join("keys")).state(folder.join("state")).start().unwrap();
    let wx = sandbox.client().unwrap();
    (sandbox, wx)
}

fn prepay(wx: &WeChatPay, number: &str) {
    let body = json!({
        "appid": "wxd678efh567hg6787",
        "mchid": wx.mchid(),
        "description": "茶",
        "out_trade_no": number,
        "notify_url": "https://www.example.com/notify",
        "amount": {"total": 100},
    });
    wx["v3/pay/transactions/native"].post_sync(body).unwrap();
}

fn order(wx: &WeChatPay, number: &str) -> Result<Value, Error> {
    let request = wx.chain("v3/pay/transactions/out-trade-no/{number}").get().var("number", number);
    Ok(request.query(json!({"mchid": wx.mchid()})).wait()?.into_data())
}

fn refund(wx: &WeChatPay, number: &str) {
    let body = json!({
        "out_trade_no": number,
        "out_refund_no": format!("R{number}"),
        "amount": {"refund": 40, "total": 100, "currency": "CNY"},
    });
    wx["v3/refund/domestic/refunds"].post_sync(body).unwrap();
}

/// The output of `sqlite3`, if it is installed.
fn sqlite3(file: &Path, sql: &str) -> Option<String> {
    if !has("sqlite3") {
        return None;
    }
    let output = Command::new("sqlite3").arg(file).arg(sql).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap().trim().to_string())
}

/// Reads one HTTP request and responds with 204; returns its body.
fn accept(listener: &std::net::TcpListener) -> Value {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(&stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_notification_that_was_not_delivered_is_sent_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    // A port on which no server listens yet.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (sandbox, wx) = start(folder.path());
    let body = json!({
        "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "茶", "out_trade_no": "P0000001",
        "notify_url": format!("http://{address}/notify"), "amount": {"total": 100},
    });
    wx["v3/pay/transactions/native"].post_sync(body).unwrap();
    sandbox.pay("P0000001").unwrap();
    while sandbox.notifications()[0].attempts.is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = sandbox.notifications()[0].id.clone();
    drop((sandbox, wx));
    // The next run sends it at once, with its id; and the run after that does not.
    let listener = std::net::TcpListener::bind(address).unwrap();
    let (sandbox, _) = start(folder.path());
    let arrived = accept(&listener);
    assert_eq!(
        (arrived["id"].as_str(), &arrived["event_type"]),
        (Some(id.as_str()), &json!("TRANSACTION.SUCCESS"))
    );
    let begun = Instant::now();
    while !sandbox.notifications()[0].is_done() && begun.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Its row is deleted right after it is marked as done, on another thread.
    std::thread::sleep(Duration::from_millis(500));
    drop(sandbox);
    if let Some(left) = sqlite3(&folder.path().join("state"), "SELECT count(*) FROM notification") {
        assert_eq!(left, "0");
    }
    let (sandbox, _) = start(folder.path());
    let all = sandbox.notifications();
    assert_eq!((all.len(), all[0].id.as_str(), &all[0].delivery), (1, id.as_str(), &Delivery::Accepted));
    assert_eq!(all[0].attempts.len(), 2, "one of each run");
}

#[test]
fn a_restart_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wx) = start(folder.path());
    prepay(&wx, "P0000001");
    prepay(&wx, "P0000002");
    sandbox.pay("P0000001").unwrap();
    refund(&wx, "P0000001");
    let upload = wx["v3/merchant/media/upload"].post(Value::Null).media(Media::bytes("a.png", "BMabc"));
    let id = upload.wait().unwrap().data()["media_id"].clone();
    let before = [order(&wx, "P0000001").unwrap(), order(&wx, "P0000002").unwrap()];
    drop((sandbox, wx));

    let file = folder.path().join("state");
    if let Some(counts) =
        sqlite3(&file, "SELECT kind, state, count(*) FROM document GROUP BY 1, 2; PRAGMA user_version")
    {
        assert_eq!(counts, "order|NOTPAY|1\norder|REFUND|1\nrefund|SUCCESS|1\n1");
    }
    let (sandbox, wx) = start(folder.path());
    assert_eq!([order(&wx, "P0000001").unwrap(), order(&wx, "P0000002").unwrap()], before);
    let file = wx.chain("v3/merchant-service/images/{id}").get().var("id", id.as_str().unwrap());
    assert_eq!(&file.wait().unwrap().bytes()[..], b"BMabc");
    assert!(matches!(sandbox.pay("P0000001"), Err(SandboxError::State { code, .. }) if code == "ORDERPAID"));
    sandbox.pay("P0000002").unwrap();
}

/// Not a test of its own: the process that the next one kills.
#[test]
fn the_child_that_writes() {
    let Some(folder) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let (sandbox, wx) = start(&folder);
    let run = std::env::var("RUN").unwrap();
    for count in 0_u32.. {
        let number = format!("P{run}-{count:06}");
        prepay(&wx, &number);
        println!("made {number}");
        sandbox.pay(&number).unwrap();
        println!("paid {number}");
        refund(&wx, &number);
        println!("refunded {number}");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    drop(start(folder.path()));
    let mut answered: Vec<(String, String)> = Vec::new();
    for run in 0..20_u64 {
        let mut child = alone(module_path!(), "the_child_that_writes")
            .env(CHILD, folder.path())
            .env("RUN", run.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut ended = None;
        for line in &mut lines {
            let line = line.unwrap();
            if let Some((done, number)) = line.split_once(" P")
                && matches!(done, "made" | "paid" | "refunded")
            {
                // Somewhere within the next 60 ms, another place in every run.
                ended.get_or_insert_with(|| Instant::now() + Duration::from_micros(run * 7919 % 60_000));
                answered.push((done.into(), format!("P{number}")));
            }
            if ended.is_some_and(|end| Instant::now() >= end) {
                child.kill().unwrap(); // SIGKILL
                break;
            }
        }
        for line in lines {
            let line = line.unwrap();
            if let Some((done @ ("made" | "paid" | "refunded"), number)) = line.split_once(" P") {
                answered.push((done.into(), format!("P{number}")));
            }
        }
        assert!(!child.wait().unwrap().success());
        assert!(ended.is_some(), "the child wrote nothing");
    }

    let (sandbox, wx) = start(folder.path());
    for (done, number) in &answered {
        let order = order(&wx, number).unwrap();
        let state = order["trade_state"].as_str().unwrap();
        match done.as_str() {
            "made" => assert_eq!(order["amount"]["total"], 100, "{number}"),
            "paid" => assert!(matches!(state, "SUCCESS" | "REFUND"), "{number} is {state}"),
            _ => assert_eq!(state, "REFUND", "{number}"),
        }
        assert_eq!(order["transaction_id"].is_string(), state != "NOTPAY", "{number} is half paid");
        let refund = wx.chain("v3/refund/domestic/refunds/{no}").get().var("no", format!("R{number}")).wait();
        assert_eq!(refund.is_ok(), state == "REFUND", "{number} is half refunded");
    }
    assert!(answered.len() >= 20);
    drop((sandbox, wx));
    let file = folder.path().join("state");
    if let Some(reported) = sqlite3(&file, "PRAGMA integrity_check; PRAGMA journal_mode") {
        assert_eq!(reported, "ok\nwal");
    }
}

#[track_caller]
fn refused(file: &Path, says: &str) {
    match sandbox_builder().state(file).start() {
        Err(error @ SandboxError::StateFile { .. }) => {
            let reported = error.to_string();
            assert!(reported.contains(says) && reported.contains(&*file.to_string_lossy()), "{reported}");
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("started"),
    }
}

#[test]
fn invalid_state_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);

    refused(&path("no/such/folder/state"), "cannot be opened");
    refused(folder.path(), "cannot be opened");
    fs::write(path("text"), "a text that is certainly longer than the sixteen bytes of SQLite's header")
        .unwrap();
    refused(&path("text"), "is not an SQLite database");
    fs::write(path("short"), "notes\n").unwrap();
    refused(&path("short"), "is not an SQLite database");
    assert_eq!(fs::read_to_string(path("short")).unwrap(), "notes\n", "it is left alone");
    assert!(fs::read_to_string(path("text")).unwrap().starts_with("a text"), "it is left alone");

    drop(sandbox_builder().state(path("broken")).start().unwrap());
    let mut bytes = fs::read(path("broken")).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(path("broken"), &bytes).unwrap();
    refused(&path("broken"), "damaged SQLite database");

    let running = sandbox_builder().state(path("taken")).start().unwrap();
    refused(&path("taken"), "in use by another running sandbox");
    if has("sqlite3") {
        let other = Command::new("sqlite3").arg(path("taken")).arg("SELECT count(*) FROM document").output();
        let other = other.unwrap();
        assert!(String::from_utf8_lossy(&other.stderr).contains("locked"), "{other:?}");
    }
    drop(running);
    drop(sandbox_builder().state(path("taken")).start().unwrap());

    // An empty file is an empty database.
    fs::write(path("empty"), "").unwrap();
    drop(sandbox_builder().state(path("empty")).start().unwrap());

    if sqlite3(&path("foreign"), "CREATE TABLE t (a); INSERT INTO t VALUES (1)").is_some() {
        refused(&path("foreign"), "another program");
        assert_eq!(sqlite3(&path("foreign"), "SELECT a FROM t; PRAGMA journal_mode").unwrap(), "1\ndelete");
        sqlite3(&path("taken"), "PRAGMA user_version = 7");
        refused(&path("taken"), "has version 7, and this sandbox reads version 1");
    }
}

/// A damaged file is refused as it is, wherever the damage is: nothing is written to it.
#[test]
fn a_damaged_state_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, wx) = start(folder.path());
    (0..200).for_each(|number| prepay(&wx, &format!("P{number:06}")));
    drop((sandbox, wx));
    let whole = fs::read(folder.path().join("state")).unwrap();
    assert!(whole.len() > 60_000, "{}", whole.len());
    let file = folder.path().join("damaged");
    let damage = |bytes: Vec<u8>| {
        fs::write(&file, &bytes).unwrap();
        refused(&file, "database");
        assert!(fs::read(&file).unwrap() == bytes, "it was written");
        let others: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(others.iter().all(|name| !name.to_string_lossy().starts_with("damaged-")), "{others:?}");
    };
    for length in [1, 99, 100, 512, 4096, 5000, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        damage(whole[..length].to_vec());
    }
    // Pages in the middle, one after the other.
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..64].fill(0xa5);
        damage(bytes);
    }
    fs::write(&file, &whole).unwrap();
    let (_sandbox, wx) = {
        let sandbox = sandbox_builder().state(&file).keys(folder.path().join("keys")).start().unwrap();
        let wx = sandbox.client().unwrap();
        (sandbox, wx)
    };
    assert_eq!(order(&wx, "P000199").unwrap()["trade_state"], "NOTPAY");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_the_state_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let modes = || -> Vec<(String, u32)> {
        let entries = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let states = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("state"));
        states
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into(),
                    entry.metadata().unwrap().permissions().mode() & 0o777,
                )
            })
            .collect()
    };
    for before in [None, Some(0o644), Some(0o666)] {
        if let Some(mode) = before {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let (sandbox, wx) = start(folder.path());
        prepay(&wx, &format!("P{:06}", before.unwrap_or(0)));
        assert!(!modes().is_empty());
        assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "{before:?}: {:?}", modes());
        drop((sandbox, wx));
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    drop(sandbox_builder().state(&file).start().unwrap());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    if fs::OpenOptions::new().append(true).open(&file).is_ok() {
        skipped("this user may write every file");
        return;
    }
    refused(&file, "cannot be written");
}

#[test]
fn a_special_name_is_a_file_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:a?mode=memory", "名 字"] {
        let file = folder.path().join(name);
        drop(sandbox_builder().state(&file).start().unwrap());
        assert!(file.is_file(), "{name}");
    }
}
