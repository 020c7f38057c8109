//! What differs from the documents in a request, in the languages of the page.

use serde::{Deserialize, Serialize};

use crate::catalogue::{Availability, FieldHint, FieldProblem, Hint};

// The names of the fields are part of the state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RequestHint {
    /// `body`, `query`, `headers`, `path`; empty for a hint about the path itself.
    pub(crate) location: String,
    pub(crate) field: String,
    pub(crate) english: String,
    pub(crate) chinese: String,
}

impl RequestHint {
    pub(crate) fn new(hint: &Hint) -> RequestHint {
        let (location, field) = match hint {
            Hint::Field(hint) => (hint.place.to_owned(), hint.field.clone()),
            _ => Default::default(),
        };
        RequestHint { location, field, english: hint.to_string(), chinese: chinese(hint) }
    }

    /// In bytes.
    pub(crate) fn size(&self) -> usize {
        self.location.len() + self.field.len() + self.english.len() + self.chinese.len()
    }
}

fn chinese(hint: &Hint) -> String {
    match hint {
        Hint::UnknownPath { suggestions } => {
            let meant = suggestions.iter().take(3).map(|suggestion| {
                let operation = suggestion.operation();
                format!("{} {}", operation.verb(), operation.template())
            });
            match meant.collect::<Vec<_>>().join("、") {
                none if none.is_empty() => "文档中没有这个路径".into(),
                meant => format!("文档中没有这个路径；您要找的可能是：{meant}"),
            }
        }
        Hint::OtherVerb { documented } => {
            let verbs: Vec<_> = documented.iter().map(|operation| operation.verb()).collect();
            format!("文档中这个路径的请求方法是 {}", verbs.join("、"))
        }
        Hint::Outdated { operation } => {
            let what = match operation.availability() {
                Availability::Withdrawn(day) => format!("接口已于 {day} 下线"),
                _ => "接口已被取代".into(),
            };
            let successors: Vec<_> = operation.successors().collect();
            if successors.is_empty() {
                what
            } else {
                format!("{what}，请改用 {}", successors.join("、"))
            }
        }
        Hint::Field(hint) => field(hint),
        other => other.to_string(),
    }
}

fn field(FieldHint { place, field, problem }: &FieldHint) -> String {
    let place = match *place {
        "query" => "查询参数",
        "headers" => "请求头",
        "path" => "路径参数",
        _ => "字段",
    };
    let what = match problem {
        FieldProblem::Missing => "必填，但缺失或为空".into(),
        FieldProblem::MissingOneOf(names) => format!("中，{} 至少填写一项", names.join("、")),
        FieldProblem::Null => "的值为 null，应省略该字段".into(),
        FieldProblem::Unknown { near: Some(near) } => format!("文档中没有，是否应为 {near}"),
        FieldProblem::Unknown { near: None } => "文档中没有".into(),
        FieldProblem::WrongType { expected, found } => format!("的类型应为 {expected}，实际为 {found}"),
        FieldProblem::NotEncrypted => "应加密，实际为明文".into(),
        FieldProblem::Length { allowed: (0, most), found } => format!("长度最大为 {most}，实际为 {found}"),
        FieldProblem::Length { allowed: (least, _), found } => format!("长度至少为 {least}，实际为 {found}"),
        FieldProblem::Range { allowed: (i64::MIN, most) } => format!("的数值最大为 {most}"),
        FieldProblem::Range { allowed: (least, i64::MAX) } => format!("的数值至少为 {least}"),
        FieldProblem::Range { allowed: (least, most) } => format!("的数值应在 {least} 到 {most} 之间"),
        FieldProblem::OtherValue { documented } => {
            format!("的取值不在文档所列之中：{}", documented.join("、"))
        }
    };
    format!("{place} {field} {what}")
}
