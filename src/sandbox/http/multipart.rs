//! The parts of an upload. The signature of an upload covers its `meta` part.

/// The bytes of the part named `meta`, exactly as sent between its headers and the next boundary.
pub(crate) fn meta<'a>(content_type: &str, body: &'a [u8]) -> Result<&'a [u8], String> {
    part(content_type, body, "meta").map(|(_, content)| content)
}

/// The media type and the bytes of the part named `file`.
pub(crate) fn file<'a>(content_type: &str, body: &'a [u8]) -> Result<(&'a str, &'a [u8]), String> {
    let (headers, content) = part(content_type, body, "file")?;
    let content_type = std::str::from_utf8(headers).unwrap_or("").split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type").then_some(value.trim())
    });
    // A download returns it as a header.
    let content_type = content_type
        .filter(|value| !value.is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    Ok((content_type.unwrap_or("application/octet-stream"), content))
}

/// The headers and the bytes of the part with this name.
fn part<'a>(content_type: &str, body: &'a [u8], wanted: &str) -> Result<(&'a [u8], &'a [u8]), String> {
    let boundary = boundary(content_type)
        .or_else(|| boundary_of_body(body))
        .ok_or("the Content-Type has no boundary, and the body does not begin with one")?;
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let start = if body.starts_with(opening.as_bytes()) {
        opening.len()
    } else {
        find(body, between.as_bytes()).ok_or("the boundary does not occur in the body")? + between.len()
    };

    let mut rest = &body[start..];
    let mut found = None;
    while !rest.starts_with(b"--") {
        // RFC 2046 allows blanks between the boundary and the end of its line.
        let line = find(rest, b"\r\n").ok_or("a boundary line does not end")?;
        rest = &rest[line..];
        let blank = find(rest, b"\r\n\r\n").ok_or("a part has no empty line after its headers")?;
        let (headers, content) = (&rest[..blank], &rest[blank + 4..]);
        let end = find(content, between.as_bytes()).ok_or("a part does not end with the boundary")?;
        if is_named(headers, wanted) && found.replace((headers, &content[..end])).is_some() {
            return Err(format!("there are two `{wanted}` parts"));
        }
        rest = &content[end + between.len()..];
    }
    found.ok_or_else(|| format!("there is no `{wanted}` part"))
}

fn boundary(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        (name.eq_ignore_ascii_case("boundary") && !value.is_empty()).then_some(value)
    })
}

/// Python's `wechatpayv3` sends `multipart/form-data` without a boundary: it is the first line of the body.
fn boundary_of_body(body: &[u8]) -> Option<&str> {
    let line = &body[..find(body, b"\r\n")?];
    let boundary = std::str::from_utf8(line).ok()?.strip_prefix("--")?.trim_end();
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

fn is_named(headers: &[u8], wanted: &str) -> bool {
    let (quoted, bare) = (format!("name=\"{wanted}\""), format!("name={wanted}"));
    String::from_utf8_lossy(headers).split("\r\n").any(|line| {
        let Some((name, value)) = line.split_once(':') else { return false };
        name.eq_ignore_ascii_case("content-disposition")
            && value.split(';').any(|part| part.trim() == quoted || part.trim() == bare)
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
