//! Slips of which the right template is the first suggestion.

use std::collections::BTreeSet;

use super::super::Catalogue;
use super::*;

/// A random number generator of its own, so that the edits are the same everywhere.
struct Edits(u64);

impl Edits {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// One slip of the fingers: swap, drop, double, another case, a plural, `-` for `_`.
    fn edit(&mut self, path: &str) -> String {
        let mut letters: Vec<char> = path.chars().collect();
        let at = self.below(letters.len());
        match self.below(6) {
            0 if at + 1 < letters.len() => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            2 => letters.insert(at, letters[at]),
            3 => letters[at] = letters[at].to_ascii_uppercase(),
            4 => {
                let segments: Vec<&str> = path.split('/').collect();
                let number = self.below(segments.len());
                let edited = |(at, segment): (usize, &&str)| match segment.strip_suffix('s') {
                    _ if at != number || segment.starts_with('{') => (*segment).to_owned(),
                    Some(singular) => singular.to_owned(),
                    None => format!("{segment}s"),
                };
                return segments.iter().enumerate().map(edited).collect::<Vec<_>>().join("/");
            }
            _ => return path.replacen(['-', '_'], if path.contains('-') { "_" } else { "-" }, 1),
        }
        letters.into_iter().collect()
    }
}

/// One template of so many is edited, of all if `WECHATPAY_TESTS_FULL` is set.
fn step() -> usize {
    if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 1 } else { 12 }
}

#[test]
fn a_slip_of_the_fingers_is_found_out() {
    let mut edits = Edits(20_261_128);
    let (mut first, mut all, mut unknown) = (0, 0, Vec::new());
    let templates: std::collections::BTreeSet<_> = Catalogue::operations().map(|o| o.template()).collect();
    let per_template = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 20 } else { 1 };
    for template in templates {
        for _ in 0..per_template {
            let edited = edits.edit(template);
            let verb = Catalogue::at(template)[0].verb();
            all += 1;
            match Catalogue::suggest(Some(verb), &edited).first() {
                Some(found) if found.operation().template() == template => first += 1,
                other => unknown.push(format!("{edited}: {:?}", other.map(|o| o.operation().template()))),
            }
        }
    }
    if std::env::var_os("WECHATPAY_SHOW").is_some() {
        println!("{first} of {all}\n{}", unknown.join("\n"));
    }
    assert!(first * 100 >= all * 97, "{first} of {all}: {unknown:#?}");
}

/// Values for the variables, as merchants have them.
fn expanded(template: &str, edits: &mut Edits) -> String {
    const VALUES: [&str; 6] = [
        "1900000109",
        "P20240101123456",
        "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "4200001234202401011234567890",
        "abc123",
        "100",
    ];
    let mut segment = |segment: &str| match segment.starts_with('{') {
        true => VALUES[edits.below(VALUES.len())].to_owned(),
        false => segment.to_owned(),
    };
    template.split('/').map(&mut segment).collect::<Vec<_>>().join("/")
}

/// `transferBills`.
fn camel(template: &str) -> String {
    let mut camel = String::new();
    let (mut in_variable, mut is_hump) = (false, false);
    for letter in template.chars() {
        in_variable = (in_variable || letter == '{') && letter != '}';
        if letter == '-' && !in_variable {
            is_hump = true;
            continue;
        }
        camel.push(if is_hump { letter.to_ascii_uppercase() } else { letter });
        is_hump = false;
    }
    camel
}

/// Without a segment, or with another one, in the middle.
fn with_segments(template: &str, edits: &mut Edits, other: Option<&str>) -> String {
    let mut segments: Vec<&str> = template.split('/').collect();
    let literals: Vec<usize> = (1..segments.len() - 1).filter(|at| !segments[*at].starts_with('{')).collect();
    let Some(at) = (!literals.is_empty()).then(|| literals[edits.below(literals.len())]) else {
        return template.to_owned();
    };
    match other {
        Some(other) => segments.insert(at, other),
        None => drop(segments.remove(at)),
    }
    segments.join("/")
}

/// An edit of a template, and of a hundred the least that must be found out.
type Class = (&'static str, fn(&str, &mut Edits) -> String, usize);

const CLASSES: &[Class] = &[
    (
        "two letters",
        |template, edits| {
            let once = edits.edit(template);
            edits.edit(&once)
        },
        97,
    ),
    (
        "a letter of values",
        |template, edits| {
            let values = expanded(template, edits);
            edits.edit(&values)
        },
        97,
    ),
    ("camel case", |template, _| camel(template), 99),
    ("camel case with values", |template, edits| expanded(&camel(template), edits), 98),
    ("PHP's chain", |template, _| camel(template).replace(['{', '}'], "_").replace('/', "->"), 98),
    ("Node's chain", |template, _| camel(template).replace('/', "."), 98),
    ("backslashes", |template, _| template.replace('/', "\\"), 98),
    ("capitals", |template, _| template.to_ascii_uppercase(), 98),
    ("doubled slash", |template, edits| with_segments(template, edits, Some("")), 98),
    ("segment too many", |template, edits| with_segments(template, edits, Some("operation")), 94),
    // A shorter path is often that of another operation.
    ("segment missing", |template, edits| with_segments(template, edits, None), 80),
    ("version missing", |template, edits| expanded(&template[3..], edits), 97),
    ("version twice", |template, _| format!("{}{template}", &template[..3]), 98),
    (
        "other version",
        |template, _| format!("{}{}", if template.starts_with("v2") { "v3" } else { "v2" }, &template[2..]),
        98,
    ),
    (
        "slash at the end",
        |template, edits| expanded(template.strip_suffix('/').unwrap_or(&format!("{template}/")), edits),
        98,
    ),
    (
        "URL and query",
        |template, edits| format!("https://api.mch.weixin.qq.com/{}?a=/v3/b", expanded(template, edits)),
        98,
    ),
    ("URL without version", |template, _| format!("https://api.mch.weixin.qq.com/{}", &template[3..]), 97),
    (
        "host without scheme",
        |template, edits| format!("api.mch.weixin.qq.com/{}", expanded(template, edits)),
        98,
    ),
    ("variables of a web framework", |template, _| template.replace('{', ":").replace('}', "") + "s", 97),
    ("escaped braces", |template, _| template.replace('{', "%7B").replace('}', "%7D"), 98),
    ("blanks", |template, _| format!(" {template} "), 100),
];

#[test]
fn each_kind_of_slip_is_found_out() {
    let templates: BTreeSet<_> = Catalogue::operations().map(|o| o.template()).collect();
    let mut faults = Vec::new();
    for (number, (class, edit, least)) in CLASSES.iter().enumerate() {
        let mut edits = Edits(number as u64);
        let (mut first, mut all, mut missed) = (0, 0, Vec::new());
        for template in templates.iter().skip(number % step()).step_by(step()) {
            // These differ in a variable's name only.
            if ["institutionsub}", "apply4subject/applyment/{"].iter().any(|part| template.contains(part)) {
                continue;
            }
            let edited = edit(template, &mut edits);
            let verb = Catalogue::at(template)[0].verb();
            all += 1;
            match Catalogue::suggest(Some(verb), &edited).first() {
                Some(found) if found.operation().template() == *template => first += 1,
                other => missed.push(format!("{edited}: {:?}", other.map(|o| o.operation().template()))),
            }
        }
        if std::env::var_os("WECHATPAY_SHOW").is_some() {
            println!("{class}: {first} of {all}");
        }
        if first * 100 < all * least {
            faults.push(format!("{class}: {first} of {all}: {missed:#?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn slips_that_others_have_shipped_are_found_out() {
    for (verb, path, meant) in [
        (
            "POST",
            "v3/fund-app/operation/mch-transfer/transfer-bills",
            "v3/fund-app/mch-transfer/transfer-bills",
        ),
        ("POST", concat!("v3/applyment4sub/", "applyment"), "v3/applyment4sub/applyment/"),
        ("POST", "v3/ecommerce/applyments", "v3/ecommerce/applyments/"),
        ("POST", "https://api.mch.weixin.qq.com/pay/unifiedorder", "v2/pay/unifiedorder"),
        ("POST", "/secapi/pay/refund", "v2/secapi/pay/refund"),
        ("POST", "mmpaymkttransfers/sendredpack", "v2/mmpaymkttransfers/sendredpack"),
        ("GET", "v3/pay/transactions/outTradeNo/P1", "v3/pay/transactions/out-trade-no/{out_trade_no}"),
        ("POST", "v3/pay/transactions/js-api", "v3/pay/transactions/jsapi"),
        ("POST", "v3/pay/transactions/miniprogram", "v3/pay/partner/transactions/miniprogram"),
        ("POST", "v3/refund/refunds", "v3/refund/domestic/refunds"),
        ("GET", "v3/certificate", "v3/certificates"),
        ("POST", "refunds", "v3/refunds"),
    ] {
        let found = Catalogue::suggest(Some(verb), path);
        assert_eq!(found.first().map(|found| found.operation().template()), Some(meant), "{path}");
    }
    // The verb decides between two operations of one path.
    let verb = |verb| {
        Catalogue::suggest(Some(verb), "v3/merchant-service/complaint-notification")[0].operation().verb()
    };
    assert_eq!(["GET", "put", "DELETE", "POST"].map(verb), ["GET", "PUT", "DELETE", "POST"]);
}

#[test]
fn nonsense_gets_no_suggestion_and_a_long_path_costs_little() {
    for path in [
        "",
        "/",
        "xyzzy",
        "v3/qqqqqq/zzzzzz",
        "v3/",
        "v3/x",
        "v3/echo",
        "v3/test",
        "v3/something",
        "https://example.com/",
        "https://",
        "\u{0}",
        "🙂/🙂",
        "->",
        ".",
    ] {
        let found = Catalogue::suggest(None, path);
        assert!(found.is_empty(), "{path}: {:?}", found.first());
    }
    let start = std::time::Instant::now();
    for path in [
        "v3/pay/".repeat(100_000),
        "a".repeat(1 << 20),
        "/".repeat(1 << 20),
        "{".repeat(1 << 20),
        "中".repeat(1 << 20),
    ] {
        let scores: Vec<f64> = Catalogue::suggest(Some("GET"), &path).iter().map(Suggestion::score).collect();
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}

/// A path with values is documented, whatever the values are.
#[test]
fn no_documented_path_is_called_unknown() {
    let values = [
        "0",
        "list",
        "id",
        "..",
        ".",
        "%2F",
        "%E4%B8%AD",
        "中文",
        "A_B",
        "{x}",
        "a b",
        ":",
        "v3",
        "close",
        "\u{202e}",
    ];
    for operation in Catalogue::operations() {
        for value in values {
            let segment = |segment: &'static str| if segment.starts_with('{') { value } else { segment };
            let path = operation.template().split('/').map(segment).collect::<Vec<_>>().join("/");
            assert!(Catalogue::find(operation.verb(), &path).is_some(), "{} {path}", operation.verb());
            let url = format!("{}{path}?x=/v3/y#z", operation.base());
            assert!(Catalogue::find(operation.verb(), &url).is_some(), "{} {url}", operation.verb());
        }
    }
}
