//! The lines of the page run as they are.

use std::os::unix::fs::PermissionsExt as _;

use super::{Merchant, SUCCESS};
use crate::docs::{blocks, document};
use crate::program::Done;
use crate::support::{APIV2_KEY, signed_xml};

#[test]
fn every_line_of_the_page_runs() {
    let merchant = Merchant::new(&SUCCESS);
    let home = merchant.home.path();
    let paid = [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("out_trade_no", "P1")];
    merchant.file("notification.xml", signed_xml(&paid, APIV2_KEY));
    merchant.file("fields.json", r#"{"appid": "wx8888888888888888"}"#);
    // It is at hand in the reader's shell.
    let program =
        merchant.file("wxpay", format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_wxpay")));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["docs/apiv2.md", "docs/apiv2.zh-CN.md"] {
        let lines: Vec<_> = blocks(&document(name), "sh")
            .iter()
            .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert_eq!(lines.len(), 8, "{name}");
        for line in lines {
            let mut shell = assert_cmd::Command::new("sh");
            let path = format!("{}:{}", home.display(), std::env::var("PATH").unwrap());
            shell.env_clear().env("PATH", path).env("HOME", home).current_dir(home);
            shell.env("WECHATPAY_MCHID", "1900000109").env("WECHATPAY_APIV2_KEY", APIV2_KEY);
            shell.env("WECHATPAY_BASE_URL", &merchant.recorder.base);
            let done = Done::of(shell.args(["-c", &line]));
            assert_eq!(done.code, Some(0), "{line}: {done:?}");
            assert!(!done.out.is_empty(), "{line}");
        }
    }
    // Order, query and refund, for each language; the doctor, for each, asks whether the host responds.
    let posts = merchant.recorder.seen().iter().filter(|seen| seen.method == "POST").count();
    assert_eq!(posts, 6);
}
