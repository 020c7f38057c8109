//! Runs the program in an environment of its own.

use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::Sandbox;

use crate::support::start_sandbox;

/// The program, with nothing configured and a home that is empty.
pub(crate) fn wxpay(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wxpay"));
    command.env_clear().current_dir(home).env("HOME", home).timeout(std::time::Duration::from_secs(60));
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// The variables with the credentials of this sandbox's merchant.
pub(crate) fn variables(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    sandbox.variables()
}

/// A sandbox, and a home for the program.
pub(crate) struct TestEnv {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: tempfile::TempDir,
}

impl TestEnv {
    pub(crate) fn new() -> TestEnv {
        let sandbox = start_sandbox();
        TestEnv { sandbox, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn wxpay(&self) -> Command {
        let mut command = wxpay(self.home.path());
        command.envs(variables(&self.sandbox));
        command
    }

    /// Runs it, and asserts that no secret of the merchant is printed.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.finish(self.wxpay().args(arguments))
    }

    #[track_caller]
    pub(crate) fn finish(&self, command: &mut Command) -> Done {
        let done = Done::of(command);
        let key = self.sandbox.merchant_key_pem().lines().nth(2).unwrap().to_owned();
        for secret in [key.as_str(), self.sandbox.apiv3_key()] {
            assert!(!done.out.contains(secret) && !done.err.contains(secret), "a secret shows: {done:?}");
        }
        done
    }

    /// Places an order and pays it; returns the day on whose bill it is.
    pub(crate) fn paid_day(&self) -> String {
        let number = format!("P{:08}", self.sandbox.requests().len());
        let order = json!({
            "appid": "wxd678efh567hg6787", "mchid": self.sandbox.mchid(), "description": "茶", "out_trade_no": number,
            "notify_url": "https://www.example.com/n", "amount": {"total": 100},
        });
        let wx = self.sandbox.client().unwrap();
        wx["v3/pay/transactions/native"].post_sync(order).unwrap();
        let paid = self.sandbox.pay(&number).unwrap();
        self.sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600)).unwrap();
        self.sandbox.clear_requests();
        paid["success_time"].as_str().unwrap()[..10].to_owned()
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.home.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }
}

/// The request that came last.
#[track_caller]
pub(crate) fn last(env: &TestEnv) -> wechatpay_chain::sandbox::SeenRequest {
    env.sandbox.requests().pop().unwrap()
}

/// Exit code and output of a run.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Done { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

impl Done {
    pub(crate) fn of(command: &mut Command) -> Done {
        Done::from(command.output().unwrap())
    }

    /// Its output, after a success without any output on stderr.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        &self.out
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.ok()).unwrap()
    }

    /// Asserts the exit code and a part of stderr.
    #[track_caller]
    pub(crate) fn is(&self, code: i32, part: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(part), "{part:?} is not in {:?}", self.err);
    }

    /// Asserts the exit code, a part of stderr, and that nothing was printed.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, part: &str) {
        assert_eq!(self.out, "", "{self:?}");
        self.is(code, part);
    }
}
