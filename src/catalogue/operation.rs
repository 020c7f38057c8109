//! One documented operation.

use super::fields::Fields;
use super::text::Record;

/// A documented operation: a verb and the template of a path, with what the documents say about them.
///
/// ```
/// use wechatpay_chain::catalogue::Catalogue;
///
/// let close = Catalogue::find("POST", "v3/pay/transactions/out-trade-no/P1/close").ok_or("not documented")?;
/// assert_eq!(close.template(), "v3/pay/transactions/out-trade-no/{out_trade_no}/close");
/// assert_eq!(close.title(), "关单");
/// assert_eq!(close.statuses().collect::<Vec<_>>(), [204]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub(super) record: &'static Record,
}

/// What is sent and what comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// JSON both ways.
    Json,
    /// XML both ways: APIv2.
    Xml,
    /// A file is sent.
    Upload,
    /// A file comes back.
    Download,
    /// The payer's browser is sent to this address.
    Redirect,
}

/// Whether an operation can still be used.
///
/// ```
/// use wechatpay_chain::catalogue::{Availability, Catalogue};
///
/// let old = Catalogue::find("GET", "v3/merchant-service/complaints/{transaction_id}").ok_or("not documented")?;
/// assert_eq!(old.availability(), Availability::Withdrawn("2021-01-08"));
/// assert_eq!(old.successors().collect::<Vec<_>>(), ["v3/merchant-service/complaints-v2/{complaint_id}"]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Availability {
    /// Yes.
    Current,
    /// Only by merchants that have it already, or on application.
    Restricted,
    /// Yes, but another one has taken its place ([`Operation::successors`]).
    Superseded,
    /// No longer, since this day (`2023-05-23`).
    Withdrawn(&'static str),
}

/// Of these fields, one is needed.
#[derive(Debug, Clone, Copy)]
pub struct EitherOr {
    line: &'static str,
}

impl EitherOr {
    /// Where they are: `body`, `query`, or an object in it (`body.payer`).
    pub fn place(&self) -> &'static str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.line.split(' ').skip(1)
    }
}

/// Where the addresses of documents begin that are stored without a host.
const DOCUMENTS: &str = "https://pay.weixin.qq.com";

/// The base URL of an operation that names no other.
pub(super) const BASE: &str = "https://api.mch.weixin.qq.com/";

impl Operation {
    /// `GET`, `POST` …
    pub fn verb(&self) -> &'static str {
        self.record.first
    }

    /// The template of the path, as the chain takes it: `v3/pay/transactions/id/{transaction_id}`.
    pub fn template(&self) -> &'static str {
        self.record.second
    }

    /// The official Chinese title.
    pub fn title(&self) -> &'static str {
        self.value("title").unwrap_or_default()
    }

    /// Other titles that documents give it.
    pub fn other_titles(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.values("also").flat_map(|list| list.split("; "))
    }

    /// Groups of operations: `基础支付∙退款`.
    pub fn tags(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.values("tag")
    }

    /// Who may call it: `merchant`, `partner`, `platform`, `institution`, `global`.
    pub fn modes(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.values("mode").flat_map(|list| list.split(' '))
    }

    /// The base URL: `https://api.mch.weixin.qq.com/`, or another host or prefix.
    pub fn base(&self) -> &'static str {
        self.value("base").unwrap_or(BASE)
    }

    /// All base URLs, the usual one first.
    pub fn bases(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.base()).chain(self.values("base-too"))
    }

    /// Its whole address, if the documents name one beside the template: a file that another response leads to.
    pub fn url(&self) -> Option<&'static str> {
        self.value("url")
    }

    /// The addresses of its official documents, the present site first.
    pub fn docs(&self) -> impl Iterator<Item = String> + use<> {
        self.values("docs").map(document_address)
    }

    /// What is sent and what comes back.
    pub fn kind(&self) -> OperationKind {
        match self.value("kind") {
            Some("xml") => OperationKind::Xml,
            Some("upload") => OperationKind::Upload,
            Some("download") => OperationKind::Download,
            Some("redirect") => OperationKind::Redirect,
            _ => OperationKind::Json,
        }
    }

    /// Whether it belongs to APIv2.
    pub fn is_v2(&self) -> bool {
        self.template().starts_with("v2/")
    }

    /// The documented HTTP statuses of success.
    pub fn statuses(&self) -> impl Iterator<Item = u16> + use<> {
        let listed = self.value("status").unwrap_or("200");
        listed.split(' ').filter_map(|status| status.parse().ok())
    }

    /// The day on which its facts were last compared with the official page: `2024-07-11`.
    pub fn updated(&self) -> Option<&'static str> {
        self.value("updated")
    }

    /// Whether it can still be used.
    pub fn availability(&self) -> Availability {
        if let Some(day) = self.value("withdrawn") {
            Availability::Withdrawn(day)
        } else if self.value("superseded").is_some() {
            Availability::Superseded
        } else if self.value("restricted").is_some() {
            Availability::Restricted
        } else {
            Availability::Current
        }
    }

    /// What has taken its place: templates, some with a verb before them.
    pub fn successors(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.values("instead")
    }

    /// APIv2: whether the client shows its certificate (`security`).
    pub fn needs_client_certificate(&self) -> bool {
        self.value("client-certificate").is_some()
    }

    /// APIv2: whether it is called without `nonce_str` (`nonceless`).
    pub fn is_nonceless(&self) -> bool {
        self.value("no-nonce").is_some()
    }

    /// Fields of which one is needed, though the documents mark each as required.
    ///
    /// ```
    /// use wechatpay_chain::catalogue::Catalogue;
    ///
    /// let refund = Catalogue::find("POST", "v3/refund/domestic/refunds").ok_or("not documented")?;
    /// let either = refund.either_or().next().ok_or("none")?;
    /// assert_eq!(either.place(), "body");
    /// assert_eq!(either.names().collect::<Vec<_>>(), ["transaction_id", "out_trade_no"]);
    /// # Ok::<(), &str>(())
    /// ```
    pub fn either_or(&self) -> impl Iterator<Item = EitherOr> + use<> {
        self.values("either").map(|line| EitherOr { line })
    }

    /// The variables of the template.
    pub fn path_variables(&self) -> Fields {
        self.fields("path")
    }

    /// The query parameters.
    pub fn query(&self) -> Fields {
        self.fields("query")
    }

    /// The headers beside those that the client sets.
    pub fn headers(&self) -> Fields {
        self.fields("headers")
    }

    /// The parts of a form: an upload.
    pub fn form(&self) -> Fields {
        self.fields("form")
    }

    /// The body.
    pub fn body(&self) -> Fields {
        self.fields("body")
    }

    /// The body of the response.
    pub fn response(&self) -> Fields {
        self.fields("response")
    }

    /// The body of a failure, where it is documented: the bills of APIv2.
    pub fn failure(&self) -> Fields {
        self.fields("failure")
    }

    /// All fields by where they are, without the places that have none:
    ///
    /// ```
    /// use wechatpay_chain::catalogue::Catalogue;
    ///
    /// let query = Catalogue::find("GET", "v3/refund/domestic/refunds/{out_refund_no}").ok_or("not documented")?;
    /// assert_eq!(query.sections().map(|(place, _)| place).collect::<Vec<_>>(), ["path", "query", "response"]);
    /// # Ok::<(), &str>(())
    /// ```
    /// `path`, `query`, `headers`, `form`, `body`, `response`, `failure`.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, Fields)> + use<> {
        let record = self.record;
        let names = ["path", "query", "headers", "form", "body", "response", "failure"];
        names
            .into_iter()
            .map(move |name| (name, fields(record, name)))
            .filter(|(_, fields)| !fields.is_empty())
    }

    fn value(&self, key: &str) -> Option<&'static str> {
        value(self.record, key)
    }

    fn values(&self, key: &'static str) -> impl Iterator<Item = &'static str> + use<> {
        values(self.record, key)
    }

    fn fields(&self, section: &str) -> Fields {
        fields(self.record, section)
    }
}

/// A complete address.
pub(super) fn document_address(path: &'static str) -> String {
    match path.starts_with('/') {
        true => format!("{DOCUMENTS}{path}"),
        false => path.to_owned(),
    }
}

pub(super) fn value(record: &'static Record, key: &str) -> Option<&'static str> {
    heads(record).find_map(|line| value_of(line, key))
}

pub(super) fn values(
    record: &'static Record,
    key: &'static str,
) -> impl Iterator<Item = &'static str> + use<> {
    heads(record).filter_map(move |line| value_of(line, key))
}

/// The lines of a record with one space before them, up to its first section of fields and beyond.
fn heads(record: &'static Record) -> impl Iterator<Item = &'static str> {
    let lines = record.lines.lines().map_while(|line| line.strip_prefix(' '));
    lines.take_while(|line| !line.starts_with(' '))
}

fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    match line.strip_prefix(key)? {
        "" => Some(""),
        rest => rest.strip_prefix(' '),
    }
}

/// The fields below the line ` section`.
pub(super) fn fields(record: &'static Record, section: &str) -> Fields {
    let mut at = 0;
    for line in record.lines.split_inclusive('\n') {
        at += line.len();
        if line.trim_end().strip_prefix(' ') == Some(section) {
            let below = &record.lines[at..];
            let length =
                below.split_inclusive('\n').take_while(|line| line.starts_with("  ")).map(str::len).sum();
            return Fields::new(&below[..length], 2);
        }
    }
    Fields::NONE
}
