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
    ("merchant", "商户"),
    ("partner", "服务商"),
    ("platform", "平台商户"),
    ("institution", "从业机构"),
    ("global", "境外"),
    ("endpoints of WeChat Pay", "微信支付接口"),
    ("all endpoints", "全部接口"),
    ("pages", "页面"),
    ("skip to the content", "跳到正文"),
    (
        "names, types and limits from public documents; not an official page",
        "名称、类型和限制取自公开文档；本页并非官方文档",
    ),
    ("field", "字段"),
    ("type", "类型"),
    ("limits and values", "限制与取值"),
    ("code", "代码"),
    ("event type", "通知类型"),
    ("original type", "原始类型"),
    ("resource", "解密后的资源"),
    ("search", "搜索"),
    ("1 found", "找到 1 项"),
    ("found", "项"),
    ("nothing found", "没有找到"),
    ("the first 50 are shown", "只显示前 50 项"),
    ("by group", "按分类"),
    ("notifications", "回调通知"),
    ("other", "其他"),
    ("more documents", "更多文档"),
];
