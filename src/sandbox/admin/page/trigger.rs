//! The form that sends the notification of any documented event.

use maud::{Markup, html};
use serde_json::Value;

use super::{
    form::{self, Form, Problem},
    view::{Tab, View},
};
use crate::catalogue::Catalogue;
use crate::sandbox::{http::sandbox_error::SandboxError, server::platform::Platform};

/// The name of the form and of its button.
pub(crate) const NAME: &str = "trigger";

pub(crate) fn section(view: &View, problem: Option<&Problem>) -> Markup {
    let l = view.language;
    let problem = problem.filter(|problem| problem.form == NAME);
    let value = |name: &str| problem.map_or("", |problem| problem.value(name));
    html! {
        details #trigger-event open[problem.is_some()] {
            summary { (l.say("Send the notification of an event", "发送任意事件的回调通知")) }
            form #trigger method="post" action=(view.tab(Tab::Notifications).address()) {
                (form::alert(NAME, problem))
                div .fields {
                    label { span { (l.say("Event", "事件")) }
                        input name="event" list="events" required autocomplete="off" spellcheck="false"
                            placeholder="REFUND.SUCCESS" value=(value("event")); }
                    label .wide { span { (l.say("Address", "接收地址")) }
                        input name="to" required inputmode="url" autocomplete="off" spellcheck="false"
                            placeholder="http://127.0.0.1:8000/notify" value=(value("to")); }
                    label .wide { span { (l.say("Changes to the resource (JSON)", "对 resource 的修改（JSON）")) }
                        input name="overrides" autocomplete="off" spellcheck="false"
                            placeholder="{\"out_refund_no\": \"R1\", \"/amount/refund\": 5}" value=(value("overrides")); }
                    button .main name="do" value=(NAME) { (l.say("Send", "发送")) }
                }
                datalist #events {
                    @for known in Catalogue::notifications().filter(|known| !known.is_v2()) {
                        option value=(known.event()) { (known.title()) }
                    }
                }
            }
        }
    }
}

/// Sends it. The error belongs to the form, which keeps what was entered.
pub(crate) fn send(platform: &Platform, view: &View, form: &Form<'_>) -> Result<(), Problem> {
    let l = view.language;
    let problem = |text: String| Problem::of_form(NAME, form, text);
    let to = form.get("to");
    if !url::Url::parse(to).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        let text = l.say(
            "Address: enter a URL with http:// or https://.",
            "接收地址：请填以 http:// 或 https:// 开头的 URL。",
        );
        return Err(problem(text.to_owned()));
    }
    let overrides: Value = match form.optional("overrides") {
        None => Value::Null,
        Some(text) => serde_json::from_str(text).map_err(|_| {
            let text = l.say(
                "Changes: enter a JSON object, such as {\"attach\": \"x\"}.",
                "修改：请填 JSON 对象，例如 {\"attach\": \"x\"}。",
            );
            problem(text.to_owned())
        })?,
    };
    let event = platform.documented_event(to, form.get("event"), &overrides);
    let event = event.map_err(|error| match error {
        SandboxError::Event { event, problem: why } => problem(format!("{event}: {why}")),
        other => problem(other.to_string()),
    })?;
    platform.outbox.send_explicit(event);
    Ok(())
}
