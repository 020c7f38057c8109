//! XML of APIv2: a flat element of texts, as PHP's `Transformer` reads and writes it (PROTOCOL-V2, XML out and XML in).
//!
//! Stricter than PHP where XML can say one thing in two ways: no DTD and no entity but the five of XML, no namespace, no
//! text beside elements, UTF-8 only. Such a document is an error, never a map with less in it.

use std::fmt;

use quick_xml::events::{BytesCData, BytesEnd, BytesRef, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use serde_json::{Map, Value};

/// Elements inside each other. The documented ones have two levels.
const MAX_DEPTH: usize = 16;
/// Elements of a document: with less than this, a document of 8 MiB takes little more memory than its text.
const MAX_ELEMENTS: usize = 100_000;

/// The root of requests and responses. The plain text of `req_info` has `root`.
pub(crate) const ROOT: &str = "xml";

/// Why a text is not XML of APIv2.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum XmlError {
    /// Not well-formed: the offset in bytes.
    Syntax(usize),
    /// Well-formed, but more than the platform writes; the reason ends a sentence "it has …".
    Unexpected(&'static str),
    TooDeep,
    TooManyElements,
    NotUtf8,
    /// The text ends before the root does, or has none.
    Incomplete,
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            XmlError::Syntax(offset) => write!(f, "it is not well-formed at byte {offset}"),
            XmlError::Unexpected(what) => write!(f, "it has {what}"),
            XmlError::TooDeep => write!(f, "it has elements deeper than {MAX_DEPTH}"),
            XmlError::TooManyElements => write!(f, "it has more than {MAX_ELEMENTS} elements"),
            XmlError::NotUtf8 => f.write_str("it is not UTF-8"),
            XmlError::Incomplete => f.write_str("it ends before its root does"),
        }
    }
}

/// Whether a body is meant to be XML: the bills are texts, and `getaccesstoken` responds in JSON.
pub(crate) fn looks_like_xml(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.trim_ascii_start().first() == Some(&b'<')
}

/// The elements below the root: texts; a map where there are elements inside, with attributes as `@attributes`; a list
/// where an element is repeated.
pub(crate) fn read(bytes: &[u8]) -> Result<Map<String, Value>, XmlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlError::NotUtf8)?;
    let mut document = Document::new(text);
    let root = loop {
        match document.next()? {
            Event::Start(tag) => break document.element(&tag, 1)?,
            Event::Empty(tag) => break with_attributes(&tag, Map::new())?,
            Event::Text(text) if is_blank(&text.xml10_content()) => {}
            Event::Comment(_) | Event::PI(_) => {}
            Event::Decl(declaration) => is_utf8(declaration.encoding().transpose())?,
            Event::DocType(_) => return Err(XmlError::Unexpected("a DTD")),
            Event::Eof => return Err(XmlError::Incomplete),
            _ => return Err(XmlError::Unexpected("text outside its root")),
        }
    };
    loop {
        match document.next()? {
            Event::Eof => break,
            Event::Comment(_) | Event::PI(_) => {}
            Event::Text(text) if is_blank(&text.xml10_content()) => {}
            _ => return Err(XmlError::Unexpected("more after its root")),
        }
    }
    match root {
        Value::Object(fields) => Ok(fields),
        Value::String(text) if is_blank(&text) => Ok(Map::new()),
        _ => Err(XmlError::Unexpected("a text in place of elements")),
    }
}

struct Document<'a> {
    reader: Reader<&'a [u8]>,
    elements: usize,
}

impl<'a> Document<'a> {
    fn new(text: &'a str) -> Document<'a> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_comments = true;
        Document { reader, elements: 0 }
    }

    fn next(&mut self) -> Result<Event<'a>, XmlError> {
        let event = self.reader.read_event().map_err(|_| self.syntax())?;
        if matches!(event, Event::Start(_) | Event::Empty(_)) {
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Err(XmlError::TooManyElements);
            }
        }
        Ok(event)
    }

    fn syntax(&self) -> XmlError {
        XmlError::Syntax(usize::try_from(self.reader.error_position()).unwrap_or(usize::MAX))
    }

    /// The value of the element whose start was read.
    fn element(&mut self, tag: &BytesStart<'a>, depth: usize) -> Result<Value, XmlError> {
        if depth > MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let mut fields = Map::new();
        // Blanks beside CDATA are indentation, which PHP drops, too: `text` is all, `inner` is without them.
        let (mut text, mut inner, mut has_cdata) = (String::new(), String::new(), false);
        loop {
            match self.next()? {
                Event::Start(inner) => {
                    let value = self.element(&inner, depth + 1)?;
                    add(&mut fields, name(&inner)?, value);
                }
                Event::Empty(inner) => {
                    with_attributes(&inner, Map::new())?;
                    add(&mut fields, name(&inner)?, Value::String(String::new()));
                }
                Event::Text(piece) => {
                    let piece = piece.xml10_content();
                    if piece.contains("]]>") {
                        return Err(self.syntax());
                    }
                    if !is_blank(&piece) {
                        inner.push_str(&piece);
                    }
                    text.push_str(&piece);
                }
                Event::CData(piece) => {
                    has_cdata = true;
                    let piece = piece.xml10_content();
                    inner.push_str(&piece);
                    text.push_str(&piece);
                }
                Event::GeneralRef(reference) => {
                    let character = self.character(&reference)?;
                    inner.push(character);
                    text.push(character);
                }
                Event::Comment(_) | Event::PI(_) => {}
                Event::End(_) => break,
                Event::DocType(_) | Event::Decl(_) => {
                    return Err(XmlError::Unexpected("a DTD inside its root"));
                }
                Event::Eof => return Err(XmlError::Incomplete),
            }
        }
        if has_cdata {
            text = inner;
        }
        if fields.is_empty() {
            // PHP, too, drops the attributes of an element that holds a text.
            let attributes = with_attributes(tag, fields)?;
            let keep = depth == 1 && is_blank(&text) && attributes.as_object().is_some_and(|a| !a.is_empty());
            return Ok(if keep { attributes } else { Value::String(text) });
        }
        if !is_blank(&text) {
            return Err(XmlError::Unexpected("text beside elements"));
        }
        with_attributes(tag, fields)
    }

    /// The character of `&amp;` or `&#20013;`.
    fn character(&self, reference: &BytesRef<'_>) -> Result<char, XmlError> {
        let found = match reference.resolve_char_ref() {
            Ok(Some(character)) => Some(character),
            Ok(None) => quick_xml::escape::resolve_xml_entity(reference).and_then(|text| text.chars().next()),
            Err(_) => None,
        };
        found
            .filter(|c| is_xml_char(*c))
            .ok_or(XmlError::Unexpected("an entity that is not one of XML's five"))
    }
}

fn add(fields: &mut Map<String, Value>, name: String, value: Value) {
    match fields.get_mut(&name) {
        None => {
            fields.insert(name, value);
        }
        Some(Value::Array(list)) => list.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

fn name(tag: &BytesStart<'_>) -> Result<String, XmlError> {
    let name =
        std::str::from_utf8(tag.name().into_inner().as_ref()).map_err(|_| XmlError::NotUtf8)?.to_owned();
    if name.contains(':') {
        return Err(XmlError::Unexpected("a namespace"));
    }
    is_name(&name).then_some(name).ok_or(XmlError::Unexpected("an element whose name is not one"))
}

/// `fields` with the attributes of the tag, which come first, as in PHP.
fn with_attributes(tag: &BytesStart<'_>, fields: Map<String, Value>) -> Result<Value, XmlError> {
    let mut attributes = Map::new();
    for attribute in tag.attributes() {
        let unexpected = XmlError::Unexpected("an attribute that is not one");
        let Ok(attribute) = attribute else { return Err(unexpected) };
        let Ok(name) = std::str::from_utf8(attribute.key.into_inner().as_ref()) else {
            return Err(unexpected);
        };
        if name.starts_with("xmlns") || name.contains(':') {
            return Err(XmlError::Unexpected("a namespace"));
        }
        let Ok(value) = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0) else {
            return Err(unexpected);
        };
        attributes.insert(name.to_owned(), Value::String(value.into_owned()));
    }
    if attributes.is_empty() {
        return Ok(Value::Object(fields));
    }
    let mut all = Map::from_iter([("@attributes".to_owned(), Value::Object(attributes))]);
    all.extend(fields);
    Ok(Value::Object(all))
}

fn is_utf8<T: AsRef<str>, E>(encoding: Result<Option<T>, E>) -> Result<(), XmlError> {
    match encoding {
        Ok(None) => Ok(()),
        Ok(Some(name)) if name.as_ref().eq_ignore_ascii_case("utf-8") => Ok(()),
        _ => Err(XmlError::Unexpected("another encoding than UTF-8")),
    }
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// A character that XML 1.0 can carry.
pub(crate) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// A name that PHP's SDK, too, accepts; for others it writes `item`.
pub(crate) fn is_name(name: &str) -> bool {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first && characters.all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// `fields` as the elements below `root`. The names must be [names](is_name), the texts of [XML's characters](is_xml_char).
pub(crate) fn write<'a>(root: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let mut write = |event: Event<'_>| {
        // A Vec takes whatever is written.
        let _ = writer.write_event(event);
    };
    write(Event::Start(BytesStart::new(root)));
    for (name, text) in fields {
        write(Event::Start(BytesStart::new(name)));
        for (index, piece) in text.split('\r').enumerate() {
            if index > 0 {
                // Written as it is, a reader would take it for a line feed, and the signature would not fit.
                write(Event::GeneralRef(BytesRef::new("#13")));
            }
            if piece.contains(['<', '>', '&', '"', '\'']) {
                BytesCData::escaped(piece).for_each(|piece| write(Event::CData(piece)));
            } else if !piece.is_empty() {
                write(Event::Text(BytesText::from_escaped(piece)));
            }
        }
        write(Event::End(BytesEnd::new(name)));
    }
    write(Event::End(BytesEnd::new(root)));
    writer.into_inner()
}
