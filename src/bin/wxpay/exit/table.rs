//! The exit codes, in one table: the help, `wxpay help exit-codes`, `--json-errors` and a test of the documents read it.

pub(crate) const SUCCESS: u8 = 0;
pub(crate) const USAGE: u8 = 1;
pub(crate) const REFUSED: u8 = 2;
pub(crate) const TRANSPORT: u8 = 3;
pub(crate) const VERIFICATION: u8 = 4;
pub(crate) const UNKNOWN: u8 = 5;
/// Of `--check`.
pub(crate) const HINTS: u8 = 6;
/// 128 + SIGHUP, as shells report it.
pub(crate) const HUNG_UP: u8 = 129;
/// 128 + SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;
/// 128 + SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

pub(crate) struct Row {
    pub(crate) code: u8,
    /// The `error` member of `--json-errors`.
    pub(crate) kind: &'static str,
    /// Of every command but `batch`.
    pub(crate) meaning: &'static str,
    /// Of `batch`.
    pub(crate) batch: &'static str,
}

pub(crate) const TABLE: [Row; 10] = [
    Row { code: SUCCESS, kind: "", meaning: "success", batch: "every call is `ok`" },
    Row {
        code: USAGE,
        kind: "usage",
        meaning: "wrong argument, setting, key or file; or output that cannot be written",
        batch: "wrong argument, line, setting or journal: no call can be sent until it is fixed",
    },
    Row {
        code: REFUSED,
        kind: "refused",
        meaning: "the platform refused the call: see its code",
        batch: "some calls are `refused`",
    },
    Row {
        code: TRANSPORT,
        kind: "transport",
        meaning: "safe to repeat later: no connection, a rate limit, or a GET that failed",
        batch: "some calls are left (`limited`, `unsent`, not begun): `--resume` later; or the journal failed",
    },
    Row {
        code: VERIFICATION,
        kind: "verification",
        meaning: "not the platform's word, or cannot be decrypted; a write may have been carried out",
        batch: "some calls are `unverified`: query them",
    },
    Row {
        code: UNKNOWN,
        kind: "unknown",
        meaning: "a write was sent and its result is unknown: query it before you repeat it",
        batch: "some calls are `unknown`, all others are done: query them",
    },
    Row {
        code: HINTS,
        kind: "hints",
        meaning: "`--check` found something to look at; nothing was sent",
        batch: "`--check` found something to look at; nothing was sent",
    },
    Row {
        code: HUNG_UP,
        kind: "interrupted",
        meaning: "ended by SIGHUP: the terminal was closed",
        batch: "SIGHUP, and some calls are left",
    },
    Row {
        code: INTERRUPTED,
        kind: "interrupted",
        meaning: "ended by Ctrl-C",
        batch: "Ctrl-C, and some calls are left",
    },
    Row {
        code: TERMINATED,
        kind: "interrupted",
        meaning: "ended by SIGTERM",
        batch: "SIGTERM, and some calls are left",
    },
];
