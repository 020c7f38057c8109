//! Slashes at the end, literal paths, and the time that long inputs take.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

fn chain(parts: &[&str]) -> String {
    parts.iter().try_fold(String::new(), |path, part| join(&path, &normalise(part)?)).unwrap()
}

#[test]
fn a_slash_at_the_end_is_kept_and_joined_as_one() {
    for (parts, path) in [
        (&["v3/ecommerce/applyments/"][..], "v3/ecommerce/applyments/"),
        (&["/v3/ecommerce/applyments/"], "v3/ecommerce/applyments/"),
        (&["v3", "ecommerce/", "applyments/"], "v3/ecommerce/applyments/"),
        (&["v3/ecommerce/applyments/", "outRequestNo/"], "v3/ecommerce/applyments/out-request-no/"),
        (&["v3/ecommerce/applyments/", "/{id}"], "v3/ecommerce/applyments/{id}"),
        (&["v3/ecommerce/applyments", "/"], "v3/ecommerce/applyments/"),
        (&["v3/ecommerce/applyments/", "/"], "v3/ecommerce/applyments/"),
        (&["v3/ecommerce/applyments", "/?a=1"], "v3/ecommerce/applyments/?a=1"),
        (&["/", "v3"], "v3"),
        (&["v3/x/?a=/"], "v3/x/?a=/"),
        (&["v3/x/", ""], "v3/x/"),
        (&["https://api.mch.weixin.qq.com/", "/v3/x/"], "https://api.mch.weixin.qq.com/v3/x/"),
        (&["https://api.mch.weixin.qq.com/v3/x/"], "https://api.mch.weixin.qq.com/v3/x/"),
    ] {
        assert_eq!(chain(parts), path, "{parts:?}");
        let values = [("id".to_owned(), json!("1"))];
        let vars = if path.contains('{') { &values[..] } else { &[] };
        assert_eq!(expand(path, vars).unwrap(), path.replace("{id}", "1"), "{parts:?}");
    }
    assert_eq!(normalise_one("applyments/").as_deref(), Ok("applyments/"));
    assert_eq!(normalise_one("{no}/").as_deref(), Ok("{no}/"));
    assert_eq!(normalise_one("{a/b}").as_deref(), Ok("{a/b}"), "the template's parser refuses it");
    for segment in ["/", "//", "", "x//", "/x", "x/y/"] {
        let refused = normalise_one(segment);
        let expected =
            matches!(refused, Err(PathError::EmptySegment { .. } | PathError::SlashInSegment { .. }));
        assert!(expected, "{segment:?}: {refused:?}");
    }
}

#[test]
fn an_empty_segment_in_the_middle_or_no_path_is_refused() {
    for path in ["v3//x", "v3/x//", "//", "//v3", "v3/orders//close", "v3/x//?a=1"] {
        assert!(matches!(normalise(path), Err(PathError::EmptySegment { .. })), "{path}");
    }
    for path in ["", "/", "/?a=1"] {
        let template = normalise(path).unwrap();
        assert!(matches!(expand(&template, &[]), Err(PathError::EmptySegment { .. })), "{path}");
    }
}

#[test]
fn a_literal_path_keeps_its_capitals_or_is_refused() {
    for (path, template) in [
        ("v3/mch/addSubMch", "v3/mch/addSubMch"),
        ("v3/refunds/testOrder1/", "v3/refunds/testOrder1/"),
        ("/v3/{outTradeNo}/Close?Token=aB", "v3/{outTradeNo}/Close?Token=aB"),
        ("https://api.mch.weixin.qq.com/V3/X", "https://api.mch.weixin.qq.com/V3/X"),
    ] {
        assert_eq!(normalise_literal(path).as_deref(), Ok(template));
    }
    for value in ["v3/x/P12345", "v3/oUpF8uMuAJO_M2pxb1Q9zNjWeS6o/x"] {
        assert!(matches!(normalise_literal(value), Err(PathError::ValueAsSegment { .. })), "{value}");
    }
}

#[test]
fn the_names_of_variables() {
    let names: Vec<_> = variable_names("v3/{a}/{+rest,b:3}{?q*,c}{/d}").collect();
    assert_eq!(names, ["a", "rest", "b", "q", "c", "d"]);
    assert_eq!(variable_names("v3/x{a/b").count(), 0);
}

/// Each takes milliseconds when it is read once, and minutes when every part reads all others.
#[test]
fn a_long_path_takes_linear_time() {
    const COUNT: usize = 200_000;
    let value = Value::String("1".to_owned());
    let names = || (0..COUNT / 10).map(|at| format!("v{at}"));
    let vars: Vec<_> = names().map(|name| (name, value.clone())).collect();
    let list = names().collect::<Vec<_>>().join(",");
    let repeat = |text: &str| text.repeat(COUNT);
    let inputs: Vec<String> = vec![
        ["v3/x?", &repeat("{a")].concat(),
        ["v3/x?", &repeat("{a"), "}"].concat(),
        ["v3/x?", &repeat("{a}")].concat(),
        ["v3/x?", &repeat("%4")].concat(),
        ["v3/x?", &repeat("a=%41&")].concat(),
        ["v3/", &repeat("{a")].concat(),
        ["v3/", &repeat("{a}")].concat(),
        ["v3", &repeat("/{a}")].concat(),
        ["v3", &repeat("/a")].concat(),
        ["v3", &repeat("/_a_")].concat(),
        ["v3/", &repeat("aB1")].concat(),
        ["v3/", &repeat("aB")].concat(),
        ["v3/", &repeat("%41")].concat(),
        ["v3/", &repeat("{a:9}")].concat(),
        ["v3/{", &repeat("a,"), "a}"].concat(),
        ["v3/{", &list, "}"].concat(),
        ["v3/x{?", &list, "}"].concat(),
        ["v3/{+", &list, "}"].concat(),
        ["https://x/", &repeat("{a}")].concat(),
        repeat("/"),
        repeat("?"),
        repeat("{"),
        repeat("}"),
        repeat("."),
        ["v3/", &repeat("./.")].concat(),
        ["v3/", &repeat("%2e%2e")].concat(),
    ];
    for input in &inputs {
        let start = Instant::now();
        let template = normalise(input).and_then(|template| join("v3", &template));
        if let Ok(template) = template {
            let vars: Vec<_> = match input.contains("v1,") {
                true => vars.clone(),
                false => vec![("a".to_owned(), value.clone())],
            };
            let _ = expand(&template, &vars).map(drop);
            let _ = variable_names(&template).count();
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(10), "{:?}…: {took:?}", &input[..20]);
    }
}

/// A short template or query with one long value or name could take any amount of memory.
#[test]
fn what_is_expanded_is_bounded() {
    let long = "x".repeat(100_000);
    let vars = [("a".to_owned(), json!(long)), ("l".to_owned(), json!([long, long]))];
    for template in [
        ["v3/", &"{a}{l}".repeat(20_000)].concat(),
        ["v3/{", &"a,".repeat(20_000), "l}"].concat(),
        ["v3/{+a}{+", &"l,".repeat(20_000), "l*}"].concat(),
        ["v3/x{?l*}{?", &"a,".repeat(20_000), "a}"].concat(),
        ["v3/{a}{l*}{?", &"a:9999,".repeat(20_000), "a}"].concat(),
    ] {
        let start = Instant::now();
        let Err(PathError::Url { reason, .. }) = expand(&template, &vars) else { panic!("not too long") };
        assert!(reason.contains("too long") && start.elapsed() < Duration::from_secs(10), "{reason}");
    }
    let query = |value: Value| {
        let mut query = Query::default();
        query.append(&value).map(|()| query.text.len())
    };
    assert_eq!(query(json!({&long: vec![1; 50_000]})), Err("an object that is too long for a URL"));
    assert_eq!(
        query(json!({"a": {&long: {"b": vec![1; 50_000]}}})),
        Err("an object that is too long for a URL")
    );
    assert_eq!(query(json!({&long: "1"})), Ok(100_002));
    assert_eq!(query(json!({&long: [vec![Value::Null; 50_000]]})), Ok(0));
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
    assert!(query(nested(128)).is_ok());
    assert_eq!(query(nested(1_000)), Err("an object that is nested too deep"));
}
