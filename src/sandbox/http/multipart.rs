//! The parts of an upload. The signature of an upload covers its `meta` part.

/// The bytes of the part named `meta`, exactly as sent between its headers and the next boundary.
pub(crate) fn meta<'a>(content_type: &str, body: &'a [u8]) -> Result<&'a [u8], String> {
    part(content_type, body, "meta").map(|(_, content)| content)
}

/// The media type and the bytes of the part with this name.
pub(crate) fn file<'a>(
    content_type: &str,
    body: &'a [u8],
    name: &str,
) -> Result<(&'a str, &'a [u8]), String> {
    let (headers, content) = part(content_type, body, name)?;
    let content_type = std::str::from_utf8(headers).unwrap_or("").split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then_some(value.trim())
    });
    // A download returns it as a header.
    let content_type = content_type
        .filter(|value| !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    Ok((content_type.unwrap_or("application/octet-stream"), content))
}

/// An upload has two or three parts, and a form a part for each of its fields.
const MAX_PARTS: usize = 4_000;

/// A part of a form: its headers, and its bytes.
type Part<'a> = (&'a [u8], &'a [u8]);

/// A field of a form as a browser sends it: its name, the name of its file, its bytes.
pub(crate) struct FormField<'a> {
    pub(crate) name: String,
    pub(crate) filename: Option<String>,
    pub(crate) content: &'a [u8],
}

/// All parts of a form, in their order.
pub(crate) fn form<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<FormField<'a>>, String> {
    let field = |(headers, content): Part<'a>| {
        let value = |wanted| disposition(headers, wanted);
        Some(FormField { name: value("name")?, filename: value("filename"), content })
    };
    Ok(parts(content_type, body)?.into_iter().filter_map(field).collect())
}

/// The headers and the bytes of the part with this name.
fn part<'a>(content_type: &str, body: &'a [u8], wanted: &str) -> Result<Part<'a>, String> {
    let is_wanted = |(headers, _): &Part<'_>| disposition(headers, "name").as_deref() == Some(wanted);
    let mut named = parts(content_type, body)?.into_iter().filter(is_wanted);
    let found = named.next().ok_or_else(|| format!("there is no `{wanted}` part"))?;
    if named.next().is_some() {
        return Err(format!("there are two `{wanted}` parts"));
    }
    Ok(found)
}

fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let boundary = parameter(content_type, "boundary")
        .filter(|boundary| !boundary.is_empty())
        .or_else(|| boundary_of_body(body))
        .ok_or("the Content-Type has no boundary, and the body does not begin with one")?;
    let delimiter = format!("\r\n--{boundary}");
    let opens = body.strip_prefix(&delimiter.as_bytes()[2..]).filter(|rest| ends_delimiter(rest));
    let mut rest = match opens {
        Some(rest) => rest,
        None => cut(body, &delimiter).ok_or("the boundary does not occur in the body")?.1,
    };

    let mut found = Vec::new();
    while !rest.starts_with(b"--") {
        let line = find(rest, b"\r\n").ok_or("a boundary line does not end")?;
        rest = &rest[line..];
        let blank = find(rest, b"\r\n\r\n").ok_or("a part has no empty line after its headers")?;
        let headers = &rest[..blank];
        let (content, after) =
            cut(&rest[blank + 4..], &delimiter).ok_or("a part does not end with the boundary")?;
        if found.len() == MAX_PARTS {
            return Err(format!("too many parts (limit {MAX_PARTS})"));
        }
        found.push((headers, content));
        rest = after;
    }
    Ok(found)
}

/// What stands before and after the first delimiter. A file can contain bytes that begin like one.
fn cut<'a>(text: &'a [u8], delimiter: &str) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let at = from + find(&text[from..], delimiter.as_bytes())?;
        let rest = &text[at + delimiter.len()..];
        if ends_delimiter(rest) {
            return Some((&text[..at], rest));
        }
        from = at + delimiter.len();
    }
}

/// A delimiter is a whole line, or the last one with two more dashes. RFC 2046 allows blanks at its end.
fn ends_delimiter(rest: &[u8]) -> bool {
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    rest.starts_with(b"--") || rest[blanks..].starts_with(b"\r\n")
}

/// The value of a parameter, such as `name` of `form-data; name="meta"`. A quoted value can contain anything.
fn parameter<'a>(header: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = header.split_once(';')?.1;
    loop {
        let (name, value) = rest.split_once('=')?;
        // What has no value is skipped.
        let name = name.rsplit(';').next().unwrap_or(name).trim();
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_at(closing_quote(quoted)?),
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.trim_end());
        }
        rest = after.split_once(';')?.1;
    }
}

/// A backslash escapes the next character.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// Python's `wechatpayv3` sends `multipart/form-data` without a boundary: it is the first line of the body.
fn boundary_of_body(body: &[u8]) -> Option<&str> {
    let line = &body[..find(body, b"\r\n")?];
    let boundary = std::str::from_utf8(line).ok()?.strip_prefix("--")?.trim_end();
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// A parameter of the part's `Content-Disposition`.
fn disposition(headers: &[u8], wanted: &str) -> Option<String> {
    String::from_utf8_lossy(headers).split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let value = name.eq_ignore_ascii_case("content-disposition").then_some(value)?;
        parameter(value, wanted).map(str::to_owned)
    })
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    // Searches the first byte first: windows over a 32 MiB file take seconds in a debug build.
    let first = *pattern.first()?;
    let mut from = 0;
    while let Some(step) = text.get(from..)?.iter().position(|&byte| byte == first) {
        from += step;
        if text[from..].starts_with(pattern) {
            return Some(from);
        }
        from += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"b\"";

    #[test]
    fn the_meta_part_is_found_wherever_it_stands() {
        let meta_part =
            "Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{}\r\n";
        let file = "content-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n\r\n-\r\n\r\n\r\n";
        for body in [
            format!("--b\r\n{meta_part}--b\r\n{file}--b--\r\n"),
            format!("preamble\r\n--b\r\n{file}--b  \r\n{meta_part}--b--"),
        ] {
            assert_eq!(meta(TYPE, body.as_bytes()), Ok(&b"{}"[..]));
            // Without a boundary in the Content-Type, the first line has it.
            let found = meta("multipart/form-data", body.as_bytes());
            assert_eq!(found.is_ok(), body.starts_with("--b"), "{found:?}");
        }
    }

    #[test]
    fn quoted_parameters_and_files_contain_anything() {
        let file = |name: &str, content: &str| {
            format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{content}\r\n")
        };
        let meta_part = file("name=meta", "{}");
        for (name, content) in [
            ("name=\"file\"; filename=\"; name=meta\"", "x"),
            ("filename=\"a\\\"; name=\\\"meta\"; name=\"file\"", "x"),
            ("name=\"file\"", "\r\n--bb\r\n--b-\r\n--bc"),
            ("inline; name=\"file\"", "\r\n--bb--"),
            ("name=\"file\"", "--b--\n--b\r--b"),
        ] {
            for body in [meta_part.clone() + &file(name, content), file(name, content) + &meta_part] {
                let body = format!("{body}--b--");
                assert_eq!(meta(TYPE, body.as_bytes()), Ok(&b"{}"[..]), "{body}");
                let found = super::file(TYPE, body.as_bytes(), "file").unwrap();
                assert_eq!(found.1, content.as_bytes(), "{body}");
            }
        }
        let body = meta_part.replace("--b", "--x;y") + "--x;y--";
        for content_type in [
            "a/b; boundary=\"x;y\"",
            "a/b; charset=utf-8; Boundary=\"x;y\" ",
            "a/b",
            "a/b; boundary=",
            "a/b; x; boundary=\"x;y\"",
        ] {
            assert_eq!(meta(content_type, body.as_bytes()), Ok(&b"{}"[..]), "{content_type}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        for body in
            ["", "--b", "--b--", "--b\r\n", "--b\r\n\r\n\r\n--b", "--b\r\nContent-Disposition: x\r\n\r\n"]
        {
            assert!(meta(TYPE, body.as_bytes()).is_err(), "{body:?}");
        }
        assert!(meta("multipart/form-data", b"--b--").is_err());
        assert!(meta("multipart/form-data", b"x\r\n--b--").is_err());
    }
}
