//! Uploads: a part `meta`, which is signed, and the part of the file, which is streamed.

use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::digest::{self, SHA256};
use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Map, Value, json};

use crate::crypto::digest::hex;
use crate::crypto::random::nonce;
use crate::error::{Error, Excerpt, json_reason, kind_of};
use crate::files::{self, Unreadable};
use crate::transport::{CHUNK, FileFacts, FileSource, Upload, unreadable_file, upload_error};

/// The largest file of an upload, in bytes. The platform's own limits are some MiB.
const MAX_FILE: u64 = 1 << 30;

/// No endpoint needs more than two.
const MAX_FIELDS: usize = 100;

/// The longest name of a part, in bytes.
const MAX_NAME: usize = 128;

/// The types of the files that the platform documents: pictures, videos (avi wmv mpeg mp4 mov mkv flv f4v m4v rmvb),
/// invoices (pdf ofd), tables and archives; anything else is `application/octet-stream`.
const TYPES: &[(&str, &str)] = &[
    ("avi", "video/x-msvideo"),
    ("bmp", "image/bmp"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("f4v", "video/mp4"),
    ("flv", "video/x-flv"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("heic", "image/heic"),
    ("heif", "image/heif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("m4v", "video/x-m4v"),
    ("mkv", "video/x-matroska"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("ofd", "application/ofd"),
    ("p7s", "application/pkcs7-signature"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("rar", "application/vnd.rar"),
    ("rmvb", "video/vnd.rn-realvideo"),
    ("svg", "image/svg+xml"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("txt", "text/plain"),
    ("webp", "image/webp"),
    ("wmv", "video/x-ms-wmv"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// A file to upload with [`Request::media`](crate::Request::media).
///
/// The part `meta` is `{"filename":"…","sha256":"…"}`, unless you set [`meta`](Media::meta). The file is read once for
/// the digest and once more to send it, in chunks. If it changes in between, the call fails, and the platform never
/// receives the end of the file.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # #[cfg(feature = "sandbox")] {
/// use serde_json::Value;
/// use wechatpay_chain::Media;
///
/// let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
/// let wx = sandbox.client()?;
/// let media = Media::bytes("licence.jpg", &b"\xff\xd8\xff\xd9"[..]); // or `Media::file("licence.jpg")`
/// let uploaded = wx["v3/merchant/media/upload"].post(Value::Null).media(media).wait()?;
/// assert!(uploaded.data()["media_id"].is_string());
/// # }
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a file is uploaded by a request"]
pub struct Media {
    source: FileSource,
    filename: Option<String>,
    meta: Option<Value>,
    mime: Option<String>,
    part_name: Option<String>,
    /// More parts of text.
    fields: Vec<(String, Value)>,
    /// The result of reading the file ahead of the request.
    facts: Option<FileFacts>,
}

impl Media {
    /// A file on disk, which is streamed. `file://…` works, too, as in PHP's `MediaUtil`.
    ///
    /// When the request is sent, a missing file, a directory, a pipe and a file above 1 GiB give
    /// [`Error::File`](crate::Error::File), and a path without a name gives [`Error::Config`](crate::Error::Config) for
    /// `media`.
    pub fn file(path: impl AsRef<Path>) -> Media {
        let path = path.as_ref();
        let path = path.to_str().and_then(files::path_of).map_or(path, Path::new);
        Media::new(
            FileSource::File(path.to_owned()),
            path.file_name().and_then(|n| n.to_str()).map(str::to_owned),
        )
    }

    /// A file in memory, which is not copied.
    pub fn bytes(filename: impl Into<String>, bytes: impl Into<Bytes>) -> Media {
        Media::new(FileSource::Bytes(bytes.into()), Some(filename.into()))
    }

    fn new(source: FileSource, filename: Option<String>) -> Media {
        let fields = Vec::new();
        Media { source, filename, meta: None, mime: None, part_name: None, fields, facts: None }
    }

    /// Sets the filename, instead of the path's.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/merchant_key.pem");
    /// # let public = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/keys/platform_pub.pem");
    /// # let builder = wechatpay_chain::WeChatPay::builder().mchid("1900000109").serial("3775B6A4").private_key(key);
    /// # let wx = builder.platform_key("PUB_KEY_ID_1", public).build()?;
    /// # use serde_json::Value;
    /// # use wechatpay_chain::Media;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("upload-4711.tmp");
    /// # std::fs::write(&path, b"%PDF")?;
    /// // The extension of the name decides the content type of the part, unless `mime` sets it.
    /// let media = Media::file(&path).filename("合同.pdf");
    /// let prepared = wx["v3/merchant/media/upload"].post(Value::Null).media(media).prepare()?;
    /// assert!(prepared.message().contains(r#"{"filename":"合同.pdf","sha256":""#));
    /// # Ok(()) }
    /// ```
    pub fn filename(mut self, filename: impl Into<String>) -> Media {
        self.filename = Some(filename.into());
        self
    }

    /// Sets the whole part `meta`, for an endpoint that does not use `{"filename":…,"sha256":…}`: an object, or its JSON
    /// text, which is signed and sent unchanged.
    ///
    /// ```
    /// # use wechatpay_chain::Media;
    /// # use serde_json::json;
    /// let media = Media::bytes("users.csv", "openid\n")
    ///     .meta(json!({"filename": "users.csv", "sha256": "aac9320b…", "bank_type": "CMB"}));
    /// ```
    pub fn meta(mut self, meta: impl Into<Value>) -> Media {
        self.meta = Some(meta.into());
        self
    }

    /// Sets the content type of the file's part, instead of the one that the filename's extension has.
    pub fn mime(mut self, mime: impl Into<String>) -> Media {
        self.mime = Some(mime.into());
        self
    }

    /// Sets the name of the file's part, for an endpoint that does not call it `file`.
    ///
    /// ```
    /// # use serde_json::json;
    /// # use wechatpay_chain::Media;
    /// // v3/mch-manage/submission-files/sub-mchid/{sub_mchid}/upload
    /// let media = Media::bytes("licence.jpg", "…")
    ///     .part_name("submission_file")
    ///     .meta(json!({"file_name": "licence.jpg", "file_digest": "aac9320b…", "item_id": 7}))
    ///     .field("item_id", 7)
    ///     .field("manage_record_id", "R1");
    /// ```
    pub fn part_name(mut self, name: impl Into<String>) -> Media {
        self.part_name = Some(name.into());
        self
    }

    /// Adds a part with this text: a string, a number or a boolean. It is not signed; only the part `meta` is. Null adds
    /// none.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Media {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Reads the file for `meta`, on tokio's blocking pool: a large file must not block a task.
    pub(crate) async fn read_ahead(&mut self) -> Result<(), Error> {
        let media = self.clone();
        let facts = tokio::task::spawn_blocking(move || media.read_facts()).await;
        self.facts = Some(facts.map_err(|_| upload_error("cannot be read: the runtime shut down"))??);
        Ok(())
    }

    /// The multipart body. A file stays on disk.
    pub(crate) fn into_upload(self) -> Result<Upload, Error> {
        let facts = match self.facts {
            Some(facts) => facts,
            None => self.read_facts()?,
        };
        let (part_name, fields) = (part_name(self.part_name)?, fields(self.fields)?);
        if fields.iter().any(|(name, _)| *name == part_name) {
            return Err(Error::config("media.part_name", "is the name of a field, too"));
        }
        let filename = self.filename.filter(|name| !name.is_empty());
        let filename = filename.ok_or_else(|| {
            let reason = "has no filename, or one that is not UTF-8";
            Error::config_with("media", reason, "set it with `.filename(…)`")
        })?;
        let meta = match self.meta {
            None => {
                let sha256 = facts.sha256.map(|digest| hex(digest.as_ref()));
                json!({"filename": filename, "sha256": sha256}).to_string()
            }
            Some(Value::String(text)) => match serde_json::from_str::<Map<String, Value>>(&text) {
                Ok(_) => text,
                Err(e) => {
                    return Err(Error::config(
                        "media.meta",
                        format!("must be JSON text of an object: {}", json_reason(&e)),
                    ));
                }
            },
            Some(object @ Value::Object(_)) => object.to_string(),
            Some(other) => {
                let reason = format!("must be an object or its JSON text; it is {}", kind_of(&other));
                return Err(Error::config("media.meta", reason));
            }
        };
        let mime = self.mime.as_deref().unwrap_or_else(|| mime_of(&filename));
        if HeaderValue::from_str(mime).is_err() || mime.is_empty() {
            return Err(Error::config("media.mime", "is not a content type"));
        }
        // 32 random characters: no file contains them by chance, and it cannot be guessed.
        let boundary = nonce()?;
        let part = |name: &str| format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
        let mut head = format!("{}\r\nContent-Type: application/json\r\n\r\n{meta}\r\n", part("meta"));
        for (name, text) in &fields {
            head += &format!("{}\r\n\r\n{text}\r\n", part(name));
        }
        head += &format!(
            "{}; filename=\"{}\"\r\nContent-Type: {mime}\r\n\r\n",
            part(&part_name),
            escaped(&filename)
        );
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={boundary}"))
            .map_err(|_| upload_error("has a boundary that is not allowed in a header"))?;
        Ok(Upload {
            meta: Bytes::from(meta),
            content_type,
            head: Bytes::from(head),
            tail: Bytes::from(format!("\r\n--{boundary}--\r\n")),
            source: self.source,
            facts,
        })
    }

    fn read_facts(&self) -> Result<FileFacts, Error> {
        let digest_needed = self.meta.is_none();
        match &self.source {
            FileSource::Bytes(bytes) => Ok(FileFacts {
                length: bytes.len() as u64,
                sha256: digest_needed.then(|| digest::digest(&SHA256, bytes)),
            }),
            FileSource::File(path) => read(path, digest_needed).map_err(|e| unreadable_file(path, e)),
        }
    }
}

/// Reads the file once, in chunks. A pipe or a device has no length, and cannot be read twice.
fn read(path: &Path, digest_needed: bool) -> Result<FileFacts, Unreadable> {
    let (file, expected) = files::open(path)?;
    if expected > MAX_FILE {
        return Err(Unreadable::TooLarge { limit: MAX_FILE });
    }
    if !digest_needed {
        return Ok(FileFacts { length: expected, sha256: None });
    }
    // A file that grows while it is read has no end.
    let mut file = file.take(MAX_FILE + 1);
    let (mut context, mut length) = (digest::Context::new(&SHA256), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer) {
            Ok(0) if length > MAX_FILE => return Err(Unreadable::TooLarge { limit: MAX_FILE }),
            Ok(0) => return Ok(FileFacts { length, sha256: Some(context.finish()) }),
            Ok(n) => {
                context.update(buffer.get(..n).unwrap_or_default());
                length += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
}

fn mime_of(filename: &str) -> &'static str {
    let extension = filename.rsplit_once('.').map_or("", |(_, extension)| extension);
    TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(extension))
        .map_or("application/octet-stream", |(_, mime)| mime)
}

fn part_name(name: Option<String>) -> Result<String, Error> {
    match name {
        None => Ok("file".to_owned()),
        Some(name) => check_name("media.part_name", &name).map(|()| name),
    }
}

/// The names and the texts of further parts.
fn fields(fields: Vec<(String, Value)>) -> Result<Vec<(String, String)>, Error> {
    if fields.len() > MAX_FIELDS {
        let reason = format!("are too many: {} (limit {MAX_FIELDS})", fields.len());
        return Err(Error::config("media.field", reason));
    }
    let mut texts: Vec<(String, String)> = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        check_name("media.field", &name)?;
        let refuse = |reason: &str| {
            let reason = format!("{} {reason}", Excerpt(&name));
            Err(Error::config("media.field", reason))
        };
        if texts.iter().any(|(other, _)| *other == name) {
            return refuse("is given twice");
        }
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(boolean) => boolean.to_string(),
            other => {
                return refuse(&format!(
                    "must be a string, a number or a boolean; it is {}",
                    kind_of(&other)
                ));
            }
        };
        texts.push((name, text));
    }
    Ok(texts)
}

/// The platform's names consist of letters, digits and `_`. Others would have to be encoded, which servers read in
/// different ways.
fn check_name(field: &str, name: &str) -> Result<(), Error> {
    if name == "meta" {
        return Err(Error::config(field, "must not be `meta`: set that part with `.meta(…)`"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    match !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(fits) {
        true => Ok(()),
        false => {
            let name = Excerpt(name);
            let reason =
                format!("must be a name of ASCII letters, digits, `_`, `-`, `.`, `[` and `]`; it is {name}");
            Err(Error::config(field, reason))
        }
    }
}

/// A filename for the quotes of a part's header, as browsers write it (RFC 7578, WHATWG): UTF-8 as it is; quotes and
/// control characters percent-encoded.
fn escaped(filename: &str) -> String {
    filename.chars().fold(String::with_capacity(filename.len()), |mut all, c| {
        match c {
            '"' => all.push_str("%22"),
            c if c.is_ascii_control() => all.push_str(&format!("%{:02X}", u32::from(c))),
            c => all.push(c),
        }
        all
    })
}

/// Leaves out the file and `meta`, which may hold business data.
impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("filename", &self.filename.as_deref().map(Excerpt))
            .field("mime", &self.mime.as_deref().map(Excerpt))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
