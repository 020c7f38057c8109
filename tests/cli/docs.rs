//! Every command line of the documents and of the program's help is run, with `--sandbox`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use wechatpay_chain::sandbox::{Sandbox, SigningMode};

use crate::program::{Done, wxpay};

/// A home with the files that the documents speak of, and `wxpay` on the path, which adds `--sandbox` unless the line
/// names a profile, or prints a curl command for later.
struct Reader {
    home: tempfile::TempDir,
    /// The platform of the profiles.
    _sandbox: Sandbox,
}

impl Reader {
    fn new() -> Reader {
        let home = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8], mode| {
            let path = home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let terminate = json!({"service_id": "500001", "appid": "wxd678efh567hg6787", "sub_mchid": "1230000109", "reason": "reason"});
        write("body.json", terminate.to_string().as_bytes(), 0o644);
        write("echo.json", br#"{"echo_message": "hello"}"#, 0o644);
        write(
            "calls.jsonl",
            br#"{"id":"E1","method":"POST","path":"v3/security/echo","body":{"echo_message":"hello"}}"#,
            0o644,
        );
        write("licence.jpg", b"\xff\xd8\xff\xd9", 0o644);
        let both = Sandbox::builder().keys(home.path().join("keys")).sign_with(SigningMode::Migration);
        let sandbox = both.start().unwrap();
        let order = json!({"out_trade_no": "P1"});
        let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &order).unwrap();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap())).collect();
        write("notification.headers", headers.as_bytes(), 0o644);
        write("notification.json", &body, 0o644);
        let profile = format!(
            "mchid = '{}'\nserial = '{}'\nprivate_key = '''{}'''\npublic_key_id = '{}'\npublic_key = '''{}'''\n\
             apiv3_key = '{}'\nbase_url = '{}'\n",
            sandbox.mchid(),
            sandbox.serial(),
            sandbox.merchant_key_pem(),
            sandbox.platform_public_key_id(),
            sandbox.platform_public_key_pem(),
            sandbox.apiv3_key(),
            sandbox.base_url(),
        );
        let config = format!("[default]\n{profile}[hongkong]\n{profile}");
        write(".config/wxpay/config.toml", config.as_bytes(), 0o600);
        let program = env!("CARGO_BIN_EXE_wxpay");
        let shim = format!(
            "#!/bin/sh\ncase \" $* \" in\n*' --profile '*|*' --config '*|*' --sandbox '*|*' --curl '*|*' config '*) exec '{program}' \"$@\";;\n\
             *) exec '{program}' --sandbox \"$@\";;\nesac\n"
        );
        write("bin/wxpay", shim.as_bytes(), 0o755);
        Reader { home, _sandbox: sandbox }
    }

    /// Runs a script as a reader of the documents would.
    fn run(&self, script: &str) -> Done {
        let home = self.home.path();
        let path = format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap());
        let mut shell = assert_cmd::Command::new("sh");
        shell.env_clear().env("PATH", path).env("HOME", home).current_dir(home);
        shell.env("WECHATPAY_SANDBOX_KEYS", home.join("keys")).timeout(std::time::Duration::from_secs(120));
        Done::of(shell.args(["-e", "-c", script]))
    }
}

/// A call also passes if the sandbox does not know its number or day, or does not model its kind of bill: it was signed,
/// sent and answered.
#[track_caller]
fn ran(script: &str, done: &Done) {
    let nothing = ["wxpay: error: 404 ", "wxpay: error: 400 NO_STATEMENT_EXIST"];
    let unknown = done.code == Some(2) && nothing.iter().any(|begin| done.err.starts_with(begin));
    let bill = done.code == Some(1) && done.err.starts_with("wxpay: error: the sandbox does not model ");
    // Nothing listens at the address of the receiver.
    let receiver = done.code == Some(3) && done.err.contains("wxpay: error: no response from the receiver: ");
    assert!(done.code == Some(0) || unknown || bill || receiver, "{script}\n{done:?}");
}

/// The code blocks in this language.
pub(crate) fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(name)) if name == language => block = Some(String::new()),
            (Some(_), Some(_)) => all.extend(block.take()),
            (Some(lines), None) => lines.push_str(&format!("{line}\n")),
            _ => {}
        }
    }
    all
}

pub(crate) fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_line_of_the_documents_runs() {
    for name in ["docs/cli.md", "docs/cli.zh-CN.md"] {
        let reader = Reader::new();
        let blocks = blocks(&document(name), "sh");
        assert!(blocks.len() >= 10, "{name}: {} blocks", blocks.len());
        for block in blocks {
            // One line at a time, so that `set -e` misses none; a background job needs its block whole.
            let scripts =
                if block.contains(" &\n") { vec![block] } else { block.lines().map(str::to_owned).collect() };
            for script in scripts {
                ran(&script, &reader.run(&script));
            }
        }
    }
}

/// Those that rotate the keys, and the command that runs in a sandbox.
#[test]
fn the_commands_of_the_sandboxs_page_run() {
    let env = crate::program::TestEnv::new();
    let run = |block: &str| {
        let program = env!("CARGO_BIN_EXE_wxpay");
        let script = block.replace("http://127.0.0.1:8080/", env.sandbox.base_url());
        let script = script.replace("wxpay sandbox", &format!("'{program}' sandbox"));
        let mut shell = assert_cmd::Command::new("bash");
        shell.args(["-e", "-o", "pipefail", "-c", &script]).env("NO_PROXY", "127.0.0.1");
        Done::of(shell.timeout(std::time::Duration::from_secs(60)))
    };
    let code = |line: &str| line.split(" # ").next().unwrap().trim_end().to_owned();
    let pages = ["docs/sandbox.md", "docs/sandbox.zh-CN.md"].map(|name| {
        let blocks = blocks(&document(name), "sh").into_iter();
        let blocks: Vec<_> =
            blocks.filter(|block| block.contains("wxpay sandbox --") || block.contains("jq")).collect();
        assert_eq!(blocks.len(), 2, "{name}");
        blocks
    });
    let [english, chinese] = pages
        .each_ref()
        .map(|blocks| blocks.iter().flat_map(|block| block.lines()).map(code).collect::<Vec<_>>());
    assert_eq!(english, chinese);
    let clock = run(&pages[0][0]);
    assert!(clock.code == Some(0) && clock.out.contains("\"skew\""), "{clock:?}");
    if !crate::support::has("jq") {
        return;
    }
    let certificates = env.sandbox.client().unwrap();
    let done = run(&pages[0][1]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(env.sandbox.mode(), wechatpay_chain::sandbox::SigningMode::PublicKey);
    assert!(
        done.out.contains("\"mode\":\"migration\"") && certificates["v3/x"].get_sync().is_ok(),
        "{done:?}"
    );
}

#[test]
fn both_languages_have_the_same_lines() {
    let [english, chinese] = ["docs/cli.md", "docs/cli.zh-CN.md"].map(|name| blocks(&document(name), "sh"));
    assert_eq!(english, chinese);
}

#[test]
fn the_lines_of_the_readmes_run() {
    let reader = Reader::new();
    for name in ["README.md", "docs/README.zh-CN.md"] {
        let text = document(name);
        let lines = text.lines().flat_map(|line| line.split('`')).filter(|code| code.starts_with("wxpay "));
        let lines: Vec<_> = lines.filter(|code| code.contains("v3/")).collect();
        assert!(!lines.is_empty(), "{name}");
        for line in lines {
            let done = reader.run(line);
            assert_eq!(done.code, Some(0), "{name}: {line}\n{done:?}");
        }
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let reader = Reader::new();
    let help = |arguments: &[&str]| wxpay(reader.home.path()).args(arguments).output().unwrap();
    for command in crate::help::commands() {
        let command: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        // A long line goes on after a backslash.
        let text = String::from_utf8(help(&command).stdout).unwrap().replace("\\\n", " ");
        let examples =
            text.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
        for line in examples.map(str::trim).filter(|line| {
            // They run until a signal, or ask questions: other tests have them.
            !line.starts_with("wxpay sandbox") && !line.starts_with("wxpay config init")
        }) {
            ran(line, &reader.run(line));
        }
    }
}
