//! Files that are no files: each setting that names one ends at once, with an error that names the file.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use wechatpay_chain::{Error, Media, WeChatPay, WeChatPayBuilder};

use crate::support::{self, MCHID, Recorder, key_path, openssl};

/// The result of `run`, which must not wait for anything.
fn at_once<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(run()));
    receive.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|_| panic!("{what}: it waits"))
}

/// Path, and what the error says.
fn special(folder: &Path) -> Vec<(String, &'static str)> {
    let path = |name: &str| folder.join(name).display().to_string();
    assert!(Command::new("mkfifo").arg(path("pipe.pem")).status().unwrap().success());
    std::os::unix::fs::symlink(path("pipe.pem"), path("link.pem")).unwrap();
    std::fs::create_dir(path("folder.pem")).unwrap();
    std::fs::File::create(path("sparse.pem")).unwrap().set_len(1 << 41).unwrap();
    vec![
        (path("pipe.pem"), "is a pipe, not a regular file"),
        (path("link.pem"), "is a pipe, not a regular file"),
        (path("folder.pem"), "is a directory, not a regular file"),
        (path("sparse.pem"), "is larger than 1 "),
        (path("missing.pem"), "does not exist"),
        ("/dev/zero".to_owned(), "is a device, not a regular file"),
        ("/dev/null".to_owned(), "is a device, not a regular file"),
    ]
}

#[test]
fn no_setting_waits_for_a_file_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    type Change = fn(WeChatPayBuilder, String) -> WeChatPayBuilder;
    let settings: [(&str, Change); 5] = [
        ("private_key", |b, path| b.private_key(path)),
        ("platform_key[\"PUB_KEY_ID_1\"]", |b, path| b.platform_key("PUB_KEY_ID_1", path)),
        ("merchant_certificate", |b, path| b.merchant_certificate(path)),
        ("root_certificate", |b, path| b.root_certificate(path)),
        ("p12", |b, path| b.private_key("").p12(path, MCHID)),
    ];
    for (path, says) in special(folder.path()) {
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned();
        for (field, change) in settings {
            let text = format!("file://{path}");
            let result = at_once(&format!("{field} {path}"), move || {
                change(support::builder("https://example.com/"), text).build()
            });
            let Err(Error::Key(error)) = result else { panic!("{field} {path}: {result:?}") };
            let text = error.to_string();
            assert!(error.name == field && text.contains(says) && text.contains(&name), "{text}");
            assert!(!text.contains("write a path"), "{text}");
        }
    }
}

#[test]
fn an_upload_does_not_wait_for_a_file_that_is_none() {
    let recorder = Recorder::no_content();
    let folder = tempfile::tempdir().unwrap();
    for (path, says) in special(folder.path()) {
        for media in
            [Media::file(&path), Media::file(format!("file://{path}")).meta(json!({"filename": "x"}))]
        {
            let wx = support::client(&recorder.base);
            let result = at_once(&path, move || wx["v3/x"].post(Value::Null).media(media).wait());
            let Err(error) = result else { panic!("{path}: sent") };
            assert!(error.to_string().contains(says), "{path}: {error}");
        }
    }
    assert!(recorder.seen().is_empty());
}

/// A download gets its name by a rename, which would replace a device or a pipe by a file: `/dev/stdout` for the whole
/// machine, if the caller may.
#[test]
fn a_download_does_not_replace_what_is_no_file() {
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    let recorder = Recorder::no_content();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    for (link, to) in [("link", "pipe"), ("device", "/dev/null"), ("stdout", "/dev/stdout")] {
        symlink(path(to), path(link)).unwrap();
    }
    for (name, says) in [
        ("pipe", "a pipe"),
        ("socket", "not a regular file"),
        ("link", "a pipe"),
        ("device", "a device"),
        ("stdout", ""),
    ] {
        // Standard output may be a file here, which is a file.
        if name == "stdout" && std::fs::metadata("/dev/stdout").is_ok_and(|found| found.is_file()) {
            continue;
        }
        type Way = fn(WeChatPay, std::path::PathBuf) -> Result<(), Error>;
        let ways: [Way; 3] = [
            |wx, path| wx["v3/x"].get().save_to(path).wait().map(drop),
            |wx, path| wx["v3/x"].get().options(json!({"sink": path.to_str()})).wait().map(drop),
            |wx, path| wx.bill("v3/bill/tradebill").save_to(path).wait().map(drop),
        ];
        for way in ways {
            let (wx, to) = (support::client(&recorder.base), path(name));
            let Err(Error::Config(error)) = at_once(name, move || way(wx, to)) else {
                panic!("{name}: saved")
            };
            let text = error.to_string();
            assert!(
                error.field() == "save_to" && text.contains(says) && text.contains("save_to_writer"),
                "{text}"
            );
        }
    }
    assert!(recorder.seen().is_empty(), "nothing was sent");
    let kind = |name: &str| std::fs::symlink_metadata(path(name)).unwrap().file_type();
    assert!(kind("pipe").is_fifo() && kind("socket").is_socket() && kind("link").is_symlink());
    assert!(kind("device").is_symlink() && kind("stdout").is_symlink());
    // A link to a file, or to nothing, is replaced as ever.
    symlink(path("none"), path("dangling")).unwrap();
    assert!(support::client(&recorder.base)["v3/x"].get().save_to(path("dangling")).wait().is_ok());
}

/// A `.p12` that a build, a download or a mail changed; `openssl` wrote the original.
#[test]
fn a_p12_that_was_changed_on_its_way_says_how() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("apiclient_cert.p12");
    let (key, certificate) = (key_path("merchant_key.pem"), key_path("merchant_cert.pem"));
    // A salt is random: now and then a file has no line feed that a filter would change.
    let whole = (0..20)
        .map(|_| {
            let arguments =
                ["pkcs12", "-export", "-inkey", &key, "-in", &certificate, "-passout", "pass:1900000109"];
            openssl(&arguments, b"").expect("a .p12")
        })
        .find(|bytes| {
            bytes.iter().filter(|byte| **byte == b'\n').count() > 2 && !bytes.windows(2).any(|w| w == b"\r\n")
        })
        .expect("line feeds");
    let load = |content: &[u8]| {
        std::fs::write(&file, content).unwrap();
        let builder = support::builder("https://example.com/").private_key("");
        builder.p12(file.to_str().unwrap(), MCHID).build()
    };
    assert!(load(&whole).is_ok());
    let pem = |label: &str, base64: &[u8]| {
        let [begin, end] = ["BEGIN", "END"].map(|word| format!("-----{word} {label}-----\n"));
        [begin.as_bytes(), base64, end.as_bytes()].concat()
    };
    let latin1: String = whole.iter().map(|byte| char::from(*byte)).collect();
    let hex: String = whole.iter().map(|byte| format!("{byte:02x}")).collect();
    let wrapped: String =
        hex.as_bytes().chunks(60).map(|l| format!("{}\n", str::from_utf8(l).unwrap())).collect();
    let base64 = openssl(&["base64"], &whole).unwrap();
    let crlf = whole.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
    let ascii = whole.iter().map(|byte| if byte.is_ascii() { *byte } else { b'?' }).collect();
    for (content, says) in [
        (Vec::new(), "0 bytes"),
        (latin1.into_bytes(), "converted to UTF-8"),
        (String::from_utf8_lossy(&whole).into_owned().into_bytes(), "replaced by U+FFFD"),
        (ascii, "replaced by ASCII characters"),
        (crlf, "converts line endings"),
        (base64.clone(), "base64 of a PKCS#12 file"),
        (base64.iter().copied().filter(|byte| *byte != b'\n').collect(), "base64 of a PKCS#12 file"),
        (hex.into_bytes(), "hex of a PKCS#12 file"),
        (wrapped.into_bytes(), "hex of a PKCS#12 file"),
        (whole[..1_000].to_vec(), "is cut: 1000 bytes of"),
        ([&whole[..], b"\n"].concat(), "is damaged"),
        (std::fs::read(&certificate).unwrap(), "a PEM file with an X.509 certificate"),
        (std::fs::read(&key).unwrap(), "a PEM file with a private key"),
        (
            [std::fs::read(&certificate).unwrap(), std::fs::read(&key).unwrap()].concat(),
            "pass it as `merchant_certificate`",
        ),
        (std::fs::read(key_path("platform_pub.pem")).unwrap(), "a PEM file with a public key"),
        (pem("PKCS12", &base64), "a PKCS#12 file in PEM"),
        (pem("PRIVATE KEY", b"AAAA"), "cut or damaged"),
        (openssl(&["rsa", "-in", &key, "-outform", "DER"], b"").unwrap(), "a private key"),
        (openssl(&["x509", "-in", &certificate, "-outform", "DER"], b"").unwrap(), "an X.509 certificate"),
        (b"<html>404</html>".to_vec(), "HTML"),
        (b"PK\x03\x04\0\0".to_vec(), "a zip file"),
        (b"hello".to_vec(), "a file in another format"),
    ] {
        let Err(Error::Key(error)) = load(&content) else { panic!("{says}") };
        assert!(error.found.contains(says) && error.found.contains("apiclient_cert.p12"), "{says}: {error}");
    }
    // The command that the error shows gives the file back.
    std::fs::write(folder.path().join("old"), base64).unwrap();
    let status = Command::new("sh").args(["-c", "base64 -d < old > new"]).current_dir(folder.path()).status();
    assert!(status.unwrap().success() && std::fs::read(folder.path().join("new")).unwrap() == whole);
}

/// Quotes and blanks around a setting come from environment files.
#[test]
fn a_path_in_quotes_is_a_path() {
    let path = key_path("merchant_key.pem");
    for text in [
        format!("\"file://{path}\""),
        format!("'file://{path}'"),
        format!(" file://{path}\n"),
        format!("FILE://{path}"),
        format!("file://localhost{path}"),
    ] {
        let wx: Result<WeChatPay, Error> =
            support::builder("https://example.com/").private_key(&text).build();
        assert!(wx.is_ok(), "{text}: {wx:?}");
    }
    let p12 = key_path("merchant.p12");
    for text in [format!("\"{p12}\""), format!("'file://{p12}'"), format!(" file://{p12}")] {
        let wx = support::builder("https://example.com/").private_key("").p12(&text, MCHID).build();
        assert!(wx.is_ok(), "{text}: {wx:?}");
    }
}
