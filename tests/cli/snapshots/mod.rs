//! Whole outputs: exit code, stdout and stderr of every command, of its refusals and of its help.
//!
//! The expected texts stand in the tests. CONTRIBUTING.md says how to accept a change of the output.

/// Compares a run with the text in the source, after the filters.
macro_rules! snapshot {
    ($done:expr, @$expected:literal) => {
        $crate::snapshots::filters()
            .bind(|| insta::assert_snapshot!($crate::snapshots::whole(&$done), @$expected))
    };
}

// `wxpay batch`: the summary and the lines with mistakes.
mod batch;
// Calls, uploads, downloads, certificates, signatures.
mod calls;
// `wxpay config`, `wxpay doctor` and `wxpay sandbox`.
mod configuration;
// Help of each command and of each topic.
mod help;
// `wxpay verify` and `wxpay decrypt`.
mod messages;
// Refusals of the platform, and of what is not the platform.
mod refusals;
// Mistakes in the arguments and in the settings.
mod usage;

use crate::program::Done;

/// What differs from run to run or from machine to machine, and what is shown instead of it, in this order.
const FILTERS: &[(&str, &str)] = &[
    // Temporary folders, ports, and the numbers of the operating system's errors.
    (r#"(file://)?/[^\s"'`=@:]*/\.tmp\w{6}"#, "$1[HOME]"),
    (r"\.config-\w{6}\.toml", ".config-[TEMPORARY].toml"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"(listens on port )\d+", "$1[PORT]"),
    (r" \(os error \d+\)", " (os error [N])"),
    // What is new for each message: Request-IDs, nonces, IDs of notifications, signatures and ciphertexts.
    (r#"(?i)(request.id"?:? ?"?)[0-9A-Z]{40}"#, "$1[REQUEST ID]"),
    (r#"(nonce(_str)?("?: ?"?|="))[0-9A-Za-z]{12,32}"#, "$1[NONCE]"),
    (r"\\n\d{10}\\n[0-9A-Za-z]{32}\\n", r"\n[TIMESTAMP]\n[NONCE]\n"),
    (r"\bnotification \d{30,}", "notification [ID]"),
    // Numbers and payers of orders, and so the digests of bills.
    (r"\b4200\d{24}\b", "[TRANSACTION ID]"),
    (r"\boUpF8[\w-]{23}", "[OPENID]"),
    (r#""sha1":"[0-9a-f]{40}""#, r#""sha1":"[SHA-1]""#),
    (r"[A-Za-z0-9+/]{300,}=*", "[BASE64]"),
    // Keys and certificates that the sandbox has made.
    (r"\b[0-9A-F]{40}\b", "[SERIAL]"),
    (r"\bPUB_KEY_ID_\d+", "[PUBLIC KEY ID]"),
    (r#"(APIv3 key +|APIV3_KEY='|apiv3Key = '|apiv3_key\(")\w{32}"#, "$1[APIV3 KEY]"),
    (r"(# seed +)\d+", "$1[N]"),
    (r"(-----BEGIN CERTIFICATE-----\\n)[^-]+", "$1[BASE64]\\n"),
    // Times, dates and durations. A day alone is not filtered: examples have some.
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", "[TIME]"),
    (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "[DATE]"),
    (r#"(timestamp(:? |":|=")|clock )\d{10,13}\b"#, "$1[TIMESTAMP]"),
    (r#"("age_seconds":)\d+"#, "$1[N]"),
    (r"\b\d+(\.\d+)? (ms|a second)\b", "[N] $2"),
    (r"\bin \d+(\.\d+)? s\b", "in [N] s"),
    // What an editor removes or does not show.
    (r"(?m)[ \t]+$", ""),
    ("\u{feff}", "[BOM]"),
    // The program's version.
    (concat!(r"\b", env!("CARGO_PKG_VERSION"), r"\b"), "[VERSION]"),
];

/// The settings with all filters.
pub(crate) fn filters() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_filters(FILTERS.iter().copied());
    settings
}

/// A run as one text.
pub(crate) fn whole(done: &Done) -> String {
    let code = done.code.map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
    let part = |text: &str| match text {
        "" => String::new(),
        _ if text.ends_with('\n') => text.to_owned(),
        _ => format!("{text}\n(no line break at the end)\n"),
    };
    format!("exit {code}\n--- stdout\n{}--- stderr\n{}", part(&done.out), part(&done.err))
}
