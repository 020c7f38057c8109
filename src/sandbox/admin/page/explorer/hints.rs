//! What the documents say about a call, in the language of the page.

use maud::{Markup, html};

use super::super::{language::Language, text::line};
use crate::catalogue::{FieldHint, FieldProblem, Hint, Operation};

/// The most hints to list, and the most values to name in one.
const MAX_HINTS: usize = 20;
const MAX_VALUES: usize = 12;

pub(super) fn list(l: Language, operation: Operation, hints: &[Hint]) -> Markup {
    // The page says itself where the operation belongs and whether it is still there.
    let of_fields = |hint: &Hint| match hint {
        Hint::Field(field) => Some(say(l, field)),
        Hint::UnknownPath { .. } | Hint::OtherVerb { .. } => Some(hint.to_string()),
        Hint::OtherBase { .. } | Hint::Outdated { .. } => None,
    };
    let texts: Vec<String> = hints.iter().filter_map(of_fields).collect();
    html! {
        @if !texts.is_empty() {
            h3 { (l.say("Differs from the documents", "与文档不一致")) }
            ul .hints { @for text in texts.iter().take(MAX_HINTS) { li { bdi { (line(text, 300)) } } } }
            p .note { (l.say(
                "Hints only: the documents have slips. Details: ",
                "仅供参考：文档也有疏漏。详见：",
            )) @for address in operation.docs().take(1) {
                a href=(address) rel="noreferrer" { (l.say("official document", "官方文档")) }
            } }
        }
    }
}

fn say(l: Language, hint: &FieldHint) -> String {
    if l.tag() == "en" {
        return hint.to_string();
    }
    let field = hint.field.trim_start_matches('/').replace('/', ".");
    let problem = match &hint.problem {
        FieldProblem::Missing => "必填，未填写".to_owned(),
        FieldProblem::MissingOneOf(names) => format!("至少填一个：{}", names.join("、")),
        FieldProblem::Null => "不能为 null，请去掉".to_owned(),
        FieldProblem::Unknown { near: Some(near) } => format!("文档里没有这个字段，是否为 {near}？"),
        FieldProblem::Unknown { near: None } => "文档里没有这个字段".to_owned(),
        FieldProblem::WrongType { expected, found } => format!("类型应为 {expected}，实际是 {found}"),
        FieldProblem::NotEncrypted => "需要加密，实际是明文".to_owned(),
        FieldProblem::Length { allowed: (least, most), found } => {
            format!("长度应为 {least}–{most}，实际是 {found}")
        }
        FieldProblem::Range { allowed: (least, most) } => format!("应在 {least}–{most} 之间"),
        FieldProblem::OtherValue { documented } => {
            let values = documented.iter().take(MAX_VALUES).copied().collect::<Vec<_>>().join("、");
            format!("不在文档列出的值中：{values}")
        }
    };
    format!("{field}：{problem}")
}
