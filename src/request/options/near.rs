//! "Did you mean …?"

/// Longer names are not typing errors, and comparing them takes long.
const MAX_LENGTH: usize = 40;

/// The one of `known` that `name` most likely stands for.
pub(crate) fn near(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    if name.len() > MAX_LENGTH || !name.is_ascii() {
        return None;
    }
    let plain = |text: &str| -> Vec<u8> {
        text.bytes().filter(|b| b.is_ascii_alphanumeric()).map(|b| b.to_ascii_lowercase()).collect()
    };
    let written = plain(name);
    // `private_key` for `privateKey`, then one slip, or two in a long name.
    let allowed = |known: usize| match known.min(written.len() + 1) {
        ..4 => 0,
        4..8 => 1,
        _ => 2,
    };
    let candidates = known.filter_map(|name| {
        let known = plain(name);
        let distance = distance(&written, &known);
        (distance <= allowed(known.len())).then_some((distance, name))
    });
    candidates.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// How many letters to add, to remove, to change or to swap with the next one.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let width = right.len() + 1;
    let mut table = vec![0; (left.len() + 1) * width];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            table[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(left[i - 1] != right[j - 1]);
                let mut least = (table[(i - 1) * width + j] + 1)
                    .min(table[i * width + j - 1] + 1)
                    .min(table[(i - 1) * width + j - 1] + change);
                if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                    least = least.min(table[(i - 2) * width + j - 2] + 1);
                }
                least
            };
        }
    }
    table[left.len() * width + right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_names_are_not() {
        const KNOWN: [&str; 6] = ["headers", "privateKey", "base_uri", "json", "timeout", "certs"];
        for (name, expected) in [
            ("header", Some("headers")),
            ("Headers", Some("headers")),
            ("haeders", Some("headers")),
            ("private_key", Some("privateKey")),
            ("PRIVATE-KEY", Some("privateKey")),
            ("baseUri", Some("base_uri")),
            ("jsno", Some("json")),
            ("time_out", Some("timeout")),
            ("cert", Some("certs")),
            ("", None),
            ("no", None),
            ("jsn", Some("json")),
            ("js", None),
            ("out_trade_no", None),
            ("sub_mchid", None),
            ("headers_of_the_request", None),
            ("头", None),
        ] {
            assert_eq!(near(name, KNOWN.into_iter()), expected, "{name}");
        }
        assert_eq!(near(&"header".repeat(100_000), KNOWN.into_iter()), None);
    }
}
