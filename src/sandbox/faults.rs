use std::{collections::VecDeque, time::Duration};

/// Something that goes wrong with an answer, on purpose.
///
/// The faults of a signature leave an answer alone that is not signed anyway (a statement download, a gateway's
/// page), and so does [`CutBody`](Fault::CutBody) an answer without a body: it then cuts the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A well-formed signature, by the right key, over another message.
    BadSignature,
    /// A right signature under a `Wechatpay-Serial` that no key has.
    UnknownSerial,
    /// An answer without this header (any letter case).
    MissingHeader(String),
    /// A right signature over a `Wechatpay-Timestamp` 301 seconds ago, the youngest one to be refused.
    OldTimestamp,
    /// A signature that begins `WECHATPAY/SIGNTEST/`.
    SignatureProbe,
    /// A space is added to the body after signing: a JSON reader sees no difference, a verifier must. An empty
    /// body becomes `{}`, and its 204 a 200.
    WrongBody,
    /// 502 with an unsigned `text/html` page, as a gateway in between sends it.
    HtmlBadGateway,
    /// The connection is closed without an answer, once the request has been read.
    CutConnection,
    /// The connection is closed in the middle of the body that `Content-Length` promises.
    CutBody,
    /// The answer comes this much later.
    Delay(Duration),
}

/// Which faults the next requests meet.
#[derive(Default)]
pub(super) struct Faults {
    queue: VecDeque<Fault>,
    always: Vec<Fault>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        self.queue.push_back(fault);
    }

    pub(super) fn push_always(&mut self, fault: Fault) {
        self.always.push(fault);
    }

    pub(super) fn clear(&mut self) {
        *self = Faults::default();
    }

    /// The faults of one request: those for all, and the next in the queue.
    pub(super) fn take(&mut self) -> Vec<Fault> {
        self.always.iter().cloned().chain(self.queue.pop_front()).collect()
    }
}
