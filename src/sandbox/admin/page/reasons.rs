//! Reasons that the layers below write in English, in the language of the page.

use std::borrow::Cow;

use super::language::Language;

/// A text of the layers below, in which `{}` stands for any text, and its Chinese form, in which `{0}` is the first of
/// them.
const REASONS: &[(&str, &str)] = &[
    // Why a notification is not sent.
    ("notify_url is too long (limit {} characters)", "notify_url 过长（最多 {0} 个字符）"),
    ("{} is not a URL ({})", "{0} 不是 URL（{1}）"),
    (
        "notify_url must start with http:// or https://, found {}://",
        "notify_url 必须以 http:// 或 https:// 开头，实际是 {0}://",
    ),
    ("notify_url must not contain a user name or password", "notify_url 不能包含用户名或密码"),
    ("notify_url has no host", "notify_url 没有主机名"),
    ("{} could not be resolved in time", "{0} 的域名解析超时"),
    ("{} cannot be resolved ({})", "{0} 无法解析（{1}）"),
    (
        "{} is {}, not this machine; allow it with `notify_host`",
        "{0} 是 {1}，不是本机；用 `--notify-host` 允许它",
    ),
    ("{} is not this machine; allow it with `notify_host`", "{0} 不是本机；用 `--notify-host` 允许它"),
    ("too many undelivered notifications (limit {})", "未送达的回调通知过多（上限 {0}）"),
    ("the response was dropped on purpose", "响应按故障规则丢弃"),
    ("the notification could not be encrypted", "回调通知无法加密"),
    ("the notification could not be signed", "回调通知无法签名"),
    ("the sandbox is shutting down", "沙箱正在停止"),
    ("the path of notify_url: {}", "notify_url 的路径无效：{0}"),
    ("the host of notify_url: {}", "notify_url 的主机名无效：{0}"),
    // Why it is not sent again.
    ("there is no such notification", "没有这条回调通知"),
    ("the notification is too large to be kept", "回调通知过大，没有保留"),
    ("too many notifications wait for their delivery", "等待发送的回调通知过多"),
    // The keys.
    ("sandbox setting `{}`: {}", "{1}"),
    ("too many keys in service (limit {}): retire some", "启用的密钥过多（上限 {0}），请先停用一些"),
    ("the last key cannot be retired: it signs everything", "最后一个密钥不能停用：全部签名都用它"),
    ("the platform has no key {}: the sandbox is in {}", "没有密钥 {0}：当前的签名方式不使用这种密钥"),
    ("the platform has no key {}", "没有密钥 {0}"),
    // The payer's steps, and the clock.
    ("{}: {}: there is no {}", "{0}：{1}（{2}）"),
    ("{}: {}: {} is {}", "{0}：{1}（{2}，状态为 {3}）"),
    ("{}: body `part`: expected one of {}", "没有这个操作"),
    ("{}: the clock would be more than {} days ahead", "时钟不能超前 {1} 天以上"),
    // Who may see the page.
    (
        "wrong Host {}: expected {} (other names: `--allow-host NAME`)",
        "Host {0} 不正确：应为 {1}（其他名称用 `--allow-host` 允许）",
    ),
    ("wrong Origin {}: pages of other sites are not allowed", "Origin {0} 不正确：不允许其他网站的页面"),
    ("the request has no Origin", "请求没有 Origin"),
    ("the connection has no local address", "连接没有本机地址"),
];

/// Words in the error of a connection, and what they mean, in English and Chinese.
const CONNECTION: &[(&str, &str, &str)] = &[
    ("Connection refused", "nothing listens on this port", "该端口没有程序监听"),
    ("timeout", "no response in time", "响应超时"),
    ("timed out", "no response in time", "响应超时"),
    ("unreachable", "the address cannot be reached", "地址不可达"),
    ("Connection reset", "the receiver closed the connection", "接收方断开了连接"),
    ("connection closed", "the receiver closed the connection", "接收方断开了连接"),
    ("Broken pipe", "the receiver closed the connection", "接收方断开了连接"),
    ("certificate", "the receiver’s certificate is not trusted", "接收方的证书不受信任"),
    ("TLS: ", "the TLS handshake failed", "TLS 握手失败"),
    ("invalid HTTP", "the response is not HTTP", "响应不是 HTTP"),
];

/// The reason in the language of the page; in English if it is not known here.
pub(crate) fn say(l: Language, reason: &str) -> Cow<'_, str> {
    if let Some((english, chinese)) = connection(reason) {
        return l.say(english, chinese).into();
    }
    match chinese(reason) {
        Some(chinese) if l.tag() != "en" => chinese.into(),
        _ => reason.into(),
    }
}

/// The original text of a reason that [`say`] shortens.
pub(crate) fn cause(reason: &str) -> Option<&str> {
    connection(reason).map(|_| reason)
}

fn connection(reason: &str) -> Option<(&'static str, &'static str)> {
    // A reason of the sandbox has texts of a caller in it.
    if chinese(reason).is_some() {
        return None;
    }
    let (_, english, chinese) = CONNECTION.iter().find(|(words, ..)| reason.contains(words))?;
    Some((english, chinese))
}

fn chinese(reason: &str) -> Option<String> {
    let (form, parts) = REASONS.iter().find_map(|(form, chinese)| Some((*chinese, parts(form, reason)?)))?;
    let mut text = String::new();
    let mut pieces = form.split('{');
    text += pieces.next().unwrap_or_default();
    for piece in pieces {
        let (index, rest) = piece.split_once('}').unwrap_or(("", piece));
        let part = index.parse().ok().and_then(|index: usize| parts.get(index)).copied().unwrap_or_default();
        // A reason may have another one in it.
        text += &chinese(part).unwrap_or_else(|| part.to_owned());
        text += rest;
    }
    Some(text)
}

/// What stands for each `{}` of a form, if the text has it.
fn parts<'t>(form: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut pieces = form.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = match pieces.peek() {
            // The last one reaches to the end.
            None => rest.strip_suffix(piece)?.len(),
            Some(_) => rest.find(piece)?,
        };
        parts.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn in_chinese(reason: &str) -> String {
        say(Language::of("lang=zh-CN", &HeaderMap::new()), reason).into_owned()
    }

    #[test]
    fn a_reason_is_translated_with_its_parts() {
        for (reason, expected) in [
            ("shop.example cannot be resolved (no address)", "shop.example 无法解析（no address）"),
            (
                "sandbox setting `retire`: the last key cannot be retired: it signs everything",
                "最后一个密钥不能停用：全部签名都用它",
            ),
            (
                "ORDER_CLOSED: 订单已关闭: order P1 is CLOSED",
                "ORDER_CLOSED：订单已关闭（order P1，状态为 CLOSED）",
            ),
            (
                "8.8.8.8 is not this machine; allow it with `notify_host`",
                "8.8.8.8 不是本机；用 `--notify-host` 允许它",
            ),
            (
                "a.example is 8.8.8.8, not this machine; allow it with `notify_host`",
                "a.example 是 8.8.8.8，不是本机；用 `--notify-host` 允许它",
            ),
            ("127.0.0.1:9: Connection refused (os error 111)", "该端口没有程序监听"),
            (
                "timeout.example is not this machine; allow it with `notify_host`",
                "timeout.example 不是本机；用 `--notify-host` 允许它",
            ),
            ("something new", "something new"),
        ] {
            assert_eq!(in_chinese(reason), expected);
            assert!(
                say(Language::of("lang=en", &HeaderMap::new()), reason).is_ascii() || reason.contains("订单")
            );
        }
    }

    #[test]
    fn every_form_has_its_parts() {
        for (form, chinese) in REASONS {
            let count = form.matches("{}").count();
            assert_eq!(parts(form, &form.replace("{}", "x")).map(|parts| parts.len()), Some(count), "{form}");
            for index in chinese.split('{').skip(1).map(|piece| piece.split('}').next().unwrap()) {
                assert!(index.parse::<usize>().unwrap() < count, "{chinese}");
            }
        }
    }
}
