//! Fault rules: a fault and the requests or notifications that it applies to.

use std::{fmt, str::FromStr};

use super::fault::Fault;
use crate::sandbox::http::{path_template::PathTemplate, sandbox_error::SandboxError};

/// A [`Fault`] and the requests that it applies to: all requests, unless a method narrows it.
///
/// Each rule counts its matches (by path, and by request or notification) on its own, from 1.
///
/// As text ([`FromStr`], [`Display`](fmt::Display)), a rule is the fault followed by its conditions, separated by
/// spaces: `rate-limited=1 share=0.1 path=v3/pay/{+rest} times=5`, `duplicate on=notifications`.
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
    pub(crate) fault: Fault,
    pub(crate) nth: Option<u64>,
    pub(crate) share: Option<f64>,
    path: Option<String>,
    times: Option<u64>,
    pub(crate) notifications: bool,
}

impl FaultRule {
    /// Applies to every request.
    pub fn new(fault: Fault) -> FaultRule {
        FaultRule { fault, nth: None, share: None, path: None, times: None, notifications: false }
    }

    /// Applies only to the n-th match, counted from 1 since the rule was added; with
    /// [`times`](FaultRule::times), to the n-th and the following ones.
    pub fn nth(mut self, n: u64) -> FaultRule {
        self.nth = Some(n);
        self
    }

    /// Applies with this probability, above 0 and up to 1. It depends on the sandbox's seed: the same seed, rules and
    /// order of requests give the same faults.
    pub fn share(mut self, share: f64) -> FaultRule {
        self.share = Some(share);
        self
    }

    /// Applies only to paths that match this template (see [`Sandbox::on`](crate::sandbox::Sandbox::on)). The path of
    /// a notification is that of its URL.
    pub fn path(mut self, template: impl Into<String>) -> FaultRule {
        self.path = Some(template.into());
        self
    }

    /// Removes the rule after it was applied this many times.
    pub fn times(mut self, times: u64) -> FaultRule {
        self.times = Some(times);
        self
    }

    /// Applies to the notifications that the sandbox sends, not to requests. Only the first attempt of a notification
    /// gets the fault.
    pub fn notifications(mut self) -> FaultRule {
        self.notifications = true;
        self
    }

    /// The maximum number of hits; `None`: unlimited.
    pub(crate) fn max_hits(&self) -> Option<u64> {
        self.times.or(self.nth.map(|_| 1))
    }

    /// Checks the conditions and parses the path.
    pub(crate) fn validate(&self) -> Result<Option<PathTemplate>, SandboxError> {
        let bad = |problem: String| SandboxError::Fault { rule: self.to_string(), problem };
        if self.nth == Some(0) || self.times == Some(0) {
            return Err(bad("`nth` and `times` count from 1".into()));
        }
        if self.share.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
            return Err(bad("`share` must be above 0 and up to 1".into()));
        }
        if self.notifications && !self.fault.is_for_notifications() {
            return Err(bad("this fault does not apply to notifications".into()));
        }
        if !self.notifications && !self.fault.is_for_requests() {
            return Err(bad("this fault applies to notifications only: add `on=notifications`".into()));
        }
        self.path.as_deref().map(PathTemplate::parse).transpose().map_err(bad)
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
                _ => {
                    return Err(bad(format!(
                        "unknown condition `{word}`: expected nth=, share=, path=, times= or on="
                    )));
                }
            };
        }
        rule.validate()?;
        Ok(rule)
    }
}
