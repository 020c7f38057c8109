//! `http://` for another machine: from every source of the program's settings.

use crate::program::{TestEnv, wxpay};

const CALL: [&str; 5] = ["post", "v3/security/echo", "echo_message=x", "--dry-run", "--jq=.url"];

#[test]
fn http_for_another_machine_is_allowed_by_a_variable_or_a_key() {
    let env = TestEnv::new();
    let gateway = "http://gateway.internal:8080/";
    let run = |allow: &str| {
        let mut program = env.wxpay();
        env.finish(program.env("WECHATPAY_BASE_URL", gateway).env("WECHATPAY_ALLOW_HTTP", allow).args(CALL))
    };
    for no in ["", "0", "false"] {
        run(no).fails(1, "`WECHATPAY_ALLOW_HTTP`");
    }
    run("yes").fails(1, "`WECHATPAY_ALLOW_HTTP` must be 1 or 0");
    assert!(run("1").out.contains(gateway));
    // The option for the base URL allows nothing by itself.
    let by_option = env.finish(env.wxpay().args(CALL).args(["--base-url", gateway]));
    by_option.fails(1, "--base-url must begin with https://");
    by_option.fails(1, "hint: use https://; `WECHATPAY_ALLOW_HTTP` permits http://");
    // A whole URL, in the shell and in a line of a batch: no setter of Rust is named.
    let url = "http://gateway.internal:8080/v3/x";
    let calls = env.file("calls.jsonl", format!("{{\"method\":\"GET\",\"path\":\"{url}\"}}"));
    for arguments in [&["get", url][..], &["batch", &calls], &["bill", "--path", url]] {
        let done = env.run(arguments);
        done.fails(
            1,
            "`http://gateway.internal:8080/v3/x` cannot be requested: http:// is for this machine only",
        );
        done.fails(1, "hint: use https://; `WECHATPAY_ALLOW_HTTP=1`, or `allow_http = true` in a profile");
        assert!(!done.err.contains("builder"), "{done:?}");
    }
    let allowed = env.finish(env.wxpay().env("WECHATPAY_ALLOW_HTTP", "1").args(["get", url, "--dry-run"]));
    assert!(allowed.ok().contains(url));

    let sandbox = &env.sandbox;
    env.file("key.pem", sandbox.merchant_key_pem());
    env.file("pub.pem", sandbox.platform_public_key_pem());
    let profile = |name: &str, allow: &str| {
        format!(
            "[{name}]\nmchid = '{}'\nserial = '{}'\nprivate_key = 'file://key.pem'\npublic_key_id = '{}'\n\
             public_key = 'file://pub.pem'\nbase_url = '{gateway}'\n{allow}\n",
            sandbox.mchid(),
            sandbox.serial(),
            sandbox.platform_public_key_id(),
        )
    };
    let profiles =
        [profile("strict", ""), profile("off", "allow_http = false"), profile("on", "allow_http = true")];
    let file = env.file("config.toml", profiles.concat());
    let call = |name: &str| {
        env.finish(wxpay(env.home.path()).args(CALL).args(["--config", &file, "--profile", name]))
    };
    call("strict").fails(1, "`allow_http`");
    call("off").fails(1, "`allow_http`");
    assert!(call("on").out.contains(gateway));
}
