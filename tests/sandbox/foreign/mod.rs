//! SDKs of other authors, unchanged, as their registries have them: Python's `wechatpayv3` and Node's
//! `wechatpay-axios-plugin` and `wechatpay-node-v3`, in each mode of keys. Versions are pinned in `requirements.txt` and
//! `package-lock.json`, which name no registry: `pip` and `npm` ask the one that they are set up for.
//!
//! The SDKs of PHP, Go and Java cannot be had from these registries. Before a release they are run by hand, as README.md
//! in this folder says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::json;
use wechatpay_chain::{catalogue::Catalogue, sandbox::Sandbox};

use crate::support::{cannot_run, has, keys_folder, sandbox_builder};

// The lines of docs/sandbox.md that point an SDK at the sandbox.
mod docs;
// How SDKs of other languages spell their requests.
mod header_forms;
// Our client against a platform that is written on `wechatpayv3`.
mod our_client;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/foreign");

/// Packages, installed once for a target folder. `None` if they cannot be: then the test that asks is skipped.
struct Packages {
    folder: &'static str,
    tools: &'static [&'static str],
    /// The files that pin the versions.
    pins: &'static [&'static str],
    install: fn(&Path) -> Vec<Command>,
    installed: OnceLock<Result<PathBuf, String>>,
}

/// A virtual environment with `wechatpayv3`.
static PYTHON: Packages = Packages {
    folder: "foreign-python",
    tools: &["python3"],
    pins: &["requirements.txt"],
    install: |folder| {
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv", "environment"]);
        let mut packages = Command::new(folder.join("environment/bin/python"));
        let quiet = ["--quiet", "--disable-pip-version-check", "--no-input"];
        packages.args(["-m", "pip", "install"]).args(quiet);
        packages.args(["--no-deps", "--only-binary", ":all:", "-r", "requirements.txt"]);
        vec![environment, packages]
    },
    installed: OnceLock::new(),
};

/// `node_modules`.
static NODE: Packages = Packages {
    folder: "foreign-node",
    tools: &["node", "npm"],
    pins: &["package.json", "package-lock.json"],
    install: |_| {
        let mut packages = Command::new("npm");
        packages.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"]);
        vec![packages]
    },
    installed: OnceLock::new(),
};

impl Packages {
    #[track_caller]
    fn folder(&'static self) -> Option<&'static Path> {
        if !self.tools.iter().all(|tool| has(tool)) {
            return None;
        }
        match self.installed.get_or_init(|| self.install()) {
            Ok(folder) => Some(folder),
            Err(reason) => {
                cannot_run(reason);
                None
            }
        }
    }

    fn install(&self) -> Result<PathBuf, String> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(self.folder);
        let source = |file: &&str| Path::new(SCRIPTS).join(file);
        // Written last: a folder without it, or with other pins, is made again.
        let done = folder.join("installed");
        let pinned: String = self.pins.iter().map(|file| fs::read_to_string(source(file)).unwrap()).collect();
        if fs::read_to_string(&done).is_ok_and(|found| found == pinned) {
            return Ok(folder);
        }
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for file in self.pins {
            fs::copy(source(file), folder.join(file)).unwrap();
        }
        for mut command in (self.install)(&folder) {
            let output = command.current_dir(&folder).output().map_err(|e| format!("{command:?}: {e}"))?;
            if !output.status.success() {
                return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        fs::write(done, pinned).unwrap();
        Ok(folder)
    }
}

/// The exported variables of the sandbox, as a program of another language finds them.
fn exported(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    sandbox.file_variables(keys_folder()).unwrap()
}

/// A command of Python that finds the packages.
fn python_command(folder: &Path) -> Command {
    let mut command = Command::new(folder.join("environment/bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "127.0.0.1");
    command
}

/// A command of Node in the folder of the packages: a module is looked for from where the script is.
fn node_command(folder: &Path) -> Command {
    let mut command = Command::new("node");
    command.current_dir(folder).env("NO_PROXY", "127.0.0.1");
    command
}

/// Runs a script, which says `done` at its end.
#[track_caller]
fn run(mut command: Command, sandbox: &Sandbox) {
    let output = command.envs(exported(sandbox)).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(
        output.status.success() && stdout.ends_with("done\n"),
        "{command:?}: {}\n{stdout}\n{stderr}",
        output.status
    );
}

/// A sandbox whose platform has these keys in service.
fn sandbox_in(mode: &str) -> Sandbox {
    sandbox_builder().sign_with(mode.parse().unwrap()).start().unwrap()
}

fn run_python(script: &str, mode: &str) {
    let Some(folder) = PYTHON.folder() else { return };
    let mut command = python_command(folder);
    command.arg(Path::new(SCRIPTS).join(script)).arg(mode);
    run(command, &sandbox_in(mode));
}

/// `wechatpayv3` verifies and decrypts the notification of every documented event.
#[test]
fn wechatpayv3_opens_every_documented_event() {
    let Some(folder) = PYTHON.folder() else { return };
    let sandbox = sandbox_in("public-key");
    let wx = sandbox.client().unwrap();
    let (mut lines, mut expected) = (String::new(), Vec::new());
    // It refuses a `resource_type` of another name, as one event has.
    let documented = Catalogue::notifications().filter(|known| !known.is_v2());
    for known in documented.filter(|known| known.resource_type() == "encrypt-resource") {
        let (headers, body) = sandbox.documented_notification(known.event(), &json!(null)).unwrap();
        let pairs = headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())));
        let body_text = String::from_utf8(body.clone()).unwrap();
        let pairs: serde_json::Map<_, _> = pairs.collect();
        lines += &format!("{}\n", json!({"headers": pairs, "body": body_text}));
        expected.push(wx.notification(&headers, body).wait().unwrap().resource);
    }
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), lines).unwrap();
    let mut command = python_command(folder);
    command.arg(Path::new(SCRIPTS).join("wechatpayv3_notifications.py")).envs(exported(&sandbox));
    let output = command.stdin(input.reopen().unwrap()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.ends_with("done\n"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let opened = text.lines().filter(|line| *line != "done");
    let opened: Vec<serde_json::Value> = opened.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((expected.len(), opened), (101, expected));
}

fn run_node(script: &str, mode: &str, sandbox: &Sandbox) {
    let Some(folder) = NODE.folder() else { return };
    for file in [script, "shop.mjs"] {
        // Another test may copy it at the same time: the file gets its name when it is complete.
        let new = tempfile::NamedTempFile::new_in(folder).unwrap();
        fs::copy(Path::new(SCRIPTS).join(file), new.path()).unwrap();
        new.persist(folder.join(file)).unwrap();
    }
    let mut command = node_command(folder);
    command.args([script, mode]);
    run(command, sandbox);
}

#[test]
fn wechatpayv3_with_the_public_key() {
    run_python("wechatpayv3_flow.py", "public-key");
}

#[test]
fn wechatpayv3_with_certificates() {
    run_python("wechatpayv3_flow.py", "certificate");
}

#[test]
fn wechatpay_axios_plugin_with_the_public_key() {
    run_node("axios_plugin.mjs", "public-key", &sandbox_in("public-key"));
}

#[test]
fn wechatpay_axios_plugin_with_certificates() {
    run_node("axios_plugin.mjs", "certificate", &sandbox_in("certificate"));
}

/// A merchant that changes from certificates to the public key knows both, whichever signs.
#[test]
fn wechatpay_axios_plugin_in_a_migration() {
    let sandbox = sandbox_in("migration");
    for serial in [sandbox.platform_certificate_serial(), sandbox.platform_public_key_id()] {
        sandbox.sign_with(serial).unwrap();
        run_node("axios_plugin.mjs", "migration", &sandbox);
    }
}

#[test]
fn wechatpay_node_v3_with_the_public_key() {
    run_node("node_v3.mjs", "public-key", &sandbox_in("public-key"));
}

#[test]
fn wechatpay_node_v3_with_certificates() {
    run_node("node_v3.mjs", "certificate", &sandbox_in("certificate"));
}
