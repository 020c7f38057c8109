//! The labels of an endpoint's page, in English and Chinese.

use clap::ValueEnum;

/// The language of the labels.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    En,
    Zh,
}

impl Language {
    /// The language of the terminal: `LC_ALL`, `LC_MESSAGES`, `LANG`.
    pub(super) fn of_terminal() -> Language {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        match set {
            Some(value) if value.starts_with("zh") => Language::Zh,
            _ => Language::En,
        }
    }

    /// The Chinese text, or the English one, which is its name here.
    pub(super) fn label(self, english: &'static str) -> &'static str {
        let chinese = LABELS.iter().find(|(label, _)| *label == english).map(|(_, chinese)| *chinese);
        match self {
            Language::En => english,
            Language::Zh => chinese.unwrap_or(english),
        }
    }
}

const LABELS: &[(&str, &str)] = &[
    ("base URL", "域名"),
    ("for", "适用"),
    ("group", "分类"),
    ("documents", "官方文档"),
    ("compared", "核对日期"),
    ("status", "成功状态码"),
    ("withdrawn", "已下线"),
    ("superseded", "已被取代"),
    ("restricted", "限已开通的商户"),
    ("use instead", "改用"),
    ("client certificate", "需要商户证书"),
    ("one of", "至少填一个"),
    ("path", "路径参数"),
    ("query", "查询参数"),
    ("headers", "请求头"),
    ("form", "表单"),
    ("body", "请求体"),
    ("response", "应答"),
    ("failure", "失败应答"),
    ("required", "必填"),
    ("perhaps required", "可能必填"),
    ("encrypted", "需加密"),
    ("encrypted for you", "以商户公钥加密"),
    ("not on the present page", "现行文档未列"),
    ("no body", "无应答体"),
];
