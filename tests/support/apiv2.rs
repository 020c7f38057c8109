//! XML and signatures of APIv2. Nothing here uses the crate's own.

use aws_lc_rs::hmac;

/// Of the platform's documented example, whose merchant is 10000100.
pub(crate) const APIV2_KEY: &str = "192006250b4c09247ec02edce69f6a2d";

/// `sign` by HMAC-SHA256, straight from AWS-LC.
pub(crate) fn hmac_sign(fields: &[(&str, &str)], secret: &str) -> String {
    let mut fields: Vec<_> = fields.iter().filter(|(_, text)| !text.is_empty()).collect();
    fields.sort();
    let text: Vec<_> = fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
    let message = format!("{}&key={secret}", text.join("&"));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    tag.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
}

/// `fields` as XML, with their `sign`.
pub(crate) fn signed_xml(fields: &[(&str, &str)], secret: &str) -> String {
    let sign = hmac_sign(fields, secret);
    let elements = fields.iter().map(|(name, text)| format!("<{name}><![CDATA[{text}]]></{name}>"));
    format!("<xml>{}<sign>{sign}</sign></xml>", elements.collect::<String>())
}

/// The elements of a flat XML text: a reader of the test's own.
pub(crate) fn elements(xml: &str) -> Vec<(String, String)> {
    let mut rest = xml.strip_prefix("<xml>").and_then(|xml| xml.strip_suffix("</xml>")).expect(xml);
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (name, after) = rest[1..].split_once('>').unwrap();
        let (text, after) = match name.strip_suffix('/') {
            Some(_) => (String::new(), after),
            None => {
                let (text, after) = after.split_once(&format!("</{name}>")).unwrap();
                let text = match text.strip_prefix("<![CDATA[") {
                    Some(text) => text.strip_suffix("]]>").unwrap().to_owned(),
                    None => text.replace("&#13;", "\r"),
                };
                (text, after)
            }
        };
        all.push((name.trim_end_matches('/').to_owned(), text));
        rest = after;
    }
    all
}
