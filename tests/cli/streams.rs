//! Bills, uploads and downloads as the shell gives them: stdin, stdout, digests, signals.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use wechatpay_chain::sandbox::SandboxResponse;

use crate::program::{Done, TestEnv, last, variables};
use crate::shell::bash;

#[test]
fn a_dash_is_stdout() {
    let env = TestEnv::new();
    let image: Vec<u8> = (0..=255).collect();
    let response = SandboxResponse::new(200).body("image/png", image.clone());
    env.sandbox.on_with("GET", "v3/merchant-service/images/{id}", response).unwrap();
    let get = ["get", "v3/merchant-service/images/x", "-o", "-"];
    assert_eq!(env.wxpay().args(get).output().unwrap().stdout, image);
    let sha1 = "4916d6bdb7f78e6803698cab32d1586ea457dfc8";
    let sha256 = "40aff2e9d2d8922e47afd4648e6967497158785fbd1da870e7110266bf944880";
    for digest in [sha1, sha256] {
        assert_eq!(env.wxpay().args(get).args(["--digest", digest]).output().unwrap().stdout, image);
        env.run(&["get", "v3/merchant-service/images/x", "--save", "image", "--digest", digest]).ok();
        let wrong = digest.replace('4', "5");
        env.run(&[&get[..], &["--digest", &wrong]].concat()).fails(4, "SHA-");
    }
    env.run(&[&get[..], &["--digest", "12"]].concat()).fails(1, "40 (SHA-1) or 64");
    env.run(&["get", "v3/x", "--digest", sha1]).fails(1, "--output");
    let day = env.paid_day();
    let bill = env.run(&["bill", &day]);
    assert_eq!(env.run(&["bill", &day, "-o", "-"]).ok(), bill.ok());
    assert_eq!(
        env.run(&["certs", "-o", "-"]).ok(),
        env.sandbox.platform_certificate_pem().trim_end().to_owned() + "\n"
    );
    assert!(!env.home.path().join("-").exists());
}

#[test]
fn every_bill_and_account_has_a_spelling() {
    let env = TestEnv::new();
    let day = env.paid_day();
    for (arguments, target) in [
        (vec![day.as_str()], format!("/v3/bill/tradebill?bill_date={day}")),
        (vec![&day, "--bill-type", "ALL"], format!("/v3/bill/tradebill?bill_date={day}&bill_type=ALL")),
        (
            vec![&day, "--bill-type", "SUCCESS"],
            format!("/v3/bill/tradebill?bill_date={day}&bill_type=SUCCESS"),
        ),
        (
            vec![&day, "--type", "tradebill", "--sub-mchid", "1230000109"],
            format!("/v3/bill/tradebill?bill_date={day}&sub_mchid=1230000109"),
        ),
        (
            vec![&day, "--type", "fundflow", "--account-type", "FEES"],
            format!("/v3/bill/fundflowbill?bill_date={day}&account_type=FEES"),
        ),
        (
            vec![&day, "--type", "fundflow", "--account-type", "OPERATION"],
            format!("/v3/bill/fundflowbill?bill_date={day}&account_type=OPERATION"),
        ),
        (vec![&day, "--bill-type", "REFUND"], format!("/v3/bill/tradebill?bill_date={day}&bill_type=REFUND")),
        (vec![&day, "--type", "profitsharing"], format!("/v3/profitsharing/bills?bill_date={day}")),
        (
            vec!["--path", "v3/marketing/favor/stocks/{id}/use-flow", "--var", "id=98065001"],
            "/v3/marketing/favor/stocks/98065001/use-flow".to_owned(),
        ),
        (vec![&day, "--path", "v3/myBills", "-q", "a=b"], format!("/v3/myBills?bill_date={day}&a=b")),
    ] {
        env.sandbox.clear_requests();
        let _ = env.run(&[&["bill"][..], &arguments].concat());
        assert_eq!(env.sandbox.requests()[0].target, target, "{arguments:?}");
    }
    for (arguments, part) in [
        (vec![&day[..], "--account-type", "FEES"], "--account-type is for --type fundflow"),
        (vec![&day, "--type", "fundflow", "--bill-type", "ALL"], "--bill-type is for --type tradebill"),
        (vec![&day, "--bill-type", "NONE"], "invalid value"),
        (vec!["--sub-mchid", "1"], "DATE"),
    ] {
        env.run(&[&["bill"][..], &arguments].concat()).fails(1, part);
    }
    // Without a digest.
    let url = format!("{}v3/billdownload/file?token=x", env.sandbox.base_url());
    env.sandbox
        .on("GET", "v3/global/profit-sharing/bill-download-url", 200, json!({"download_url": url}))
        .unwrap();
    env.sandbox
        .on_with("GET", "v3/billdownload/file", SandboxResponse::new(200).body("text/csv", "abc").unsigned())
        .unwrap();
    let bill = ["bill", &day, "--path", "v3/global/profit-sharing/bill-download-url"];
    env.run(&bill).fails(4, "no digest");
    let done = env.run(&[&bill[..], &["--allow-unverified"]].concat());
    done.is(0, "it is not verified");
    assert_eq!(done.out, "abc");
}

#[test]
fn an_upload_has_variables_a_type_and_stdin() {
    let env = TestEnv::new();
    env.sandbox.on("POST", "v3/marketing/bank/packages/{id}/tasks", 200, json!({"task_id": "1"})).unwrap();
    env.file("users", "openid\n");
    let path = "v3/marketing/bank/packages/{id}/tasks";
    let line =
        format!("wxpay upload - {path} --var id=a/b -q x=1 --name users.csv --type text/plain < users");
    bash(&env, &line).ok();
    let seen = last(&env);
    assert_eq!(seen.target, "/v3/marketing/bank/packages/a%2Fb/tasks?x=1");
    let sent = String::from_utf8_lossy(&seen.body).into_owned();
    assert!(
        sent.contains("filename=\"users.csv\"")
            && sent.contains("Content-Type: text/plain\r\n\r\nopenid\n\r\n"),
        "{sent}"
    );
    bash(&env, &format!("wxpay upload - {path} --var id=1 < users")).fails(1, "--name");
    env.run(&["upload", "users", path]).fails(1, "--var id=VALUE");
}

/// Starts it, waits for a file in `folder`, and sends the signal.
fn ended(
    env: &TestEnv,
    arguments: &[&str],
    folder: &std::path::Path,
    signal: &str,
    nohup: bool,
) -> Option<i32> {
    // The tests themselves may run under `nohup`.
    let before: &[&str] = match nohup {
        true => &["nohup"],
        false if cfg!(target_os = "linux") => &["env", "--default-signal=HUP"],
        false => &[],
    };
    let line = [before, &[env!("CARGO_BIN_EXE_wxpay")]].concat();
    let mut child = Command::new(line[0])
        .args(&line[1..])
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TMPDIR", folder)
        .envs(variables(&env.sandbox))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let has_files = || std::fs::read_dir(folder).unwrap().next().is_some();
    while !has_files() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(500));
    let kill = |signal: &str| {
        Done::of(assert_cmd::Command::new("kill").args([signal, &child.id().to_string()])).ok();
    };
    kill(signal);
    if nohup {
        std::thread::sleep(Duration::from_millis(500));
        kill("-TERM");
    }
    child.wait().unwrap().code()
}

/// The calls in flight end, and the batch is resumed later.
#[test]
fn a_hangup_ends_a_batch_as_ctrl_c_does() {
    let env = TestEnv::new();
    let folder = tempfile::tempdir().unwrap();
    let calls: String = (0..200)
        .map(|n| format!("{{\"id\":\"{n}\",\"method\":\"GET\",\"path\":\"v3/certificates\"}}\n"))
        .collect();
    let calls = env.file("calls.jsonl", calls);
    env.sandbox.inject_always(wechatpay_chain::sandbox::Fault::Delay(Duration::from_millis(200)));
    let batch = ["batch", &calls, "-j", "2", "-o", "results.jsonl"];
    assert_eq!(ended(&env, &batch, folder.path(), "-HUP", false), Some(129));
    let sent = env.sandbox.requests().len();
    assert!(sent < 200, "{sent}");
    let journal = std::fs::read_to_string(folder.path().join("results.jsonl")).unwrap();
    assert_eq!(journal.matches("\"outcome\":\"ok\"").count(), sent, "nothing in flight is lost");
}

#[test]
fn a_signal_leaves_no_file_and_no_key() {
    let env = TestEnv::new();
    let day = env.paid_day();
    for (signal, code) in [("-HUP", 129), ("-INT", 130), ("-TERM", 143)] {
        for target in ["bill.csv", "-"] {
            let folder = tempfile::tempdir().unwrap();
            env.sandbox.inject(wechatpay_chain::sandbox::Fault::Delay(Duration::ZERO));
            env.sandbox.inject(wechatpay_chain::sandbox::Fault::Delay(Duration::from_secs(30)));
            let ended = ended(&env, &["bill", &day, "-o", target], folder.path(), signal, false);
            assert_eq!(ended, Some(code), "{signal} {target}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{signal} {target}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ended(&env, &["sandbox"], folder.path(), signal, false), Some(0), "{signal}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{signal}");
    }
    // `nohup` means that it goes on.
    if cfg!(target_os = "linux") {
        let folder = tempfile::tempdir().unwrap();
        env.sandbox.inject(wechatpay_chain::sandbox::Fault::Delay(Duration::ZERO));
        env.sandbox.inject(wechatpay_chain::sandbox::Fault::Delay(Duration::from_secs(30)));
        assert_eq!(ended(&env, &["bill", &day, "-o", "b"], folder.path(), "-HUP", true), Some(143));
    }
}
