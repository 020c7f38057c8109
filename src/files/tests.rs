use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// The result of `read`, which must not wait for anything.
fn at_once<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(read()));
    receive.recv_timeout(Duration::from_secs(20)).expect("it waits")
}

fn text(result: Result<Vec<u8>, Unreadable>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_regular_file_is_read_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for length in [0, 1, 63, 64, 65, 4_096, 100_000] {
        std::fs::write(&file, vec![7; length]).unwrap();
        let limit = length as u64;
        assert_eq!(read(&file, limit).unwrap(), vec![7; length]);
        assert_eq!(read_any(&file, limit).unwrap(), vec![7; length]);
        if length > 0 {
            assert_eq!(text(read(&file, limit - 1)), format!("is larger than {} bytes", limit - 1));
            assert_eq!(text(read_any(&file, limit - 1)), format!("is larger than {} bytes", limit - 1));
        }
    }
    // Larger than any disk, and without a byte on it.
    std::fs::File::create(&file).unwrap().set_len(1 << 42).unwrap();
    assert_eq!(text(read(&file, 1 << 20)), "is larger than 1 MiB");
    assert_eq!(text(read_any(&file, 64 << 20)), "is larger than 64 MiB");
    assert!(text(read(&folder.path().join("none"), 9)).contains("does not exist"));
    assert!(text(read(&file.join("below"), 9)).contains("a part of its path is not a directory"));
}

/// The buffer of a key must not grow: what it leaves behind is not wiped.
#[test]
fn the_buffer_of_a_regular_file_does_not_grow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    for length in [0, 1_700, 65_536] {
        std::fs::write(&file, vec![7; length]).unwrap();
        assert_eq!(read(&file, 1 << 20).unwrap().capacity(), length + 64);
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_named_at_once() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(text(read(folder.path(), 9)), "is a directory, not a regular file");
    assert_eq!(text(read_any(folder.path(), 9)), "is a directory, not a regular file");
    for device in ["/dev/zero", "/dev/null", "/dev/tty"] {
        if let Ok(found) = std::fs::metadata(device) {
            assert!(!found.is_file());
            let error = text(at_once(move || read(Path::new(device), 1 << 20)));
            assert_eq!(error, "is a device, not a regular file", "{device}");
        }
    }
    assert_eq!(text(at_once(|| read_any(Path::new("/dev/zero"), 1 << 20))), "is larger than 1 MiB");
    assert!(read_any(Path::new("/dev/null"), 1 << 20).unwrap().is_empty());

    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    for path in [pipe.clone(), link] {
        assert_eq!(text(at_once(move || read(&path, 9))), "is a pipe, not a regular file");
    }
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(text(at_once(move || read(&socket, 9))), "is a socket, not a regular file");

    // Where a pipe is meant, its writer is waited for.
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || read_any(&pipe, 9)
    });
    std::thread::sleep(Duration::from_millis(50));
    std::fs::write(&pipe, b"in parts").unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), b"in parts");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("..data"), folder.path().join("key.pem"));
    std::fs::write(&file, b"secret").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert_eq!(read(&link, 9).unwrap(), b"secret");
}

#[test]
fn a_path_is_what_stands_after_the_scheme() {
    for (text, path) in [
        ("file:///etc/x.pem", Some("/etc/x.pem")),
        ("file://x.pem", Some("x.pem")),
        ("FILE:///etc/x.pem", Some("/etc/x.pem")),
        (" file:///etc/x.pem\n", Some("/etc/x.pem")),
        ("\"file:///etc/x.pem\"", Some("/etc/x.pem")),
        ("'file:///etc/a b.pem' ", Some("/etc/a b.pem")),
        ("file://localhost/etc/x.pem", Some("/etc/x.pem")),
        ("file://localhost.pem", Some("localhost.pem")),
        ("file://密钥/x.pem", Some("密钥/x.pem")),
        ("file:/etc/x.pem", None),
        ("/etc/x.pem", None),
        ("file:/", None),
        ("密密密", None),
        ("", None),
    ] {
        assert_eq!(path_of(text), path, "{text}");
    }
}

#[test]
fn a_drive_belongs_to_windows() {
    for (rest, windows, elsewhere) in [
        ("/C:/keys/x.pem", "C:/keys/x.pem", "/C:/keys/x.pem"),
        ("/c:\\keys\\x.pem", "c:\\keys\\x.pem", "/c:\\keys\\x.pem"),
        ("localhost/C:/x", "C:/x", "/C:/x"),
        ("C:\\keys\\x.pem", "C:\\keys\\x.pem", "C:\\keys\\x.pem"),
        ("C:/x", "C:/x", "C:/x"),
        ("/keys/x.pem", "/keys/x.pem", "/keys/x.pem"),
        ("/CD:/x", "/CD:/x", "/CD:/x"),
        ("/C:x", "/C:x", "/C:x"),
        ("", "", ""),
    ] {
        assert_eq!((local_path(rest, true), local_path(rest, false)), (windows, elsewhere), "{rest}");
    }
}
