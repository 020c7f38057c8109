//! The common mistakes in the signed message.

use serde::{Deserialize, Serialize};

/// The names are part of the state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mistake {
    NoFinalNewline,
    NewlinesAtTheEnd,
    NoEmptyBodyLine,
    CrLf,
    LiteralLineFeeds,
    NoLineFeeds,
    LowerCaseMethod,
    OtherMethod,
    NonceBeforeTimestamp,
    NonceCase,
    WrongTimestamp,
    Milliseconds,
    NoBasePath,
    NoVersion,
    FullUrl,
    NoLeadingSlash,
    TwoLeadingSlashes,
    NoTrailingSlash,
    TrailingSlash,
    NoQuery,
    TrailingQuestionMark,
    QueryOrder,
    DecodedTarget,
    SpaceEncoding,
    EncodedTwice,
    LowerCaseEscapes,
    OtherEscapes,
    NoBody,
    WholeUploadBody,
    EmptyBodyAsJson,
    QueryAsBody,
    FormBody,
    NewlineAfterBody,
    ReserializedJson,
    NullsLeftOut,
    ByteOrderMark,
    Gbk,
    SentAsGbk,
    QuestionMarks,
    Utf8Twice,
    HashedTwice,
}

impl Mistake {
    /// In English and in Chinese, to follow "the signed message" and 签名串.
    pub(crate) fn description(self) -> (&'static str, &'static str) {
        match self {
            Mistake::NoFinalNewline => ("lacks the newline at the end", "末尾少了换行符"),
            Mistake::NewlinesAtTheEnd => ("has one newline too many at the end", "末尾多了一个换行符"),
            Mistake::NoEmptyBodyLine => (
                "ends after the nonce: an empty body still needs its line",
                "到随机串就结束了：请求体为空时也要保留空行",
            ),
            Mistake::CrLf => ("uses CR LF line ends instead of LF", "换行符用了 CR LF，应为 LF"),
            Mistake::LiteralLineFeeds => {
                ("has a backslash and an n instead of each line feed", "换行符写成了字面的反斜杠和 n")
            }
            Mistake::NoLineFeeds => ("has no line feeds between its parts", "各部分之间没有换行符"),
            Mistake::LowerCaseMethod => ("has the method in lower case", "请求方法写成了小写"),
            Mistake::OtherMethod => ("has another method than the request", "请求方法与实际请求不一致"),
            Mistake::NonceBeforeTimestamp => ("has the nonce before the timestamp", "随机串写在了时间戳前面"),
            Mistake::NonceCase => {
                ("has the nonce in another letter case", "随机串的大小写与 Authorization 中的不一致")
            }
            Mistake::WrongTimestamp => {
                ("has another timestamp than Authorization", "时间戳与 Authorization 中的不一致")
            }
            Mistake::Milliseconds => {
                ("has the timestamp in milliseconds instead of seconds", "时间戳用了毫秒，应为秒")
            }
            Mistake::NoBasePath => ("lacks the path of the base URL", "路径少了基础 URL 中的前缀"),
            Mistake::NoVersion => ("lacks /v3 in the path", "路径少了 /v3"),
            Mistake::FullUrl => {
                ("has the whole URL instead of path and query", "用了完整 URL，应只含路径和查询串")
            }
            Mistake::NoLeadingSlash => ("lacks the slash before the path", "路径开头少了斜杠"),
            Mistake::TwoLeadingSlashes => ("has two slashes before the path", "路径开头多了一个斜杠"),
            Mistake::NoTrailingSlash => ("lacks the slash at the end of the path", "路径末尾少了斜杠"),
            Mistake::TrailingSlash => {
                ("has a slash at the end of the path that was not sent", "路径末尾多了斜杠")
            }
            Mistake::NoQuery => ("lacks the query", "少了查询串"),
            Mistake::TrailingQuestionMark => (
                "has a question mark at the end that was not sent, or lacks one that was",
                "末尾的问号与实际请求不一致",
            ),
            Mistake::QueryOrder => ("has the query in another order", "查询参数的顺序不同"),
            Mistake::DecodedTarget => {
                ("has path or query before their encoding", "路径或查询串未经 URL 编码")
            }
            Mistake::SpaceEncoding => {
                ("encodes spaces in the query differently (+ or %20)", "查询串中空格的编码不同（+ 与 %20）")
            }
            Mistake::EncodedTwice => {
                ("has the path or query percent-encoded twice", "路径或查询串被 URL 编码了两次")
            }
            Mistake::LowerCaseEscapes => (
                "has the percent-encoding in another letter case (%2f or %2F)",
                "URL 编码的大小写不同（%2f 与 %2F）",
            ),
            Mistake::OtherEscapes => (
                "percent-encodes other characters of the path or query than the request",
                "路径或查询串中被 URL 编码的字符与实际请求不一致",
            ),
            Mistake::NoBody => ("lacks the body", "少了请求体"),
            Mistake::WholeUploadBody => {
                ("has the whole upload instead of its meta part", "用了整个上传请求体，应只用 meta 部分")
            }
            Mistake::EmptyBodyAsJson => (
                "has JSON instead of the empty body: leave the line empty",
                "请求体为空，却写了 JSON：该行应留空",
            ),
            Mistake::QueryAsBody => {
                ("has the query as its body: leave the line empty", "把查询参数当成了请求体：该行应留空")
            }
            Mistake::FormBody => (
                "has the body as a form instead of the JSON that was sent",
                "请求体用了表单格式，应为所发送的 JSON",
            ),
            Mistake::NewlineAfterBody => {
                ("has other white space around the body than the request", "请求体前后的空白与实际请求不一致")
            }
            Mistake::ReserializedJson => (
                "has the same JSON in another form: it was serialised twice",
                "请求体是同一 JSON 的另一种写法：被序列化了两次",
            ),
            Mistake::NullsLeftOut => {
                ("lacks the members of the body that are null", "签名时少了请求体中值为 null 的字段")
            }
            Mistake::ByteOrderMark => {
                ("has, or lacks, a byte order mark (BOM) before the body", "请求体前的 BOM 与实际请求不一致")
            }
            Mistake::Gbk => ("is encoded as GBK instead of UTF-8", "使用了 GBK 编码，应为 UTF-8"),
            Mistake::SentAsGbk => (
                "is encoded as UTF-8, but the body was sent as GBK: send UTF-8",
                "使用了 UTF-8，但请求体按 GBK 发送：应发送 UTF-8",
            ),
            Mistake::QuestionMarks => (
                "has question marks instead of Chinese: it was converted to Latin-1 or ASCII, use UTF-8",
                "中文变成了问号：被转换成了 Latin-1 或 ASCII，应为 UTF-8",
            ),
            Mistake::Utf8Twice => (
                "was encoded as UTF-8 twice: its bytes were read as Latin-1 in between",
                "被 UTF-8 编码了两次：中间被当成了 Latin-1",
            ),
            Mistake::HashedTwice => (
                "was hashed before signing: sign the message, not its SHA-256",
                "签名前多做了一次哈希：应对签名串本身签名",
            ),
        }
    }
}
