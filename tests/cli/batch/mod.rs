//! A sandbox, a folder, and the program `wxpay batch` in it; and a reader of its journals.

// Interrupted, killed and resumed; journals that are torn, damaged or in use.
mod crash;
// Journals that were changed on the disk.
mod journals;
// Responses that are not the platform's, and limits of one call.
mod middleboxes;
// Mistakes in the input, exit codes, the summary, progress.
mod outcomes;
// Rate limits, and the number of calls in flight.
mod pace;
mod permanent;
// The documents' shell scripts around `wxpay batch`.
mod scripts;
// Requests, repeats, and the contents of the journal.
mod sending;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use wechatpay_chain::sandbox::{Sandbox, SeenRequest};

use crate::program::Done;
use crate::support::{MCHID, MERCHANT_SERIAL, PLATFORM_SERIAL, key_path, start_sandbox};

pub(crate) const THINGS: &str = "v3/things/{id}";

/// A sandbox, and a folder for calls and journals.
pub(crate) struct BatchEnv {
    pub(crate) sandbox: Sandbox,
    pub(crate) home: tempfile::TempDir,
}

/// Runs `wxpay batch`, which prints nothing on stdout.
#[track_caller]
fn finish(command: &mut Command) -> Done {
    let done = Done::from(command.output().unwrap());
    assert_eq!(done.out, "", "{done:?}");
    done
}

pub(crate) fn program(home: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wxpay"));
    command.env_clear().current_dir(home).env("HOME", home).arg("batch");
    command
}

impl BatchEnv {
    pub(crate) fn new() -> BatchEnv {
        let env = BatchEnv { sandbox: start_sandbox(), home: tempfile::tempdir().unwrap() };
        for verb in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            env.sandbox.on(verb, THINGS, 200, json!({"done": true})).unwrap();
        }
        env
    }

    pub(crate) fn batch(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home.path());
        let sandbox = &self.sandbox;
        command.args(arguments).envs([
            ("WECHATPAY_MCHID", sandbox.mchid()),
            ("WECHATPAY_SERIAL", sandbox.serial()),
            ("WECHATPAY_PRIVATE_KEY", sandbox.merchant_key_pem()),
            ("WECHATPAY_PUBLIC_KEY_ID", sandbox.platform_public_key_id()),
            ("WECHATPAY_PUBLIC_KEY", sandbox.platform_public_key_pem()),
            ("WECHATPAY_BASE_URL", sandbox.base_url()),
        ]);
        command
    }

    /// With the keys in `tests/keys`, for a server that is not the sandbox.
    pub(crate) fn elsewhere(&self, arguments: &[&str]) -> Command {
        let key = |name: &str| format!("file://{}", key_path(name));
        let mut command = program(self.home.path());
        command.args(arguments).envs([
            ("WECHATPAY_MCHID", MCHID),
            ("WECHATPAY_SERIAL", MERCHANT_SERIAL),
            ("WECHATPAY_PRIVATE_KEY", &key("merchant_key.pem")),
            ("WECHATPAY_PLATFORM_SERIAL", PLATFORM_SERIAL),
            ("WECHATPAY_PLATFORM_CERTIFICATE", &key("platform_cert.pem")),
        ]);
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        finish(&mut self.batch(arguments))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes `calls.jsonl`, one call for each of these ids.
    pub(crate) fn calls(&self, verb: &str, ids: impl IntoIterator<Item = String>) {
        self.write("calls.jsonl", ids.into_iter().map(|id| thing(verb, &id)).collect::<String>());
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::of(&self.read("calls.results.jsonl"))
    }

    /// How many requests arrived for each thing.
    pub(crate) fn seen(&self) -> BTreeMap<String, usize> {
        let mut seen = BTreeMap::new();
        for request in self.sandbox.requests() {
            assert!(request.passed(), "{request:?}");
            *seen.entry(request.target.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
        }
        seen
    }

    pub(crate) fn last(&self) -> SeenRequest {
        self.sandbox.requests().pop().expect("a request")
    }
}

pub(crate) fn thing(verb: &str, id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"method\":\"{verb}\",\"path\":\"{THINGS}\",\"vars\":{{\"id\":\"{id}\"}}}}\n")
}

/// A journal, read as the manual describes it.
pub(crate) struct Journal {
    pub(crate) records: Vec<Value>,
}

impl Journal {
    pub(crate) fn of(text: &str) -> Journal {
        assert!(text.ends_with('\n'), "{text:?}");
        Journal { records: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() }
    }

    /// The last result of each call.
    pub(crate) fn results(&self) -> BTreeMap<String, &Value> {
        let ended = self.records.iter().filter(|record| record["outcome"].is_string());
        ended.map(|record| (name(&record["id"]), record)).collect()
    }

    pub(crate) fn outcomes(&self) -> BTreeMap<String, String> {
        let outcome = |record: &Value| record["outcome"].as_str().unwrap().to_owned();
        self.results().into_iter().map(|(id, record)| (id, outcome(record))).collect()
    }

    /// The records of one call, in order.
    pub(crate) fn story(&self, id: &str) -> Vec<&str> {
        let about = |record: &&Value| name(&record["id"]) == id || name(&record["sent"]) == id;
        self.records.iter().filter(about).map(|record| record["outcome"].as_str().unwrap_or("sent")).collect()
    }
}

pub(crate) fn name(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
