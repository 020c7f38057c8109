//! Fields of a request or a response: a tree that is read from the text as it is walked.

/// The fields of an object, in the order of the documents.
///
/// ```
/// use wechatpay_chain::catalogue::{Catalogue, FieldType};
///
/// let refund = Catalogue::find("POST", "v3/refund/domestic/refunds").ok_or("not documented")?;
/// let amount = refund.body().get("amount").ok_or("no amount")?;
/// assert!(amount.is_required());
/// assert_eq!(amount.fields().get("total").map(|field| field.field_type()), Some(FieldType::Integer));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    /// Lines that begin with `depth` spaces, and deeper ones.
    text: &'static str,
    depth: usize,
}

impl Fields {
    pub(super) const NONE: Fields = Fields { text: "", depth: 0 };

    pub(super) fn new(text: &'static str, depth: usize) -> Fields {
        Fields { text, depth }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The fields.
    pub fn iter(&self) -> impl Iterator<Item = Field> + use<> {
        let Fields { mut text, depth } = *self;
        std::iter::from_fn(move || {
            let (line, rest) = next_line(text)?;
            let mut children = rest;
            while let Some((line, below)) = next_line(children)
                && line.len() - line.trim_start().len() > depth
            {
                children = below;
            }
            let (own, tail) = rest.split_at(rest.len() - children.len());
            text = tail;
            Some(Field { line: line.trim_start(), fields: Fields::new(own, depth + 1) })
        })
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<Field> {
        self.iter().find(|field| field.name() == name)
    }
}

fn next_line(text: &'static str) -> Option<(&'static str, &'static str)> {
    match text.split_once('\n') {
        Some(parts) => Some(parts),
        None if text.is_empty() => None,
        None => Some((text, "")),
    }
}

/// One field: its name, type, limits and marks. What the documents do not say is `None` or `false`.
///
/// ```
/// use wechatpay_chain::catalogue::{Catalogue, EncryptedFor};
///
/// let add = Catalogue::find("POST", "v3/profitsharing/receivers/add").ok_or("not documented")?;
/// let field = |name| add.body().get(name).ok_or("no such field");
/// assert_eq!(field("name")?.encrypted_for(), Some(EncryptedFor::Platform));
/// assert!(field("relation_type")?.values().any(|value| value == "STORE"));
/// let currency = Catalogue::find("POST", "v3/refund/domestic/refunds").and_then(|refund| refund.body().get("amount"));
/// assert!(currency.and_then(|amount| amount.fields().get("currency")).is_some_and(|field| field.is_required()));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// `NAME[!|?] TYPE[[]] [MARK | KEY=VALUE]… [enum=A|B|C]`
    line: &'static str,
    fields: Fields,
}

/// The JSON type of a field, or of the elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldType {
    /// A string.
    String,
    /// A whole number.
    Integer,
    /// A number; nearly always a whole one.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An object; [`Field::fields`] has its members.
    Object,
    /// The file of an upload.
    File,
    /// A string that holds JSON, of the shape of [`Field::fields`].
    Json,
}

/// For whose key a field is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncryptedFor {
    /// The platform's key: a request ([`Request::encrypt`](crate::Request::encrypt)).
    Platform,
    /// The merchant's key: a response ([`Response::decrypt`](crate::Response::decrypt)).
    Merchant,
    /// The key of APIv2's bank transfers.
    Bank,
}

impl Field {
    /// The name. `$n` and `$m` in a name of APIv2 are numbers, counted from 0.
    pub fn name(&self) -> &'static str {
        self.head().trim_end_matches(['!', '?'])
    }

    fn head(&self) -> &'static str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// All documents call it required. About 6 % of these marks are stricter than the platform, and a quarter of those
    /// below the top level.
    pub fn is_required(&self) -> bool {
        self.head().ends_with('!')
    }

    /// Some documents call it required, others do not.
    pub fn is_perhaps_required(&self) -> bool {
        self.head().ends_with('?')
    }

    /// Its type; of a list, that of the elements.
    pub fn field_type(&self) -> FieldType {
        match self.type_name().trim_end_matches("[]") {
            "integer" => FieldType::Integer,
            "number" => FieldType::Number,
            "boolean" => FieldType::Boolean,
            "object" => FieldType::Object,
            "file" => FieldType::File,
            "json" => FieldType::Json,
            _ => FieldType::String,
        }
    }

    /// Its type in words: `string`, `object[]` …
    pub fn type_name(&self) -> &'static str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.type_name().ends_with("[]")
    }

    /// The members of the object, or of each element of the list.
    pub fn fields(&self) -> Fields {
        self.fields
    }

    /// The values that the documents list. The list is often incomplete.
    pub fn values(&self) -> impl Iterator<Item = &'static str> + use<> {
        let list = self.line.split_once(" enum=").map(|(_, list)| list);
        list.into_iter().flat_map(|list| list.split('|'))
    }

    /// The least length, in characters.
    pub fn min_length(&self) -> Option<usize> {
        self.mark("min").and_then(|value| value.parse().ok())
    }

    /// The greatest length, in characters.
    pub fn max_length(&self) -> Option<usize> {
        self.mark("max").and_then(|value| value.parse().ok())
    }

    /// The least and the greatest number.
    pub fn range(&self) -> (Option<i64>, Option<i64>) {
        let (low, high) = self.mark("range").and_then(|range| range.split_once("..")).unwrap_or_default();
        (low.parse().ok(), high.parse().ok())
    }

    /// The greatest number of elements of a list.
    pub fn max_items(&self) -> Option<usize> {
        self.mark("items").and_then(|value| value.parse().ok())
    }

    /// The form of a string: `rfc3339`, `date`, `url`, `MediaId`, `digits`, `base64` …
    pub fn format(&self) -> Option<&'static str> {
        self.mark("format")
    }

    /// The value that the platform takes for a field that is left out.
    pub fn default_value(&self) -> Option<&'static str> {
        self.mark("default")
    }

    /// For whose key its value is encrypted.
    pub fn encrypted_for(&self) -> Option<EncryptedFor> {
        match self.mark("encrypted")? {
            "merchant" => Some(EncryptedFor::Merchant),
            "bank" => Some(EncryptedFor::Bank),
            _ => Some(EncryptedFor::Platform),
        }
    }

    /// A header that is needed only beside an encrypted field.
    pub fn is_needed_with_encrypted(&self) -> bool {
        self.mark("with-encrypted").is_some()
    }

    /// Whether the client fills it in itself: `sign` and `nonce_str` of APIv2.
    pub fn is_automatic(&self) -> bool {
        self.mark("automatic").is_some()
    }

    /// Whether it has one of several shapes: [`fields`](Self::fields) are those of all of them.
    pub fn has_alternatives(&self) -> bool {
        self.mark("alternatives").is_some()
    }

    /// Whether the present documents list it. Others are from older documents or from the platform's own SDK.
    pub fn is_listed(&self) -> bool {
        self.mark("unlisted").is_none()
    }

    /// The variants of a notification that have it: `merchant`, `partner` (a service provider's), `combined` (合单),
    /// `parking`, `global`. None: all of them.
    pub fn variants(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.mark("variant").into_iter().flat_map(|list| list.split(','))
    }

    /// The value of `name=value`, or `""` for a mark without one.
    fn mark(&self, name: &str) -> Option<&'static str> {
        self.marks().find_map(|mark| match mark.strip_prefix(name)? {
            "" => Some(""),
            rest => rest.strip_prefix('='),
        })
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = &'static str> + use<> {
        let marks = self.line.split_once(" enum=").map_or(self.line, |(marks, _)| marks);
        marks.split(' ').skip(2)
    }
}
