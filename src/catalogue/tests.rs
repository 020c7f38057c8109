//! The form of the data, and what is found in it.

use super::*;

#[test]
fn every_record_has_the_form_that_the_code_reads() {
    let types = ["string", "integer", "number", "boolean", "object", "file", "json"];
    let marks = [
        "min",
        "max",
        "range",
        "items",
        "format",
        "default",
        "encrypted",
        "with-encrypted",
        "automatic",
        "alternatives",
        "unlisted",
        "variant",
    ];
    let mut fields = 0;
    let mut check = |all: Fields, place: &str| {
        fn walk(all: Fields, place: &str, see: &mut impl FnMut(Field, &str)) {
            let mut names = std::collections::HashSet::new();
            for field in all.iter() {
                let place = format!("{place}/{}", field.name());
                assert!(names.insert(field.name()), "{place} stands twice");
                see(field, &place);
                walk(field.fields(), &place, see);
            }
        }
        walk(all, place, &mut |field, place| {
            fields += 1;
            assert!(
                types.contains(&field.type_name().trim_end_matches("[]")),
                "{place}: {}",
                field.type_name()
            );
            for mark in field.marks() {
                let (name, value) = mark.split_once('=').unwrap_or((mark, "-"));
                assert!(marks.contains(&name) && !value.is_empty(), "{place}: {mark}");
            }
            let has_fields = matches!(field.field_type(), FieldType::Object | FieldType::Json);
            assert!(
                field.fields().is_empty()
                    || has_fields
                    || matches!(field.format(), Some("urlencoded" | "ciphertext")),
                "{place}"
            );
        });
    };
    for operation in Catalogue::operations() {
        let place = format!("{} {}", operation.verb(), operation.template());
        for (name, all) in operation.sections() {
            check(all, &format!("{place} {name}"));
        }
    }
    for notification in Catalogue::notifications() {
        check(notification.resource(), notification.event());
        check(notification.body(), notification.event());
    }
    // The facts that were gathered: 617 + 852 + 125 + 76 + 9,781 + 16,187 of operations, and the notifications'.
    assert!(fields > 27_638, "{fields}");
}

#[test]
fn every_operation_is_found_by_its_template_and_by_values() {
    assert_eq!(Catalogue::operations().len(), 1_156);
    assert_eq!(Catalogue::notifications().len(), 112);
    for operation in Catalogue::operations() {
        let (verb, template) = (operation.verb(), operation.template());
        let same = |found: Option<Operation>| {
            let found = found.map(|found| (found.verb(), found.template(), found.base()));
            assert_eq!(found, Some((verb, template, operation.base())), "{verb} {template}");
        };
        same(Catalogue::find_at(operation.base(), verb, template));
        same(Catalogue::find(&verb.to_lowercase(), &format!("{}{template}?a=b", operation.base())));
        let expanded: Vec<&str> = template
            .split('/')
            .map(
                |segment| {
                    if segment.starts_with('{') { "P123/4".split('/').next().unwrap() } else { segment }
                },
            )
            .collect();
        let found = Catalogue::find_at(operation.base(), verb, &expanded.join("/")).unwrap();
        let same_shape = ["institutionsub}", "applyment/{"].iter().any(|part| template.contains(part));
        assert!(found.template() == template || same_shape, "{template}: {}", found.template());
        assert!(!operation.title().is_empty(), "{verb} {template}");
        let variables: Vec<&str> = template
            .split('/')
            .filter_map(|s| s.strip_prefix('{'))
            .map(|s| s.trim_end_matches('}'))
            .collect();
        let known: Vec<&str> = operation.path_variables().iter().map(|field| field.name()).collect();
        assert!(
            variables.iter().all(|name| known.contains(name)),
            "{verb} {template}: {variables:?}, {known:?}"
        );
        for successor in operation.successors() {
            let (verb, path) = successor.split_once(' ').unwrap_or(("", successor));
            assert!(
                Catalogue::at(path).iter().any(|o| verb.is_empty() || o.verb() == verb),
                "{template}: {successor}"
            );
        }
        for either in operation.either_or() {
            let (first, object) = either.place().split_once('.').unwrap_or((either.place(), ""));
            let mut fields = operation.sections().find(|(name, _)| *name == first).unwrap().1;
            if !object.is_empty() {
                fields = fields.get(object).unwrap().fields();
            }
            assert!(either.names().all(|name| fields.get(name).is_some()), "{template}: {either:?}");
        }
    }
}

#[test]
fn templates_of_one_shape_are_told_apart() {
    let template = |path| Catalogue::find("POST", path).map(|operation| operation.template());
    assert_eq!(template("v2/secapi/mch/queryInstitutionsub"), Some("v2/secapi/mch/{queryinstitutionsub}"));
    assert_eq!(template("v2/secapi/mch/addInstitutionsub"), Some("v2/secapi/mch/{addinstitutionsub}"));
    let by_code = "v3/apply4subject/applyment/{business_code}/cancel";
    assert_eq!(template(by_code), Some(by_code));
    let hong_kong = Catalogue::find("GET", "https://api.mch.weixin.qq.com/hk/v3/certificates").unwrap();
    assert_eq!(hong_kong.base(), "https://api.mch.weixin.qq.com/hk/");
    assert_eq!(Catalogue::find("GET", "v3/certificates").unwrap().base(), "https://api.mch.weixin.qq.com/");
}

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

#[test]
fn a_slip_of_the_fingers_is_found_out() {
    let mut edits = Edits(20_261_128);
    let (mut first, mut all, mut unknown) = (0, 0, Vec::new());
    let templates: std::collections::BTreeSet<_> = Catalogue::operations().map(|o| o.template()).collect();
    assert_eq!(templates.len(), 1_072);
    let per_template = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 20 } else { 2 };
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

/// What PHP makes of the line that is shown is the template.
#[test]
fn a_chain_that_is_shown_leads_to_its_template() {
    let mut shown = 0;
    for operation in Catalogue::operations() {
        let Some(line) = operation.example(Spelling::PhpLine, Include::Required) else { continue };
        let chain = line.split(')').next().unwrap().trim_start_matches("chain!(wx->").replace("->", "/");
        assert_eq!(crate::path::normalise(&chain).unwrap(), operation.template());
        shown += 1;
    }
    assert!(shown > 1_080, "{shown}");
}

/// Every call of both SDKs that was recorded from the documents' samples is found, and gives no hint that is wrong.
#[test]
fn conformance_of_recorded_calls() {
    let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE") else { return };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("calls.jsonl")).unwrap();
    let (mut calls, mut hints) = (0, std::collections::BTreeMap::<String, Vec<String>>::new());
    for line in text.lines() {
        let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(url) = recorded["expect"]["url"].as_str() else { continue };
        let url = url::Url::parse(url).unwrap();
        let (verb, template) = (recorded["verb"].as_str().unwrap(), recorded["template"].as_str().unwrap());
        if template.starts_with("http") {
            continue;
        }
        calls += 1;
        let known = template.replace("{empty}", "");
        let operation = Catalogue::at(&known).into_iter().find(|o| o.verb() == verb && o.template() == known);
        let line = operation.and_then(|operation| operation.example(Spelling::PhpLine, Include::Required));
        if let (Some(line), Some(pure)) = (line, recorded["chain"]["pure"].as_array())
            && recorded["sdk"] == "php"
            && !template.contains("nstitutionsub")
        {
            let pure: Vec<_> = pure.iter().map(|name| name.as_str().unwrap()).collect();
            assert!(line.starts_with(&format!("chain!(wx->{})", pure.join("->"))), "{line}: {pure:?}");
        }
        let host = format!("{}/", &url[..url::Position::BeforePath]);
        let prefix = url.path().split_once("v3/").map_or("", |(prefix, _)| prefix.trim_start_matches('/'));
        let base = format!("{host}{prefix}{}", template.replace("{empty}", ""));
        let query: Vec<(String, String)> = url.query_pairs().map(|(n, v)| (n.into(), v.into())).collect();
        let xml = recorded["options"]
            .get("xml")
            .or_else(|| recorded.get("data").filter(|_| recorded["api"] == "v2"));
        let body = recorded["expect"].get("json").or(xml).filter(|body| !body.is_null());
        let call = check::Call { verb, url: &base, query: &query, body };
        for hint in call.hints() {
            let kind = match &hint {
                Hint::Field(FieldHint { problem, .. }) => {
                    format!("{problem:?}").split([' ', '(', '{']).next().unwrap().to_owned()
                }
                other => format!("{other:?}").split([' ', '{']).next().unwrap().to_owned(),
            };
            let shown = format!("{} {verb} {template}: {hint}", recorded["sdk"].as_str().unwrap());
            hints.entry(kind).or_default().push(shown);
        }
    }
    for (kind, list) in &hints {
        println!("{kind}: {} of {calls} calls", list.len());
        list.iter().take(400).for_each(|hint| println!("  {hint}"));
    }
}
