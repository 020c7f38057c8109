//! The client: requests, signatures, verification, keys, files, and what goes over the wire.

// Helpers that other test programs use, too.
#[path = "../support"]
mod support {
    #[cfg(feature = "v2")]
    pub(crate) mod apiv2;
    pub(crate) mod client;
    pub(crate) mod keys;
    #[cfg(feature = "v2")]
    pub(crate) mod mutual_tls;
    pub(crate) mod openssl;
    pub(crate) mod process;
    pub(crate) mod recorder;
    #[cfg(feature = "sandbox")]
    pub(crate) mod sandbox;
    pub(crate) mod test_server;
    pub(crate) mod tools;

    #[cfg(feature = "sandbox")]
    pub(crate) use self::sandbox::*;
    #[cfg(feature = "v2")]
    pub(crate) use self::{apiv2::*, mutual_tls::*};
    pub(crate) use self::{
        client::*, keys::*, openssl::*, process::*, recorder::*, test_server::*, tools::*,
    };
}

// Multipart bodies, taken apart.
mod multipart;

// Forged, malformed and oversized messages by the thousand.
mod attacks;
// The other protocol.
#[cfg(feature = "v2")]
mod apiv2;
// Attempts of one call that fail in different ways.
mod attempts;
// Downloads of bills: the request for the address, the file, its digest, its rows.
#[cfg(feature = "sandbox")]
mod bill;
// Hints about a call.
#[cfg(feature = "sandbox")]
mod catalogue;
// Genuine responses to another request.
#[cfg(all(feature = "sandbox", feature = "bill"))]
mod binding;
// The text of bills: odd forms, other formats, cut files, bounds.
#[cfg(feature = "bill")]
mod bill_rows;
// Responses to bill requests of every documented shape.
#[cfg(feature = "sandbox")]
mod bill_responses;
// Blocking calls from plain threads and from inside runtimes.
#[cfg(feature = "sandbox")]
mod blocking;
// Connections: pools of many runtimes, kept connections that the server closed.
mod connections;
// Platform certificates that the client downloads, and platform keys that change while calls are under way.
#[cfg(feature = "sandbox")]
mod certificates;
// The builder, PHP's array and the environment: what each takes and refuses.
mod config;
// Recorded PHP and Node calls, compared with what is sent here.
mod conformance;
// Options and factory arrays as they come from PHP and Node programs.
mod doors;
// Connections that cannot be made, or break.
mod connection_errors;
// Files that are streamed to disk.
#[cfg(feature = "sandbox")]
mod download;
// Pipes, devices and links as the targets of downloads.
#[cfg(unix)]
mod download_targets;
// Each fault of the sandbox and the error that it causes.
#[cfg(feature = "sandbox")]
mod faults;
// The fuzz targets, each for some seconds.
mod fuzz;
// Keys in the wrong place and control characters: what is printed about them.
#[cfg(all(feature = "bill", feature = "p12"))]
mod guard;
// Requests and responses over HTTP: paths, headers, bodies, hosts, errors.
mod http;
// Which hosts get which requests: trust, clear text, names in odd spellings.
mod hosts;
// Serials as people copy them.
mod serials;
// Files that are no files, and `.p12` files that were changed on their way.
#[cfg(all(feature = "p12", unix))]
mod special_files;
// Private and public keys in each form and from each source.
#[cfg(feature = "p12")]
mod key_forms;
// Long texts in messages.
mod long_texts;
// Responses that break HTTP.
mod malformed;
// Memory that large files take.
#[cfg(feature = "sandbox")]
mod memory;
// Notifications: verification and decryption.
#[cfg(feature = "sandbox")]
mod notify;
// Signatures that `openssl` verifies, and signatures that it made.
mod openssl;
// PHP's `$options` array and Node's config.
mod options;
// Paths that end in a slash, and the macro.
mod paths;
// Properties that hold for random input.
mod properties;
// Proxies, and how errors name them.
mod proxies;
// Failover, retries, proxies.
mod reliability;
// Secrets that no output may show.
#[cfg(all(feature = "p12", feature = "sandbox"))]
mod secrets;
// Attacks, one test for each row of docs/security.md.
#[cfg(feature = "sandbox")]
mod security;
// What `prepare` accepts can be sent.
mod sendable;
// Sensitive fields, and signers outside the process.
#[cfg(feature = "sandbox")]
mod sensitive;
// How long a call may take, and on which threads a caller's own code runs.
#[cfg(feature = "sandbox")]
mod timing;
// TLS: root certificates, and one configuration for all pools.
mod tls;
// Spans and events of a call.
mod trace;
// Multipart uploads.
#[cfg(feature = "sandbox")]
mod upload;
// Values as integrators and the platform really write them: halves of characters, nulls, odd headers, sensitive queries.
#[cfg(feature = "sandbox")]
mod values;
// Responses that the platform does not sign.
mod unsigned;
// What an error response that is not verified claims.
mod claims;
// Error responses that are made to take memory.
mod error_bodies;
