use std::collections::BTreeMap;

use iri_string::template::UriTemplateStr;
use serde_json::{Value, json};

use super::*;
use crate::conformance::Vectors;

fn vars(value: Value) -> Vec<(String, Value)> {
    value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// The kind of a refusal, for counting.
fn kind(e: &PathError) -> &'static str {
    match e {
        PathError::ValueAsSegment { .. } => "value as a segment",
        PathError::MissingVariable { .. } => "missing variable",
        PathError::VariableValue { .. } => "variable of a shape that cannot be expanded",
        PathError::DotSegment { .. } => "dot segment",
        PathError::EmptySegment { .. } => "empty segment",
        PathError::UnsafeCharacter { .. } => "unsafe character",
        PathError::Template { .. } => "not a template",
        _ => "other",
    }
}

fn report(name: &str, compared: usize, equal: usize, differences: &BTreeMap<&str, usize>) {
    println!("{name}: {compared} compared, {equal} equal, different on purpose: {differences:?}");
    assert_eq!(compared, equal + differences.values().sum::<usize>());
}

#[test]
fn conformance_normalises_as_php_or_refuses() {
    let Some(vectors) = Vectors::of("Builder.normalize") else { return };
    let (mut compared, mut equal, mut differences) = (0, 0, BTreeMap::new());
    for vector in vectors.iter() {
        let Some(input) = vector["input"].as_str() else { continue };
        compared += 1;
        match normalise(input) {
            Ok(template) if template == vector["output"] => equal += 1,
            // PHP applies the case rule inside braces, to a variable's name, and to a query.
            Ok(_) if input.contains(['{', '?']) => {
                *differences.entry("text in braces or a query kept").or_default() += 1
            }
            Ok(_) if input.starts_with(['_', '$']) => {
                *differences.entry("a variable's name kept").or_default() += 1
            }
            Ok(template) if input.starts_with('/') && format!("/{template}") == vector["output"] => {
                *differences.entry("a slash in front dropped").or_default() += 1;
            }
            // PHP looks for `_name_` in the whole string only.
            Ok(_) if input.split('/').any(|s| s.starts_with('_') && s.ends_with('_')) => {
                *differences.entry("_name_ as one of several segments").or_default() += 1;
            }
            Ok(_) if input.contains('%') => *differences.entry("percent-encoding kept").or_default() += 1,
            Ok(_) if is_absolute(input) => *differences.entry("a whole URL kept").or_default() += 1,
            Ok(template) => panic!("{input:?}: {template:?}, PHP says {}", vector["output"]),
            Err(e) => *differences.entry(kind(&e)).or_default() += 1,
        }
    }
    report("Builder.normalize", compared, equal, &differences);
    assert!(equal > 0, "nothing is equal");
}

#[test]
fn conformance_expands_as_php_or_refuses() {
    let Some(vectors) = Vectors::of("UriTemplate.expand") else { return };
    let (mut compared, mut equal, mut differences) = (0, 0, BTreeMap::new());
    for vector in vectors.iter() {
        let template = vector["input"]["template"].as_str().unwrap();
        let Some(map) = vector["input"]["vars"].as_object() else { continue };
        if vector["input"].to_string().contains("\"$type\"") {
            continue; // bytes that are not text cannot be a JSON value
        }
        compared += 1;
        let Ok(parsed) = UriTemplateStr::new(template) else {
            *differences.entry("not a template").or_default() += 1;
            continue;
        };
        let used: Vec<_> = parsed.variables().map(|v| v.as_str().to_owned()).collect();
        let vars: Vec<_> =
            map.iter().filter(|(k, _)| used.contains(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
        match expand_template(template, &vars) {
            Ok(expanded) if expanded == vector["output"] => equal += 1,
            Ok(expanded) => {
                let all: Vec<_> = vars.iter().flat_map(|(_, v)| leaves(v)).collect();
                let reason = if all.iter().any(|v| v.is_f64()) {
                    "a float written as JSON does"
                } else if all.iter().any(|v| v.is_boolean()) {
                    "a boolean written as true or false"
                } else if template.contains(['+', '#'])
                    && all.iter().any(|v| v.as_str().is_some_and(|s| s.contains('%')))
                {
                    "%XX kept in a reserved expansion, by RFC 6570; PHP encodes its %"
                } else if vars.iter().any(|(_, v)| leaves(v).iter().all(|v| *v == "")) {
                    "the operator kept before empty values, by RFC 6570"
                } else if template.contains(':')
                    && all.iter().any(|v| v.as_str().is_some_and(|s| !s.is_ascii()))
                {
                    "a prefix counted in characters, by RFC 6570; PHP cuts bytes"
                } else if vars.iter().any(|(_, v)| has_number_keys(v)) {
                    "a map whose keys are numbers, a list in PHP"
                } else {
                    panic!("{template} {vars:?}: {expanded}, PHP says {}", vector["output"]);
                };
                *differences.entry(reason).or_default() += 1;
            }
            Err(e) => *differences.entry(kind(&e)).or_default() += 1,
        }
    }
    report("UriTemplate.expand", compared, equal, &differences);
    assert!(equal > 0, "nothing is equal");
}

fn has_number_keys(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.keys().any(|k| k.parse::<i64>().is_ok()))
}

fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(map) => map.values().flat_map(leaves).collect(),
        leaf => vec![leaf],
    }
}

#[test]
fn a_camel_case_word_is_split_and_any_other_capital_refused() {
    for (written, template) in [
        ("merchantService", "merchant-service"),
        ("complaintsV2", "complaints-v2"),
        ("h5PreEntrustSign", "h5-pre-entrust-sign"),
        ("Native", "native"),
        ("OutTradeNo", "out-trade-no"),
        ("_out_trade_no_", "{out_trade_no}"),
        ("$out_trade_no$", "{out_trade_no}"),
        ("_transactionId_", "{transactionId}"),
        ("video_upload", "video_upload"),
        ("{+Any,Thing*}", "{+Any,Thing*}"),
        ("%E4%BA%AC%2Fx", "%E4%BA%AC%2Fx"),
        ("__construct", "__construct"),
    ] {
        assert_eq!(normalise_one(written).as_deref(), Ok(template), "{written}");
    }
    for value in
        ["P123", "P12345x", "ABC", "aB", "V3", "a-B", "4200Ab", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "A1b", "x_Y"]
    {
        let refused = normalise_one(value).unwrap_err();
        assert_eq!(refused, PathError::ValueAsSegment { segment: value.to_owned() });
        assert!(refused.to_string().contains(value) && refused.to_string().contains("variable"), "{refused}");
    }
}

#[test]
fn an_invalid_segment_is_named() {
    let unsafe_ =
        |segment: &str, character| PathError::UnsafeCharacter { segment: segment.to_owned(), character };
    assert_eq!(normalise_one("a b"), Err(unsafe_("a b", ' ')));
    assert_eq!(normalise_one("粤12345"), Err(unsafe_("粤12345", '粤')));
    assert_eq!(normalise_one("a#b"), Err(unsafe_("a#b", '#')));
    assert_eq!(normalise_one("100%"), Err(unsafe_("100%", '%')));
    assert_eq!(normalise_one("a?b"), Err(unsafe_("a?b", '?')));
    assert_eq!(normalise_one("{a"), Err(unsafe_("{a", '{')));
    assert_eq!(normalise_one("a\n"), Err(unsafe_("a\n", '\n')));
    assert_eq!(normalise_one("a\\b"), Err(unsafe_("a\\b", '\\')));
    assert!(matches!(normalise_one("a/b"), Err(PathError::SlashInSegment { .. })));
    assert!(matches!(normalise_one(""), Err(PathError::EmptySegment { .. })));
    assert!(matches!(normalise("v3//x"), Err(PathError::EmptySegment { .. })));
    for (path, dots) in [("v3/../x", ".."), ("/v3/./x", "."), ("v3/x/..?a=b", "..")] {
        let error = PathError::DotSegment { segment: dots.to_owned(), path: path.to_owned() };
        assert_eq!(normalise(path), Err(error.clone()));
        assert_eq!(normalise_literal(path), Err(error));
    }
    assert!(matches!(normalise("v3/x?a=b c"), Err(PathError::UnsafeCharacter { .. })));
    assert!(matches!(expand("", &[]), Err(PathError::EmptySegment { .. })));
}

#[test]
fn joins_with_one_slash_and_never_after_a_query() {
    assert_eq!(join("v3/", &normalise("/pay").unwrap()).as_deref(), Ok("v3/pay"));
    assert_eq!(join("v3", "pay/x?a=1").as_deref(), Ok("v3/pay/x?a=1"));
    assert_eq!(join("v3", "https://example.com/X").as_deref(), Ok("https://example.com/X"));
    assert!(matches!(join("v3?a=1", "x"), Err(PathError::AfterQuery { .. })));
    assert_eq!(join("v3{?a,b}", "x").as_deref(), Ok("v3{?a,b}/x"));
}

#[test]
fn variables_are_expanded_by_rfc_6570_and_missing_ones_named() {
    let expanded = |template: &str, value: Value| expand(template, &vars(value)).map(|e| e.into_owned());
    assert_eq!(
        expanded("v3/{x}/y", json!({"x": "a/b?c#d%e'粤B😀"})).unwrap(),
        "v3/a%2Fb%3Fc%23d%25e%27%E7%B2%A4B%F0%9F%98%80/y"
    );
    assert_eq!(expanded("v3/x/{empty}", json!({"empty": ""})).unwrap(), "v3/x/");
    assert_eq!(expanded("v3/{n}", json!({"n": 42})).unwrap(), "v3/42");
    assert_eq!(
        expanded("v3{?l*,m}", json!({"l": ["a", "b c"], "m": {"k": true}})).unwrap(),
        "v3?l=a&l=b%20c&m=k,true"
    );
    assert_eq!(expanded("v3/{+media}", json!({"media": "a%2Fb/c"})).unwrap(), "v3/a%2Fb/c");
    let missing =
        |name: &str| PathError::MissingVariable { name: name.to_owned(), template: "v3/{a}/{b}".to_owned() };
    assert_eq!(expanded("v3/{a}/{b}", json!({"a": "1"})), Err(missing("b")));
    assert_eq!(expanded("v3/{a}/{b}", json!({"a": null, "b": 1})), Err(missing("a")));
    assert!(
        matches!(expanded("v3/{a}", json!({"a": 1, "aa": 1})), Err(PathError::UnknownVariable { name, .. }) if name == "aa")
    );
    assert!(matches!(expanded("v3/x", json!({"a": 1})), Err(PathError::UnknownVariable { .. })));
    assert!(matches!(expanded("v3/{a}", json!({"a": [[1]]})), Err(PathError::VariableValue { .. })));
    assert!(matches!(expanded("v3/{a-b}", json!({})), Err(PathError::Template { .. })));
    for dots in [".", ".."] {
        assert!(
            matches!(expanded("v3/{a}/x", json!({"a": dots})), Err(PathError::DotSegment { .. })),
            "{dots}"
        );
    }
    for dots in ["a/../b", "%2e%2E", "x/.%2e"] {
        assert!(
            matches!(expanded("v3/{+a}", json!({"a": dots})), Err(PathError::DotSegment { .. })),
            "{dots}"
        );
    }
}

#[test]
fn queries_keep_their_order_and_lose_nothing() {
    let query = |value: Value| {
        let mut query = Query::default();
        query.append(&value).map(|()| query.text)
    };
    assert_eq!(
        query(json!({"b": "x y", "a": [1, "二"], "n": null, "t": true})).unwrap(),
        "b=x%20y&a%5B0%5D=1&a%5B1%5D=%E4%BA%8C&t=true"
    );
    assert_eq!(
        query(json!({"a": {"k": ["x"], "l": {"m": 1}}})).unwrap(),
        "a%5Bk%5D%5B0%5D=x&a%5Bl%5D%5Bm%5D=1"
    );
    assert_eq!(query(json!({"k'": "it's&=+"})).unwrap(), "k%27=it%27s%26%3D%2B");
    assert_eq!(query(json!("a={b}&c=100%&d=%20#")).unwrap(), "a=%7Bb%7D&c=100%25&d=%20%23");
    assert_eq!(query(json!(null)).unwrap(), "");
    assert_eq!(query(json!([1])), Err("an array"));
}

/// The recorded queries of Guzzle; PHP's own spelling of scalars is left out (docs/porting-from-php.md).
#[test]
fn conformance_queries_equal_guzzles() {
    let Some(vectors) = Vectors::of("guzzle.query") else { return };
    let mut compared = 0;
    for vector in vectors.iter() {
        let (chain, value) = (&vector["input"]["chain"], &vector["input"]["query"]);
        let texts_only =
            value.is_object() && leaves(value).iter().all(|v| v.is_string() || v.is_i64() || v.is_null());
        let empty_list = |v: &Value| v.as_array().is_some_and(Vec::is_empty);
        if chain != "v3/x" || !texts_only || value.as_object().is_some_and(|m| m.values().any(empty_list)) {
            continue;
        }
        compared += 1;
        let mut query = Query::default();
        query.append(value).unwrap();
        let query = query.text;
        let target = if query.is_empty() { "/v3/x".to_owned() } else { format!("/v3/x?{query}") };
        assert_eq!(vector["output"], target);
    }
    println!("guzzle.query: {compared} compared and equal");
    assert!(compared > 0, "nothing was compared");
}

/// iri-string 0.7.14 panics on these by itself.
#[test]
fn reserved_expansions_and_prefixes_take_any_text() {
    let expanded = |template: &str, x: Value| expand_template(template, &[("x".to_owned(), x)]);
    assert_eq!(
        expanded("v3/{+x}", json!("中文/%2F😀 ")).as_deref(),
        Ok("v3/%E4%B8%AD%E6%96%87/%2F%F0%9F%98%80%20")
    );
    assert_eq!(expanded("v3/{+x*}", json!(["é", "a"])).as_deref(), Ok("v3/%C3%A9,a"));
    assert_eq!(expanded("v3/{x:2}/{x}", json!("粤B12345")).as_deref(), Ok("v3/%E7%B2%A4B/%E7%B2%A4B12345"));
    assert_eq!(expanded("v3/{+x:2}", json!("%2F/b")).as_deref(), Ok("v3/%2F/"));
    assert_eq!(expanded("v3{?x:1}", json!("中文")).as_deref(), Ok("v3?x=%E4%B8%AD"));
    assert_eq!(expanded("v3{&x:9}", json!("ab")).as_deref(), Ok("v3&x=ab"));
    for template in [
        "v3/{#中}",
        "v3/{中}",
        "v3/{+中,x}",
        "v3/{x}{é",
        "v3/{x,😀:3}",
        "{",
        "v3/{",
        "v3/{#",
        "v3/{#}",
        "v3/%中/{x}",
        "v3/{x}%2é",
        "v3/中{x}",
        "v3/{x}%",
        "v3/{x}%4",
        "v3/{x}%{x}",
        "v3/{%中}",
        "v3/{x%4é}",
    ] {
        let refused = expanded(template, json!("a"));
        assert!(matches!(refused, Err(PathError::Template { .. })), "{template}: {refused:?}");
    }
}

#[test]
fn a_whole_url_is_taken_as_it_is_or_refused() {
    for url in
        ["https://example.com/V3/Pay?Token=aB%2F", "HTTPS://example.com/x", "http://127.0.0.1:8080/x?a=b"]
    {
        assert_eq!(normalise(url).as_deref(), Ok(url));
    }
    for url in [
        "https://example.com/a\nb",
        "https://example.com/a\\b",
        "https://example.com/a b",
        "https://example.com/中",
    ] {
        assert!(matches!(normalise(url), Err(PathError::UnsafeCharacter { .. })), "{url}");
    }
    assert!(matches!(normalise("//evil.example/v3"), Err(PathError::EmptySegment { .. })));
    assert_eq!(normalise("v3/x?").as_deref(), Ok("v3/x"));
}

#[test]
fn a_prefix_is_1_to_9999() {
    for (length, fine) in [
        ("1", true),
        ("9999", true),
        ("0", false),
        ("00003", false),
        ("65536", false),
        ("10000", false),
        ("", false),
        ("x", false),
        ("-1", false),
    ] {
        let template = format!("v3/{{a:{length}}}");
        let expanded =
            normalise(&template).and_then(|t| expand_template(&t, &[("a".to_owned(), json!("b"))]));
        assert_eq!(expanded.is_ok(), fine, "{template}: {expanded:?}");
    }
}

/// Each is looked up once, in a table: with a search through all of them this is 400 million comparisons.
#[test]
fn twenty_thousand_variables() {
    const COUNT: usize = 20_000;
    let template: String = (0..COUNT).map(|at| format!("/{{v{at}}}")).collect();
    // All of them twice: the last value counts.
    let name = |at: usize| format!("v{}", at % COUNT);
    let vars: Vec<_> = (0..2 * COUNT).map(|at| (name(at), json!(at))).collect();
    let expected: String = (COUNT..2 * COUNT).map(|at| format!("/{at}")).collect();
    assert_eq!(expand(&template, &vars).unwrap(), expected);
    let one_more = [vars, vec![("v20000".to_owned(), json!(0))]].concat();
    assert_eq!(kind(&expand(&template, &one_more).unwrap_err()), "other");
    assert_eq!(kind(&expand(&template, &one_more[1..COUNT]).unwrap_err()), "missing variable");
}
