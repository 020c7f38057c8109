//! `wxpay config`, and `WXPAY_PROFILE`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{Done, TestEnv, wxpay};

const ECHO: [&str; 3] = ["post", "v3/security/echo", "echo_message=x"];

/// The answers to the questions of `config init`, for the sandbox's merchant.
pub(crate) fn answers(env: &TestEnv, public_key: &str) -> Vec<String> {
    vec![
        env.sandbox.mchid().to_owned(),
        env.file("apiclient_key.pem", env.sandbox.merchant_key_pem()),
        env.sandbox.serial().to_owned(),
        env.sandbox.platform_public_key_id().to_owned(),
        public_key.to_owned(),
        env.sandbox.apiv3_key().to_owned(),
        env.sandbox.base_url().to_owned(),
    ]
}

pub(crate) fn private(file: &str) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn init(env: &TestEnv, answers: &[String], options: &[&str]) -> Done {
    let mut command = wxpay(env.home.path());
    command.args(["config", "init"]).args(options).write_stdin(answers.join("\n") + "\n");
    env.finish(&mut command)
}

#[test]
fn init_asks_checks_and_writes_a_private_file() {
    let env = TestEnv::new();
    let public_key = env.file("pub_key.pem", env.sandbox.platform_public_key_pem());
    let all = answers(&env, &public_key);
    private(&all[1]);
    let done = init(&env, &all, &[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    // The doctor's checks, and the questions.
    assert!(
        done.out.lines().count() > 5 && done.out.contains("\"check\":\"echo\",\"status\":\"ok\""),
        "{done:?}"
    );
    assert!(done.err.contains("Merchant number: ") && done.err.contains("wxpay: written: "), "{done:?}");
    let file = env.home.path().join(".config/wxpay/config.toml");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let run = |arguments: &[&str]| env.finish(wxpay(env.home.path()).args(arguments));
    run(&ECHO).ok();
    assert_eq!(run(&["config", "path"]).ok(), format!("{}\n", file.display()));
    assert_eq!(run(&["config", "path", "--config", "x.toml"]).ok(), "x.toml\n");
    // Without secrets; the paths of keys are none.
    let list = run(&["config", "list"]).json();
    let expected = json!([{
        "profile": "default", "mchid": env.sandbox.mchid(), "private_key": format!("file://{}", all[1]),
        "serial": env.sandbox.serial(), "public_key_id": env.sandbox.platform_public_key_id(),
        "public_key": format!("file://{public_key}"), "apiv3_key": "…", "base_url": env.sandbox.base_url(),
    }]);
    assert_eq!(list, expected);
    // Another profile is added, the first one and its comments stay.
    let before = std::fs::read_to_string(&file).unwrap() + "# mine";
    std::fs::write(&file, &before).unwrap();
    init(&env, &all, &[]).fails(1, "has the profile `default` already");
    let odd = "香港 \"1\"";
    let done = init(&env, &all, &["--profile", odd]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let after = std::fs::read_to_string(&file).unwrap();
    assert!(after.starts_with(&format!("{before}\n\n[\"香港 \\\"1\\\"\"]\nmchid = ")), "{after}");
    run(&[&ECHO[..], &["--profile", odd]].concat()).ok();
    // No temporary file is left.
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn init_takes_a_certificate_a_p12_and_automatic_certificates() {
    let env = TestEnv::new();
    let keys = env.home.path().join("keys");
    let builder = wechatpay_chain::sandbox::Sandbox::builder().keys(&keys);
    let sandbox = builder.sign_with(wechatpay_chain::sandbox::SigningMode::Certificate).start().unwrap();
    let path = |name: &str| keys.join(name).to_str().unwrap().to_owned();
    let rest = ["".to_owned(), sandbox.apiv3_key().to_owned(), sandbox.base_url().to_owned()];
    let key = [path("apiclient_key.pem"), path("apiclient_cert.pem")];
    let p12 = path("apiclient_cert.p12");
    let mut forms: Vec<(&str, Vec<String>)> = Vec::new();
    if Path::new(&key[1]).exists() {
        forms.push(("certificate", key.to_vec()));
    }
    if Path::new(&p12).exists() {
        forms.push(("p12", vec![p12, String::new()]));
    }
    forms.push(("tilde", vec!["~/keys/apiclient_key.pem".to_owned(), sandbox.serial().to_owned()]));
    for (name, form) in forms {
        let all = [&[sandbox.mchid().to_owned()][..], &form, &rest].concat();
        let done = Done::of(
            wxpay(env.home.path())
                .args(["config", "init", "--profile", name])
                .write_stdin(all.join("\n") + "\n"),
        );
        assert_eq!(done.code, Some(0), "{name}: {done:?}");
        Done::of(wxpay(env.home.path()).args(ECHO).args(["--profile", name])).ok();
    }
}

#[test]
fn init_writes_nothing_after_a_failed_check_or_a_wrong_answer() {
    let env = TestEnv::new();
    let public_key = env.file("pub_key.pem", env.sandbox.platform_public_key_pem());
    let good = answers(&env, &public_key);
    private(&good[1]);
    let file = env.home.path().join(".config/wxpay/config.toml");
    let with = |place: usize, value: &str| {
        let mut all = good.clone();
        all[place] = value.to_owned();
        all
    };
    for (place, value, code, part) in [
        (0, "", 1, "expected a value"),
        (1, "/nowhere/key.pem", 1, "`/nowhere/key.pem` is not a file"),
        (4, "", 1, "expected the path of a file"),
        (5, "short", 1, "expected 32 bytes, found 5"),
        // Found by the doctor.
        (2, "1234567890ABCDEF", 2, "some checks failed: nothing was written"),
        (5, &"0".repeat(32), 4, "some checks failed: nothing was written"),
        (6, "ftp://x", 1, "some checks failed: nothing was written"),
    ] {
        let done = init(&env, &with(place, value), &[]);
        done.is(code, part);
        assert!(!file.exists(), "{done:?}");
    }
    init(&env, &good[..3], &[]).is(1, "stdin has ended");
    assert!(!file.exists());
    Done::of(wxpay(env.home.path()).args(["config", "init", "--sandbox"])).fails(1, "--sandbox");
    // A file that is not TOML is left alone.
    let bad = env.file("bad.toml", "[default\n");
    init(&env, &good, &["--config", &bad]).is(1, "line 1");
    assert_eq!(std::fs::read_to_string(&bad).unwrap(), "[default\n");
    // On request, without the doctor; a link stays a link.
    let real = env.file("real.toml", "");
    std::os::unix::fs::symlink(&real, env.path("link.toml")).unwrap();
    let link = env.path("link.toml");
    let done = init(&env, &with(2, "1234567890ABCDEF"), &["--config", &link, "--no-check"]);
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{done:?}");
    assert!(std::fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains("1234567890ABCDEF"));
}

#[test]
fn list_shows_no_secret_whatever_the_file_has() {
    let env = TestEnv::new();
    let pem = env.sandbox.merchant_key_pem();
    let secret = pem.lines().nth(2).unwrap();
    let text = format!(
        "note = 1\n[a]\nmchid = 1900000109\nautomatic_certificates = true\nprivate_key = '''\n{pem}'''\n\
         passphrase = 'open sesame'\n[b]\nunknown = 'open sesame'\nserial = '{secret}'\napiv3_key = ['open sesame']\n\
         mchid = ['open sesame']\n[c]\n"
    );
    let file = env.file("config.toml", text);
    private(&file);
    let done = env.finish(wxpay(env.home.path()).args(["config", "list", "--config", &file]));
    assert!(!done.ok().contains("sesame") && !done.out.contains(secret), "{done:?}");
    let list: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(
        list[0],
        json!({"profile": "a", "mchid": 1900000109, "automatic_certificates": true, "private_key": "…", "passphrase": "…"})
    );
    assert_eq!((&list[1]["unknown"], &list[2]), (&json!("…"), &json!({"profile": "c"})));
}

#[test]
fn wxpay_profile_names_the_profile() {
    let env = TestEnv::new();
    let text = "[default]\nmchid = '1'\n[a]\nserial = '1'\n";
    let file = env.file("config.toml", text);
    private(&file);
    let run = |profile: &str, arguments: &[&str]| {
        let mut command = wxpay(env.home.path());
        command.env("WXPAY_PROFILE", profile).args(arguments);
        Done::of(&mut command)
    };
    let get = ["get", "v3/x", "--config", &file];
    run("a", &get).fails(1, "profile `a`: `mchid` is missing");
    // An empty variable is none; an option goes first.
    run("", &get).fails(1, "profile `default`: `serial` is missing");
    run("a", &[&get[..], &["--profile", "default"]].concat())
        .fails(1, "profile `default`: `serial` is missing");
    run("nope", &get).fails(1, "has no profile `nope`\nwxpay: hint: available profiles: `a`, `default`");
    // The default file, also where it would not be used without a name.
    run("a", &["get", "v3/x"]).fails(1, ".config/wxpay/config.toml");
    assert_eq!(run("a", &["--sandbox", "post", "v3/security/echo", "echo_message=x"]).code, Some(0));
}

/// The answers hold keys: until the checks are done, nothing is written, under no name.
#[test]
fn a_signal_during_the_checks_of_init_leaves_no_file() {
    let env = TestEnv::new();
    let public_key = env.file("pub_key.pem", env.sandbox.platform_public_key_pem());
    let all = answers(&env, &public_key);
    private(&all[1]);
    let folder = env.path("folder");
    std::fs::create_dir(&folder).unwrap();
    for (signal, code) in [("TERM", 143), ("KILL", 137)] {
        // The doctor waits half a minute for its echo.
        env.sandbox.inject_rule("delay=60000".parse().unwrap()).unwrap();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
            .args(["config", "init", "--config", &format!("{folder}/config.toml")])
            .env_clear()
            .env("HOME", env.home.path())
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut stdin, (all.join("\n") + "\n").as_bytes()).unwrap();
        // Kept open: without a reader, the next check would end the program before the signal does.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.contains(r#""check":"host""#)), "no check");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "during the checks");
        Done::of(assert_cmd::Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]))
            .ok();
        let status = child.wait().unwrap();
        let by_signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|number| 128 + number);
        assert_eq!(status.code().or(by_signal), Some(code), "{signal}");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "after {signal}");
    }
}

#[test]
fn init_says_before_the_questions_that_the_file_cannot_be_written() {
    let env = TestEnv::new();
    let file = env.file("file", "");
    let run = |config: &str| init(&env, &[], &["--config", config]);
    run(&format!("{file}/config.toml")).fails(1, "a part of its path is not a directory");
    run(&env.path(&"x".repeat(300))).fails(1, "the file system does not allow its name");
    run("/proc/config.toml").fails(1, "config init: cannot write `/proc/config.toml`");
    run(env.home.path().to_str().unwrap()).fails(1, "it is a directory");
}
