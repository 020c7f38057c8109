//! Where the settings come from: one source, and no variable or option is silently ignored.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::program::{Done, TestEnv, variables, wxpay};

const CALL: [&str; 5] = ["post", "v3/refund/domestic/refunds", "out_trade_no=P1", "--jq", "."];

/// A home with profiles: their merchant is the sandbox's, their platform is `https://api.mch.weixin.qq.com/` (`live`, the
/// default) or the sandbox.
struct Home {
    env: TestEnv,
    file: String,
}

impl Home {
    fn new() -> Home {
        let env = TestEnv::new();
        let sandbox = &env.sandbox;
        let profile = |name: &str, more: &str| {
            format!(
                "[{name}]\nmchid = '{}'\nserial = '{}'\nprivate_key = '''{}'''\npublic_key_id = '{}'\n\
                 public_key = '''{}'''\n{more}\n",
                sandbox.mchid(),
                sandbox.serial(),
                sandbox.merchant_key_pem(),
                sandbox.platform_public_key_id(),
                sandbox.platform_public_key_pem(),
            )
        };
        let here = format!("base_url = '{}'", sandbox.base_url());
        let text = [profile("default", ""), profile("live", ""), profile("here", &here)].concat();
        std::fs::create_dir_all(env.home.path().join(".config/wxpay")).unwrap();
        let file = env.file(".config/wxpay/config.toml", text);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Home { env, file }
    }

    /// Runs it with these variables only; nothing is sent.
    #[track_caller]
    fn shown(&self, variables: &[(&str, &str)], options: &[&str]) -> Done {
        let mut command = wxpay(self.env.home.path());
        command.envs(variables.iter().copied());
        self.env.finish(command.args(CALL).args(options).arg("--dry-run"))
    }
}

#[track_caller]
fn url(done: &Done) -> String {
    let shown: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    shown["url"].as_str().unwrap().to_owned()
}

#[test]
fn a_variable_beside_the_default_profile_is_refused() {
    let home = Home::new();
    assert!(url(&home.shown(&[], &[])).starts_with("https://api.mch.weixin.qq.com/"));
    for (name, value) in [
        ("WECHATPAY_BASE_URL", home.env.sandbox.base_url()),
        // Even if it changes nothing: the next one who reads the command cannot know that.
        ("WECHATPAY_BASE_URL", "https://api.mch.weixin.qq.com/"),
        ("WECHATPAY_SERIAL", "3775B6A45ACD588826D15E583A95F5DD12345678"),
        ("WECHATPAY_APIV3_KEY", "0123456789abcdef0123456789abcdef"),
        ("WECHATPAY_TIMEOUT", "5"),
        ("WECHATPAY_ALLOW_HTTP", "0"),
        ("WECHATPAY_P12", "apiclient_cert.p12"),
    ] {
        let done = home.shown(&[(name, value)], &[]);
        done.fails(1, name);
        assert!(done.err.contains("config.toml") && !done.err.contains("0123456789abcdef"), "{done:?}");
    }
    // Each command that has settings, and `--json-errors`.
    let stray = ("WECHATPAY_BASE_URL", home.env.sandbox.base_url());
    home.env
        .file("calls.jsonl", r#"{"id":"R1","method":"POST","path":"v3/refund/domestic/refunds","body":{}}"#);
    home.env.file("licence.jpg", "x");
    for arguments in [
        vec!["get", "v3/certificates", "--json-errors"],
        vec!["delete", "v3/x"],
        vec!["batch", "calls.jsonl"],
        vec!["bill", "2026-11-20"],
        vec!["certs"],
        vec!["upload", "licence.jpg", "v3/merchant/media/upload"],
        vec!["sign"],
    ] {
        let mut command = wxpay(home.env.home.path());
        home.env.finish(command.env(stray.0, stray.1).args(&arguments)).fails(1, "WECHATPAY_BASE_URL");
    }
    let done = Done::of(wxpay(home.env.home.path()).env(stray.0, stray.1).args(["doctor"]));
    assert!(
        done.out.contains("or unset `WECHATPAY_BASE_URL` and use --base-url") && done.code == Some(1),
        "{done:?}"
    );
    // Emptied is unset; an option, or a complete environment, settles it.
    assert!(url(&home.shown(&[("WECHATPAY_BASE_URL", "")], &[])).contains("api.mch."));
    let hongkong = home.shown(&[stray], &["--base-url", "https://apihk.mch.weixin.qq.com/"]);
    assert!(url(&hongkong).contains("apihk.") && hongkong.err.is_empty(), "{hongkong:?}");
    let timeout = home.shown(&[("WECHATPAY_TIMEOUT", "5")], &["--timeout", "5"]);
    assert!(timeout.ok().contains("api.mch."));
    let all = variables(&home.env.sandbox);
    let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = home.shown(&all, &[]);
    assert!(done.ok().contains("127.0.0.1"), "{done:?}");
}

#[test]
fn a_variable_beside_a_requested_profile_is_refused_or_reported() {
    let home = Home::new();
    let here = home.env.sandbox.base_url();
    for options in [
        &["--profile", "live"][..],
        &["--config", &home.file],
        &["--config", &home.file, "--profile", "live"],
    ] {
        home.shown(&[("WECHATPAY_BASE_URL", here)], options).fails(1, "WECHATPAY_BASE_URL");
        let others = [("WECHATPAY_MCHID", "1900000110"), ("WECHATPAY_TIMEOUT", "5")];
        let done = home.shown(&others, options);
        done.is(0, "warning: `WECHATPAY_MCHID`, `WECHATPAY_TIMEOUT` are ignored");
        assert!(url(&done).contains("api.mch."));
        let same = home.shown(&[("WECHATPAY_BASE_URL", "https://api.mch.weixin.qq.com")], options);
        assert!(same.ok().contains("api.mch."));
    }
    home.shown(&[("WECHATPAY_BASE_URL", "https://api.mch.weixin.qq.com/")], &["--profile", "here"])
        .fails(1, "WECHATPAY_BASE_URL");
    assert!(url(&home.shown(&[("WECHATPAY_BASE_URL", here)], &["--profile", "here"])).contains("127.0.0.1"));
    let all = variables(&home.env.sandbox);
    let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    home.shown(&all, &["--profile", "live"]).fails(1, "unset `WECHATPAY_BASE_URL`");
    home.shown(&all, &["--profile", "here"]).is(0, "and 5 more are ignored");
    // Nothing leaves the machine from the sandbox.
    home.shown(&all, &["--sandbox"]).is(0, "are ignored: all settings come from the sandbox");
    assert!(home.shown(&[("WECHATPAY_SANDBOX_KEYS", "")], &["--sandbox"]).err.is_empty());
}

#[test]
fn a_misspelt_variable_is_refused_or_reported() {
    let home = Home::new();
    let here = home.env.sandbox.base_url();
    let all = variables(&home.env.sandbox);
    let mut all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.retain(|(name, _)| *name != "WECHATPAY_BASE_URL");
    // In the environment itself, beside a profile, beside the default one.
    let run = |stray: (&str, &str), more: &[&str]| {
        let environment = home.shown(&[&all[..], &[stray]].concat(), more);
        let default = home.shown(&[stray], more);
        let requested = home.shown(&[stray], &[more, &["--profile", "live"]].concat());
        [environment, default, requested]
    };
    for name in [
        "WECHATPAY_BASEURL",
        "WECHATPAY_BASE_URI",
        "wechatpay_base_url",
        "WECHAT_PAY_BASE_URL",
        "WXPAY_BASE_URL",
        "WECHATPAY_ENDPOINT",
        "WECHATPAY_API_HOST",
        "WECHATPAY_GATEWAY",
    ] {
        for done in run((name, here), &[]) {
            done.fails(1, &format!("error: `{name}` is not a variable of wxpay\nwxpay: hint: unset it"));
        }
        let option = ["--base-url", "https://apihk.mch.weixin.qq.com/"];
        for done in run((name, here), &option) {
            done.is(0, &format!("warning: `{name}`"));
            assert!(url(&done).contains("apihk."));
        }
    }
    for done in run(("WECHATPAY_SANDBOX", "1"), &[]) {
        done.fails(1, "--sandbox");
    }
    let [environment, default, requested] = run(("WECHATPAY_PROFILE", "here"), &[]);
    environment.fails(1, "use --profile");
    default.fails(1, "use --profile");
    requested.is(0, "warning: `WECHATPAY_PROFILE`");
    let [environment, default, requested] = run(("WECHATPAY_MCH_ID", "1900000110"), &[]);
    environment.is(0, "did you mean `WECHATPAY_MCHID`?");
    default.fails(1, "did you mean `WECHATPAY_MCHID`?");
    requested.is(0, "did you mean `WECHATPAY_MCHID`?");
    for done in run(("WECHATPAY_NOTIFY_URL", "https://www.example.com/"), &[]) {
        done.is(0, "warning: `WECHATPAY_NOTIFY_URL` is ignored: not a variable of wxpay");
    }
    for done in run(("OTHER_BASE_URL", "https://www.example.com/"), &[]) {
        done.ok();
    }
    // Without any source, the name that was meant comes first.
    let empty = tempfile::tempdir().unwrap();
    let done = Done::of(wxpay(empty.path()).env("WECHATPAY_MCH_ID", "1900000110").args(CALL));
    assert!(
        done.err.contains("did you mean `WECHATPAY_MCHID`?") && done.err.contains("no credentials"),
        "{done:?}"
    );
    // A value is never shown, nor is a name that may be a key.
    let key = "0123456789abcdef0123456789abcdef";
    for done in run(("WECHATPAY_APIV3KEY", key), &[]) {
        assert!(!done.err.contains(key) && done.err.contains("WECHATPAY_APIV3_KEY"), "{done:?}");
    }
    for done in run((&format!("WECHATPAY_{key}{key}"), "1"), &[]) {
        assert!(!done.err.contains(key), "{done:?}");
    }
}

#[test]
fn options_that_contradict_each_other_are_refused_in_any_order() {
    let home = Home::new();
    let call = ["get", "v3/certificates", "--dry-run"];
    let run = |before: &[&str], after: &[&str]| home.env.run(&[before, &call, after].concat());
    let file = home.file.as_str();
    for other in [["--profile", "here"], ["--config", file]] {
        for (before, after) in [
            (vec!["--sandbox"], other.to_vec()),
            (other.to_vec(), vec!["--sandbox"]),
            ([&["--sandbox"], &other[..]].concat(), vec![]),
            (vec![], [&other[..], &["--sandbox"]].concat()),
        ] {
            run(&before, &after).fails(1, &format!("--sandbox cannot be used with {}", other[0]));
        }
    }
    for (one, two) in [
        (vec!["--profile", "here"], vec!["--profile", "live"]),
        (vec!["--profile=here"], vec!["--profile", "live"]),
        (vec!["--config", file], vec!["--config=/nowhere"]),
        (
            vec!["--base-url", "https://apihk.mch.weixin.qq.com/"],
            vec!["--base-url", home.env.sandbox.base_url()],
        ),
        (vec!["--timeout", "5"], vec!["--timeout=6"]),
    ] {
        run(&one, &two).fails(1, "cannot be used multiple times");
        run(&[], &[&one[..], &two[..]].concat()).fails(1, "cannot be used multiple times");
    }
    // After `--`, nothing is an option.
    let done = home.env.run(&["post", "v3/x", "--json-errors", "--", "--profile", "--profile"]);
    assert!(done.err.starts_with('{') && done.err.contains("expected NAME"), "{done:?}");
    for line in [
        vec!["post", "--", "v3/x", "--json-errors"],
        vec!["fetch", "--", "--json-errors"],
        vec!["get", "--", "v3/x", "a", "--json-errors"],
    ] {
        let done = home.env.run(&line);
        assert!(done.code == Some(1) && !done.err.starts_with('{'), "{done:?}");
    }
}
