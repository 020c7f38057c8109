//! The faults that are active: the rules, and the queue of [`Sandbox::inject`](crate::sandbox::Sandbox::inject).

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use super::{
    drawn::{Drawn, Part, Source},
    fault::Fault,
    hits::{HitTarget, Hits, SpentFault},
    rule::FaultRule,
};
use crate::sandbox::http::{
    path_template::{self, PathTemplate},
    sandbox_error::SandboxError,
};

/// Bounds the memory that the control endpoint can fill.
const MAX_RULES: usize = 1_000;

/// Faults that wait for the next requests.
const MAX_QUEUE: usize = 1_000;

/// Faults that apply no more, and are still listed.
const MAX_SPENT: usize = 1_000;

/// A handle that the server and the notifications share.
#[derive(Clone)]
pub(crate) struct SharedFaults(Arc<Mutex<ActiveFaults>>);

impl SharedFaults {
    pub(crate) fn new(seed: u64) -> SharedFaults {
        SharedFaults(Arc::new(Mutex::new(ActiveFaults::new(seed))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ActiveFaults> {
        // A panic elsewhere must not stop the sandbox: no change is ever half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct ActiveRule {
    rule: FaultRule,
    template: Option<PathTemplate>,
    /// Counts the rules since the last `clear`. Two rules with the same share must not hit the same requests.
    number: u64,
    matched: u64,
    hits: Hits,
    /// Hits that are not settled.
    drawn: u64,
}

/// A fault of the queue.
struct Queued {
    number: u64,
    fault: Fault,
    /// Whether a request or notification has it that is not settled.
    drawn: bool,
}

/// The state of a rule, for the page.
pub(crate) struct RuleStatus<'a> {
    pub(crate) number: u64,
    pub(crate) rule: &'a FaultRule,
    pub(crate) matched: u64,
    pub(crate) hits: &'a Hits,
}

impl ActiveRule {
    fn matches(&self, path: Option<&[String]>) -> bool {
        let Some(template) = &self.template else { return true };
        path.is_some_and(|path| template.matches_below_base(path).is_some())
    }

    /// Counts a match. Returns whether it gets the fault.
    fn hit(&mut self, seed: u64) -> bool {
        self.matched += 1;
        let reached = self.rule.nth.is_none_or(|n| self.matched >= n);
        let drawn = self.rule.share.is_none_or(|share| draw(seed, self.number, self.matched) < share);
        let hit = reached && drawn && !self.has_ended(self.drawn);
        self.drawn += u64::from(hit);
        hit
    }

    /// Whether it has all its hits, together with these.
    fn has_ended(&self, more: u64) -> bool {
        self.rule.max_hits().is_some_and(|max| self.hits.count + more >= max)
    }
}

pub(crate) struct ActiveFaults {
    seed: u64,
    queue: VecDeque<Queued>,
    /// The faults that found the queue full.
    refused: u64,
    rules: Vec<ActiveRule>,
    /// Those that apply no more, oldest first.
    spent: VecDeque<SpentFault>,
    /// Those that the list had to drop.
    spent_dropped: u64,
    added: u64,
    pushed: u64,
    clears: u64,
    /// Whether a test expects each fault that has an end to apply.
    expected: bool,
}

impl ActiveFaults {
    pub(crate) fn new(seed: u64) -> ActiveFaults {
        ActiveFaults {
            seed,
            queue: VecDeque::new(),
            refused: 0,
            rules: Vec::new(),
            spent: VecDeque::new(),
            spent_dropped: 0,
            added: 0,
            pushed: 0,
            clears: 0,
            expected: false,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A full queue refuses the fault.
    pub(crate) fn push(&mut self, fault: Fault) {
        if self.queue.len() < MAX_QUEUE {
            self.pushed += 1;
            self.queue.push_back(Queued { number: self.pushed, fault, drawn: false });
        } else {
            self.refused += 1;
            tracing::warn!(%fault, "not queued: too many faults wait (limit {MAX_QUEUE})");
        }
    }

    pub(crate) fn add(&mut self, rule: FaultRule) -> Result<(), SandboxError> {
        let template = rule.validate()?;
        if self.rules.len() >= MAX_RULES {
            let problem = format!("too many rules (limit {MAX_RULES}): clear them first");
            return Err(SandboxError::Fault { rule: rule.to_string(), problem });
        }
        self.added += 1;
        let (number, hits) = (self.added, Hits::default());
        self.rules.push(ActiveRule { rule, template, number, matched: 0, hits, drawn: 0 });
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        let (expected, clears) = (self.expected, self.clears + 1);
        *self = ActiveFaults { expected, clears, ..ActiveFaults::new(self.seed) };
    }

    pub(crate) fn expect_all(&mut self) {
        self.expected = true;
    }

    /// The expected faults that did not apply, or not often enough; a line for each.
    pub(crate) fn unmet(&self) -> Vec<String> {
        if !self.expected {
            return Vec::new();
        }
        let queued = self.queued().map(|fault| format!("the queued fault `{fault}` did not apply"));
        let ending = self.rules.iter().filter(|active| active.rule.max_hits().is_some());
        let rules =
            ending.map(|active| format!("the fault `{}` applied {} times", active.rule, active.hits.count));
        let refused = (self.refused > 0)
            .then(|| format!("{} faults were not queued: too many wait (limit {MAX_QUEUE})", self.refused));
        queued.chain(rules).chain(refused).collect()
    }

    /// Removes a rule by its number. A number that no longer exists is ignored.
    pub(crate) fn remove(&mut self, number: u64) {
        self.rules.retain(|active| active.number != number);
    }

    /// The faults of one request: those of the rules and the next one of the queue that it can have.
    pub(crate) fn of_request(&mut self, target: &str, number: u64) -> Drawn {
        let mut parts = self.of_rules(false, target);
        parts.extend(self.next_queued(Fault::is_for_requests));
        Drawn { clears: self.clears, by: HitTarget::Request(number), parts }
    }

    /// The faults of one notification. Only `explicit` notifications (sent by a test, not caused by a request) take
    /// from the queue: the others would take the fault that was meant for the next request.
    pub(crate) fn of_notification(&mut self, target: &str, explicit: bool, id: &str) -> Drawn {
        let mut parts = self.of_rules(true, target);
        if explicit {
            parts.extend(self.next_queued(Fault::is_for_notifications));
        }
        Drawn { clears: self.clears, by: HitTarget::Notification(id.into()), parts }
    }

    fn next_queued(&mut self, suits: fn(&Fault) -> bool) -> Option<Part> {
        let next = self.queue.iter_mut().find(|queued| !queued.drawn && suits(&queued.fault))?;
        next.drawn = true;
        Some(Part { source: Source::Queue(next.number), fault: next.fault.clone(), applied: false })
    }

    /// Counts the faults that applied. The others are as if they had not been drawn.
    pub(crate) fn settle(&mut self, drawn: Drawn) {
        let Drawn { clears, by, parts } = drawn;
        if clears != self.clears {
            return;
        }
        for part in parts {
            match part.source {
                Source::Rule(number) => {
                    // It may have been removed.
                    let Some(active) = self.rules.iter_mut().find(|active| active.number == number) else {
                        continue;
                    };
                    active.drawn -= 1;
                    if part.applied {
                        active.hits.add(by.clone());
                    }
                }
                Source::Queue(number) => {
                    let Some(index) = self.queue.iter().position(|queued| queued.number == number) else {
                        continue;
                    };
                    if part.applied {
                        self.queue.remove(index);
                        let mut hits = Hits::default();
                        hits.add(by.clone());
                        self.retire(SpentFault { rule: part.fault.to_string(), queued: true, hits });
                    } else {
                        self.queue[index].drawn = false;
                    }
                }
            }
        }
        for active in self.rules.extract_if(.., |active| active.has_ended(0)).collect::<Vec<_>>() {
            self.retire(SpentFault { rule: active.rule.to_string(), queued: false, hits: active.hits });
        }
    }

    fn retire(&mut self, spent: SpentFault) {
        self.spent.push_back(spent);
        if self.spent.len() > MAX_SPENT {
            self.spent.pop_front();
            self.spent_dropped += 1;
        }
    }

    fn of_rules(&mut self, notification: bool, target: &str) -> Vec<Part> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let (path, seed) = (path_template::decode_segments(target), self.seed);
        let mut parts = Vec::new();
        for active in &mut self.rules {
            let matches = active.rule.notifications == notification && active.matches(path.as_deref());
            if matches && active.hit(seed) {
                let (source, fault) = (Source::Rule(active.number), active.rule.fault.clone());
                parts.push(Part { source, fault, applied: false });
            }
        }
        parts
    }

    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleStatus<'_>> {
        self.rules.iter().map(|active| RuleStatus {
            number: active.number,
            rule: &active.rule,
            matched: active.matched,
            hits: &active.hits,
        })
    }

    /// Newest first.
    pub(crate) fn spent(&self) -> impl Iterator<Item = &SpentFault> {
        self.spent.iter().rev()
    }

    pub(crate) fn queued(&self) -> impl Iterator<Item = &Fault> {
        self.queue.iter().map(|queued| &queued.fault)
    }

    pub(crate) fn to_json(&self) -> Value {
        let rule = |active: &ActiveRule| {
            let mut json = active.hits.to_json();
            json["rule"] = active.rule.to_string().into();
            json["matched"] = active.matched.into();
            json
        };
        let spent = |spent: &SpentFault| {
            let mut json = spent.hits.to_json();
            json["rule"] = spent.rule.as_str().into();
            json["queued"] = spent.queued.into();
            json
        };
        let queue: Vec<String> = self.queued().map(ToString::to_string).collect();
        json!({
            "seed": self.seed,
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
            "queue": queue,
            "refused": self.refused,
            "spent": self.spent().map(spent).collect::<Vec<_>>(),
            "spent_dropped": self.spent_dropped,
        })
    }
}

/// A pseudo-random number in 0..1 that depends only on its arguments: one step of `SplitMix64` for each.
fn draw(seed: u64, rule: u64, request: u64) -> f64 {
    let bits = mix(mix(mix(seed).wrapping_add(rule)).wrapping_add(request));
    // An `f64` holds 53 bits exactly.
    (bits >> 11) as f64 / 9_007_199_254_740_992.0
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
