//! The fields of an operation as a form: required ones first, the others folded. The name of an input is the place of its
//! field and a JSON pointer: `body/amount/total`.

use maud::{Markup, html};

use super::super::{language::Language, text::line, view::View};
use super::draft::{self, Draft};
use super::values::{MAX_ELEMENTS, Mistake, MistakeKind, Texts};
use crate::catalogue::{Field, FieldType, Fields, Operation, OperationKind};

/// The documented values to name in a note.
const MAX_VALUES: usize = 8;

/// What the parts of a form share.
struct Form<'a> {
    l: Language,
    operation: Operation,
    draft: &'a Draft,
    mistakes: &'a [Mistake],
}

pub(super) fn form(view: &View, operation: Operation, draft: &Draft, mistakes: &[Mistake]) -> Markup {
    let l = view.language;
    let form = Form { l, operation, draft, mistakes };
    let upload = operation.kind() == OperationKind::Upload;
    let body = operation.body();
    let has_encrypted = [operation.body(), operation.query()].into_iter().any(has_encrypted);
    html! {
        // The first button is the one that Enter presses.
        form #call .call method="post" action={ (view.address()) "#result" } aria-labelledby="call-title"
            enctype=[upload.then_some("multipart/form-data")] {
            h3 #call-title { (l.say("Fill in and send", "填写并发送")) }
            (form.alert())
            div .buttons {
                button .main name="do" value="send" { (l.say("Send", "发送")) }
                button name="do" value="show" { (l.say("Update the code below", "更新下方代码")) }
                span .note { (l.say(
                    "Signed as this sandbox’s merchant. Empty fields are left out.",
                    "以本沙箱的商户身份签名；留空的字段不发送。",
                )) }
            }
            @if operation.kind() == OperationKind::Download {
                p .note { (l.say(
                    "The response is a file: its text or its length is shown. To save it, copy the wxpay command and add -o FILE.",
                    "响应是文件：页面显示它的文本或字节数。要保存文件，请复制 wxpay 命令并加上 -o 文件名。",
                )) }
            }
            (form.variables())
            (form.place("query", l.say("Query parameters", "查询参数"), operation.query()))
            @let headers: Vec<Field> = draft::headers(operation).collect();
            @if !headers.is_empty() {
                fieldset { legend { (l.say("Headers", "请求头")) } (form.rows("headers", "headers", &headers)) }
            }
            @if upload { (form.file()) }
            (form.place("body", l.say("Body", "请求体"), body))
            @if has_encrypted {
                label .check {
                    input type="checkbox" name="encrypt" value="1" checked[draft.encrypts];
                    " " (l.say("Encrypt the marked fields with the platform’s key", "用平台的密钥加密标记的字段"))
                }
            }
            @if !body.is_empty() { (form.json(body)) }
            @if !body.is_empty() {
                div .buttons { button .main name="do" value="send" { (l.say("Send", "发送")) } }
            }
        }
    }
}

fn has_encrypted(fields: Fields) -> bool {
    fields.iter().any(|field| draft::is_encrypted(field) || has_encrypted(field.fields()))
}

impl Form<'_> {
    fn alert(&self) -> Markup {
        html! {
            div #problem-call role="alert" { @if !self.mistakes.is_empty() {
                div .alert {
                    p { (self.l.say("Not sent. Please correct:", "未发送，请更正：")) }
                    ul { @for mistake in self.mistakes {
                        li { a href={ "#" (id(&mistake.name)) } { code { (line(&shown(&mistake.name), 100)) } } " " (advice(self.l, mistake.kind)) }
                    } }
                }
            } }
        }
    }

    /// The variables of the path, in their order.
    fn variables(&self) -> Markup {
        let names: Vec<&str> = self.operation.template().split('/').filter_map(draft::variable).collect();
        let documented = self.operation.path_variables();
        html! {
            @if !names.is_empty() {
                fieldset { legend { (self.l.say("Path", "路径参数")) }
                    div .inputs { @for name in names {
                        (self.input(&format!("path/{name}"), name, documented.get(name), true))
                    } }
                }
            }
        }
    }

    fn place(&self, place: &str, legend: &str, fields: Fields) -> Markup {
        html! {
            @if !fields.is_empty() { fieldset { legend { (legend) } (self.group(place, place, fields)) } }
        }
    }

    /// The fields of an object. `place` is where a document has it: `body.amount`.
    fn group(&self, name: &str, place: &str, fields: Fields) -> Markup {
        let (first, others): (Vec<Field>, Vec<Field>) = fields
            .iter()
            .filter(|field| !field.is_automatic())
            .partition(|field| field.is_required() || self.either(place, *field).is_some());
        if first.is_empty() {
            return self.rows(name, place, &others);
        }
        let open = others.iter().any(|field| self.draft.is_filled(&format!("{name}/{}", field.name())));
        html! {
            (self.rows(name, place, &first))
            @if !others.is_empty() {
                details #{ "more-" (id(name)) } open[open] {
                    summary { (self.l.say("Optional fields: ", "选填字段：")) (others.len()) }
                    (self.rows(name, place, &others))
                }
            }
        }
    }

    /// Single values first, then objects.
    fn rows(&self, name: &str, place: &str, fields: &[Field]) -> Markup {
        let is_group = |field: &&Field| field.field_type() == FieldType::Object && !field.fields().is_empty();
        let own = |field: &Field| format!("{name}/{}", field.name());
        html! {
            @if fields.iter().any(|field| !is_group(&field)) {
                div .inputs { @for field in fields.iter().filter(|field| !is_group(field)) {
                    (self.input(&own(field), field.name(), Some(*field), self.is_needed(place, *field)))
                } }
            }
            @for field in fields.iter().filter(is_group) {
                @let inner = format!("{place}.{}", field.name());
                @if field.is_list() { (self.list(&own(field), &inner, *field)) } @else {
                    fieldset { legend { (self.legend(place, *field)) } (self.group(&own(field), &inner, field.fields())) }
                }
            }
        }
    }

    /// A list of objects: its elements, and a button for one more.
    fn list(&self, name: &str, place: &str, field: Field) -> Markup {
        let count = self.draft.count(name).max(1);
        let most = field.max_items().unwrap_or(MAX_ELEMENTS).min(MAX_ELEMENTS);
        html! {
            div .elements { @for index in 0..count {
                fieldset #{ "group-" (id(name)) "-" (index) } {
                    legend { code { (field.name()) } " " (index + 1) " "
                        @if index == 0 && field.is_required() { span .need { (self.l.say("required", "必填")) } } }
                    (self.group(&format!("{name}/{index}"), place, field.fields()))
                }
            } }
            @if count < most {
                button name="add" value=(name) { (self.l.say("Add another ", "再加一个 ")) code { (field.name()) } }
            }
        }
    }

    fn legend(&self, place: &str, field: Field) -> Markup {
        html! {
            code { (field.name()) }
            @if self.is_needed(place, field) { " " span .need { (self.l.say("required", "必填")) } }
        }
    }

    fn is_needed(&self, place: &str, field: Field) -> bool {
        field.is_required() && self.either(place, field).is_none()
    }

    /// The names of which one is needed, if the field is one of them.
    fn either(&self, place: &str, field: Field) -> Option<String> {
        let mut groups = self.operation.either_or().filter(|either| either.place() == place);
        let group = groups.find(|either| either.names().any(|name| name == field.name()))?;
        Some(group.names().collect::<Vec<_>>().join(", "))
    }

    fn input(&self, name: &str, label: &str, field: Option<Field>, needed: bool) -> Markup {
        let (l, id, value) = (self.l, id(name), self.draft.text(name));
        let note = field.map(|field| self.note(name, field)).filter(|note| !note.is_empty());
        let note_id = note.as_ref().map(|_| format!("{id}-note"));
        let wrong = self.mistakes.iter().any(|mistake| mistake.name == name).then_some("true");
        let kind = field.map_or(FieldType::String, |field| field.field_type());
        let values: Vec<&str> = field.map_or_else(Vec::new, |field| field.values().collect());
        let is_text = field.is_some_and(|field| field.is_list())
            || matches!(kind, FieldType::Json | FieldType::Object)
            || value.contains('\n');
        html! {
            div .input {
                label for=(id) {
                    code { (label) }
                    @if needed { " " span .need { (l.say("required", "必填")) } }
                    @if field.is_some_and(draft::is_encrypted) { " " span .badge .good { (l.say("encrypted for you", "自动加密")) } }
                }
                @if kind == FieldType::Boolean && !is_text {
                    select id=(id) name=(name) aria-describedby=[note_id.as_deref()] aria-invalid=[wrong] {
                        option value="" { "–" }
                        @for choice in ["true", "false"] { option value=(choice) selected[choice == value] { (choice) } }
                    }
                } @else if is_text {
                    textarea id=(id) name=(name) rows="2" autocomplete="off" spellcheck="false"
                        aria-describedby=[note_id.as_deref()] aria-invalid=[wrong] { (value) }
                } @else {
                    input id=(id) name=(name) value=(value) autocomplete="off" spellcheck="false"
                        inputmode=[matches!(kind, FieldType::Integer | FieldType::Number).then_some("numeric")]
                        list=[(!values.is_empty()).then(|| format!("{id}-values"))]
                        aria-describedby=[note_id.as_deref()] aria-invalid=[wrong];
                    @if !values.is_empty() {
                        datalist id={ (id) "-values" } { @for value in &values { option value=(value) {} } }
                    }
                }
                @if let (Some(note), Some(id)) = (note, &note_id) { span .note id=(id) { (note) } }
            }
        }
    }

    /// Type, limits, documented values.
    fn note(&self, name: &str, field: Field) -> String {
        let l = self.l;
        let mut parts = vec![facts(l, field)];
        if field.is_list() {
            parts.push(l.say("one on each line", "每行一个").to_owned());
        }
        let place = name.rsplit_once('/').map_or("", |(place, _)| place).replace('/', ".");
        if let Some(names) = self.either(&place, field) {
            parts.push(format!("{}{names}", l.say("one of: ", "至少填一个：")));
        }
        parts.join("; ")
    }

    fn json(&self, body: Fields) -> Markup {
        let l = self.l;
        let call = self.draft.call(self.operation);
        let wrong = self.mistakes.iter().any(|mistake| mistake.name == "json");
        let large = body.iter().count() == 0;
        html! {
            details #as-json open[wrong || large] {
                summary { (l.say("Body as JSON", "以 JSON 填写请求体")) }
                div .input {
                    label for=(id("json")) { (l.say("JSON, instead of the fields above", "JSON，代替上面的字段")) }
                    textarea id=(id("json")) .json name="json" rows="10" autocomplete="off" spellcheck="false"
                        aria-invalid=[wrong.then_some("true")] { "\n" (self.draft.json(self.operation, &call.parts.body)) }
                }
                div .buttons {
                    button name="do" value="send-json" { (l.say("Send this JSON", "发送此 JSON")) }
                    span .note { (l.say("The fields above then show it.", "发送后，上面的字段会显示它的内容。")) }
                }
            }
        }
    }

    /// The file of an upload, and what goes with it.
    fn file(&self) -> Markup {
        let (l, form) = (self.l, self.operation.form());
        let Some(file) = form.iter().find(|field| field.field_type() == FieldType::File) else {
            return html! {};
        };
        let name = format!("form/{}", file.name());
        let meta: Vec<Field> = form.get("meta").map_or_else(Vec::new, |meta| meta.fields().iter().collect());
        let (own, others): (Vec<Field>, Vec<Field>) =
            meta.into_iter().partition(|field| draft::of_file(field.name(), "", b"").is_none());
        let parts: Vec<Field> =
            form.iter().filter(|field| field.name() != "meta" && field.name() != file.name()).collect();
        html! {
            fieldset { legend { (l.say("Upload", "上传")) }
                div .inputs { div .input {
                    label for=(id(&name)) { code { (file.name()) } " " span .need { (l.say("required", "必填")) } }
                    input type="file" id=(id(&name)) name=(name) aria-describedby={ (id(&name)) "-note" };
                    span .note id={ (id(&name)) "-note" } { (l.say(
                        "Choose it again for each call. Its name and digest are put into `meta`, which is signed.",
                        "每次发送前重新选择。文件名和摘要会写入参与签名的 `meta`。",
                    )) }
                } }
                (self.rows("form", "form", &parts))
                (self.rows("form/meta", "form.meta", &own))
                @if !others.is_empty() {
                    details #more-form-meta open[others.iter().any(|field| self.draft.is_filled(&format!("form/meta/{}", field.name())))] {
                        summary { (l.say("Replace name or digest", "自行填写文件名或摘要")) }
                        (self.rows("form/meta", "form.meta", &others))
                    }
                }
            }
        }
    }
}

/// Type, length, range, form, documented values.
fn facts(l: Language, field: Field) -> String {
    let mut parts = vec![field.type_name().to_owned()];
    if field.is_perhaps_required() {
        parts.push(l.say("perhaps required", "可能必填").to_owned());
    }
    match (field.min_length(), field.max_length()) {
        (Some(least), Some(most)) => parts.push(format!("{least}–{most} {}", l.say("characters", "个字符"))),
        (Some(least), None) => parts.push(format!("≥ {least} {}", l.say("characters", "个字符"))),
        (None, Some(most)) => parts.push(format!("≤ {most} {}", l.say("characters", "个字符"))),
        (None, None) => {}
    }
    if let (Some(low), Some(high)) = field.range() {
        parts.push(format!("{low}–{high}"));
    }
    parts.extend(field.format().map(str::to_owned));
    let values: Vec<&str> = field.values().collect();
    if !values.is_empty() {
        let more = if values.len() > MAX_VALUES { " …" } else { "" };
        parts.push(format!("{}{more}", values[..values.len().min(MAX_VALUES)].join(" | ")));
    }
    parts.join("; ")
}

/// The documented response.
pub(super) fn response(view: &View, operation: Operation) -> Markup {
    let l = view.language;
    let fields = operation.response();
    html! {
        details #response-fields {
            summary { (l.say("Documented response", "文档中的响应")) }
            @if fields.is_empty() { p .note { @if operation.kind() == OperationKind::Download {
                (l.say("A file", "文件"))
            } @else { (l.say("No body", "没有响应体")) } } } @else { (tree(l, fields)) }
        }
    }
}

fn tree(l: Language, fields: Fields) -> Markup {
    html! {
        ul .tree { @for field in fields.iter() { li {
            code { (field.name()) }
            @if field.is_required() { " " span .need { (l.say("required", "必填")) } }
            @if field.encrypted_for().is_some() { " " span .badge .good { (l.say("encrypted", "加密")) } }
            " " span .note { (facts(l, field)) }
            @if !field.fields().is_empty() { (tree(l, field.fields())) }
        } } }
    }
}

/// The id of an input.
fn id(name: &str) -> String {
    format!("f-{}", name.replace('/', "-"))
}

/// `body/amount/total` without its place.
fn shown(name: &str) -> String {
    name.split_once('/').map_or(name, |(_, rest)| rest).replace('/', ".")
}

fn advice(l: Language, kind: MistakeKind) -> &'static str {
    match kind {
        MistakeKind::Missing => l.say("enter a value: it is part of the path.", "请填写：它是路径的一部分。"),
        MistakeKind::WholeNumber => l.say("enter a whole number, such as 100.", "请填整数，例如 100。"),
        MistakeKind::Number => l.say("enter a number, such as 1.5.", "请填数字，例如 1.5。"),
        MistakeKind::Boolean => l.say("choose true or false.", "请选择 true 或 false。"),
        MistakeKind::Json => l.say("enter valid JSON.", "请填有效的 JSON。"),
        MistakeKind::JsonObject => l.say("enter a JSON object.", "请填 JSON 对象。"),
        MistakeKind::File => l.say("choose a file.", "请选择文件。"),
    }
}
