//! The program `wxpay`: uploads, bills, downloads and certificates.

use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, SandboxResponse, Verdict};

use crate::program::{Done, TestEnv, variables};
use crate::support::has;

#[test]
fn a_file_goes_up_with_the_meta_that_is_signed() {
    let env = TestEnv::new();
    let file = env.file("licence.jpg", b"\xff\xd8\xff\xd9");
    let path = "v3/merchant/media/upload";
    assert!(env.run(&["upload", &file, path]).json()["media_id"].is_string());
    let seen = env.sandbox.requests().pop().unwrap();
    assert_eq!(seen.verdict, Verdict::Accepted);
    assert!(
        String::from_utf8_lossy(&seen.signed_message).contains(r#"{"filename":"licence.jpg","sha256":""#)
    );

    let done = env.run(&["upload", &file, path, "--name", "正面.jpg", "--jq", ".media_id|type"]);
    assert_eq!(done.ok(), "\"string\"\n");
    let seen = env.sandbox.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&seen.body).contains("filename=\"正面.jpg\""));

    env.sandbox.on("POST", "v3/other/upload", 200, json!({})).unwrap();
    let meta = r#"{ "filename": "a.csv", "bank_type": "CMB" }"#;
    let at_meta = format!("@{}", env.file("meta.json", meta));
    for meta_given in [meta, &at_meta] {
        env.run(&["upload", &file, "v3/other/upload", "--meta", meta_given]).ok();
        let seen = env.sandbox.requests().pop().unwrap();
        assert!(String::from_utf8_lossy(&seen.signed_message).ends_with(&format!("\n{meta}\n")));
    }
    let parts = ["--part", "submission_file", "--field", "item_id=7", "--field", "note=a=b"];
    env.run(&[&["upload", &file, "v3/other/upload", "--meta", meta][..], &parts].concat()).ok();
    let body = String::from_utf8_lossy(&env.sandbox.requests().pop().unwrap().body).into_owned();
    assert!(
        body.contains("name=\"submission_file\"; filename=\"licence.jpg\"")
            && !body.contains("name=\"file\"")
    );
    assert!(body.contains("name=\"item_id\"\r\n\r\n7\r\n") && body.contains("name=\"note\"\r\n\r\na=b\r\n"));
    env.run(&["upload", &file, path, "--part", "a\"b"]).fails(1, "media.part_name");
    env.run(&["upload", &file, path, "--field", "item_id"]).fails(1, "NAME=VALUE");
    env.run(&["upload", &file, path, "--meta", "[]"]).fails(1, "meta");
    env.run(&["upload", &file, path, "--meta", "@/nowhere"]).fails(1, "cannot read");
    env.run(&["upload", &file, path, "--jq", "["]).fails(1, "--jq");
    env.run(&["upload", &file]).fails(1, "PATH");
}

#[test]
fn a_bill_is_printed_or_saved_once_it_is_whole() {
    let env = TestEnv::new();
    let day = env.paid_day();
    let day = day.as_str();
    let printed = env.run(&["bill", day]);
    assert!(printed.ok().starts_with("\u{feff}交易时间,") && printed.out.contains(&format!("`{day} ")));
    let target = env.path("bill.csv");
    let saved = env.run(&["bill", day, "-o", &target, "--gzip"]).json();
    assert_eq!((&saved["path"], &saved["verified"]), (&json!(target), &json!(true)));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), printed.out);
    assert_eq!(saved["bytes"], printed.out.len());
    if has("openssl") {
        let digest = Done::of(assert_cmd::Command::new("openssl").args(["dgst", "-sha1", "-r", &target]));
        assert_eq!(digest.ok().split(' ').next(), saved["sha1"].as_str());
    }
    let funds = env.run(&["bill", day, "--type", "fundflow"]);
    assert!(funds.ok().contains("资金流水单号"));

    // A bill that is cut off is neither printed nor left on disk.
    let requests = env.sandbox.requests().len();
    env.sandbox.inject(Fault::Delay(std::time::Duration::ZERO));
    env.sandbox.inject(Fault::CutBody);
    let other = env.path("other.csv");
    env.run(&["bill", day, "-o", &other]).fails(3, "the connection closed before the response was complete");
    assert!(!Path::new(&other).exists());
    let forged = SandboxResponse::new(200).body("text/plain", printed.out.replace("1.00", "9.00"));
    env.sandbox.on_with("GET", "v3/billdownload/file", forged).unwrap();
    env.run(&["bill", day]).fails(4, "SHA-1");
    assert_eq!(env.sandbox.requests().len(), requests + 4);

    for (arguments, part) in [
        (vec!["bill", "2026-11-2"], "2026-11-20"),
        (vec!["bill"], "DATE"),
        (vec!["bill", "2026-11-20", "--type", "all"], "invalid value"),
        (vec!["bill", "2026-11-20", "-o", "/nowhere/bill.csv"], "cannot be created"),
    ] {
        env.run(&arguments).fails(1, part);
    }
    assert_eq!(env.sandbox.requests().len(), requests + 4, "nothing was asked for");
}

#[test]
fn a_response_is_saved_under_its_name() {
    let env = TestEnv::new();
    let image: Vec<u8> = (0..=255).collect();
    let response = SandboxResponse::new(200).body("image/png", image.clone());
    env.sandbox.on_with("GET", "v3/merchant-service/images/{id}", response).unwrap();
    let target = env.path("image.png");
    let arguments = ["get", "v3/merchant-service/images/{id}", "--var", "id=x", "--save", &target];
    let saved = env.run(&arguments).json();
    assert_eq!((&saved["bytes"], &saved["verified"]), (&json!(256), &json!(false)));
    assert_eq!(std::fs::read(&target).unwrap(), image);
    let with_head = env.run(&[&arguments[..], &["-i"]].concat());
    assert!(
        with_head.ok().starts_with("HTTP/1.1 200 OK\n") && with_head.out.contains("content-type: image/png")
    );
    let nothing = json!({"code": "RESOURCE_NOT_EXISTS", "message": "none"});
    env.sandbox.on("GET", "v3/nothing", 404, nothing).unwrap();
    env.run(&["get", "v3/nothing", "--save", &target]).fails(2, "404");
    assert_eq!(std::fs::read(&target).unwrap(), image, "the file from before is still there");
    // Bytes, untouched.
    let raw = env.wxpay().args(["get", "v3/merchant-service/images/x", "--raw"]).output().unwrap();
    assert_eq!(raw.stdout, image);
}

#[test]
fn certificates_are_written_as_files_that_openssl_reads() {
    let env = TestEnv::new();
    let serial = env.sandbox.platform_certificate_serial().to_owned();
    let list = env.run(&["certs"]).json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["serial"]), (1, &json!(serial)));
    assert_eq!(list[0]["pem"], env.sandbox.platform_certificate_pem());
    assert!(list[0]["not_after"].as_str().unwrap().ends_with("GMT"));

    // This is how a merchant without platform keys gets the first ones.
    let mut first = env.wxpay();
    for name in ["PUBLIC_KEY_ID", "PUBLIC_KEY", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"] {
        first.env_remove(format!("WECHATPAY_{name}"));
    }
    let folder = env.path("a/b");
    let list = env.finish(first.args(["certs", "-o", &folder])).json();
    let path = format!("{folder}/{serial}.pem");
    assert_eq!((&list[0]["path"], &list[0]["pem"]), (&json!(path), &Value::Null));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), env.sandbox.platform_certificate_pem());
    if has("openssl") {
        let reported =
            Done::of(assert_cmd::Command::new("openssl").args(["x509", "-noout", "-serial", "-in", &path]));
        assert_eq!(reported.ok().trim(), format!("serial={serial}"));
    }

    let mut without = env.wxpay();
    env.finish(without.env_remove("WECHATPAY_APIV3_KEY").args(["certs"])).fails(1, "WECHATPAY_APIV3_KEY");
    let mut other = env.wxpay();
    let wrong = "0".repeat(32);
    env.finish(other.env("WECHATPAY_APIV3_KEY", wrong).args(["certs"])).fails(4, "certificate");
    env.sandbox.inject(Fault::BadSignature);
    env.run(&["certs"]).fails(4, "does not match");
    let file = env.file("file", "");
    env.run(&["certs", "-o", &file]).fails(1, "cannot create the folder");
}

#[test]
fn ctrl_c_ends_a_download_and_leaves_no_file() {
    let env = TestEnv::new();
    let day = env.paid_day();
    let folder = env.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    env.sandbox.inject(Fault::Delay(std::time::Duration::ZERO));
    env.sandbox.inject(Fault::Delay(std::time::Duration::from_secs(30)));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
        .args(["bill", &day, "-o", &format!("{folder}/bill.csv")])
        .env_clear()
        .envs(variables(&env.sandbox))
        .spawn()
        .unwrap();
    // The first request is answered; the second one waits.
    while env.sandbox.requests().is_empty() || std::fs::read_dir(&folder).unwrap().next().is_none() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let begun = std::time::Instant::now();
    Done::of(assert_cmd::Command::new("kill").args(["-INT", &child.id().to_string()])).ok();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_bill_of_a_path_that_the_sandbox_does_not_model_is_told() {
    let env = TestEnv::new();
    let unknown = ["bill", "--path", "v3/things/{id}/bill", "--var", "id=1"];
    let told = "error: the sandbox does not model `v3/things/{id}/bill`";
    env.run(&unknown).fails(1, told);
    let target = env.path("flow.csv");
    env.run(&[&unknown[..], &["-o", &target]].concat()).fails(1, told);
    assert!(!Path::new(&target).exists());
    // A response of the platform without an address is another fault.
    env.sandbox.on("GET", "v3/things/{id}/bill", 200, json!({})).unwrap();
    env.run(&unknown).fails(4, "the bill response has no `download_url`");
    // A documented path has a sample.
    let sample = env.run(&["bill", "--path", "v3/marketing/favor/stocks/{id}/use-flow", "--var", "id=1"]);
    assert!(sample.code == Some(0) && sample.out.contains("沙箱"), "{sample:?}");
}
