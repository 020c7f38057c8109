//! Line 1: a path. Then lines of `name=value` (a variable) and `?name=value` (the query).

use serde_json::json;

use super::common::WX;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut request = WX.chain(lines.next().unwrap_or_default()).get();
    for line in lines {
        let (name, value) = line.split_once('=').unwrap_or((line, ""));
        request = match name.strip_prefix('?') {
            Some(name) => request.query(json!({name: value})),
            None => request.var(name, value),
        };
    }
    let Ok(prepared) = request.prepare() else { return };
    let (target, url) = (prepared.target(), prepared.url());
    assert!(target.starts_with('/') && target.bytes().all(|byte| byte.is_ascii_graphic()), "{target:?}");
    assert!(!target.contains('#') && url.ends_with(target), "{url:?} {target:?}");
    let path = target.split('?').next().unwrap_or_default();
    assert!(!path.split('/').any(|segment| matches!(segment, "." | "..")), "{target:?}");
    let head = format!("GET\n{target}\n{}\n{}\n\n", prepared.timestamp(), prepared.nonce());
    assert_eq!(prepared.message(), head, "the signed message is that of the wire");
    let is_own_host = url.starts_with("http://127.0.0.1:9/") || url.contains(".mch.weixin.qq.com");
    let signed = prepared.authorization().wait().expect("a signature with a key in memory").is_some();
    assert!(!signed || is_own_host, "a signature for {url:?}");
}
