//! Targets of a download that are no new files: pipes, devices, links, files with permissions of their own.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use wechatpay_chain::{Error, WeChatPay};

use crate::support::{Recorder, client, signed, skipped};

const BODY: &[u8] = b"content of a file";

fn platform() -> (Recorder, WeChatPay) {
    let server = Recorder::start(|_| signed("200 OK", &[], BODY));
    let wx = client(&server.base);
    (server, wx)
}

fn run(program: &str, arguments: &[&str], file: &Path) -> bool {
    Command::new(program).arg(file).args(arguments).status().is_ok_and(|status| status.success())
}

/// The complete file would take their place; and whoever reads a pipe would get what is not verified yet.
#[test]
fn pipes_and_devices_are_refused_and_stay() {
    let (server, wx) = platform();
    let folder = tempfile::tempdir().unwrap();
    let (pipe, null) = (folder.path().join("pipe"), folder.path().join("null"));
    assert!(run("mkfifo", &[], &pipe));
    let mut targets = vec![(pipe, "is a pipe")];
    match run("mknod", &["c", "1", "3"], &null) {
        true => targets.push((null, "is a device")),
        false => skipped("only root makes devices"),
    }
    for (target, what) in &targets {
        let link = folder.path().join("link");
        symlink(target, &link).unwrap();
        let before = fs::metadata(target).unwrap().file_type();
        for target in [target, &link] {
            let Err(Error::Config(error)) = wx["v3/x"].get().save_to(target).wait() else {
                panic!("{}", target.display())
            };
            let text = error.to_string();
            assert!(error.field() == "save_to" && text.contains(what), "{text}");
        }
        assert_eq!(fs::metadata(target).unwrap().file_type(), before);
        fs::remove_file(link).unwrap();
    }
    assert!(server.seen().is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), targets.len());
}

#[test]
fn the_file_that_a_link_names_is_replaced() {
    let (_server, wx) = platform();
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("sub/link"));
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(&file, "old").unwrap();
    symlink("../file", &link).unwrap();
    let saved = wx["v3/x"].get().save_to(&link).wait().unwrap();
    assert_eq!(saved.path.as_deref(), Some(&*link), "as the caller named it");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&file).unwrap(), BODY);
    assert_eq!(fs::read_dir(folder.path().join("sub")).unwrap().count(), 1);
}

#[test]
fn a_file_keeps_its_permissions() {
    let (_server, wx) = platform();
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o600, 0o640, 0o400] {
        let file = folder.path().join(format!("{mode:o}"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        wx["v3/x"].get().save_to(&file).wait().unwrap();
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, mode);
        assert_eq!(fs::read(&file).unwrap(), BODY);
    }
}
