//! Sandboxes for tests that are not about keys: all use one keys folder, because fresh keys take up to a second.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use wechatpay_chain::sandbox::{Sandbox, SandboxBuilder, SigningMode};

/// The keys folder, made once for a target folder.
static KEYS: LazyLock<PathBuf> = LazyLock::new(|| {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tmp.join("sandbox-keys");
    let usable = || {
        folder.exists()
            && Sandbox::builder().keys(&folder).keep_rotation(false).serial_zero(true).start().is_ok()
    };
    if !usable() {
        // Another process may need the folder at the same time: it gets its name when it is complete.
        let new = tempfile::tempdir_in(tmp).unwrap();
        let keys = new.path().join("keys");
        // The hardest serials for a client.
        drop(Sandbox::builder().keys(&keys).serial_zero(true).start().unwrap());
        let _ = std::fs::rename(&folder, new.path().join("old"));
        let _ = std::fs::rename(keys, &folder);
        assert!(usable(), "no keys in {}", folder.display());
    }
    folder
});

/// [`Sandbox::start`], with the shared keys. A fault that never applies fails the test.
pub(crate) fn start_sandbox() -> Sandbox {
    let sandbox = sandbox_builder().start().unwrap();
    sandbox.expect_faults();
    sandbox
}

/// The folder of the shared keys.
#[allow(dead_code, reason = "only one of the test programs exports the keys")]
pub(crate) fn keys_folder() -> &'static Path {
    &KEYS
}

/// [`Sandbox::builder`], with the shared keys. Both kinds are in service, so that a test may use either.
pub(crate) fn sandbox_builder() -> SandboxBuilder {
    Sandbox::builder().keys(&*KEYS).keep_rotation(false).sign_with(SigningMode::Migration)
}
