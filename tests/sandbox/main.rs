//! The sandbox, driven over raw sockets, by the client, by the Node SDK and in a browser.

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

// The page in a browser.
#[cfg(unix)]
mod browser;
// Business time, failures of refunds and transfers, balances.
#[cfg(unix)]
mod business;
// Code payments, and requests of APIv2.
#[cfg(unix)]
mod code_payments;
// Wrong signatures, and the mistake that the response names.
#[cfg(unix)]
mod diagnosis;
// Requests and faults that a test expects.
mod expect;
// Faults by rule, the clock, and the control endpoint.
#[cfg(unix)]
mod faults;
// Orders and refunds, from the first request to the bill.
mod flows;
// Many sandboxes in one process.
mod many;
// Random operations with faults and kills, against an independent model of the money.
#[cfg(unix)]
mod model;
// The Node SDK against the sandbox.
mod node;
// Notifications that the sandbox sends.
#[cfg(unix)]
mod notify;
// The page over raw HTTP.
#[cfg(unix)]
mod page;
// Payscore, transfers, profit sharing, files.
mod products;
// The example `sandbox`, run as a program.
#[cfg(unix)]
mod program;
// Scripted responses from a file.
#[cfg(unix)]
mod scripts;
// The protocol: what is refused, how responses are signed, connections, keys.
#[cfg(unix)]
mod server;
// State that survives a restart.
mod state;
// What integrators get wrong in the fields of a request.
mod strict_fields;
// Two programs that talk over the sandbox: a shop and its customer service.
mod story;
