//! The sandbox, driven over raw sockets, by the client, by SDKs of other languages and in a browser.

// Helpers that other test programs use, too.
#[path = "../support"]
mod support {
    pub(crate) mod openssl;
    pub(crate) mod process;
    pub(crate) mod sandbox;
    pub(crate) mod test_server;
    pub(crate) mod tools;

    pub(crate) use self::{openssl::*, process::*, sandbox::*, test_server::*, tools::*};
}
// Raw HTTP requests that `openssl` signs.
#[cfg(unix)]
mod raw_http;
// Requests of the tests of products, and what they expect.
mod requests;
// A headless Chromium, driven over WebDriver.
#[cfg(unix)]
mod webdriver;

// How the page looks.
#[cfg(unix)]
mod appearance;
// Requests that no client sends by intent.
#[cfg(unix)]
mod attacks;
// What the sandbox keeps is bounded.
mod bounds;
// Any documented notification, in its documented shape.
#[cfg(unix)]
mod documented_events;
// The page in a browser.
#[cfg(unix)]
mod browser;
// Business time, failures of refunds and transfers, balances.
#[cfg(unix)]
mod business;
// Code payments, and requests of APIv2.
#[cfg(unix)]
mod code_payments;
// Combined orders of several sub-merchants.
mod combined;
// Wrong signatures, and the mistake that the response names.
#[cfg(unix)]
mod diagnosis;
// Documented operations: compared, and answered in their shape.
// Every documented operation: accepted, answered in shape, and what is left out is named.
mod documented;
mod documented_call;
// The explorer of the page: search, form, send, code.
#[cfg(unix)]
mod explorer;
// The explorer, for every documented operation.
#[cfg(unix)]
mod explorer_catalogue;
// The explorer in a browser.
#[cfg(unix)]
mod explorer_browser;
// Requests and faults that a test expects.
mod expect;
// Faults by rule, the clock, and the control endpoint.
#[cfg(unix)]
mod faults;
// Orders and refunds, from the first request to the bill.
mod flows;
// SDKs of other languages against the sandbox, and our client against one of them.
#[cfg(unix)]
mod foreign;
// The records of requests and notifications over a restart.
#[cfg(unix)]
mod kept_records;
// The keys folder: whole or not at all, modes and rotations.
#[cfg(unix)]
mod keys_folder;
// Several mistakes at once, and signatures that are wrong themselves.
#[cfg(unix)]
mod mistakes;
// Many sandboxes in one process.
mod many;
// Public-key mode, certificate mode, the migration, rotations that are kept.
#[cfg(unix)]
mod modes;
// Random operations with faults and kills, against an independent model of the money.
#[cfg(unix)]
mod model;
// Notifications that the sandbox sends.
#[cfg(unix)]
mod notify;
// Notifications over TLS.
#[cfg(target_os = "linux")]
mod notify_https;
// The page over raw HTTP.
#[cfg(unix)]
mod page;
// The lists of the page: filters, timelines, copies.
#[cfg(unix)]
mod page_lists;
// The page in Chinese, short numbers, the signing mode.
#[cfg(unix)]
mod page_details;
// Encrypted fields of requests and responses.
#[cfg(unix)]
mod personal_data;
// Charges of PayScore orders, and their money.
#[cfg(unix)]
mod payscore;
// Payscore, transfers, profit sharing, files.
mod products;
// The pages of `wxpay endpoints export` in a browser.
#[cfg(unix)]
mod reference;
// The example `sandbox`, run as a program.
#[cfg(unix)]
mod program;
// The recorded calls of other SDKs' samples.
mod recorded_calls;
// The record of each request: what came, what was sent, which fault hit.
#[cfg(unix)]
mod records;
// Scripted responses from a file.
#[cfg(unix)]
mod scripts;
// The protocol: what is refused, how responses are signed, connections, keys.
#[cfg(unix)]
mod server;
// Options of a start: address, port, ready file, a command.
#[cfg(unix)]
mod start;
// State that survives a restart.
mod state;
// What integrators get wrong in the fields of a request.
mod strict_fields;
// Two programs that talk over the sandbox: a shop and its customer service.
mod story;
