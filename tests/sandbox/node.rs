//! The unchanged Node SDK against the sandbox, installed from its registry.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{cannot_run, has, start_sandbox};

/// The SDK with its dependencies, installed once for a target folder; `None` if that fails, and the test is skipped.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("node-sdk");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node");
    if !has("node") || !has("npm") {
        return None;
    }
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "flow.js"] {
        std::fs::copy(from.join(file), folder.join(file)).unwrap();
    }
    if !folder.join("node_modules/wechatpay-axios-plugin").exists() {
        let npm = ["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"];
        let output = Command::new("npm").args(npm).current_dir(&folder).output().unwrap();
        if !output.status.success() {
            cannot_run(format!("`npm install` failed: {}", String::from_utf8_lossy(&output.stderr)));
            return None;
        }
    }
    Some(folder)
}

#[test]
fn the_node_sdk_orders_pays_refunds_closes_and_uploads() {
    let Some(folder) = installed() else { return };
    let sandbox = start_sandbox();
    let mut node = Command::new("node")
        .arg("flow.js")
        .current_dir(&folder)
        .env("WECHATPAY_BASE_URL", sandbox.base_url())
        .env("WECHATPAY_MCHID", sandbox.mchid())
        .env("WECHATPAY_SERIAL", sandbox.serial())
        .env("WECHATPAY_PRIVATE_KEY", sandbox.merchant_key_pem())
        .env("WECHATPAY_PLATFORM_SERIAL", sandbox.platform_certificate_serial())
        .env("WECHATPAY_PLATFORM_CERTIFICATE", sandbox.platform_certificate_pem())
        .env("WECHATPAY_PUBLIC_KEY_ID", sandbox.platform_public_key_id())
        .env("WECHATPAY_PUBLIC_KEY", sandbox.platform_public_key_pem())
        .env("WECHATPAY_APIV3_KEY", sandbox.apiv3_key())
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = node.stderr.take().unwrap();
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = errors.read_to_string(&mut text);
        text
    });
    let mut done = false;
    for line in BufReader::new(node.stdout.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if let Some(no) = line["pay"].as_str() {
            sandbox.pay(no).unwrap();
        }
        done |= line["done"] == true;
    }
    let status = node.wait().unwrap();
    assert!(status.success() && done, "{status}: {}", errors.join().unwrap());
}
