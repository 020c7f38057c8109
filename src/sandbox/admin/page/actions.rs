//! The actions of the page's forms.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::{
    faults::{self, PRESETS},
    form::{Form, Problem},
    language::Language,
    reasons, trigger,
    view::{Tab, View},
};
use crate::sandbox::{
    faults::{fault::Fault, rule::FaultRule},
    http::{
        business_clock, clock::beijing_time, error_response::ErrorResponse, request::IncomingRequest,
        sandbox_error::SandboxError,
    },
    keys::{keyring::Rotation, mode::SigningMode, random},
    model::{passing_time, payer_actions, resource_list},
    server::platform::Platform,
    store::page::Window,
};

const MAX_YUAN: i64 = 100_000_000;

/// Returns the view that shows the change, and the element in it.
pub(crate) fn perform(
    platform: &Platform,
    view: &View,
    body: Option<&[u8]>,
) -> Result<(View, String), Problem> {
    let l = view.language;
    let body = body.ok_or_else(|| Problem::too_large(l))?;
    let form = Form::parse(body);
    let shown = |element: &str| Ok((view.clone(), element.to_owned()));
    match form.get("do") {
        "play" => {
            let (action, scope, number) = (form.get("part"), form.get("scope"), form.get("number"));
            platform
                .perform(|engine| payer_actions::perform_in_scope(engine, action, scope, number))
                .map_err(|error| refused(l, &error))?;
            shown("list")
        }
        "test-order" => test_order(platform, view, &form),
        "send-again" => {
            let sent = platform.outbox.send_again(form.get("id"));
            sent.map_err(|why| Problem::new(StatusCode::BAD_REQUEST, reasons::say(l, why)))?;
            shown("list")
        }
        trigger::NAME => {
            trigger::send(platform, view, &form)?;
            Ok((view.tab(Tab::Notifications), "list".into()))
        }
        "add-fault" => {
            let rule = rule(view, &form).map_err(|text| Problem::of_form("add-fault", &form, text))?;
            add(platform, view, rule)?;
            shown("faults")
        }
        "add-preset" => {
            let preset = PRESETS.iter().find(|(rule, ..)| *rule == form.get("rule"));
            let rule: Option<FaultRule> = preset.and_then(|(rule, ..)| rule.parse().ok());
            let unknown =
                || Problem::new(StatusCode::BAD_REQUEST, l.say("Unknown preset.", "没有这个常用故障。"));
            add(platform, view, rule.ok_or_else(unknown)?)?;
            shown("faults")
        }
        "remove-fault" => {
            // A number that is no longer there is ignored, too.
            platform.faults.lock().remove(form.get("number").parse().unwrap_or(0));
            shown("faults")
        }
        "clear-faults" => {
            platform.faults.lock().clear();
            shown("faults")
        }
        "rotate-certificate" => {
            keys(l, platform.keyring.rotate(Rotation::Certificate).map(drop)).and(shown("keys"))
        }
        "rotate-public-key" => {
            keys(l, platform.keyring.rotate(Rotation::PublicKey).map(drop)).and(shown("keys"))
        }
        "set-mode" => {
            let mode: Option<SigningMode> = form.get("mode").parse().ok();
            let wrong = || Problem::of_form("set-mode", &form, l.say("Unknown mode.", "没有这种签名方式。"));
            keys(l, platform.keyring.set_mode(mode.ok_or_else(wrong)?)).and(shown("keys"))
        }
        "sign-with" => keys(l, platform.keyring.sign_with(form.get("serial"))).and(shown("keys")),
        "retire" => keys(l, platform.keyring.retire(form.get("serial"))).and(shown("keys")),
        "advance" => {
            let wrong = l.say("Enter a period such as 1d, 12h or 30m.", "请填时长，例如 1d、12h 或 30m。");
            let seconds = business_clock::parse_period(form.get("period").trim());
            let seconds = seconds.ok_or_else(|| Problem::of_form("advance", &form, wrong))?;
            platform.perform(|engine| passing_time::advance(engine, seconds)).map_err(|error| {
                let text = refused(l, &error).text().to_owned();
                Problem::of_form("advance", &form, text)
            })?;
            shown("clock")
        }
        "skew" => {
            let whole = l.say("Seconds ahead: enter a whole number.", "超前秒数：请填整数。");
            let seconds = form.get("seconds").parse();
            let seconds = seconds.map_err(|_| Problem::of_form("set-skew", &form, whole))?;
            platform.clock.set_skew(seconds);
            shown("clock")
        }
        other => {
            let text = format!("{}{other:?}", l.say("Unknown action ", "未知操作 "));
            Err(Problem::new(StatusCode::BAD_REQUEST, text))
        }
    }
}

fn refused(l: Language, error: &ErrorResponse) -> Problem {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(status, reasons::say(l, &format!("{}: {}", error.code, error.message)))
}

fn keys(l: Language, changed: Result<(), SandboxError>) -> Result<(), Problem> {
    changed.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, reasons::say(l, &e.to_string())))
}

fn add(platform: &Platform, view: &View, rule: FaultRule) -> Result<(), Problem> {
    let many = view.language.say("Too many rules: remove some first.", "规则过多，请先移除一些。");
    platform.faults.lock().add(rule).map_err(|_| Problem::new(StatusCode::BAD_REQUEST, many))
}

/// The rule of the form, or what to change in it.
fn rule(view: &View, form: &Form<'_>) -> Result<FaultRule, String> {
    let l = view.language;
    let wrong = |field: &str, english: &str, chinese: &str| {
        format!("{}{}{}", faults::label(l, field), l.say(": ", "："), l.say(english, chinese))
    };
    let name = form.get("fault");
    let text = match form.optional("value") {
        Some(value) => format!("{name}={value}"),
        None => name.to_owned(),
    };
    let fault: Fault = text.parse().map_err(|_| match name {
        "missing-header" => wrong(
            "value",
            "enter the name of a header, such as Wechatpay-Nonce.",
            "请填响应头的名称，例如 Wechatpay-Nonce。",
        ),
        "delay" => wrong("value", "enter milliseconds, such as 3000.", "请填毫秒数，例如 3000。"),
        "clock-skew" => wrong("value", "enter seconds, such as -301.", "请填秒数，例如 -301。"),
        "rate-limited" => wrong("value", "enter seconds, or nothing.", "请填秒数，或留空。"),
        _ if name.parse::<Fault>().is_ok() => {
            wrong("value", "this fault takes no value.", "这个故障没有参数值。")
        }
        _ => wrong("fault", "there is no such fault.", "没有这个故障。"),
    })?;
    let count = |field: &str| match form.optional(field).map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(number)) if number > 0 => Ok(Some(number)),
        Some(_) => Err(wrong(field, "enter a whole number from 1 up.", "请填大于 0 的整数。")),
    };
    let (nth, times) = (count("nth")?, count("times")?);
    let share = form.optional("share").map(str::parse::<f64>);
    if share.as_ref().is_some_and(|share| !share.as_ref().is_ok_and(|share| *share > 0.0 && *share <= 1.0)) {
        return Err(wrong("share", "enter a number above 0 and up to 1.", "请填大于 0、不超过 1 的数。"));
    }
    let notifications = match form.get("on") {
        "" | "requests" => false,
        "notifications" => true,
        _ => {
            return Err(wrong(
                "fault",
                "it applies to requests or notifications.",
                "只能作用于请求或回调通知。",
            ));
        }
    };
    if notifications && !fault.is_for_notifications() {
        return Err(wrong("fault", "it does not apply to notifications.", "不能作用于回调通知。"));
    }
    if !notifications && fault == Fault::Duplicate {
        return Err(wrong("fault", "it applies to notifications only.", "只能作用于回调通知。"));
    }
    let mut rule = FaultRule::new(fault);
    (rule.nth, rule.share) = (nth, share.and_then(Result::ok));
    if let Some(times) = times {
        rule = rule.times(times);
    }
    if let Some(path) = form.optional("path") {
        rule = rule.path(path);
    }
    if notifications {
        rule = rule.notifications();
    }
    let is_valid = rule.validate().is_ok();
    // Everything else was checked above.
    is_valid.then_some(rule).ok_or_else(|| {
        wrong(
            "path",
            "enter a path without a query, such as v3/pay/{+rest}.",
            "请填不带查询串的路径，例如 v3/pay/{+rest}。",
        )
    })
}

/// Places a Native order, as a client would.
fn test_order(platform: &Platform, view: &View, form: &Form<'_>) -> Result<(View, String), Problem> {
    let l = view.language;
    let problem = |text: String| Problem::of_form("test-order", form, text);
    let total = cents(form.get("yuan")).ok_or_else(|| {
        problem(
            l.say("Amount: enter yuan, such as 1.00.", "金额：请填以元为单位的数，例如 1.00。").to_owned(),
        )
    })?;
    let notify_url = form.get("notify_url");
    let is_url = url::Url::parse(notify_url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_url {
        let text = l.say(
            "Notification URL: enter one with http:// or https://.",
            "回调通知 URL：请填以 http:// 或 https:// 开头的 URL。",
        );
        return Err(problem(text.to_owned()));
    }
    let time: String =
        beijing_time(platform.clock.now()).chars().filter(char::is_ascii_digit).take(14).collect();
    let none = |_| problem(l.say("There are no random numbers.", "无法生成随机数。").to_owned());
    let random = random::digits(4).map_err(none)?;
    let number = format!("TEST{time}{random}");
    let body = json!({
        "appid": "wxd678efh567hg6787",
        "mchid": platform.identity.mchid,
        "description": l.say("Test order", "测试订单"),
        "out_trade_no": number,
        "notify_url": notify_url,
        "amount": { "total": total, "currency": "CNY" },
    });
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let request = IncomingRequest {
        method: Method::POST,
        target: "/v3/pay/transactions/native".into(),
        headers,
        body: Bytes::from(body.to_string()),
    };
    platform
        .perform(|engine| platform.router.find(&request).respond(engine, &request, &body, &mut Vec::new()))
        .map_err(|error| problem(format!("{}: {}", error.code, error.message)))?;
    let orders = view.tab(Tab::Orders);
    let window = Window { size: 1, ..Window::default() };
    let made = platform
        .perform(|engine| resource_list::page(engine, &number, "", window))
        .map_err(|error| refused(l, &error))?;
    Ok((orders.opened(made.items.first().map(|order| order.seq.unsigned_abs())), "list".into()))
}

/// `1`, `1.5` or `1.50` yuan in cents.
fn cents(yuan: &str) -> Option<i64> {
    let (whole, rest) = yuan.split_once('.').unwrap_or((yuan, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) || rest.len() > 2 {
        return None;
    }
    let cents = whole.parse::<i64>().ok().filter(|whole| *whole <= MAX_YUAN)? * 100
        + format!("{rest:0<2}").parse::<i64>().ok()?;
    (cents > 0).then_some(cents)
}

#[cfg(test)]
mod tests {
    use super::cents;

    #[test]
    fn an_amount_in_yuan_is_exact() {
        for (yuan, expected) in [("1", 100), ("1.5", 150), ("0.01", 1), ("1.", 100), ("19.99", 1999)] {
            assert_eq!(cents(yuan), Some(expected), "{yuan}");
        }
        for yuan in ["", "0", "0.00", "-1", "1.001", "1,00", "¥1", "1e3", ".5", "99999999999999999999"] {
            assert_eq!(cents(yuan), None, "{yuan}");
        }
    }
}
