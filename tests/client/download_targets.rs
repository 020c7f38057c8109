//! Targets of a download that are no new files: pipes, devices, links, files with permissions of their own.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
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

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let (server, wx) = platform();
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(run("mkfifo", &[], &pipe));
    // Nobody reads: an error at once, and nothing is sent.
    let Err(Error::File(error)) = wx["v3/x"].get().save_to(&pipe).wait() else { panic!() };
    assert!(error.to_string().contains("cannot be written to"), "{error}");
    assert!(server.seen().is_empty());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            let mut text = Vec::new();
            fs::File::open(pipe).unwrap().read_to_end(&mut text).unwrap();
            text
        }
    });
    // Until the reader has opened it.
    let saved = loop {
        match wx["v3/x"].get().save_to(&pipe).wait() {
            Ok(saved) => break saved,
            Err(Error::File(_)) => std::thread::sleep(std::time::Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!((saved.path.as_deref(), saved.bytes), (Some(&*pipe), BODY.len() as u64));
    assert_eq!(reader.join().unwrap(), BODY);
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// As root, a rename would have put a file in the place of `/dev/null`.
#[test]
fn a_device_stays_a_device() {
    let (_server, wx) = platform();
    let folder = tempfile::tempdir().unwrap();
    let (null, full) = (folder.path().join("null"), folder.path().join("full"));
    if !(run("mknod", &["c", "1", "3"], &null) && run("mknod", &["c", "1", "7"], &full)) {
        return skipped("root, who may make devices");
    }
    let link = folder.path().join("link");
    symlink(&null, &link).unwrap();
    for target in [&null, &link] {
        let saved = wx["v3/x"].get().save_to(target).wait().unwrap();
        assert_eq!((saved.path.as_ref(), saved.bytes), (Some(target), BODY.len() as u64));
        assert!(fs::metadata(target).unwrap().file_type().is_char_device());
    }
    let Err(Error::File(error)) = wx["v3/x"].get().save_to(&full).wait() else { panic!() };
    assert!(error.to_string().contains("full"), "{error}");
    assert!(fs::metadata(&full).unwrap().file_type().is_char_device());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
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
