//! The headers of a saved message: their forms, a signature that was changed, another key, and what the message is called.

use serde_json::{Value, json};

use super::{BODY, Saved, base64_of, form_of};
use crate::support::{PLATFORM_SERIAL, key};

#[test]
fn a_changed_signature_is_named() {
    let saved = Saved::new();
    let with = |change: &dyn Fn(&str) -> String| {
        saved.lines(|name, value| match name {
            "Wechatpay-Signature" => format!("{name}: {}\n", change(value)),
            _ => format!("{name}: {value}\n"),
        })
    };
    let valid = "without that, the signature is valid";
    for (headers, words, end) in [
        (with(&|value| value.replace('+', " ")), "every + became a space", valid),
        (with(&|value| form_of(value)), "percent-encoded", valid),
        (with(&|value| value.replace('/', "\\/")), "slashes were escaped", valid),
        (
            with(&|value| value.replace('+', "-").replace('/', "_").replace('=', "")),
            "alphabet of URLs",
            valid,
        ),
        (with(&|value| value.trim_end_matches('=').to_owned()), "= at the end", valid),
        (with(&|value| format!("{} {}", &value[..64], &value[64..])), "", valid),
        (with(&|value| value[..200].to_owned()), "not a whole signature", ""),
        (with(&|_| "?".to_owned()), "not a whole signature", ""),
    ] {
        let done = saved.verify(BODY, &headers);
        assert!(
            done.code == Some(4) && done.err.contains("save `Wechatpay-Signature` as received"),
            "{done:?}"
        );
        assert!(done.err.contains(words) && done.err.contains(end), "{done:?}");
    }
    // Both were changed.
    let headers = with(&|value| value.replace('+', " "));
    let done = saved.verify(format!("{BODY}\n"), &headers);
    assert!(done.err.contains("every + became a space; and use the body"), "{done:?}");
    assert!(done.err.contains("a line break was added at the end"), "{done:?}");
    // The nonce is `NONCE`.
    let nonce = |nonce: &str| with(&str::to_owned).replace("Nonce: NONCE", &format!("Nonce: {nonce}"));
    assert!(saved.verify(BODY, &nonce("nonce")).err.contains("its letters became small ones"));
    assert!(saved.verify(BODY, &nonce("other")).err.contains("that these are its headers"));
    // The time in milliseconds.
    let headers = with(&str::to_owned).replacen('\n', "000\n", 1);
    assert!(saved.verify(BODY, &headers).err.contains("not in milliseconds"));
}

/// Another key under the ID is tried, and told, before a forgery.
#[test]
fn another_key_is_told_before_a_forgery() {
    let saved = Saved::new();
    let id = "PUB_KEY_ID_0119000001092024000000000001";
    let headers = saved.lines(|name, value| match name {
        "Wechatpay-Serial" => format!("{name}: {id}\n"),
        _ => format!("{name}: {value}\n"),
    });
    let (own, other) = (key("platform_pub.pem"), saved.env.sandbox.platform_public_key_pem());
    let verify = |public_key: &str, id: &str, body: &str, certificate: bool| {
        let [headers, body] = [saved.env.file("headers", &headers), saved.env.file("body", body)];
        let mut wxpay = saved.env.wxpay();
        wxpay.env("WECHATPAY_PUBLIC_KEY_ID", id).env("WECHATPAY_PUBLIC_KEY", public_key);
        let text = if certificate { key("platform_cert.pem") } else { String::new() };
        wxpay.env("WECHATPAY_PLATFORM_SERIAL", if certificate { PLATFORM_SERIAL } else { "" });
        wxpay.env("WECHATPAY_PLATFORM_CERTIFICATE", text);
        saved.env.finish(wxpay.args(["verify", "--headers", &headers, &body]))
    };
    assert_eq!(verify(&own, id, BODY, false).json()["verified"], true);
    let done = verify(other, id, BODY, false);
    done.fails(4, &format!("wxpay: hint: download the public key of `{id}` again"));
    done.fails(4, "the wrong one, or the notification was forged");
    assert!(done.err.find("another key").unwrap() < done.err.find("forged").unwrap(), "{done:?}");
    // With a body that was wrapped, both.
    let done = verify(other, id, &serde_json::to_string(BODY).unwrap(), false);
    done.fails(4, "download the public key");
    done.fails(4, "it was quoted as a JSON string");
    // Two keys, each under the ID of the other one.
    let done = verify(other, id, BODY, true);
    done.fails(
        4,
        &format!("configure the key of {PLATFORM_SERIAL} under `{id}`: the signature is valid with it"),
    );
    // The right key under a mistyped ID.
    let mistyped = "PUB_KEY_ID_0119000001092024000000000002";
    let done = verify(&own, mistyped, BODY, false);
    done.fails(4, &format!("check the ID of the key that is configured as {mistyped}"));
    done.fails(4, &format!("the notification names `{id}`"));
    // Its number alone.
    let done = verify(&own, "0119000001092024000000000001", BODY, false);
    done.fails(1, "set it to PUB_KEY_ID_0119000001092024000000000001");
}

#[test]
fn a_profile_is_told_its_own_keys() {
    let saved = Saved::new();
    let file = |name: &str, text: String| saved.env.file(name, text);
    let profile = format!(
        "[default]\nmchid = '1900000109'\nserial = '3775'\nprivate_key = '''{}'''\nplatform_serial = '1234'\n\
         platform_certificate = '''{}'''\n",
        key("merchant_key.pem"),
        key("platform_pub.pem"),
    );
    let config = file("config.toml", profile);
    let headers = file("headers", saved.lines(|name, value| format!("{name}: {value}\n")));
    let body = file("body", BODY.replace("EV-1", "EV-2"));
    let mut wxpay = crate::program::wxpay(saved.env.home.path());
    let done = saved.env.finish(wxpay.args(["verify", "--config", &config, "--headers", &headers, &body]));
    assert!(done.code == Some(4) && done.err.contains("set automatic_certificates=1"), "{done:?}");
}

#[test]
fn the_message_is_called_what_it_is() {
    let saved = Saved::new();
    let headers = saved.lines(|name, value| format!("{name}: {value}\n"));
    let without = headers.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
    let cgi = saved.lines(|name, value| format!("HTTP_{}={value}\n", name.to_uppercase().replace('-', "_")));
    let other = r#"{"code":"PARAM_ERROR"}"#;
    for (headers, body, subject) in [
        (headers.clone(), BODY.replace("EV-1", "EV-2"), "notification"),
        (without.clone(), BODY.to_owned(), "notification"),
        (headers.clone(), BODY[..300].to_owned(), "notification"),
        (headers.clone(), base64_of(&BODY.replace("EV-1", "EV-2")), "notification"),
        (format!("POST /n HTTP/1.1\n{headers}"), String::new(), "notification"),
        (format!(":method: POST\n:path: /\n{headers}"), String::new(), "notification"),
        (cgi, String::new(), "notification"),
        (format!("Host: example.com\n{headers}"), "{}".to_owned(), "notification"),
        (format!("HTTP/1.1 404 Not Found\r\n{headers}"), other.to_owned(), "response"),
        (format!("HTTP/2 200\n{without}"), other.to_owned(), "response"),
        (
            format!(
                "> POST /v3/x HTTP/1.1\n> Host: a\n>\n< HTTP/1.1 204\n{}",
                headers.replace("Wech", "< Wech")
            ),
            String::new(),
            "response",
        ),
        (headers.clone(), other.to_owned(), "response"),
        (without, String::new(), "message"),
    ] {
        let done = saved.verify(&body, &headers);
        assert!(done.code == Some(4) && done.err.contains(&format!("the {subject}")), "{subject}: {done:?}");
        for wrong in ["notification", "response", "message"].iter().filter(|other| **other != subject) {
            assert!(
                !done.err.replace("for another message", "").contains(&format!("the {wrong}"))
                    || done.err.contains("the response itself"),
                "{subject}: {done:?}"
            );
        }
    }
    let headers = saved.env.file("headers", format!("HTTP/1.1 404 Not Found\n{headers}"));
    let body = saved.env.file("body", other);
    let mut wxpay = saved.env.wxpay();
    wxpay.env("WECHATPAY_PLATFORM_SERIAL", PLATFORM_SERIAL);
    wxpay.env("WECHATPAY_PLATFORM_CERTIFICATE", key("platform_cert.pem"));
    let done = saved.env.finish(wxpay.args(["verify", "--headers", &headers, &body, "--json-errors"]));
    assert_eq!(serde_json::from_str::<Value>(&done.err).unwrap()["status"], 404);
}

#[test]
fn headers_are_read_as_other_programs_print_them() {
    let saved = Saved::new();
    let cgi = |name: &str| format!("HTTP_{}", name.to_uppercase().replace('-', "_"));
    let object = |name: &dyn Fn(&str) -> String| {
        let members = saved.headers.iter().map(|(key, value)| (name(key), json!(value)));
        Value::Object(members.collect())
    };
    let mut environment = object(&|name| cgi(name));
    environment["wsgi.version"] = json!([1, 0]);
    environment["wsgi.multithread"] = json!(true);
    let pairs: Vec<Value> = saved.headers.iter().map(|(name, value)| json!([name, value])).collect();
    let flat = saved.headers.iter().flat_map(|(name, value)| [json!(name), json!(value)]).collect();
    let har = saved.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let lists: serde_json::Map<_, _> =
        saved.headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    for (form, text) in [
        ("an environment", saved.lines(|name, value| format!("{}={value}\n", cgi(name)))),
        ("exports of a shell", saved.lines(|name, value| format!("export {}='{value}'\n", cgi(name)))),
        (
            "nginx's variables",
            saved.lines(|name, value| {
                format!("$http_{}: \"{value}\"\n", name.to_lowercase().replace('-', "_"))
            }),
        ),
        ("underscores", saved.lines(|name, value| format!("{}: {value}\n", name.replace('-', "_")))),
        ("WSGI's dictionary", environment.to_string()),
        (
            "a byte order mark",
            saved.lines(|name, value| format!("{name}: {value}\n")).replacen('W', "\u{feff}W", 1),
        ),
        (
            "curl -v",
            format!(
                "* Connected\n> POST /n HTTP/1.1\n{}>\n< HTTP/1.1 204\n<\n",
                saved.lines(|name, value| format!("> {name}: {value}\n"))
            ),
        ),
        ("nothing but letter case", saved.lines(|name, value| format!("{}:{value}\n", name.to_uppercase()))),
        ("an Apache that redirected", saved.lines(|name, value| format!("REDIRECT_{}={value}\n", cgi(name)))),
        ("camel case", object(&|name| name.replace('-', "")).to_string()),
        ("another prefix", saved.lines(|name, value| format!("X-Forwarded-{name}: {value}\n"))),
        ("Go's lists", Value::Object(lists.clone()).to_string()),
        ("a request", json!({"method": "POST", "headers": Value::Object(lists)}).to_string()),
        ("raw headers of Node", Value::Array(flat).to_string()),
        ("pairs", Value::Array(pairs.clone()).to_string()),
        (
            "pairs of Python's bytes",
            format!(
                "[{}]",
                saved.lines(|name, value| format!("(b'{name}', b'{value}'), ")).trim_end_matches(", ")
            ),
        ),
        ("HAR", Value::Array(har).to_string()),
        ("Python's dictionary", object(&|name| name.to_owned()).to_string().replace('"', "'")),
        (
            "PHP's print_r",
            format!(
                "Array\n(\n{})\n",
                saved.lines(|name, value| format!("    [{}] => {value}\n", cgi(name)))
            ),
        ),
        (
            "PHP's var_export",
            format!("array (\n{})", saved.lines(|name, value| format!("  '{}' => '{value}',\n", cgi(name)))),
        ),
        (
            "PHP's var_dump",
            format!(
                "array(5) {{\n{}}}\n",
                saved.lines(|name, value| format!(
                    "  [\"{}\"]=>\n  string({}) \"{value}\"\n",
                    cgi(name),
                    value.len()
                ))
            ),
        ),
        (
            "HTTP/2",
            format!("HTTP/2 200\r\n{}\r\n", saved.lines(|name, value| format!("{name}: {value}\r\n"))),
        ),
    ] {
        let done = saved.verify(BODY, &text);
        assert!(done.code == Some(0), "{form}: {text}\n{done:?}");
    }
    // A header that is there twice, under two names, stays a duplicate.
    let twice = saved.lines(|name, value| format!("{name}: {value}\n{}: {value}\n", cgi(name)));
    let done = saved.verify(BODY, &twice);
    assert!(done.code == Some(4) && done.err.contains("more than one"), "{done:?}");
}
