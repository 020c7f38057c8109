//! Causes one error of every kind, and prints it with what the caller should do next.
//!
//! ```sh
//! cargo run --example errors --features sandbox
//! ```

use serde_json::json;
use wechatpay_chain::sandbox::{Fault, Sandbox};
use wechatpay_chain::{Error, VerifyReason, WeChatPay};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;
    let echo = || wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"}));

    // The configuration is wrong.
    show(WeChatPay::builder().mchid("1900000109").build().map(|_| ()));
    show(sandbox.client_builder().apiv3_key("too short").build().map(|_| ()));
    // A key cannot be loaded: here, a certificate instead of a private key.
    show(sandbox.client_builder().private_key(sandbox.merchant_certificate_pem()).build().map(|_| ()));
    // The path is wrong: a value as a segment, which PHP would send as `p12345`; a variable without a value.
    show(wx.seg("v3").seg("pay").seg("P12345").get_sync().map(|_| ()));
    show(wx["v3/pay/transactions/id/{transaction_id}"].get_sync().map(|_| ()));
    // No connection: nothing was sent. A broken connection: the request may have been carried out.
    let unreachable = sandbox.client_builder().base_url("http://127.0.0.1:9/").build()?;
    show(unreachable["v3/certificates"].get_sync().map(|_| ()));
    sandbox.inject(Fault::CutConnection);
    show(echo().map(|_| ()));
    // The platform, or a gateway in front of it, returned an error.
    show(wx["v3/security/echo"].post_sync(json!({})).map(|_| ()));
    sandbox.inject(Fault::HtmlBadGateway);
    show(echo().map(|_| ()));
    // The response could not be authenticated.
    for fault in [Fault::BadSignature, Fault::OldTimestamp, Fault::UnknownSerial, Fault::SignatureProbe] {
        sandbox.inject(fault);
        show(echo().map(|_| ()));
    }
    // A notification that cannot be decrypted with this APIv3 key.
    let other_key = sandbox.client_builder().apiv3_key("an APIv3 key of exactly 32 bytes").build()?;
    let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &json!({"a": 1}))?;
    show(other_key.notification(&headers, body).wait().map(|_| ()));
    // An authentic response that does not fit the requested type.
    show(echo()?.deserialize::<Vec<u8>>().map(|_| ()));
    Ok(())
}

fn show(result: Result<(), Error>) {
    let Err(error) = result else { panic!("this call should have failed") };
    let next = match &error {
        Error::Config(_) | Error::Path(_) | Error::Key(_) => "fix the call or the configuration",
        Error::Transport(e) if e.maybe_sent() => "query the order, or repeat the call with the same number",
        Error::Transport(_) => "try again",
        Error::Api(e) if e.status >= 500 => "try again later with the same number",
        Error::Api(_) => "fix what the message names",
        Error::Verify(e) if e.reason == VerifyReason::SignatureProbe => {
            "nothing: the platform tests whether you verify"
        }
        Error::Verify(_) => "do not trust any of the response; check the clock and the platform keys",
        Error::Decrypt(_) => "check the key: the APIv3 key, or the merchant's private key",
        Error::Decode(_) => "use the type that the document describes",
        _ => "see the documentation",
    };
    println!("{error}\n    → {next}\n");
}
