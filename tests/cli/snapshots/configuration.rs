//! `wxpay config`, `wxpay doctor` and `wxpay sandbox`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use wechatpay_chain::sandbox::Fault;

use crate::profiles::{answers, init, private};
use crate::program::{Done, TestEnv, wxpay};

#[test]
fn the_profiles_without_their_secrets() {
    let env = TestEnv::new();
    let text = "[default]\nmchid = '1900000109'\nprivate_key = 'secret'\n[hk]\nmchid = '1900000110'\n\
                base_url = 'https://apihk.mch.weixin.qq.com/'\napiv3_key = 'secret'\n";
    let file = env.file("config.toml", text);
    private(&file);
    let run = |arguments: &[&str]| Done::of(wxpay(env.home.path()).args(arguments).args(["--config", &file]));
    snapshot!(run(&["config", "list"]), @r#"
    exit 0
    --- stdout
    [{"profile":"default","mchid":"1900000109","private_key":"…"},{"profile":"hk","apiv3_key":"…","base_url":"https://apihk.mch.weixin.qq.com/","mchid":"1900000110"}]
    --- stderr
    "#);
    snapshot!(run(&["config", "path"]), @"
    exit 0
    --- stdout
    [HOME]/config.toml
    --- stderr
    ");
    snapshot!(run(&["get", "v3/x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `[HOME]/config.toml`, profile `default`: `serial` is missing
    wxpay: hint: give the serial of the merchant's API certificate, or the certificate (`certificate`), or a `p12`
    ");
    snapshot!(run(&["get", "v3/x", "--profile", "nope"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `[HOME]/config.toml` has no profile `nope`
    wxpay: hint: available profiles: `default`, `hk`
    ");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    snapshot!(run(&["get", "v3/x"]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: warning: run `chmod 600 '[HOME]/config.toml'`: other users can read the configuration `[HOME]/config.toml`
    wxpay: error: `[HOME]/config.toml`, profile `default`: `serial` is missing
    wxpay: hint: give the serial of the merchant's API certificate, or the certificate (`certificate`), or a `p12`
    ");
}

#[test]
fn the_questions_of_init() {
    let env = TestEnv::new();
    let public_key = env.file("pub_key.pem", env.sandbox.platform_public_key_pem());
    let mut answers = answers(&env, &public_key);
    private(&answers[1]);
    snapshot!(init(&env, &answers, &[]), @r#"
    exit 0
    --- stdout
    {"check":"configuration","status":"ok","found":"from `[HOME]/.config/wxpay/config.toml`, profile `default`"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `[SERIAL]`; platform keys: [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"echo","status":"ok","found":"request accepted, response verified (Request-ID [REQUEST ID])"}
    {"check":"APIv3 key","status":"ok","found":"decrypts the platform certificates (1)"}
    --- stderr
    Merchant number:
    Path of apiclient_key.pem or apiclient_cert.p12:
    Serial of the merchant API certificate, or the path of apiclient_cert.pem:
    ID of the WeChat Pay public key (PUB_KEY_ID_…) [none: platform certificates]:
    Path of pub_key.pem:
    APIv3 key [none: no notifications]:
    Base URL [https://api.mch.weixin.qq.com/]:
    wxpay: written: `[HOME]/.config/wxpay/config.toml`, profile `default`
    "#);
    snapshot!(init(&env, &answers, &[]), @"
    exit 1
    --- stdout
    --- stderr
    wxpay: error: `[HOME]/.config/wxpay/config.toml` has the profile `default` already
    wxpay: hint: name another one with --profile, or edit the file
    ");
    answers[1] = "/nowhere/key.pem".to_owned();
    snapshot!(init(&env, &answers, &["--profile", "hk"]), @"
    exit 1
    --- stdout
    --- stderr
    Merchant number:
    Path of apiclient_key.pem or apiclient_cert.p12:
    wxpay: error: config init: Path of apiclient_key.pem or apiclient_cert.p12: `/nowhere/key.pem` is not a file
    ");
}

#[test]
fn a_sandbox_until_sigterm() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wxpay"));
    command.args(["sandbox", "--port", "0"]).env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut out = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !out.contains("\n# listening on ") {
        assert!(stdout.read_line(&mut out).unwrap() > 0, "{out}");
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    stdout.read_to_string(&mut out).unwrap();
    let ended = Done::from(child.wait_with_output().unwrap());
    snapshot!(Done { out, ..ended }, @r#"
    exit 0
    --- stdout
    # web page      http://127.0.0.1:[PORT]/ (open it in a browser)
    # base URL      http://127.0.0.1:[PORT]/
    # mchid         1900000109
    # serial        [SERIAL]
    # APIv3 key     [APIV3 KEY]
    # keys          [HOME]/keys (deleted at the end)
    # seed          [N]

    export WECHATPAY_BASE_URL='http://127.0.0.1:[PORT]/'
    export WECHATPAY_MCHID='1900000109'
    export WECHATPAY_SERIAL='[SERIAL]'
    export WECHATPAY_PRIVATE_KEY='file://[HOME]/keys/apiclient_key.pem'
    export WECHATPAY_PUBLIC_KEY_ID='[PUBLIC KEY ID]'
    export WECHATPAY_PUBLIC_KEY='file://[HOME]/keys/pub_key.pem'
    export WECHATPAY_PLATFORM_SERIAL='[SERIAL]'
    export WECHATPAY_PLATFORM_CERTIFICATE='file://[HOME]/keys/wechatpay_cert.pem'
    export WECHATPAY_APIV3_KEY='[APIV3 KEY]'

    # listening on http://127.0.0.1:[PORT]/ until Ctrl-C
    --- stderr
    "#);
}

#[test]
fn a_doctor_who_finds_nothing() {
    let env = TestEnv::new();
    snapshot!(env.run(&["doctor"]), @r#"
    exit 0
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `[SERIAL]`; platform keys: [SERIAL], [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"platform certificate","status":"ok","found":"`[SERIAL]`, valid until [DATE]"}
    {"check":"echo","status":"ok","found":"request accepted, response verified (Request-ID [REQUEST ID])"}
    {"check":"APIv3 key","status":"ok","found":"decrypts the platform certificates (1)"}
    --- stderr
    "#);
}

#[test]
fn a_doctor_who_finds_faults() {
    let env = TestEnv::new();
    let with = |name: &str, value: &str| env.finish(env.wxpay().env(name, value).arg("doctor"));
    snapshot!(with("WECHATPAY_APIV3_KEY", "short"), @r#"
    exit 1
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"APIv3 key","status":"failed","found":"the environment: `WECHATPAY_APIV3_KEY` must be exactly 32 bytes; it is 5","todo":"copy the 32 characters that were set at pay.weixin.qq.com (账户中心, API安全)"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `[SERIAL]`; platform keys: [SERIAL], [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"platform certificate","status":"ok","found":"`[SERIAL]`, valid until [DATE]"}
    {"check":"echo","status":"ok","found":"request accepted, response verified (Request-ID [REQUEST ID])"}
    --- stderr
    "#);
    snapshot!(with("WECHATPAY_SERIAL", ""), @r#"
    exit 1
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"merchant serial","status":"failed","found":"the environment: `WECHATPAY_SERIAL` is missing","todo":"take the serial of the merchant's certificate: `openssl x509 -in apiclient_cert.pem -noout -serial`; or set WECHATPAY_CERTIFICATE instead"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"echo","status":"skipped","found":"not sent: the settings above do not make a client"}
    --- stderr
    "#);
    snapshot!(with("WECHATPAY_SERIAL", "1234567890ABCDEF"), @r#"
    exit 2
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `1234567890ABCDEF`; platform keys: [SERIAL], [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"platform certificate","status":"ok","found":"`[SERIAL]`, valid until [DATE]"}
    {"check":"echo","status":"failed","found":"401 SIGN_ERROR: serial_no 1234567890ABCDEF: the merchant's certificate has [SERIAL] (Request-ID [REQUEST ID]), detail: {\"field\":\"serial_no\",\"location\":\"authorization\",\"detail\":{\"issue\":\"unknown serial_no\"}}","todo":"check that WECHATPAY_SERIAL is the serial of the certificate that was made with WECHATPAY_PRIVATE_KEY: set WECHATPAY_CERTIFICATE to apiclient_cert.pem, and the two are compared; and check at pay.weixin.qq.com (账户中心, API安全) that the certificate with this serial is one of the merchant in WECHATPAY_MCHID, and is not revoked"}
    {"check":"APIv3 key","status":"skipped","found":"32 bytes; not tried: the echo failed"}
    --- stderr
    "#);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    snapshot!(with("WECHATPAY_BASE_URL", &format!("http://{closed}/")), @r#"
    exit 3
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `[SERIAL]`; platform keys: [SERIAL], [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"failed","found":"127.0.0.1:[PORT]: Connection refused","todo":"start the server (such as `wxpay sandbox`), or correct the base URL: nothing listens on port [PORT]"}
    {"check":"clock","status":"skipped","found":"no host returned a date"}
    {"check":"platform certificate","status":"ok","found":"`[SERIAL]`, valid until [DATE]"}
    {"check":"echo","status":"skipped","found":"not sent: no host responds"}
    {"check":"APIv3 key","status":"skipped","found":"32 bytes; not tried: no host responds"}
    --- stderr
    "#);
    env.sandbox.inject(Fault::BadSignature);
    snapshot!(env.run(&["doctor"]), @r#"
    exit 4
    --- stdout
    {"check":"configuration","status":"ok","found":"from the environment"}
    {"check":"keys","status":"ok","found":"merchant 1900000109, serial `[SERIAL]`; platform keys: [SERIAL], [PUBLIC KEY ID]"}
    {"check":"proxy","status":"ok","found":"none"}
    {"check":"DNS","status":"ok","found":"127.0.0.1 resolves to 127.0.0.1"}
    {"check":"host","status":"ok","found":"http://127.0.0.1:[PORT] responds"}
    {"check":"clock","status":"ok","found":"in sync with the server"}
    {"check":"platform certificate","status":"ok","found":"`[SERIAL]`, valid until [DATE]"}
    {"check":"echo","status":"failed","found":"the signature does not match under the platform key `[PUBLIC KEY ID]`: this key made it for another message, so the response was changed, or has the headers of another one (Request-ID [REQUEST ID])","todo":"check the proxy: something between this machine and the platform changes responses"}
    {"check":"APIv3 key","status":"skipped","found":"32 bytes; not tried: the echo failed"}
    --- stderr
    "#);
}
