//! The program `wxpay`: uploads, bills, downloads and certificates.

use std::path::Path;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Fault, SandboxResponse, Verdict};

use crate::program::{Bench, Done, variables};
use crate::support::has;

#[test]
fn a_file_goes_up_with_the_meta_that_is_signed() {
    let bench = Bench::new();
    let file = bench.file("licence.jpg", b"\xff\xd8\xff\xd9");
    let path = "v3/merchant/media/upload";
    assert!(bench.run(&["upload", &file, path]).json()["media_id"].is_string());
    let seen = bench.sandbox.requests().pop().unwrap();
    assert_eq!(seen.verdict, Verdict::Accepted);
    assert!(
        String::from_utf8_lossy(&seen.signed_message).contains(r#"{"filename":"licence.jpg","sha256":""#)
    );

    let done = bench.run(&["upload", &file, path, "--name", "正面.jpg", "--jq", ".media_id|type"]);
    assert_eq!(done.ok(), "\"string\"\n");
    let seen = bench.sandbox.requests().pop().unwrap();
    assert!(String::from_utf8_lossy(&seen.body).contains("filename=\"正面.jpg\""));

    bench.sandbox.on("POST", "v3/other/upload", 200, json!({})).unwrap();
    let meta = r#"{ "filename": "a.csv", "bank_type": "CMB" }"#;
    let at_meta = format!("@{}", bench.file("meta.json", meta));
    for meta_given in [meta, &at_meta] {
        bench.run(&["upload", &file, "v3/other/upload", "--meta", meta_given]).ok();
        let seen = bench.sandbox.requests().pop().unwrap();
        assert!(String::from_utf8_lossy(&seen.signed_message).ends_with(&format!("\n{meta}\n")));
    }
    bench.run(&["upload", "/nowhere", path]).fails(1, "cannot be read");
    bench.run(&["upload", &file, path, "--meta", "[]"]).fails(1, "meta");
    bench.run(&["upload", &file, path, "--meta", "@/nowhere"]).fails(1, "cannot read");
    bench.run(&["upload", &file, path, "--jq", "["]).fails(1, "--jq");
    bench.run(&["upload", &file]).fails(1, "PATH");
}

#[test]
fn a_bill_is_printed_or_saved_once_it_is_whole() {
    let bench = Bench::new();
    let day = bench.paid_day();
    let day = day.as_str();
    let printed = bench.run(&["bill", day]);
    assert!(printed.ok().starts_with("\u{feff}交易时间,") && printed.out.contains(&format!("`{day} ")));
    let target = bench.path("bill.csv");
    let saved = bench.run(&["bill", day, "-o", &target, "--gzip"]).json();
    assert_eq!((&saved["path"], &saved["verified"]), (&json!(target), &json!(true)));
    assert_eq!(std::fs::read_to_string(&target).unwrap(), printed.out);
    assert_eq!(saved["bytes"], printed.out.len());
    if has("openssl") {
        let digest = Done::of(assert_cmd::Command::new("openssl").args(["dgst", "-sha1", "-r", &target]));
        assert_eq!(digest.ok().split(' ').next(), saved["sha1"].as_str());
    }
    let funds = bench.run(&["bill", day, "--type", "fundflow"]);
    assert!(funds.ok().contains("资金流水单号"));

    // A bill that is cut off is neither printed nor left on disk.
    let requests = bench.sandbox.requests().len();
    bench.sandbox.inject(Fault::Delay(std::time::Duration::ZERO));
    bench.sandbox.inject(Fault::CutBody);
    let other = bench.path("other.csv");
    bench.run(&["bill", day, "-o", &other]).fails(3, "the connection broke");
    assert!(!Path::new(&other).exists());
    let forged = SandboxResponse::new(200).body("text/plain", printed.out.replace("1.00", "9.00"));
    bench.sandbox.on_with("GET", "v3/billdownload/file", forged).unwrap();
    bench.run(&["bill", day]).fails(4, "SHA-1");
    assert_eq!(bench.sandbox.requests().len(), requests + 4);

    for (arguments, part) in [
        (vec!["bill", "yesterday"], "2026-11-20"),
        (vec!["bill", "2026-11-2"], "2026-11-20"),
        (vec!["bill"], "DATE"),
        (vec!["bill", "2026-11-20", "--type", "all"], "invalid value"),
        (vec!["bill", "2026-11-20", "-o", "/nowhere/bill.csv"], "save_to"),
    ] {
        bench.run(&arguments).fails(1, part);
    }
    assert_eq!(bench.sandbox.requests().len(), requests + 4, "nothing was asked for");
}

#[test]
fn a_response_is_saved_under_its_name() {
    let bench = Bench::new();
    let image: Vec<u8> = (0..=255).collect();
    let response = SandboxResponse::new(200).body("image/png", image.clone());
    bench.sandbox.on_with("GET", "v3/merchant-service/images/{id}", response).unwrap();
    let target = bench.path("image.png");
    let arguments = ["get", "v3/merchant-service/images/{id}", "--var", "id=x", "--save", &target];
    let saved = bench.run(&arguments).json();
    assert_eq!((&saved["bytes"], &saved["verified"]), (&json!(256), &json!(false)));
    assert_eq!(std::fs::read(&target).unwrap(), image);
    let with_head = bench.run(&[&arguments[..], &["-i"]].concat());
    assert!(
        with_head.ok().starts_with("HTTP/1.1 200 OK\n") && with_head.out.contains("content-type: image/png")
    );
    let nothing = json!({"code": "RESOURCE_NOT_EXISTS", "message": "none"});
    bench.sandbox.on("GET", "v3/nothing", 404, nothing).unwrap();
    bench.run(&["get", "v3/nothing", "--save", &target]).fails(2, "404");
    assert_eq!(std::fs::read(&target).unwrap(), image, "the file from before is still there");
    // Bytes, untouched.
    let raw = bench.wxpay().args(["get", "v3/merchant-service/images/x", "--raw"]).output().unwrap();
    assert_eq!(raw.stdout, image);
}

#[test]
fn certificates_are_written_as_files_that_openssl_reads() {
    let bench = Bench::new();
    let serial = bench.sandbox.platform_certificate_serial().to_owned();
    let list = bench.run(&["certs"]).json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["serial"]), (1, &json!(serial)));
    assert_eq!(list[0]["pem"], bench.sandbox.platform_certificate_pem());
    assert!(list[0]["not_after"].as_str().unwrap().ends_with("GMT"));

    // This is how a merchant without platform keys gets the first ones.
    let mut first = bench.wxpay();
    for name in ["PUBLIC_KEY_ID", "PUBLIC_KEY", "PLATFORM_SERIAL", "PLATFORM_CERTIFICATE"] {
        first.env_remove(format!("WECHATPAY_{name}"));
    }
    let folder = bench.path("a/b");
    let list = bench.finish(first.args(["certs", "-o", &folder])).json();
    let path = format!("{folder}/{serial}.pem");
    assert_eq!((&list[0]["path"], &list[0]["pem"]), (&json!(path), &Value::Null));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), bench.sandbox.platform_certificate_pem());
    if has("openssl") {
        let reported =
            Done::of(assert_cmd::Command::new("openssl").args(["x509", "-noout", "-serial", "-in", &path]));
        assert_eq!(reported.ok().trim(), format!("serial={serial}"));
    }

    let mut without = bench.wxpay();
    bench.finish(without.env_remove("WECHATPAY_APIV3_KEY").args(["certs"])).fails(1, "WECHATPAY_APIV3_KEY");
    let mut other = bench.wxpay();
    let wrong = "0".repeat(32);
    bench.finish(other.env("WECHATPAY_APIV3_KEY", wrong).args(["certs"])).fails(4, "certificate");
    bench.sandbox.inject(Fault::BadSignature);
    bench.run(&["certs"]).fails(4, "does not match");
    let file = bench.file("file", "");
    bench.run(&["certs", "-o", &file]).fails(1, "cannot create the folder");
}

#[test]
fn ctrl_c_ends_a_download_and_leaves_no_file() {
    let bench = Bench::new();
    let day = bench.paid_day();
    let folder = bench.path("downloads");
    std::fs::create_dir(&folder).unwrap();
    bench.sandbox.inject(Fault::Delay(std::time::Duration::ZERO));
    bench.sandbox.inject(Fault::Delay(std::time::Duration::from_secs(30)));
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
        .args(["bill", &day, "-o", &format!("{folder}/bill.csv")])
        .env_clear()
        .envs(variables(&bench.sandbox))
        .spawn()
        .unwrap();
    // The first request is answered; the second one waits.
    while bench.sandbox.requests().is_empty() || std::fs::read_dir(&folder).unwrap().next().is_none() {
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
