//! APIv2: a merchant who has nothing but its key, and one who has a certificate, too.

mod calls;
mod docs;
mod messages;

use assert_cmd::Command;
use serde_json::Value;

use crate::program::{Done, wxpay};
use crate::support::{APIV2_KEY, Recorder, raw, signed_xml};

const MCHID: &str = "10000100";

/// A server in place of the platform, and a home for the program.
struct Merchant {
    recorder: Recorder,
    home: tempfile::TempDir,
}

impl Merchant {
    /// To everything, the platform responds with these fields, signed.
    fn new(fields: &[(&str, &str)]) -> Merchant {
        Merchant::answered(signed_xml(fields, APIV2_KEY))
    }

    fn answered(body: String) -> Merchant {
        let recorder =
            Recorder::start(move |_| raw("200 OK", &[("Content-Type", "text/plain")], body.as_bytes()));
        Merchant { recorder, home: tempfile::tempdir().unwrap() }
    }

    /// The program, with the settings of a merchant of APIv2 alone.
    fn wxpay(&self) -> Command {
        let mut command = wxpay(self.home.path());
        command.env("WECHATPAY_MCHID", MCHID).env("WECHATPAY_APIV2_KEY", APIV2_KEY);
        command.env("WECHATPAY_BASE_URL", &self.recorder.base);
        command
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Done {
        finish(self.wxpay().args(arguments))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// Runs it, and asserts that the key is not printed.
#[track_caller]
fn finish(command: &mut Command) -> Done {
    let done = Done::of(command);
    assert!(!done.out.contains(APIV2_KEY) && !done.err.contains(APIV2_KEY), "the key shows: {done:?}");
    done
}

const SUCCESS: [(&str, &str); 3] =
    [("return_code", "SUCCESS"), ("result_code", "SUCCESS"), ("mch_id", MCHID)];

/// An order whose numbers are texts with digits alone, one with a zero in front.
const ORDER: [&str; 9] = [
    "post",
    "v2/pay/unifiedorder",
    "appid=wxd930ea5d5a258f4f",
    "mch_id=10000100",
    "body=茶叶",
    "out_trade_no=0012",
    "total_fee=100",
    "trade_type=NATIVE",
    "nonce_str=ibuaiVcKdpRxkhJA",
];

/// What is signed of it, without the key.
const MESSAGE: &str = "appid=wxd930ea5d5a258f4f&body=茶叶&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA\
                       &out_trade_no=0012&total_fee=100&trade_type=NATIVE";

/// The check of `wxpay doctor` with this name.
fn check(done: &Done, name: &str) -> Value {
    let lines = done.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.into_iter().find(|line| line["check"] == name).unwrap_or_else(|| panic!("{name}: {done:?}"))
}
