//! Mistakes in the arguments and in the settings: nothing is sent, exit code 1.

use crate::program::{Done, TestEnv, wxpay};

/// Runs it without credentials.
fn run(arguments: &[&str]) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(arguments))
}

#[test]
fn commands_and_options() {
    snapshot!(run(&["get"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the following required arguments were not provided: <PATH>
    wxpay: hint: usage: wxpay get <PATH> [NAME==VALUE]...; more with --help
    ");
    snapshot!(run(&["gett", "v3/x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: unrecognized subcommand 'gett'
    wxpay: hint: a similar subcommand exists: 'get'
    wxpay: hint: usage: wxpay [OPTIONS] <COMMAND>; more with --help
    ");
    snapshot!(run(&["get", "v3/x", "--nope"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: unexpected argument '--nope' found
    wxpay: hint: to pass '--nope' as a value, use '-- --nope'
    wxpay: hint: usage: wxpay get <PATH> [NAME==VALUE]...; more with --help
    ");
    snapshot!(run(&["get", "v3/x", "--color", "blue"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'blue' for '--color <WHEN>' [possible values: auto, always, never]
    ");
    snapshot!(run(&["get", "v3/x", "--config"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: a value is required for '--config <FILE>' but none was supplied
    ");
    snapshot!(run(&["get", "v3/x", "--var", "id"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'id' for '--var <NAME=VALUE>': expected NAME=VALUE
    ");
    snapshot!(run(&["post", "v3/x", "--dry-run", "--curl"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the argument '--dry-run' cannot be used with '--curl'
    wxpay: hint: usage: wxpay post --dry-run <PATH> [FIELD]...; more with --help
    ");
    snapshot!(run(&["--sandbox", "get", "v3/x", "--profile", "a"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --sandbox cannot be used with --profile
    ");
    snapshot!(run(&["help", "nope"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: no such command or topic: `nope`
    wxpay: hint: `wxpay help` lists the commands; the topics are environment, profiles, exit-codes, outcomes
    ");
    snapshot!(run(&["man", "nope"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: no such command: `nope`
    wxpay: hint: `wxpay help` lists the commands
    ");
    snapshot!(run(&["completions", "tcsh"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'tcsh' for '<SHELL>' [possible values: bash, elvish, fish, powershell, zsh]
    wxpay: hint: a similar value exists: 'zsh'
    ");
    snapshot!(run(&["--json-errors", "get"]), @r#"
    exit 1
    --- stdout
    --- stderr
    {"error":"usage","message":"the following required arguments were not provided: <PATH>","hint":"usage: wxpay get <PATH> [NAME==VALUE]...; more with --help"}
    "#);
}

#[test]
fn paths() {
    snapshot!(run(&["--sandbox", "post", "https://example.com/v3/x", "a=b"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `https://example.com/v3/x` cannot be requested: its host is neither configured nor the platform's, so only a GET without body and headers is sent there; this request has the method POST
    wxpay: hint: for signed requests to another host: --base-url
    ");
    let run = |path: &str, more: &[&str]| run(&[&["--sandbox", "get", path], more].concat());
    snapshot!(run("v3/{id}", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the variable `id` of `v3/{id}` has no value
    wxpay: hint: give it with `--var id=VALUE`
    ");
    snapshot!(run("v3/P12345", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the segment `P12345` of the path looks like a value
    wxpay: hint: write {name} in the path, and its value as `--var name=VALUE`
    ");
    snapshot!(run("v3/x", &["--var", "id=1"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `id` is not a variable of `v3/x`
    wxpay: hint: a parameter of the query is `-q NAME=VALUE`
    ");
    snapshot!(run("v3/a b", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `a b` has the character ' ', which is not allowed in a URL
    wxpay: hint: write {name} in the path, and its value as `--var name=VALUE`; a parameter of the query is `-q NAME=VALUE`
    ");
    snapshot!(run("v3//x", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `v3//x` has an empty segment
    wxpay: hint: a value may be missing; if it is meant to be empty, use a variable with an empty value
    ");
    snapshot!(run("v3/./x", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `v3/./x` has the segment `.`, which HTTP clients and proxies resolve away
    ");
    snapshot!(run("v2/x", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the sandbox speaks APIv3 only: no `v2/…` with --sandbox
    ");
    snapshot!(run("http://example.com/v3/x", &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `http://example.com/v3/x` cannot be requested: http:// is for this machine only
    wxpay: hint: use https://; `WECHATPAY_ALLOW_HTTP=1`, or `allow_http = true` in a profile, permits http://
    ");
}

#[test]
fn fields_and_values() {
    let post = |more: &[&str]| run(&[&["--sandbox", "post", "v3/x"], more].concat());
    snapshot!(post(&["field"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: expected NAME=TEXT, NAME:=JSON or NAME==VALUE (query), found `field`
    ");
    snapshot!(post(&["amount.total:=1"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: field `amount.total`: a name has letters, digits, `_` and `-`
    wxpay: hint: write `amount[total]` for a member of an object
    wxpay: hint: write `/amount.total` for exactly this name
    ");
    snapshot!(post(&["n:=x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: field `n`: expected JSON: line 1, column 1: expected JSON
    ");
    snapshot!(post(&["-d", "{"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: -d: expected JSON: line 1, column 1: it ends too early
    ");
    snapshot!(post(&["-d", "@/nowhere"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: -d: cannot read `/nowhere`: it does not exist
    ");
    snapshot!(post(&["a=b", "--encrypt", "/c"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `/c` matches nothing in the body
    wxpay: hint: a parameter of the query is named without a slash
    ");
    snapshot!(post(&["a=b", "--retry", "4"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --retry must be at most 3; it is 4
    ");
    snapshot!(post(&["a=b", "--timeout", "4000"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --timeout must be more than 0 and at most 3600 seconds; it is 4000
    ");
    snapshot!(post(&["a=b", "-H", "a b: c"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: -H `a b` is not a header name
    ");
    snapshot!(post(&["a=b", "-H", "Authorization: x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: -H `Authorization` is set by the client itself
    ");
    snapshot!(post(&["a=b", "--jq", ".["]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --jq: invalid jq filter `.[`
    ");
    snapshot!(post(&["a=b", "-o", "/nowhere/x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: -o: cannot write `/nowhere/x`: its directory does not exist
    ");
    snapshot!(post(&["a=b", "--base-url", "http://127.0.0.1:9/"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --sandbox and --base-url are mutually exclusive, except with --dry-run
    ");
    snapshot!(post(&["a=b", "--base-url", "ftp://x", "--dry-run"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --base-url must be an https:// or http:// URL without query; its scheme is `ftp`
    ");
    snapshot!(run(&["--sandbox", "get", "v3/x", "a=b"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: a GET has no body
    wxpay: hint: a query parameter is NAME==VALUE, or -q NAME=VALUE
    ");
}

#[test]
fn arguments_of_the_other_commands() {
    let env = TestEnv::new();
    snapshot!(env.run(&["upload", "/nowhere", "v3/merchant/media/upload"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the file `/nowhere`: an upload's file does not exist; nothing was sent
    ");
    snapshot!(env.run(&["bill", "yesterday"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'yesterday' for '[DATE]': expected a day such as 2026-11-20
    ");
    snapshot!(env.run(&["bill", "2026-11-20", "--type", "nope"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'nope' for '--type <TYPE>' [possible values: tradebill, fundflow, profitsharing]
    ");
    snapshot!(env.run(&["batch", "nowhere.jsonl"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: cannot read `nowhere.jsonl`: it does not exist
    ");
    snapshot!(env.run(&["batch", "-"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the journal has no name: it cannot be named after stdin
    wxpay: hint: name it with -o
    ");
    snapshot!(env.run(&["verify", "body.json"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: BODY: cannot read `body.json`: it does not exist
    ");
    snapshot!(env.run(&["verify", "--headers", "nowhere", "body.json"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: --headers: cannot read `nowhere`: it does not exist
    ");
    snapshot!(env.run(&["sandbox", "--port", "http"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: invalid value 'http' for '--port <PORT>': expected a whole number
    ");
}

#[test]
fn settings() {
    snapshot!(run(&["get", "v3/certificates"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: no credentials found
    wxpay: hint: `wxpay config init` writes `[HOME]/.config/wxpay/config.toml`; or set WECHATPAY_MCHID and the related variables (`wxpay help environment`); or use --sandbox, which needs no account
    ");
    snapshot!(run(&["get", "v3/certificates", "--profile", "a"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: cannot read `[HOME]/.config/wxpay/config.toml`: it does not exist
    ");
    snapshot!(run(&["config", "list"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: cannot read `[HOME]/.config/wxpay/config.toml`: it does not exist
    ");
    let env = TestEnv::new();
    let with =
        |name: &str, value: &str| env.finish(env.wxpay().env(name, value).args(["get", "v3/certificates"]));
    snapshot!(with("WECHATPAY_SERIAL", ""), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the environment: `WECHATPAY_SERIAL` is missing
    wxpay: hint: give the serial of the merchant's API certificate, or the certificate (`WECHATPAY_CERTIFICATE`), or a `WECHATPAY_P12`
    ");
    snapshot!(with("WECHATPAY_PRIVATE_KEY", "file:///nowhere/key.pem"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the environment: WECHATPAY_PRIVATE_KEY: expected an RSA private key (PKCS#8, encrypted or not, or PKCS#1) as PEM text, as the `file://` path of PEM or DER, as `private.pkcs8://…` or as `private.pkcs1://…`, found the file `/nowhere/key.pem`, which does not exist
    ");
    snapshot!(with("WECHATPAY_APIV3_KEY", "short"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the environment: `WECHATPAY_APIV3_KEY` must be exactly 32 bytes; it is 5
    ");
    snapshot!(with("WECHATPAY_BASE_URL", "http://example.com/"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the environment: `WECHATPAY_BASE_URL` must begin with https://: `example.com` is not this machine, and http:// would show it every request in clear text
    wxpay: hint: use https://; `WECHATPAY_ALLOW_HTTP` permits http://
    ");
    snapshot!(with("WECHATPAY_TIMEOUT", "soon"), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: the environment: `WECHATPAY_TIMEOUT` must be a number of seconds, such as 30; it is `soon`
    ");
    snapshot!(with("WECHATPAY_MCHIDD", "1"), @r#"
    exit 0
    --- stdout
    {"data":[{"serial_no":"[SERIAL]","effective_time":"[TIME]","expire_time":"[TIME]","encrypt_certificate":{"algorithm":"AEAD_AES_256_GCM","nonce":"[NONCE]","associated_data":"certificate","ciphertext":"[BASE64]"}}]}
    --- stderr
    wxpay: warning: `WECHATPAY_MCHIDD` is not a variable of wxpay and is ignored; did you mean `WECHATPAY_MCHID`?
    "#);
}
