//! Which faults a request or a notification meets.

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, fmt, str::FromStr};

use serde_json::{Value, json};

use super::{
    Fault, SandboxError,
    template::{self, Template},
};

/// The control endpoint must not fill the memory.
const MOST_RULES: usize = 1_000;

/// A [`Fault`] and what it hits: every request, unless one of the methods says otherwise.
///
/// Each rule counts the requests that fit it (its path, and requests or notifications) for itself, from 1.
///
/// As text ([`FromStr`], [`Display`](fmt::Display)) it is the fault's text and what narrows it, with spaces in
/// between: `rate-limited=1 share=0.1 path=v3/pay/{+rest} times=5`, `duplicate on=notifications`.
///
/// ```
/// use wechatpay_chain::sandbox::{Fault, FaultRule, Sandbox};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let sandbox = Sandbox::builder().seed(7).start()?;
/// sandbox.inject_rule(FaultRule::new(Fault::SystemErrorAfterExecuting).path("v3/pay/{+rest}").nth(3))?;
/// sandbox.inject_rule("rate-limited share=0.1 times=5".parse()?)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a rule does nothing until `inject_rule`"]
pub struct FaultRule {
    fault: Fault,
    nth: Option<u64>,
    share: Option<f64>,
    path: Option<String>,
    times: Option<u64>,
    notifications: bool,
}

impl FaultRule {
    /// Hits every request.
    pub fn new(fault: Fault) -> FaultRule {
        FaultRule { fault, nth: None, share: None, path: None, times: None, notifications: false }
    }

    /// Hits the n-th that fits, counted from 1 since the rule was added, and no other; with
    /// [`times`](FaultRule::times), the n-th and those after it.
    pub fn nth(mut self, n: u64) -> FaultRule {
        self.nth = Some(n);
        self
    }

    /// Hits this share of them, above 0 and up to 1. The sandbox's seed decides which: the same seed, the same
    /// rules and the same order of requests give the same hits.
    pub fn share(mut self, share: f64) -> FaultRule {
        self.share = Some(share);
        self
    }

    /// Only where the path fits this template (see [`Sandbox::on`](super::Sandbox::on)); a notification's path is
    /// its URL's.
    pub fn path(mut self, template: impl Into<String>) -> FaultRule {
        self.path = Some(template.into());
        self
    }

    /// Ends after so many hits.
    pub fn times(mut self, times: u64) -> FaultRule {
        self.times = Some(times);
        self
    }

    /// Hits the notifications that the sandbox sends, and no request. It is the first attempt of each that meets
    /// the fault.
    pub fn notifications(mut self) -> FaultRule {
        self.notifications = true;
        self
    }

    /// How many hits are left at the start; `None`: no end.
    fn hits(&self) -> Option<u64> {
        self.times.or(self.nth.map(|_| 1))
    }

    fn check(&self) -> Result<Option<Template>, SandboxError> {
        let bad = |problem: String| SandboxError::Fault { rule: self.to_string(), problem };
        if self.nth == Some(0) || self.times == Some(0) {
            return Err(bad("`nth` and `times` count from 1".into()));
        }
        if self.share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            return Err(bad("expected a share above 0 and up to 1".into()));
        }
        self.path.as_deref().map(Template::parse).transpose().map_err(bad)
    }
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if let Some(n) = self.nth {
            write!(f, " nth={n}")?;
        }
        if let Some(share) = self.share {
            write!(f, " share={share}")?;
        }
        if let Some(path) = &self.path {
            write!(f, " path={path}")?;
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        if self.notifications { f.write_str(" on=notifications") } else { Ok(()) }
    }
}

impl FromStr for FaultRule {
    type Err = SandboxError;

    fn from_str(text: &str) -> Result<FaultRule, SandboxError> {
        let bad = |problem: String| SandboxError::Fault { rule: text.into(), problem };
        let mut words = text.split_whitespace();
        let fault = words.next().ok_or_else(|| bad("expected the name of a fault".into()))?;
        let mut rule = FaultRule::new(fault.parse()?);
        for word in words {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let number = || value.parse().map_err(|_| bad(format!("`{name}` takes a whole number")));
            rule = match name {
                "nth" => rule.nth(number()?),
                "times" => rule.times(number()?),
                "share" => {
                    rule.share(value.parse().map_err(|_| bad("`share` takes a number up to 1".into()))?)
                }
                "path" => rule.path(value),
                "on" if value == "notifications" => rule.notifications(),
                "on" if value == "requests" => rule,
                "on" => return Err(bad("`on` takes requests or notifications".into())),
                _ => return Err(bad(format!("`{word}` is none of nth=, share=, path=, times= and on="))),
            };
        }
        rule.check()?;
        Ok(rule)
    }
}

/// A rule at work.
struct Active {
    rule: FaultRule,
    template: Option<Template>,
    /// Its number since the last `clear`: two rules with one share must not hit the same requests.
    number: u64,
    fitted: u64,
    hits: u64,
}

impl Active {
    fn fits(&self, path: Option<&[String]>) -> bool {
        let Some(template) = &self.template else { return true };
        path.is_some_and(|path| {
            template.fit(path).or_else(|| template.fit(template::without_prefix(path))).is_some()
        })
    }

    /// Counts one that fits, and tells whether it is hit.
    fn meet(&mut self, seed: u64) -> bool {
        self.fitted += 1;
        let due = self.rule.nth.is_none_or(|n| self.fitted >= n);
        let drawn = self.rule.share.is_none_or(|share| draw(seed, self.number, self.fitted) < share);
        let hit = due && drawn && !self.is_spent();
        self.hits += u64::from(hit);
        hit
    }

    fn is_spent(&self) -> bool {
        self.rule.hits().is_some_and(|most| self.hits >= most)
    }
}

/// All rules, and the queue of [`Sandbox::inject`](super::Sandbox::inject).
pub(super) struct Faults {
    seed: u64,
    queue: VecDeque<Fault>,
    rules: Vec<Active>,
    added: u64,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Faults {
        Faults { seed, queue: VecDeque::new(), rules: Vec::new(), added: 0 }
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    pub(super) fn push(&mut self, fault: Fault) {
        self.queue.push_back(fault);
    }

    pub(super) fn add(&mut self, rule: FaultRule) -> Result<(), SandboxError> {
        let template = rule.check()?;
        if self.rules.len() >= MOST_RULES {
            let problem = format!("there are {MOST_RULES} rules already: clear them first");
            return Err(SandboxError::Fault { rule: rule.to_string(), problem });
        }
        self.added += 1;
        self.rules.push(Active { rule, template, number: self.added, fitted: 0, hits: 0 });
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        *self = Faults::new(self.seed);
    }

    /// Ends one rule, by its number in [`active`](Faults::active). Nothing happens when it has ended already.
    pub(super) fn remove(&mut self, number: u64) {
        self.rules.retain(|active| active.number != number);
    }

    /// The faults of one request: those of the rules, and the next in the queue.
    pub(super) fn of_request(&mut self, target: &str) -> Vec<Fault> {
        let mut faults = self.of_rules(false, target);
        faults.extend(self.queue.pop_front());
        faults
    }

    /// The faults of one notification. Only one that the test asks for takes from the queue: one that a request
    /// sets off would take, now or later, what was meant for the next request.
    pub(super) fn of_notification(&mut self, target: &str, asked_for: bool) -> Vec<Fault> {
        let mut faults = self.of_rules(true, target);
        if asked_for {
            faults.extend(self.queue.pop_front());
        }
        faults
    }

    fn of_rules(&mut self, notification: bool, target: &str) -> Vec<Fault> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let (path, seed) = (template::segments(target), self.seed);
        let mut faults = Vec::new();
        for active in &mut self.rules {
            let fits = active.rule.notifications == notification && active.fits(path.as_deref());
            if fits && active.meet(seed) {
                faults.push(active.rule.fault.clone());
            }
        }
        self.rules.retain(|active| !active.is_spent());
        faults
    }

    /// The rules, each with its number, what fitted it and what it hit.
    pub(super) fn active(&self) -> impl Iterator<Item = (u64, &FaultRule, u64, u64)> {
        self.rules.iter().map(|active| (active.number, &active.rule, active.fitted, active.hits))
    }

    pub(super) fn queued(&self) -> impl Iterator<Item = &Fault> {
        self.queue.iter()
    }

    pub(super) fn list(&self) -> Value {
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|active| {
                json!({ "rule": active.rule.to_string(), "fitted": active.fitted, "hits": active.hits })
            })
            .collect();
        let queue: Vec<String> = self.queue.iter().map(ToString::to_string).collect();
        json!({ "seed": self.seed, "rules": rules, "queue": queue })
    }
}

/// A number from 0 to below 1 that depends on nothing else: `SplitMix64`, one step for each part.
fn draw(seed: u64, rule: u64, request: u64) -> f64 {
    let bits = mix(mix(mix(seed).wrapping_add(rule)).wrapping_add(request));
    // 53 bits are what an `f64` holds exactly.
    (bits >> 11) as f64 / 9_007_199_254_740_992.0
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
