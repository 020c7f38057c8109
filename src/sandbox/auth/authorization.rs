//! The `Authorization` header, parsed strictly as PROTOCOL.md defines it.

use crate::error::Excerpt;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";

const NAMES: [&str; 5] = ["mchid", "serial_no", "timestamp", "nonce_str", "signature"];

pub(crate) struct Authorization {
    pub(crate) mchid: String,
    pub(crate) serial: String,
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) signature: String,
}

impl Authorization {
    /// Each of the five parts must occur exactly once, quoted, in any order, separated by commas without spaces.
    pub(crate) fn parse(header: &str) -> Result<Authorization, String> {
        let mut rest = header
            .strip_prefix(SCHEME)
            .ok_or_else(|| format!("the scheme must be `{}`, followed by one space", SCHEME.trim_end()))?;
        let mut found: [Option<&str>; 5] = [None; 5];
        loop {
            let (name, value) = rest.split_once('=').ok_or("each part must have the form name=\"value\"")?;
            let slot = NAMES
                .iter()
                .position(|known| *known == name)
                .ok_or_else(|| format!("unknown part `{}`", Excerpt(name)))?;
            // A comma inside the quotes belongs to the value.
            let (value, after) = value
                .strip_prefix('"')
                .and_then(|value| value.split_once('"'))
                .filter(|(value, after)| !value.is_empty() && (after.is_empty() || after.starts_with(',')))
                .ok_or_else(|| {
                    format!("`{name}` must be quoted, not empty, and followed by a comma or nothing")
                })?;
            if found[slot].replace(value).is_some() {
                return Err(format!("`{name}` occurs twice"));
            }
            let Some(next) = after.strip_prefix(',') else { break };
            rest = next;
        }
        let take = |slot: usize| {
            found[slot].map(str::to_string).ok_or_else(|| format!("`{}` is missing", NAMES[slot]))
        };
        Ok(Authorization {
            mchid: take(0)?,
            serial: take(1)?,
            timestamp: take(2)?,
            nonce: take(3)?,
            signature: take(4)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_documented_form_is_accepted() {
        let good =
            r#"WECHATPAY2-SHA256-RSA2048 signature="s=",nonce_str="n",timestamp="1",serial_no="2",mchid="3""#;
        assert_eq!(Authorization::parse(good).unwrap().signature, "s=");
        let comma = good.replace("\"n\"", "\"a,timestamp='1', b\"");
        assert_eq!(Authorization::parse(&comma).unwrap().nonce, "a,timestamp='1', b");
        let bad = [
            String::new(),
            good.replace("RSA2048 ", "RSA2048"),
            good.replace("RSA2048", "SM2"),
            good.replace("\"1\"", "1"),
            good.replace("\"1\"", "\"\""),
            good.replace("\"1\"", "\"1\"\""),
            good.replace("\"1\"", "\""),
            good.replace("timestamp=\"1\",", ""),
            good.replace(",", ", "),
            format!("{good},mchid=\"3\""),
            format!("{good},realm=\"3\""),
            format!("{good},"),
        ];
        for header in bad {
            assert!(Authorization::parse(&header).is_err(), "{header}");
        }
    }
}
