//! One error of every kind, printed, with what a caller does next.
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

    // Mend the configuration.
    show(WeChatPay::builder().mchid("1900000109").build().map(|_| ()));
    show(sandbox.client_builder().apiv3_key("too short").build().map(|_| ()));
    // Mend the key.
    show(sandbox.client_builder().private_key(sandbox.merchant_certificate_pem()).build().map(|_| ()));
    // Mend the path: a value that PHP would have sent as `p12345`; a variable without a value.
    show(wx.seg("v3").seg("pay").seg("P12345").get_sync().map(|_| ()));
    show(wx["v3/pay/transactions/id/{transaction_id}"].get_sync().map(|_| ()));
    // Nothing was sent, or perhaps something was: with money, that is the question.
    let nobody = sandbox.client_builder().base_url("http://127.0.0.1:9/").build()?;
    show(nobody["v3/certificates"].get_sync().map(|_| ()));
    sandbox.inject(Fault::CutConnection);
    show(echo().map(|_| ()));
    // The platform said no.
    show(wx["v3/security/echo"].post_sync(json!({})).map(|_| ()));
    sandbox.inject(Fault::HtmlBadGateway);
    show(echo().map(|_| ()));
    // Nobody has proved to be the platform.
    for fault in [Fault::BadSignature, Fault::OldTimestamp, Fault::UnknownSerial, Fault::SignatureProbe] {
        sandbox.inject(fault);
        show(echo().map(|_| ()));
    }
    // A ciphertext that the key at hand does not open.
    let other_key = sandbox.client_builder().apiv3_key("an APIv3 key of exactly 32 bytes").build()?;
    let (headers, body) = sandbox.notification("TRANSACTION.SUCCESS", "transaction", &json!({"a": 1}))?;
    show(other_key.notification(&headers, body).wait().map(|_| ()));
    // Genuine, but not of the shape that was asked for.
    show(echo()?.deserialize::<Vec<u8>>().map(|_| ()));
    Ok(())
}

fn show(result: Result<(), Error>) {
    let Err(error) = result else { panic!("there should have been an error") };
    let next = match &error {
        Error::Config(_) | Error::Path(_) | Error::Key(_) => "mend the call or the configuration",
        Error::Transport(e) if e.maybe_sent() => "ask for the state by the same number, or repeat with it",
        Error::Transport(_) => "try again",
        Error::Api(e) if e.status >= 500 => "try again with the same number",
        Error::Api(_) => "mend what the message names",
        Error::Verify(e) if e.reason == VerifyReason::SignatureProbe => {
            "nothing: the platform tests this check"
        }
        Error::Verify(_) => "trust nothing of the answer; look at the clock and the platform keys",
        Error::Decrypt(_) => "look at the key: the APIv3 key, or the merchant's private key",
        Error::Decode(_) => "ask for the shape that the document names",
        _ => "see the documentation",
    };
    println!("{error}\n    → {next}\n");
}
