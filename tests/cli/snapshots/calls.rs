//! Commands that succeed.

use serde_json::{Value, json};

use crate::program::{Done, TestEnv, wxpay};

const ECHO: [&str; 3] = ["post", "v3/security/echo", "echo_message=你好"];

#[test]
fn calls() {
    let env = TestEnv::new();
    for verb in ["GET", "PUT", "PATCH"] {
        env.sandbox.on(verb, "v3/things/{id}", 200, json!({"id": "P1", "amount": {"total": 100}})).unwrap();
    }
    env.sandbox.on("DELETE", "v3/things/{id}", 204, Value::Null).unwrap();
    let thing = ["v3/things/{id}", "--var", "id=P1"];
    let run = |verb: &str, more: &[&str]| env.run(&[&[verb], &thing[..], more].concat());
    snapshot!(env.run(&ECHO), @r#"
    exit 0
    --- stdout
    {"echo_message":"你好"}
    --- stderr
    "#);
    snapshot!(run("get", &[]), @r#"
    exit 0
    --- stdout
    {"id":"P1","amount":{"total":100}}
    --- stderr
    "#);
    snapshot!(run("get", &["--pretty"]), @r#"
    exit 0
    --- stdout
    {
      "id": "P1",
      "amount": {
        "total": 100
      }
    }
    --- stderr
    "#);
    snapshot!(run("get", &["--jq", ".id", "--raw"]), @"
    exit 0
    --- stdout
    P1
    --- stderr
    ");
    snapshot!(run("get", &["-o", "thing.json"]), @r#"
    exit 0
    --- stdout
    {"path":"thing.json","bytes":34,"sha1":"[SHA-1]","verified":true}
    --- stderr
    "#);
    snapshot!(run("put", &["a=b"]), @r#"
    exit 0
    --- stdout
    {"id":"P1","amount":{"total":100}}
    --- stderr
    "#);
    snapshot!(run("patch", &["a=b"]), @r#"
    exit 0
    --- stdout
    {"id":"P1","amount":{"total":100}}
    --- stderr
    "#);
    snapshot!(run("delete", &[]), @"
    exit 0
    --- stdout
    --- stderr
    ");
    snapshot!(run("delete", &["--include", "--jq", "."]), @"
    exit 0
    --- stdout
    HTTP/1.1 204 No Content
    date: [DATE]
    request-id: [REQUEST ID]
    wechatpay-timestamp: [TIMESTAMP]
    wechatpay-nonce: [NONCE]
    wechatpay-serial: [PUBLIC KEY ID]
    wechatpay-signature: [BASE64]
    wechatpay-signature-type: WECHATPAY2-SHA256-RSA2048

    null
    --- stderr
    ");
}

#[test]
fn what_would_be_sent_and_what_is() {
    let env = TestEnv::new();
    let run = |more: &[&str]| env.run(&[&ECHO[..], more].concat());
    snapshot!(run(&["-v"]), @r#"
    exit 0
    --- stdout
    {"echo_message":"你好"}
    --- stderr
    * calling 127.0.0.1:[PORT] as 1900000109 (the environment)
    > POST /v3/security/echo HTTP/1.1
    > host: 127.0.0.1:[PORT]
    < HTTP/1.1 200
    < request-id: [REQUEST ID]
    * POST v3/security/echo: 1 attempt in [N] ms, Request-ID [REQUEST ID]
    "#);
    snapshot!(run(&["-vv"]), @r#"
    exit 0
    --- stdout
    {"echo_message":"你好"}
    --- stderr
    * calling 127.0.0.1:[PORT] as 1900000109 (the environment)
    > POST /v3/security/echo HTTP/1.1
    > host: 127.0.0.1:[PORT]
    > accept: application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5
    > user-agent: wechatpay-chain/[VERSION]
    > wechatpay-serial: [PUBLIC KEY ID]
    > content-type: application/json
    > authorization: …
    >
    > {"echo_message":"你好"}
    < HTTP/1.1 200
    < date: [DATE]
    < request-id: [REQUEST ID]
    < wechatpay-timestamp: [TIMESTAMP]
    < wechatpay-nonce: [NONCE]
    < wechatpay-serial: [PUBLIC KEY ID]
    < wechatpay-signature: …
    < wechatpay-signature-type: WECHATPAY2-SHA256-RSA2048
    < content-type: application/json; charset=utf-8
    < content-length: 25
    <
    < {"echo_message":"你好"}
    * POST v3/security/echo: 1 attempt in [N] ms, Request-ID [REQUEST ID]
    "#);
    snapshot!(run(&["--dry-run"]), @r#"
    exit 0
    --- stdout
    {"method":"POST","url":"http://127.0.0.1:[PORT]/v3/security/echo","headers":{"accept":"application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5","user-agent":"wechatpay-chain/[VERSION]","wechatpay-serial":"[PUBLIC KEY ID]","content-type":"application/json"},"body":"{\"echo_message\":\"你好\"}","message":"POST\n/v3/security/echo\n[TIMESTAMP]\n[NONCE]\n{\"echo_message\":\"你好\"}\n"}
    --- stderr
    "#);
    snapshot!(run(&["--curl"]), @r#"
    exit 0
    --- stdout
    curl -sS --globoff -X POST -H 'accept: application/json, text/plain, application/x-gzip, application/pdf, image/png, image/*;q=0.5' -H 'user-agent: wechatpay-chain/[VERSION]' -H 'wechatpay-serial: [PUBLIC KEY ID]' -H 'content-type: application/json' -H 'authorization: WECHATPAY2-SHA256-RSA2048 mchid="1900000109",serial_no="[SERIAL]",timestamp="[TIMESTAMP]",nonce_str="[NONCE]",signature="[BASE64]"' --data-binary '{"echo_message":"你好"}' http://127.0.0.1:[PORT]/v3/security/echo
    --- stderr
    "#);
}

#[test]
fn a_path_that_the_sandbox_does_not_model() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| Done::of(wxpay(home.path()).args(arguments));
    snapshot!(run(&["--sandbox", "get", "v3/things"]), @"
    exit 0
    --- stdout
    {}
    --- stderr
    wxpay: warning: the path is not modelled: the sandbox checks the signature only, and responds `{}` to everything
    ");
}

#[test]
fn files() {
    let env = TestEnv::new();
    let file = env.file("licence.jpg", b"\xff\xd8\xff\xd9");
    let upload = ["upload", &file, "v3/merchant/media/upload", "--jq", ".media_id|type"];
    snapshot!(env.run(&upload), @r#"
    exit 0
    --- stdout
    "string"
    --- stderr
    "#);
    let target = env.path("bill.csv");
    let day = env.paid_day();
    snapshot!(env.run(&["bill", &day, "-o", &target, "--gzip"]), @r#"
    exit 0
    --- stdout
    {"path":"[HOME]/bill.csv","bytes":801,"sha1":"[SHA-1]","verified":true}
    --- stderr
    "#);
    snapshot!(env.run(&["bill", &day]), @"
    exit 0
    --- stdout
    [BOM]交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注
    `[TIME],`wxd678efh567hg6787,`1900000109,`0,`,`[TRANSACTION ID],`P00000001,`[OPENID],`NATIVE,`SUCCESS,`OTHERS,`CNY,`1.00,`0.00,`0,`0,`0.00,`0.00,`,`,`茶,`,`0.00000,`0.00%,`1.00,`0.00,`
    总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额
    `1,`1.00,`0.00,`0.00,`0.00000,`1.00,`0.00
    --- stderr
    ");
}

#[test]
fn certificates_and_signatures() {
    let env = TestEnv::new();
    snapshot!(env.run(&["certs"]), @r#"
    exit 0
    --- stdout
    [{"serial":"[SERIAL]","not_before":"[DATE]","not_after":"[DATE]","pem":"-----BEGIN CERTIFICATE-----\n[BASE64]\n-----END CERTIFICATE-----\n"}]
    --- stderr
    "#);
    snapshot!(env.finish(env.wxpay().arg("sign").write_stdin("message\n")), @"
    exit 0
    --- stdout
    [BASE64]
    --- stderr
    ");
    snapshot!(env.run(&["man", "version"]), @r#"
    exit 0
    --- stdout
    .ie \n(.g .ds Aq \(aq
    .el .ds Aq '
    .TH wxpay-version 1  "version "
    .SH NAME
    wxpay\-version \- Print the version
    .SH SYNOPSIS
    \fBwxpay version\fR [\fB\-h\fR|\fB\-\-help\fR]
    .SH DESCRIPTION
    Print the version
    .SH OPTIONS
    .TP
    \fB\-h\fR, \fB\-\-help\fR
    Print help
    .SH EXTRA
    Examples:
      wxpay version

    Global options, see `wxpay \-\-help`: \-\-sandbox, \-\-profile, \-\-config, \-\-base\-url, \-\-timeout, \-\-color,
    \-\-compact, \-\-pretty, \-\-verbose, \-\-json\-errors
    --- stderr
    "#);
    snapshot!(env.run(&["version"]), @"
    exit 0
    --- stdout
    wxpay [VERSION]
    --- stderr
    ");
}
