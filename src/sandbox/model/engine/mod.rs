//! What the rows of the catalogue do: a small engine over the store.

#[path = "../products/combined/rules.rs"]
pub(super) mod combined;
#[path = "../products/files.rs"]
pub(super) mod files;
#[path = "fields.rs"]
mod fill;
#[path = "lookup.rs"]
mod find;
#[path = "../products/orders/rules.rs"]
pub(super) mod orders;
#[path = "../products/refunds/rules.rs"]
pub(super) mod refunds;
#[path = "../products/payscore/rules.rs"]
pub(super) mod services;
#[path = "../products/profit_sharing/rules.rs"]
pub(super) mod shares;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::{
    Answer,
    catalogue::{Act, Fields, Kind, REFUND, Set, Step, Then},
    delivery::Event,
    notification,
    platform::Platform,
    refusal::Refusal,
    routes::Call,
    store::{Document, Documents},
};

/// Fields of the sandbox's own, which no request may bring along.
const INTERNAL: [&str; 3] = ["asked", "combined", "unsplit_amount"];

/// The largest body that is kept. A combined order of fifty parts has half of this.
const LARGEST: usize = 128 << 10;

/// One request's work, within its transaction.
pub(crate) struct Flow<'a> {
    pub(super) platform: &'a Platform,
    pub(super) documents: &'a Documents<'a>,
    pub(super) now: i64,
    /// The sub-merchant, or nothing.
    scope: &'a str,
    /// The request's body.
    given: &'a Value,
    events: Vec<Event>,
}

impl Platform {
    /// Runs work on the state as one transaction, and sends its notifications once that is written.
    pub(super) fn work<T>(
        &self,
        scope: &str,
        given: &Value,
        work: impl FnOnce(&mut Flow<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let now = self.clock.now();
        let (result, events) = self.store.change(|documents| {
            let mut flow = Flow { platform: self, documents, now, scope, given, events: Vec::new() };
            let result = work(&mut flow)?;
            let mut events = Vec::with_capacity(flow.events.len());
            for event in flow.events {
                let id = notification::id()
                    .map_err(|_| Refusal::new(500, "SYSTEM_ERROR", "the sandbox has no random numbers"))?;
                documents.put_undelivered(&id, &event)?;
                events.push((id, event));
            }
            Ok((result, events))
        })?;
        for (id, event) in events {
            self.send(id, event, false);
        }
        Ok(result)
    }
}

/// Answers a request as its row says.
pub(super) fn answer(call: &Call<'_>, act: &Act) -> Result<Answer, Refusal> {
    if let Act::Plain(function) = act {
        return function(call);
    }
    if call.size() > LARGEST {
        return Err(Refusal::param("body", "/", &format!("more than {LARGEST} bytes")));
    }
    call.platform.work(call.scope(), call.body, |flow| match act {
        Act::Plain(function) => function(call),
        Act::Create(kind, sets, then, fields) => flow.create(kind, sets, *then, fields),
        Act::Query(kind, by, fields) => match flow.find(call, kind, by)? {
            Some(document) => Ok(show(&document.body, fields)),
            None => Ok(Answer::new(204)),
        },
        Act::Move(kind, by, step, then, fields) => {
            let Some(mut document) = flow.find(call, kind, by)? else { return Ok(Answer::new(204)) };
            flow.step(kind, &mut document, step)?;
            let answer = show(&document.body, fields);
            flow.then(kind, &mut document, *then)?;
            Ok(answer)
        }
        Act::Remove(kind, by, fields) => {
            let Some(document) = flow.find(call, kind, by)? else { return Ok(Answer::new(204)) };
            flow.documents.remove(&document)?;
            Ok(show(&document.body, fields))
        }
    })
}

impl Flow<'_> {
    fn create(&mut self, kind: &Kind, sets: &[Set], then: Then, fields: Fields) -> Result<Answer, Refusal> {
        let mut document = self.fresh(kind, self.given.clone(), sets)?;
        if let Some(mut old) = self.documents.numbered(kind.name, self.scope, &document.number)? {
            (kind.load)(self, &mut old)?;
            self.repeat(kind, &old, &document)?;
            self.fill(&mut old.body, sets)?;
            self.save(kind, &mut old)?;
            return Ok(show(&old.body, fields));
        }
        (kind.begin)(self, &mut document)?;
        self.save(kind, &mut document)?;
        let answer = show(&document.body, fields);
        self.then(kind, &mut document, then)?;
        Ok(answer)
    }

    /// A resource out of what the request gave; not stored yet.
    fn fresh(&self, kind: &Kind, body: Value, sets: &[Set]) -> Result<Document, Refusal> {
        let mut body = if body.is_object() { body } else { json!({}) };
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|name, _| name != kind.own && !INTERNAL.contains(&name.as_str()));
        }
        self.fill(&mut body, sets)?;
        self.fill(&mut body, kind.new)?;
        let asked: Vec<Value> =
            kind.same.iter().map(|field| body.pointer(field).cloned().unwrap_or(Value::Null)).collect();
        body["asked"] = Value::Array(asked);
        Ok(Document {
            seq: 0,
            kind: kind.name.into(),
            scope: self.scope.into(),
            number: text(&body, kind.number).unwrap_or_default().into(),
            own: None,
            parent: None,
            state: String::new(),
            settled: None,
            changed: self.now,
            body,
        })
    }

    /// Whether a request may come again, for what is there already.
    fn repeat(&self, kind: &Kind, old: &Document, new: &Document) -> Result<(), Refusal> {
        if let Some((_, code)) = kind.over.iter().find(|(state, _)| *state == old.state) {
            return Err(code.refusal(&described(kind, old)));
        }
        for (index, field) in kind.same.iter().enumerate() {
            if old.body["asked"][index] != new.body["asked"][index] {
                let issue = format!("{} {} was made with another value", kind.name, old.number);
                let named = Refusal::param("body", field, &issue);
                return Err(Refusal { detail: named.detail, ..kind.used.refusal(&named.message) });
            }
        }
        Ok(())
    }

    /// What happens by itself.
    fn then(&mut self, kind: &Kind, document: &mut Document, then: Then) -> Result<(), Refusal> {
        match then {
            Some(_) if kind.name == REFUND.name && self.platform.holds_refunds => Ok(()),
            Some(step) => self.step(kind, document, step),
            None => Ok(()),
        }
    }

    /// Changes a state, or refuses to.
    pub(super) fn step(&mut self, kind: &Kind, document: &mut Document, step: &Step) -> Result<(), Refusal> {
        if step.again && document.state == step.to {
            return Ok(());
        }
        if !step.from.contains(&document.state.as_str()) {
            let code = step.refuses.iter().find(|(state, _)| *state == document.state);
            let code = code.map_or(step.wrong, |(_, code)| *code);
            return Err(code.refusal(&described(kind, document)));
        }
        document.body[kind.state] = step.to.into();
        self.fill(&mut document.body, step.sets)?;
        (step.rule)(self, document)?;
        if step.settles {
            document.settled = Some(self.now);
        }
        self.save(kind, document)?;
        let url = text(&document.body, "notify_url").filter(|url| !url.is_empty());
        if let (Some(notice), Some(url)) = (&step.event, url) {
            self.events.push(Event {
                notify_url: url.into(),
                event_type: notice.event_type.into(),
                original_type: notice.original_type.into(),
                summary: notice.summary.into(),
                resource: pick(&document.body, notice.fields),
            });
        }
        Ok(())
    }

    /// Writes a document, its columns as its body has them.
    pub(super) fn save(&self, kind: &Kind, document: &mut Document) -> Result<(), Refusal> {
        let column = |name: &str| text(&document.body, name).map(String::from);
        (document.own, document.parent) = (column(kind.own), column(kind.parent));
        document.state = column(kind.state).unwrap_or_default();
        document.changed = self.now;
        self.documents.put(document)
    }
}

/// `order P12345 is CLOSED`.
fn described(kind: &Kind, document: &Document) -> String {
    format!("{} {} is {}", kind.name, document.number, document.state)
}

fn show(body: &Value, fields: Fields) -> Answer {
    if fields.is_empty() { Answer::new(204) } else { Answer::new(200).json(pick(body, fields)) }
}

fn pick(body: &Value, fields: Fields) -> Value {
    let there =
        |name: &&str| Some((name.to_string(), body.get(*name).filter(|value| !value.is_null())?.clone()));
    Value::Object(fields.iter().filter_map(there).collect::<Map<_, _>>())
}

/// A text of an object.
fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str()
}

/// Cents at a pointer; 0 when there are none.
fn cents(body: &Value, pointer: &str) -> i64 {
    body.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}
