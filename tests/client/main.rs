//! The client: requests, signatures, verification, keys, files, and what goes over the wire.

// Helpers that other test programs use, too.
#[path = "../support"]
mod support {
    pub(crate) mod client;
    pub(crate) mod keys;
    pub(crate) mod openssl;
    pub(crate) mod process;
    pub(crate) mod recorder;
    #[cfg(feature = "sandbox")]
    pub(crate) mod sandbox;
    pub(crate) mod tools;

    #[cfg(feature = "sandbox")]
    pub(crate) use self::sandbox::*;
    pub(crate) use self::{client::*, keys::*, openssl::*, process::*, recorder::*, tools::*};
}

// Multipart bodies, taken apart.
mod multipart;

// Downloads of bills: the request for the address, the file, its digest, its rows.
#[cfg(feature = "sandbox")]
mod bill;
// Blocking calls from plain threads and from inside runtimes.
#[cfg(feature = "sandbox")]
mod blocking;
// Platform certificates that the client downloads, and platform keys that change while calls are under way.
#[cfg(feature = "sandbox")]
mod certificates;
// The builder, PHP's array and the environment: what each takes and refuses.
mod config;
// Recorded PHP and Node calls, compared with what is sent here.
mod conformance;
// Connections that cannot be made, or break.
mod connections;
// Files that are streamed to disk.
#[cfg(feature = "sandbox")]
mod download;
// Each fault of the sandbox and the error that it causes.
#[cfg(feature = "sandbox")]
mod faults;
// Keys in the wrong place and control characters: what is printed about them.
#[cfg(all(feature = "bill", feature = "p12"))]
mod guard;
// Requests and responses over HTTP: paths, headers, bodies, hosts, errors.
mod http;
// Private and public keys in each form and from each source.
#[cfg(feature = "p12")]
mod key_forms;
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
// Properties that hold for random input.
mod properties;
// Failover, retries, proxies.
mod reliability;
// Secrets that no output may show.
#[cfg(all(feature = "p12", feature = "sandbox"))]
mod secrets;
// Attacks, one test for each row of docs/security.md.
#[cfg(feature = "sandbox")]
mod security;
// Sensitive fields, and signers outside the process.
#[cfg(feature = "sandbox")]
mod sensitive;
// Spans and events of a call.
mod trace;
// Multipart uploads.
#[cfg(feature = "sandbox")]
mod upload;
