//! Rightly signed nonsense on every route, over HTTP: the sandbox never panics and never responds with a 5xx.
//!
//! `WECHATPAY_NONSENSE` is the number of requests for each route.

use serde_json::{Value, json};

use crate::sandbox::model::tests::malformed_bodies::{documented, fields};
use crate::sandbox::{api::sandbox::Sandbox, model, store::seen_request::Verdict};
use crate::{Error, Media, Request};

/// Xorshift (Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn values() -> Vec<Value> {
    let deep = (0..100).fold(json!(0), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e300),
        json!(0.5),
        json!(""),
        json!("\u{0}\r\n"),
        json!("'; DROP TABLE documents; --"),
        json!("%"),
        json!("茶\u{202e}😀".repeat(2_000)),
        json!("9999-99-99T99:99:99+99:99"),
        json!("2026-11-20T08:00:00+08:00"),
        json!("http://[::1"),
        json!([]),
        json!([[], {}, null, "x", 7]),
        json!({}),
        json!({"total": -1, "currency": 7, "openid": {}, "": ""}),
        deep,
    ]
}

/// Query parameters that some endpoint needs.
const QUERY: [(&str, &str); 7] = [
    ("mchid", "1900000109"),
    ("sp_mchid", "1900000109"),
    ("service_id", "500001"),
    ("appid", "wx1"),
    ("openid", "o1"),
    ("out_order_no", "S1"),
    ("bill_date", "2026-11-20"),
];

/// `base` is what the endpoint takes.
fn body(random: &mut Random, values: &[Value], base: &Value) -> Vec<u8> {
    let texts: [&[u8]; 12] = [
        b"",
        b"{",
        b"null",
        b"7",
        b"[]",
        b"\"x\"",
        b"\xff\xfe\x00",
        b"\xef\xbb\xbf{}",
        b"{\"amount\":1,\"amount\":{}}",
        b"{\"description\":\"\\ud83d\"}",
        b"{\"total_amount\":1e999}",
        b"{\"amount\":{\"total\":00}}",
    ];
    match random.below(8) {
        0 => random.pick(&texts).to_vec(),
        1 => ["[".repeat(5_000), "]".repeat(5_000)].concat().into_bytes(),
        // Some of what the endpoint takes replaced: most of these get past the first checks.
        _ => {
            let mut body = base.clone();
            let Some(object) = body.as_object_mut() else { return Vec::new() };
            for _ in 0..random.below(3) {
                let at = random.below(object.len().max(1));
                if let Some((_, field)) = object.iter_mut().nth(at) {
                    let inner = match field {
                        Value::Object(inner) => inner.values_mut().next(),
                        _ => None,
                    };
                    match inner {
                        Some(inner) if random.below(2) == 0 => *inner = random.pick(values).clone(),
                        _ => *field = random.pick(values).clone(),
                    }
                }
            }
            body.to_string().into_bytes()
        }
    }
}

fn add_nonsense(
    mut request: Request,
    template: &str,
    random: &mut Random,
    values: &[Value],
    base: &Value,
) -> Request {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for name in template.split(['{', '}']).skip(1).step_by(2) {
        let value = text(random.pick(values));
        let value = if value.is_empty() || random.below(4) > 0 { "P1234567".to_owned() } else { value };
        request = request.var(name, value.chars().take(500).collect::<String>());
    }
    let replaced = random.below(3 * QUERY.len());
    for (at, (name, value)) in QUERY.into_iter().enumerate() {
        let nonsense: String = text(random.pick(values)).chars().take(500).collect();
        request = request.query(json!({name: if at == replaced { nonsense } else { value.to_owned() }}));
    }
    if random.below(4) == 0 {
        let name = *random.pick(&["limit", "offset", "token", "tar_type", "bill_type", "x[0]", ""]);
        request = request.query(json!({name: random.pick(values)}));
    }
    match random.below(12) {
        _ if template.contains("upload") && random.below(2) == 0 => {
            let meta = match random.pick(values) {
                Value::Object(meta) => Value::Object(meta.clone()).to_string(),
                other => text(other),
            };
            request.media(Media::bytes("a\"\r\n茶.jpg", body(random, values, base)).meta(meta))
        }
        0 => request.body("multipart/form-data; boundary=x", body(random, values, base)),
        _ => request.body("application/json", body(random, values, base)),
    }
}

fn check(request: Request, shown: &str) {
    match request.wait() {
        // Not sent: the client refuses it.
        Ok(_) | Err(Error::Config(_) | Error::Path(_)) => {}
        Err(Error::Api(error)) if error.status < 500 => {}
        Err(error) => panic!("{shown}: {error:?}"),
    }
}

#[test]
fn signed_nonsense_on_every_route() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let (mut random, values) = (Random(seed | 1), values());
    let attempts = std::env::var("WECHATPAY_NONSENSE").map_or(8, |attempts| attempts.parse().unwrap());
    let mut routes = 0;
    for endpoint in model::endpoints() {
        for (template, partner) in endpoint.templates().zip([false, true]) {
            routes += 1;
            for attempt in 0..attempts {
                let chain = wx.chain(&template);
                let request = match endpoint.method.as_str() {
                    "GET" => chain.get(),
                    "POST" => chain.post(Value::Null),
                    "PATCH" => chain.patch(Value::Null),
                    "PUT" => chain.put(Value::Null),
                    _ => chain.delete(),
                };
                let base = documented(endpoint, partner, &fields());
                let request = add_nonsense(request, &template, &mut random, &values, &base);
                check(request, &format!("seed {seed}, {} {template}, attempt {attempt}", endpoint.method));
            }
        }
    }
    let seen = sandbox.requests();
    let count = |status: fn(u16) -> bool| {
        let has = |verdict: &Verdict| {
            status(match verdict {
                Verdict::Accepted | Verdict::Disturbed => 200,
                Verdict::Refused { status, .. } => *status,
            })
        };
        seen.iter().filter(|request| has(&request.verdict)).count()
    };
    let (accepted, unsigned) = (count(|status| status == 200), count(|status| status == 401));
    println!("{routes} routes, {} requests, {accepted} accepted, {unsigned} not rightly signed", seen.len());
    assert!(routes > 50 && accepted > 10 && unsigned < seen.len() / 10);
    // It still works.
    let echo = wx["v3/security/echo"].post_sync(json!({"echo_message": "hello"}));
    assert!(echo.is_ok(), "{echo:?}");
}
