//! `wxpay trigger`: sends the notification of any documented event to a receiver.

mod control;
mod overrides;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use url::Url;
use wechatpay_chain::sandbox::{Sandbox, SandboxBuilder};

use crate::config::sandbox::keys_folder;
use crate::config::{SettingsSource, reject_base_url_with_sandbox, variables};
use crate::exit;
use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output::{Output, warn};
use crate::text::{Excerpt, without_number};
use control::Control;

/// Send the notification of any documented event to your receiver, signed and encrypted by a sandbox
///
/// A running sandbox sends it if the base URL is its own (--base-url, or the variables that `wxpay sandbox` prints). Otherwise
/// one is started for this command, with the keys of --keys or WECHATPAY_SANDBOX_KEYS. The resource has every documented
/// field; --set and -d change it. Prints the notification with the receiver's responses.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 accepted (200 or 204), 2 the receiver responded otherwise, 3 no response\n\n\
    Examples:\n  \
    wxpay trigger TRANSACTION.SUCCESS --to http://127.0.0.1:8000/notify --keys keys\n  \
    wxpay trigger REFUND.CLOSED --to http://127.0.0.1:8000/notify \\\n    \
      --set /out_refund_no=R1 --set /amount/refund=5\n  \
    wxpay trigger COMPLAINT.CREATE --to http://127.0.0.1:8000/notify -d '{\"complaint_id\":\"C1\"}'"
)]
pub(crate) struct TriggerArgs {
    /// The event: TRANSACTION.SUCCESS, REFUND.CLOSED …
    #[arg(value_name = "EVENT")]
    event: String,
    /// The address of the receiver
    #[arg(long, value_name = "URL")]
    to: String,
    /// Set a documented field of the resource: a JSON pointer, POINTER=TEXT (as the documented type) or POINTER:=JSON; null
    /// removes it (repeatable)
    #[arg(long, value_name = "FIELD")]
    set: Vec<String>,
    /// Merge this JSON object into the resource: the text itself, @FILE, or @- (or -) for stdin; null removes a member
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    data: Option<String>,
    /// Start a sandbox with the keys of this folder, which the receiver holds, too
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Wait for up to N attempts; the pauses between them are the platform's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    attempts: u16,
    /// Make those pauses X times shorter, in a sandbox that this command starts
    #[arg(long, value_name = "X")]
    time_scale: Option<f64>,
    /// Filter the output with a jq expression
    #[arg(long, value_name = "FILTER")]
    jq: Option<String>,
    /// With --jq, print strings without quotes
    #[arg(short, long, requires = "jq")]
    raw: bool,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(global: &GlobalArgs, args: &TriggerArgs) -> Result<(), Failure> {
    let output =
        Output::new(global).with_filter(args.jq.as_deref(), args.raw)?.with_file(args.output.as_deref())?;
    let to = receiver(&args.to)?;
    let timeout = global.timeout.map(|seconds| {
        let wrong = |_| usage_error(format!("--timeout: expected seconds, found {seconds}"));
        Duration::try_from_secs_f64(seconds).map_err(wrong)
    });
    let timeout = timeout.transpose()?;
    let overrides = overrides::build(&args.event, args.data.as_deref(), &args.set)?;
    // Runs until this command ends.
    let (_started, base) = match running(global, args)? {
        Some(base) => (None, base),
        None => {
            let sandbox = start(args, &to)?;
            let base = sandbox.base_url().to_owned();
            (Some(sandbox), base)
        }
    };
    let control = Control::new(&base)?;
    let id = control.send(&json!({"event": args.event, "to": args.to, "overrides": overrides}))?;
    let sent = control.outcome(&id, usize::from(args.attempts), timeout)?;
    output.json(&shown(&sent))?;
    judge(&sent)
}

fn receiver(to: &str) -> Result<Url, Failure> {
    let url = Url::parse(to).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        usage_error(format!("--to: expected a URL with http:// or https://, found {}", Excerpt(to)))
    })
}

/// The base URL of a running sandbox, unless one is to be started.
fn running(global: &GlobalArgs, args: &TriggerArgs) -> Result<Option<String>, Failure> {
    reject_base_url_with_sandbox(global)?;
    if args.keys.is_some() && global.base_url.is_some() {
        return Err(usage_error("--keys cannot be used with --base-url: a running sandbox has its own"));
    }
    if global.sandbox || args.keys.is_some() {
        return Ok(None);
    }
    let source = SettingsSource::without_credentials(global)?;
    let Some(base) = global.base_url.as_deref().or(source.get(variables::BASE_URL)) else { return Ok(None) };
    if Url::parse(base).is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with("weixin.qq.com"))) {
        let failure =
            usage_error(format!("{} is the platform, which notifies on its own account only", Excerpt(base)));
        return Err(
            failure.with_hint("start a sandbox with --sandbox or --keys DIR, or name one with --base-url")
        );
    }
    if args.time_scale.is_some() {
        return Err(usage_error("--time-scale is for a sandbox that this command starts")
            .with_hint("a running one has its own: `wxpay sandbox --time-scale X`"));
    }
    Ok(Some(base.to_owned()))
}

fn start(args: &TriggerArgs, to: &Url) -> Result<Sandbox, Failure> {
    let keys = args.keys.clone().or_else(keys_folder);
    if keys.is_none() {
        warn("the keys are new, so the receiver cannot verify the notification: --keys DIR keeps them");
    }
    let with = |builder: SandboxBuilder, host: Option<&str>| match host {
        // Whoever names the receiver allows it.
        Some(host) => builder.notify_host(host),
        None => builder,
    };
    let builder = with(Sandbox::builder().time_scale(args.time_scale.unwrap_or(1.0)), to.host_str());
    Ok(match keys {
        Some(folder) => builder.keys(folder).start()?,
        None => builder.start()?,
    })
}

/// What is known of the notification, without the message as it was sent.
fn shown(sent: &Value) -> Value {
    let names = ["id", "event_type", "original_type", "url", "state", "reason", "attempts", "resource"];
    names
        .iter()
        .map(|name| ((*name).to_owned(), sent[*name].clone()))
        .filter(|(_, value)| !value.is_null())
        .collect()
}

fn judge(sent: &Value) -> Result<(), Failure> {
    let last = sent["attempts"].as_array().and_then(|all| all.last()).unwrap_or(&Value::Null);
    match (sent["state"].as_str(), last["status"].as_u64(), last["error"].as_str()) {
        (Some("ACCEPTED"), ..) => Ok(()),
        (Some("REFUSED"), ..) => {
            let reason = sent["reason"].as_str().unwrap_or_default();
            Err(usage_error(format!("the notification was not sent: {reason}")))
        }
        (_, Some(status), _) => {
            let response = last["response"].as_str().unwrap_or_default();
            let response =
                if response.is_empty() { String::new() } else { format!(": {}", Excerpt(response)) };
            let message =
                format!("the receiver did not accept the notification: it responded with {status}{response}");
            Err(Failure::Coded { code: exit::REFUSED, message }.with_hint("200 or 204 accepts it"))
        }
        (_, None, error) => {
            let message = format!(
                "no response from the receiver: {}",
                without_number(error.unwrap_or("no attempt has ended"))
            );
            Err(Failure::Coded { code: exit::TRANSPORT, message })
        }
    }
}
