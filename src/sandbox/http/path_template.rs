//! Path templates: whether a request's path matches, and the values of its variables.

use crate::error::Excerpt;

/// The values of a template, by name, percent-decoded.
pub(crate) type Vars = Vec<(String, String)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathTemplate(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `{name}`: one segment.
    One(String),
    /// `{+name}`: the rest of the path, one segment or more.
    Rest(String),
}

impl PathTemplate {
    /// With or without the leading slash. A slash at the end belongs to the path: some documented paths have it.
    pub(crate) fn parse(text: &str) -> Result<PathTemplate, String> {
        if text.contains(['?', '#']) {
            return Err("remove the query: a template is a path only".into());
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut parts = text.strip_prefix('/').unwrap_or(text).split('/').peekable();
        while let Some(part) = parts.next() {
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return Err("`{+…}` must be the last segment".into());
            }
            if part.is_empty() && parts.peek().is_none() && !segments.is_empty() {
                segments.push(Segment::Literal(String::new()));
                break;
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
                return Err(format!("{} is neither plain text nor a whole `{{variable}}`", Excerpt(part)));
            }
            segments.push(segment);
        }
        Ok(PathTemplate(segments))
    }

    pub(crate) fn has_variable(&self, name: &str) -> bool {
        self.0.iter().any(|segment| match segment {
            Segment::Literal(_) => false,
            Segment::One(variable) | Segment::Rest(variable) => variable == name,
        })
    }

    /// The values of the variables, if the decoded segments match. An empty segment matches no variable: a client
    /// produces one when a value is missing.
    pub(crate) fn matches(&self, path: &[String]) -> Option<Vars> {
        let mut vars = Vars::new();
        let mut remaining = path;
        for segment in &self.0 {
            let (first, rest) = remaining.split_first()?;
            remaining = rest;
            match segment {
                Segment::Literal(text) if text == first => {}
                Segment::One(name) if !first.is_empty() => vars.push((name.clone(), first.clone())),
                Segment::Rest(name) if !first.is_empty() => {
                    let all = [std::slice::from_ref(first), remaining].concat().join("/");
                    vars.push((name.clone(), all));
                    remaining = &[];
                }
                _ => return None,
            }
        }
        remaining.is_empty().then_some(vars)
    }
}

impl PathTemplate {
    /// The values of the variables, if the path matches with the path of a base URL or without.
    pub(crate) fn matches_below_base(&self, path: &[String]) -> Option<Vars> {
        self.matches(path).or_else(|| self.matches(strip_base_path(path)))
    }
}

/// The decoded segments of a target's path. `None` if a `%` escape is malformed or not UTF-8.
pub(crate) fn decode_segments(target: &str) -> Option<Vec<String>> {
    let path = target.split('?').next().unwrap_or("");
    path.strip_prefix('/').unwrap_or(path).split('/').map(decode).collect()
}

/// Removes the path of a base URL (`hk/`, `global/`): the path starts at the first `v3` of its first three segments.
pub(crate) fn strip_base_path(path: &[String]) -> &[String] {
    match path.iter().take(3).position(|segment| segment == "v3") {
        // `//v3` comes from a base URL and a path with a slash each: it is another path.
        Some(start) if path[..start].iter().all(|segment| !segment.is_empty()) => &path[start..],
        _ => path,
    }
}

fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? * 16 + hex(rest.next()?)?,
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

    fn matches(template: &str, target: &str) -> Option<Vars> {
        PathTemplate::parse(template).unwrap().matches(&decode_segments(target).unwrap())
    }

    #[test]
    fn values_are_decoded() {
        let plate = matches("/v3/vehicle/{plate}", "/v3/vehicle/%E7%B2%A4B12345?x=1").unwrap();
        assert_eq!(plate, [("plate".to_string(), "粤B12345".to_string())]);
        assert_eq!(matches("v3/{a}/b", "/v3/a%2Fb/b").unwrap()[0].1, "a/b");
        assert_eq!(matches("v3/{+a}", "/v3/x/y%20z").unwrap()[0].1, "x/y z");
        assert_eq!(matches("v3/{a}", "/v3/a+b").unwrap()[0].1, "a+b");
    }

    #[test]
    fn paths_that_do_not_match() {
        for (template, target) in [
            ("v3/{a}", "/v3/"),
            ("v3/{a}", "/v3"),
            ("v3/{a}", "/v3/a/b"),
            ("v3/{+a}", "/v3/"),
            ("v3/a", "/v3/A"),
            ("v3/a/", "/v3/a"),
            ("v3/a", "/v3/a/"),
            ("v3/a/", "/v3/a//"),
        ] {
            assert_eq!(matches(template, target), None, "{template} {target}");
        }
        assert_eq!(decode_segments("/v3/%zz"), None);
        assert_eq!(decode_segments("/v3/%e"), None);
        assert_eq!(decode_segments("/v3/%FF"), None);
    }

    #[test]
    fn invalid_templates() {
        assert_eq!(matches("v3/{a}/", "/v3/x/").unwrap()[0].1, "x");
        for text in [
            "",
            "/",
            "v3//x",
            "v3/x//",
            "v3/{+a}/",
            "v3/{}",
            "v3/{+}",
            "v3/{a}.json",
            "v3/{+a}/b",
            "v3/a?b=c",
        ] {
            assert!(PathTemplate::parse(text).is_err(), "{text}");
        }
    }
}
