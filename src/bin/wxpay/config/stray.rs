//! Variables that are set, but do not count: the settings come from somewhere else, or the name is not a variable of the
//! program. Whoever set one expects it to count, and a request to another host than the expected one moves real money.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::failure::{Failure, usage_error};
use crate::global::GlobalArgs;
use crate::output;
use crate::text::Excerpt;
use crate::variables;

/// Applies without a setting.
const DEFAULT_BASE_URL: &str = "https://api.mch.weixin.qq.com/";

/// Names that are listed in a message; of more, only the number.
const MAX_NAMES: usize = 3;

/// Where the settings come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Environment,
    /// `--sandbox`: nothing leaves this machine.
    Sandbox,
    /// `--profile` or `--config`.
    Requested,
    /// The default profile, because `WECHATPAY_MCHID` is not set.
    Default,
}

/// Refuses variables that do not count where that is dangerous, and warns about the others. `source` names where the
/// `settings` come from.
pub(super) fn check(
    chosen: Chosen,
    source: &str,
    settings: &BTreeMap<&'static str, String>,
    global: &GlobalArgs,
) -> Result<(), Failure> {
    let set: BTreeMap<String, OsString> = std::env::vars_os()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect();
    let mut ignored = match chosen {
        Chosen::Environment => Vec::new(),
        _ => ignored(&set, global),
    };
    if chosen == Chosen::Default && !ignored.is_empty() {
        return Err(beside_default(&ignored, source));
    }
    if chosen == Chosen::Requested && ignored.contains(&variables::BASE_URL) {
        let theirs = settings.get(variables::BASE_URL).map_or(DEFAULT_BASE_URL, String::as_str);
        let name = variables::BASE_URL;
        if !set.get(name).and_then(|value| value.to_str()).is_some_and(|mine| same_url(mine, theirs)) {
            return Err(usage_error(format!(
                "`{name}` is set, but all settings come from {source}, whose base URL is another one"
            ))
            .with_hint(format!("unset `{name}`, or use --base-url")));
        }
        ignored.retain(|ignored| *ignored != name);
    }
    if !ignored.is_empty() {
        output::warn(&format!(
            "{} {} ignored: all settings come from {source}",
            list(&ignored),
            is_or_are(&ignored)
        ));
    }
    unknown(chosen, &set, settings, global)
}

/// The known variables that are set beside another source. An option replaces both.
fn ignored(set: &BTreeMap<String, OsString>, global: &GlobalArgs) -> Vec<&'static str> {
    let replaced = |name: &str| match name {
        variables::BASE_URL => global.base_url.is_some(),
        variables::TIMEOUT => global.timeout.is_some(),
        _ => false,
    };
    let is_set = |known: &str| set.keys().any(|name| same_name(name, known));
    variables::names().filter(|name| is_set(name) && !replaced(name)).collect()
}

/// Nobody chose the default profile: a variable may have been meant to choose something else.
fn beside_default(ignored: &[&str], source: &str) -> Failure {
    let option = match ignored.contains(&variables::BASE_URL) {
        true => "use --base-url",
        false => "use --profile default",
    };
    let (names, verb) = (list(ignored), is_or_are(ignored));
    usage_error(format!("{names} {verb} set, but all settings come from one source, which is {source}"))
        .with_hint(format!(
            "set `{}` and all other variables, or unset {names} and {option}",
            variables::MCHID
        ))
}

/// Variables whose names are unknown.
fn unknown(
    chosen: Chosen,
    set: &BTreeMap<String, OsString>,
    settings: &BTreeMap<&'static str, String>,
    global: &GlobalArgs,
) -> Result<(), Failure> {
    let mut others = Vec::new();
    for (name, value) in set {
        let Some(meaning) = meaning(name) else { continue };
        let shown = Excerpt(name);
        let (fix, dangerous) = match meaning {
            Meaning::Variable(meant) => {
                // For another program, alongside the right one.
                let right = settings.get(meant).is_some_and(|right| value.to_str() == Some(right));
                if chosen == Chosen::Environment && right {
                    continue;
                }
                (format!("did you mean `{meant}`?"), chosen == Chosen::Default)
            }
            Meaning::Host => (
                format!("use `{}`, --base-url or --sandbox", variables::BASE_URL),
                // Equal to the setting, it changes nothing.
                global.base_url.is_none()
                    && !settings
                        .get(variables::BASE_URL)
                        .is_some_and(|url| value.to_str().is_some_and(|value| same_url(value, url))),
            ),
            Meaning::Profile => {
                (format!("use --profile, `{}` or --config", variables::PROFILE), global.profile.is_none())
            }
            Meaning::Unknown => {
                others.push(name.as_str());
                continue;
            }
        };
        let text = format!("{shown} is not a variable of wxpay");
        if dangerous && chosen != Chosen::Sandbox {
            return Err(usage_error(text).with_hint(format!("unset it; {fix}")));
        }
        output::warn(&format!("{text} and is ignored; {fix}"));
    }
    if !others.is_empty() {
        let verb = is_or_are(&others);
        output::warn(&format!("{} {verb} ignored: not a variable of wxpay", list(&others)));
    }
    Ok(())
}

/// What a variable with an unknown name was probably meant to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// This variable, misspelt.
    Variable(&'static str),
    /// The host that receives the requests.
    Host,
    Profile,
    Unknown,
}

/// `None` for a known variable, and for one that has nothing to do with the program.
fn meaning(name: &str) -> Option<Meaning> {
    if variables::TABLE.iter().any(|variable| same_name(name, variable.name)) {
        return None;
    }
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    let prefixes = ["WECHATPAY_", "WECHAT_PAY_", "WECHATPAY", "WXPAY_", "WX_PAY_"];
    let rest = prefixes.into_iter().find_map(|prefix| upper.strip_prefix(prefix))?;
    let letters: String = rest.chars().filter(|c| *c != '_').collect();
    let known = |meant: &&'static str| {
        let of_known: String = variables::key_of(meant).to_ascii_uppercase().replace('_', "");
        differ_by_one_at_most(&of_known, &letters)
    };
    let words: Vec<_> = rest.split('_').collect();
    let has = |names: &[&str]| words.iter().any(|word| names.contains(word));
    // An application's own addresses; Kubernetes sets SERVICE and PORT for a service of this name.
    let elsewhere =
        has(&["NOTIFY", "NOTIFICATION", "CALLBACK", "WEBHOOK", "RETURN", "REDIRECT", "SERVICE", "PORT"]);
    let host =
        has(&["BASE", "BASEURL", "BASEURI", "HOST", "ENDPOINT", "GATEWAY", "DOMAIN", "SERVER", "SANDBOX"])
            || ["URL", "URI", "API", "APIURL", "APIURI"].contains(&letters.as_str());
    match variables::names().find(known) {
        Some(variables::BASE_URL) => Some(Meaning::Host),
        Some(meant) => Some(Meaning::Variable(meant)),
        None if host && !elsewhere => Some(Meaning::Host),
        None if has(&["PROFILE", "CONFIG"]) => Some(Meaning::Profile),
        None => upper.starts_with("WECHATPAY_").then_some(Meaning::Unknown),
    }
}

/// Windows' variables have no letter case.
fn same_name(name: &str, known: &str) -> bool {
    match cfg!(windows) {
        true => name.eq_ignore_ascii_case(known),
        false => name == known,
    }
}

fn same_url(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// Whether one letter that is changed, added or left out makes one text of the other.
fn differ_by_one_at_most(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let rest = |text: &[u8]| text.get(1..).unwrap_or_default().to_vec();
    a == b || (a.len() == b.len() && rest(a) == rest(b)) || rest(a) == b || a == rest(b)
}

/// The first names, and how many more there are.
fn list(names: &[&str]) -> String {
    let shown: Vec<_> = names.iter().take(MAX_NAMES).map(|name| Excerpt(name).to_string()).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn is_or_are(names: &[&str]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_recognised() {
        let variable = |meant| Some(Meaning::Variable(meant));
        for (name, meant) in [
            ("WECHATPAY_BASEURL", Some(Meaning::Host)),
            ("WECHATPAY_BASE_URI", Some(Meaning::Host)),
            ("WECHATPAY_BASE_ULR", Some(Meaning::Host)),
            ("wechatpay_base_url", Some(Meaning::Host)),
            ("WECHAT_PAY_BASE_URL", Some(Meaning::Host)),
            ("WXPAY_BASE_URL", Some(Meaning::Host)),
            ("WECHATPAY_ENDPOINT", Some(Meaning::Host)),
            ("WECHATPAY_API_URL", Some(Meaning::Host)),
            ("WECHATPAY_SANDBOX", Some(Meaning::Host)),
            ("WECHATPAY_PROFILE", Some(Meaning::Profile)),
            ("WXPAY_CONFIG", Some(Meaning::Profile)),
            ("WECHATPAY_MCH_ID", variable(variables::MCHID)),
            ("WXPAY_MCHID", variable(variables::MCHID)),
            ("WECHATPAY_API_V3_KEY", variable(variables::APIV3_KEY)),
            ("WECHATPAY_PRIVATEKEY", variable(variables::PRIVATE_KEY)),
            ("WECHATPAY_SERIALS", variable(variables::SERIAL)),
            ("WECHATPAY_P1", variable(variables::P12)),
            ("WECHATPAY_TIMEOUTS", variable(variables::TIMEOUT)),
            ("WECHATPAY_NOTIFY_URL", Some(Meaning::Unknown)),
            ("WECHATPAY_NOTIFY_HOST", Some(Meaning::Unknown)),
            ("WECHATPAY_SERVICE_HOST", Some(Meaning::Unknown)),
            ("WECHATPAY_APPID", Some(Meaning::Unknown)),
            ("WECHATPAY_", Some(Meaning::Unknown)),
            ("WECHATPAY_BASE_URL", None),
            ("WECHATPAY_SANDBOX_KEYS", None),
            ("WXPAY_PROFILE", None),
            ("WXPAY_SERVICE_HOST", None),
            ("WXPAY", None),
            ("BASE_URL", None),
            ("", None),
        ] {
            assert_eq!(meaning(name), meant, "{name}");
        }
    }
}
