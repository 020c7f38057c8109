//! Paths: which template a request's path fits, and the values in it.

/// The values of a template, by name, percent-decoded.
pub(super) type Vars = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `{name}`: one segment.
    One(String),
    /// `{+name}`: all that is left, one segment or more.
    Rest(String),
}

impl Template {
    /// With or without the slash in front.
    pub(super) fn parse(text: &str) -> Result<Template, String> {
        if text.contains(['?', '#']) {
            return Err("a template is a path: leave the query out".into());
        }
        let mut segments: Vec<Segment> = Vec::new();
        for part in text.strip_prefix('/').unwrap_or(text).split('/') {
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return Err("nothing can follow `{+…}`".into());
            }
            let name = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            let segment = match name {
                Some(name) => match name.strip_prefix('+') {
                    Some(rest) => Segment::Rest(rest.to_string()),
                    None => Segment::One(name.to_string()),
                },
                None => Segment::Literal(part.to_string()),
            };
            let name = name.unwrap_or(part).trim_start_matches('+');
            if name.is_empty() || name.contains(['{', '}']) {
                return Err(format!("`{part}` is neither a text nor one whole `{{variable}}`"));
            }
            segments.push(segment);
        }
        Ok(Template(segments))
    }

    /// Whether it has a variable of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|segment| match segment {
            Segment::Literal(_) => false,
            Segment::One(variable) | Segment::Rest(variable) => variable == name,
        })
    }

    /// The values, when the decoded segments fit. An empty segment fits no variable: it is what a missing
    /// value leaves behind.
    pub(super) fn fit(&self, path: &[String]) -> Option<Vars> {
        let mut vars = Vars::new();
        let mut left = path;
        for segment in &self.0 {
            let (first, rest) = left.split_first()?;
            left = rest;
            match segment {
                Segment::Literal(text) if text == first => {}
                Segment::One(name) if !first.is_empty() => vars.push((name.clone(), first.clone())),
                Segment::Rest(name) if !first.is_empty() => {
                    let all = [std::slice::from_ref(first), left].concat().join("/");
                    vars.push((name.clone(), all));
                    left = &[];
                }
                _ => return None,
            }
        }
        left.is_empty().then_some(vars)
    }
}

/// The decoded segments of a target's path. `None` when a `%` escape is broken or is no UTF-8.
pub(super) fn segments(target: &str) -> Option<Vec<String>> {
    let path = target.split('?').next().unwrap_or("");
    path.strip_prefix('/').unwrap_or(path).split('/').map(decode).collect()
}

/// The path without a base's prefix (`hk/`, `global/`): from the first `v3` on, near the front.
pub(super) fn without_prefix(path: &[String]) -> &[String] {
    match path.iter().take(3).position(|segment| segment == "v3") {
        Some(start) => &path[start..],
        None => path,
    }
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut left = segment.bytes();
    while let Some(byte) = left.next() {
        bytes.push(match byte {
            b'%' => hex(left.next()?)? * 16 + hex(left.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(template: &str, target: &str) -> Option<Vars> {
        Template::parse(template).unwrap().fit(&segments(target).unwrap())
    }

    #[test]
    fn values_are_decoded() {
        let plate = fit("/v3/vehicle/{plate}", "/v3/vehicle/%E7%B2%A4B12345?x=1").unwrap();
        assert_eq!(plate, [("plate".to_string(), "粤B12345".to_string())]);
        assert_eq!(fit("v3/{a}/b", "/v3/a%2Fb/b").unwrap()[0].1, "a/b");
        assert_eq!(fit("v3/{+a}", "/v3/x/y%20z").unwrap()[0].1, "x/y z");
        assert_eq!(fit("v3/{a}", "/v3/a+b").unwrap()[0].1, "a+b");
    }

    #[test]
    fn what_does_not_fit() {
        for (template, target) in [
            ("v3/{a}", "/v3/"),
            ("v3/{a}", "/v3"),
            ("v3/{a}", "/v3/a/b"),
            ("v3/{+a}", "/v3/"),
            ("v3/a", "/v3/A"),
        ] {
            assert_eq!(fit(template, target), None, "{template} {target}");
        }
        assert_eq!(segments("/v3/%zz"), None);
        assert_eq!(segments("/v3/%e"), None);
        assert_eq!(segments("/v3/%FF"), None);
    }

    #[test]
    fn templates_that_are_none() {
        for text in ["", "/", "v3//x", "v3/{}", "v3/{+}", "v3/{a}.json", "v3/{+a}/b", "v3/a?b=c"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
