//! The keys folder: it is made whole or not at all, and keeps modes and rotations.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;
use wechatpay_chain::{
    WeChatPay,
    sandbox::{Rotation, Sandbox, SigningMode},
};

use crate::modes::{control, echo};
use crate::program::{Running, program};
use crate::raw_http::mode;

/// The serial that signs, and all serials in service.
fn in_service(sandbox: &Sandbox) -> (String, Vec<String>) {
    let (_, keys) = control(sandbox, &json!({"sign_with": signer(sandbox)}));
    let serials =
        ["certificates", "public_keys"].iter().flat_map(|kind| keys[kind].as_array().unwrap().clone());
    (signer(sandbox), serials.map(|key| key["serial"].as_str().unwrap().to_owned()).collect())
}

fn signer(sandbox: &Sandbox) -> String {
    let (headers, _) = sandbox.notification("A.B", "x", &json!({})).unwrap();
    headers["wechatpay-serial"].to_str().unwrap().to_owned()
}

#[test]
fn a_restart_keeps_mode_and_rotated_keys() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let builder = || Sandbox::builder().keys(&keys);
    let list = || -> Vec<String> {
        let names = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    let fresh = builder().start().unwrap();
    assert_eq!(list().len(), 7, "{:?}", list());
    drop(fresh);

    let sandbox = builder().sign_with(SigningMode::Certificate).start().unwrap();
    let first = sandbox.platform_certificate_serial().to_owned();
    drop(sandbox);
    let sandbox = builder().start().unwrap();
    assert_eq!((sandbox.mode(), in_service(&sandbox).1), (SigningMode::Certificate, vec![first.clone()]));

    let published = sandbox.add_certificate().unwrap();
    let second = sandbox.rotate(Rotation::Certificate).unwrap();
    let (id, _) = sandbox.add_public_key().unwrap();
    sandbox.retire(&first).unwrap();
    let before = in_service(&sandbox);
    assert_eq!(before, (second.clone(), vec![published.clone(), second.clone(), id.clone()]));
    let pinned = sandbox.client().unwrap();
    drop(sandbox);

    let sandbox = builder().start().unwrap();
    assert_eq!(in_service(&sandbox), before);
    let port = sandbox.base_url().to_owned();
    let again = sandbox.client_builder().base_url(port).build().unwrap();
    assert_eq!(again.platform_serials(), pinned.platform_serials());
    echo(&again).unwrap();
    // A retired key goes, with its files; those of the first keys stay.
    sandbox.retire(&published).unwrap();
    assert!(!list().iter().any(|name| name.contains(&published)), "{:?}", list());
    assert_eq!(list().len(), 7 + 1 + 2 + 2, "{:?}", list());
    for name in [format!("{second}_key.pem"), "platform_keys.json".to_owned()] {
        assert_eq!(mode(&keys.join(name)), 0o600);
    }
    drop(sandbox);

    // An option of a start wins.
    let sandbox = builder().sign_with(SigningMode::PublicKey).start().unwrap();
    assert_eq!(in_service(&sandbox), (id.clone(), vec![id.clone()]));
    drop(sandbox);
    // Nothing is kept when nothing should be.
    let sandbox = builder().keep_rotation(false).start().unwrap();
    let listed = list();
    let (first_public, _) = in_service(&sandbox);
    sandbox.rotate(Rotation::PublicKey).unwrap();
    assert_eq!((first_public.as_str(), list()), (sandbox.platform_public_key_id(), listed));
    drop(sandbox);
    assert_eq!(in_service(&builder().start().unwrap()).0, id);
}

/// The mode that a start asked for is the mode of the next one, also if it is the default.
#[test]
fn a_restart_signs_as_the_run_before() {
    let folder = TempDir::new().unwrap();
    for mode in [SigningMode::Migration, SigningMode::PublicKey, SigningMode::Certificate] {
        let keys = folder.path().join(format!("{mode:?}"));
        let first = Sandbox::builder().keys(&keys).sign_with(mode).start().unwrap();
        let before = (first.mode(), signer(&first));
        drop(first);
        let again = Sandbox::builder().keys(&keys).start().unwrap();
        assert_eq!((again.mode(), signer(&again)), before, "{mode:?}");
    }
}

/// A folder that cannot be written stops changes, but not the client that downloads the certificates.
#[test]
fn the_certificates_are_followed_without_a_folder_to_write_to() {
    let folder = TempDir::new().unwrap();
    let keys = folder.path().join("keys");
    let sandbox = Sandbox::builder().keys(&keys).start().unwrap();
    let (id, certificate) = (sandbox.platform_public_key_id(), sandbox.platform_certificate_serial());
    fs::rename(&keys, folder.path().join("moved")).unwrap();
    // Nothing has changed.
    assert!(sandbox.rotate(Rotation::Certificate).is_err());
    assert!(sandbox.sign_with("none").is_err());
    assert_eq!(signer(&sandbox), id);
    let automatic = WeChatPay::builder()
        .mchid(sandbox.mchid())
        .serial(sandbox.serial())
        .private_key(sandbox.merchant_key_pem())
        .apiv3_key(sandbox.apiv3_key())
        .base_url(sandbox.base_url())
        .automatic_certificates()
        .build()
        .unwrap();
    echo(&automatic).unwrap();
    echo(&automatic).unwrap();
    assert_eq!(signer(&sandbox), certificate);
}

#[test]
fn a_list_of_keys_that_cannot_be_used_is_named() {
    let folder = TempDir::new().unwrap();
    let builder = || Sandbox::builder().keys(folder.path());
    let sandbox = builder().start().unwrap();
    let new = sandbox.rotate(Rotation::PublicKey).unwrap();
    let first = sandbox.platform_public_key_id().to_owned();
    drop(sandbox);
    let path = folder.path().join("platform_keys.json");
    let kept = fs::read_to_string(&path).unwrap();
    let outside = "../".repeat(3) + "etc/x";
    let many: Vec<String> = (0..101).map(|n| format!("PUB_KEY_ID_{n}")).collect();
    for bad in [
        String::new(),
        "[]".into(),
        json!({"signs": new, "certificates": []}).to_string(),
        json!({"signs": "PUB_KEY_ID_1", "certificates": [], "public_keys": [new]}).to_string(),
        json!({"signs": "", "certificates": [], "public_keys": []}).to_string(),
        json!({"signs": outside, "certificates": [outside], "public_keys": []}).to_string(),
        json!({"signs": new, "certificates": [], "public_keys": many}).to_string(),
        json!({"signs": new, "certificates": [7], "public_keys": [new]}).to_string(),
    ] {
        fs::write(&path, &bad).unwrap();
        let error = builder().start().unwrap_err().to_string();
        assert!(error.contains("platform_keys.json"), "{bad}: {error}");
    }
    fs::write(&path, &kept).unwrap();
    for name in [format!("{new}.pem"), format!("{new}_key.pem")] {
        let path = folder.path().join(&name);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, "garbage").unwrap();
        let error = builder().start().unwrap_err().to_string();
        assert!(error.contains("…") || error.contains(&name), "{error}");
        fs::write(&path, kept).unwrap();
    }
    // A kill in the middle of a rotation: files without a place in the list, and half of one.
    fs::write(folder.path().join("platform_keys.json.new"), "{").unwrap();
    fs::write(folder.path().join("PUB_KEY_ID_1_key.pem"), "-----BEGIN").unwrap();
    let sandbox = builder().start().unwrap();
    let certificate = sandbox.platform_certificate_serial().to_owned();
    assert_eq!(in_service(&sandbox), (new.clone(), vec![certificate, first, new]));
    sandbox.rotate(Rotation::PublicKey).unwrap();
}

#[test]
fn the_keys_in_service_are_bounded() {
    let sandbox = Sandbox::builder().sign_with(SigningMode::PublicKey).start().unwrap();
    // The last key cannot be retired, whatever its kind.
    assert!(sandbox.retire(sandbox.platform_public_key_id()).is_err());
    let error = sandbox.retire(sandbox.platform_certificate_serial()).unwrap_err();
    assert!(error.to_string().contains("public-key mode"), "{error}");
}

/// The identity that a running program exports.
fn identity(running: &Running) -> [String; 3] {
    let env = running.exports();
    ["WECHATPAY_SERIAL", "WECHATPAY_APIV3_KEY", "WECHATPAY_PUBLIC_KEY_ID"].map(|name| env[name].clone())
}

#[test]
fn first_starts_at_the_same_time_have_one_identity() {
    let folder = TempDir::new().unwrap();
    // New, empty, and with files of other programs.
    for name in ["new", "empty", "used"] {
        let keys = folder.path().join(name);
        if name != "new" {
            fs::create_dir(&keys).unwrap();
        }
        if name == "used" {
            fs::write(keys.join("notes.txt"), "mine").unwrap();
        }
        let arguments = ["--port", "0", "--keys", keys.to_str().unwrap()];
        let identities: Vec<[String; 3]> = thread::scope(|scope| {
            let starts: Vec<_> =
                (0..4).map(|_| scope.spawn(|| identity(&Running::start(&arguments)))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(identities.iter().all(|identity| *identity == identities[0]), "{name}: {identities:?}");
        let files = fs::read_dir(&keys).unwrap().count();
        assert_eq!(files, if name == "used" { 8 } else { 7 }, "{name}");
    }
}

#[test]
fn a_kill_at_any_moment_of_the_first_start_is_mended_by_the_next() {
    let kills = if std::env::var_os("WECHATPAY_TESTS_FULL").is_some() { 300 } else { 30 };
    let folder = TempDir::new().unwrap();
    let mut random = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let (mut nothing, mut whole) = (0, 0);
    for kill in 0..kills {
        let keys = folder.path().join(kill.to_string());
        let arguments = ["--port", "0", "--keys", keys.to_str().unwrap()];
        let mut child = Command::new(program())
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        thread::sleep(Duration::from_millis(u64::from(random >> 16) % 600));
        child.kill().unwrap();
        child.wait().unwrap();
        match fs::read_dir(&keys).map_or(0, Iterator::count) {
            0 => nothing += 1,
            _ => whole += 1,
        }
        let sandbox = Sandbox::builder().keys(&keys).start().unwrap();
        let serial = sandbox.serial().to_owned();
        drop(sandbox);
        assert_eq!(Sandbox::builder().keys(&keys).start().unwrap().serial(), serial);
        let mut names: Vec<_> =
            fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), 7, "{names:?}");
    }
    println!("{nothing} killed before the folder had anything, {whole} after");
}

/// Each state that a kill can leave, in turn: the files are written aside, declared complete, and moved.
#[test]
fn what_a_killed_start_leaves_is_completed_or_removed() {
    let folder = TempDir::new().unwrap();
    let made = folder.path().join("made");
    let serial = Sandbox::builder().keys(&made).start().unwrap().serial().to_owned();
    let mut names: Vec<String> =
        fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    for moved in 0..=names.len() {
        // Complete, and `moved` of its files are in their places.
        let keys = folder.path().join(format!("complete-{moved}"));
        fs::create_dir_all(keys.join(".complete")).unwrap();
        for (at, name) in names.iter().enumerate() {
            let place = if at < moved { keys.clone() } else { keys.join(".complete") };
            fs::copy(made.join(name), place.join(name)).unwrap();
        }
        assert_eq!(Sandbox::builder().keys(&keys).start().unwrap().serial(), serial, "{moved}");
        assert!(names.iter().all(|name| keys.join(name).exists()), "{moved}");
        // Not complete: new keys.
        let keys = folder.path().join(format!("new-{moved}"));
        fs::create_dir_all(keys.join(".new")).unwrap();
        for name in &names[..moved] {
            fs::copy(made.join(name), keys.join(".new").join(name)).unwrap();
        }
        assert_ne!(Sandbox::builder().keys(&keys).start().unwrap().serial(), serial, "{moved}");
        assert_eq!(fs::read_dir(&keys).unwrap().count(), 7, "{moved}");
    }
}
