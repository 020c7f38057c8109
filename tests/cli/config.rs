//! The program `wxpay`: credentials, profiles, and its sandbox.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::json;

use crate::program::{Done, TestEnv, wxpay};

const ECHO: &str = "v3/security/echo";

#[test]
fn a_profile_configures_the_credentials() {
    let env = TestEnv::new();
    let sandbox = &env.sandbox;
    let key = env.file("key.pem", sandbox.merchant_key_pem());
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    env.file("pub.pem", sandbox.platform_public_key_pem());
    let config = format!(
        "[default]\nmchid = '{}'\nserial = '{}'\nprivate_key = 'file://key.pem'\npublic_key_id = '{}'\n\
         public_key = 'file://pub.pem'\napiv3_key = '{}'\nbase_url = '{}'\ntimeout = 20\nautomatic_certificates = true\n\
         [broken]\nmchid = '1'\n[odd]\nmchid = ['1']\n[unknown]\nprivateKey = 'x'\n",
        sandbox.mchid(),
        sandbox.serial(),
        sandbox.platform_public_key_id(),
        sandbox.apiv3_key(),
        sandbox.base_url(),
    );
    let folder = env.home.path().join(".config/wxpay");
    std::fs::create_dir_all(&folder).unwrap();
    let file = env.file("config.toml", &config);
    let chmod = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    chmod(0o600);
    let alone = |arguments: &[&str]| env.finish(wxpay(env.home.path()).args(arguments));
    let echo = ["post", ECHO, "echo_message=x"];

    alone(&[&echo[..], &["--config", &file]].concat()).ok();
    // A file that others can read gets a warning and is used.
    chmod(0o644);
    let done = alone(&[&echo[..], &["--config", &file, "--profile", "default"]].concat());
    assert_eq!(done.code, Some(0));
    assert!(
        done.err.contains("warning") && done.err.contains("chmod 600") && done.err.lines().count() == 1,
        "{done:?}"
    );
    chmod(0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(alone(&[&echo[..], &["--config", &file]].concat()).err.contains("the key file"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();

    for (profile, part) in [
        ("broken", "`serial` is missing"),
        ("odd", "`mchid`: expected a string, found array"),
        ("unknown", "unknown key `privateKey`"),
        ("nowhere", "available profiles: `broken`, `default`, `odd`, `unknown`"),
    ] {
        alone(&[&echo[..], &["--config", &file, "--profile", profile]].concat()).fails(1, part);
    }
    alone(&[&echo[..], &["--config", "/nowhere.toml"]].concat()).fails(1, "cannot read");
    // The default folder; without it, the error says what to do.
    alone(&echo).fails(1, "--sandbox");
    alone(&[&echo[..], &["--profile", "x"]].concat()).fails(1, "cannot read");
    std::fs::write(
        folder.join("config.toml"),
        config
            .replace("file://key.pem", &format!("file://{key}"))
            .replace("file://pub.pem", &format!("file://{}", env.path("pub.pem"))),
    )
    .unwrap();
    std::fs::set_permissions(folder.join("config.toml"), std::fs::Permissions::from_mode(0o600)).unwrap();
    alone(&echo).ok();
    alone(&[&echo[..], &["--profile", "default"]].concat()).ok();
    // A mistake in the file is reported by line number: the line itself may contain a key.
    let bad = env.file("bad.toml", "[default]\nmchid = '1'\napiv3_key = \"SECRETSECRET\n");
    let done = alone(&[&echo[..], &["--config", &bad]].concat());
    assert!(done.err.contains("line 3") && !done.err.contains("SECRET"), "{done:?}");
}

#[test]
fn the_environment_configures_the_credentials() {
    let env = TestEnv::new();
    let echo = ["post", ECHO, "echo_message=x"];
    env.finish(env.wxpay().env("WECHATPAY_SERIAL", "").args(echo)).fails(1, "`WECHATPAY_SERIAL` is missing");
    env.finish(env.wxpay().env("WECHATPAY_APIV3_KEY", "short").args(echo))
        .fails(1, "must be exactly 32 bytes; it is 5");
    env.finish(env.wxpay().env("WECHATPAY_PRIVATE_KEY", "-----BEGIN").args(echo))
        .fails(1, "WECHATPAY_PRIVATE_KEY");
    env.finish(env.wxpay().env("WECHATPAY_PRIVATE_KEY", "file:///nowhere").args(echo))
        .fails(1, "does not exist");
    env.finish(env.wxpay().env("WECHATPAY_TIMEOUT", "soon").args(echo)).fails(1, "WECHATPAY_TIMEOUT");
    env.finish(env.wxpay().env_remove("WECHATPAY_MCHID").args(echo)).fails(1, "`WECHATPAY_MCHID` is missing");
    let other = env.finish(env.wxpay().env("WECHATPAY_MCHID", "1234567890").args(echo));
    other.fails(2, "SIGN_ERROR");
    assert!(env.sandbox.requests().len() == 1);
}

#[test]
fn a_sandbox_for_every_command_and_one_that_stays() {
    let home = tempfile::tempdir().unwrap();
    let keys = home.path().join("keys");
    let run = |arguments: &[&str]| {
        Done::of(wxpay(home.path()).env("WECHATPAY_SANDBOX_KEYS", &keys).args(arguments))
    };
    assert_eq!(
        run(&["--sandbox", "post", ECHO, "echo_message=你好"]).json(),
        json!({"echo_message": "你好"})
    );
    assert!(keys.join("apiclient_key.pem").exists());
    assert_eq!(run(&["post", ECHO, "echo_message=x", "--sandbox"]).json()["echo_message"], "x");
    std::fs::remove_file(keys.join("pub_key.pem")).unwrap();
    run(&["--sandbox", "get", "v3/certificates"]).fails(1, "pub_key.pem");

    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
        .arg("sandbox")
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut exports = String::new();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    while !exports.contains("\n# listening on ") {
        assert!(std::io::BufRead::read_line(&mut out, &mut exports).unwrap() > 0, "{exports}");
    }
    let exports: String =
        exports.lines().filter(|line| line.starts_with("export ")).collect::<Vec<_>>().join("\n");
    let mut shell = assert_cmd::Command::new("sh");
    let script = format!("{exports}\n{} post {ECHO} echo_message=there", env!("CARGO_BIN_EXE_wxpay"));
    let done = Done::of(shell.env_clear().args(["-c", &script]));
    let asked = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(asked.success() && child.wait().unwrap().success(), "it ends cleanly");
    assert_eq!(done.json()["echo_message"], "there");
}
