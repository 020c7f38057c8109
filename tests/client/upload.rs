//! Uploads: the two parts and the message that is signed, against the sandbox.

use std::io::Write as _;

use serde_json::{Value, json};
use wechatpay_chain::{Error, Media};

use crate::multipart::parts;
use crate::support::{self, Recorder, start_sandbox};

#[test]
fn the_meta_is_signed_and_prepare_shows_it() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let meta = json!({"bank_type": "茶", "digest": "d"});
    let request = || {
        let media = Media::bytes("a\"b\r\nX: y;图.jpg", "content").meta(meta.clone()).mime("image/x-own");
        wx["v3/x"].post(json!({"lost": 1})).header("Content-Type", "text/plain").media(media)
    };
    let prepared = request().prepare().unwrap();
    assert_eq!(prepared.body().as_ref(), meta.to_string().as_bytes());
    assert!(prepared.message().ends_with(&format!("\n{meta}\n")));
    request().wait().unwrap();
    let seen = recorder.take();
    let all = parts(&seen);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].1, meta.to_string().as_bytes());
    assert_eq!(
        all[1].0,
        "Content-Disposition: form-data; name=\"file\"; filename=\"a%22b%0D%0AX: y;图.jpg\"\r\nContent-Type: image/x-own"
    );
    assert_eq!(all[1].1, b"content");
}

/// The platform's pages call the file's part `submission_file` or `due_diligence_file`, too, and have parts of text.
#[test]
fn parts_have_the_names_that_the_endpoint_documents() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let meta = json!({"file_name": "a.jpg", "file_digest": "d", "item_id": 7});
    let media = || Media::bytes("a.jpg", "content").meta(meta.clone());
    for name in ["submission_file", "due_diligence_file", "files[0]", "file"] {
        let media = media().part_name(name).field("item_id", 7).field("manage_record_id", "记录\r\n--x");
        let media = media.field("none", Value::Null).field("ok", true).field("empty", "");
        let request = || wx["v3/x"].post(Value::Null).media(media.clone());
        assert_eq!(request().prepare().unwrap().body().as_ref(), meta.to_string().as_bytes());
        request().wait().unwrap();
        let seen = recorder.take();
        let disposition = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
        let expected = [
            (disposition("meta") + "\r\nContent-Type: application/json", meta.to_string()),
            (disposition("item_id"), "7".to_owned()),
            (disposition("manage_record_id"), "记录\r\n--x".to_owned()),
            (disposition("ok"), "true".to_owned()),
            (disposition("empty"), String::new()),
            (disposition(name) + "; filename=\"a.jpg\"\r\nContent-Type: image/jpeg", "content".to_owned()),
        ];
        let found =
            parts(&seen).into_iter().map(|(head, content)| (head, String::from_utf8(content).unwrap()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
        let signed = crate::multipart::expected_message(&seen, meta.to_string().as_bytes());
        let public = support::key_path("merchant_pub.pem");
        assert!(support::openssl_verifies(public.as_ref(), &signed, &seen.auth("signature")));
    }
    for (media, field) in [
        (media().part_name(""), "media.part_name"),
        (media().part_name("meta"), "media.part_name"),
        (media().part_name("a\"; filename=\"b"), "media.part_name"),
        (media().part_name("a\r\nX: y"), "media.part_name"),
        (media().part_name("文件"), "media.part_name"),
        (media().part_name("item_id").field("item_id", 7), "media.part_name"),
        (media().field("file", "x"), "media.part_name"),
        (media().field("meta", "{}"), "media.field"),
        (media().field("a b", "x"), "media.field"),
        (media().field("a", 1).field("a", 1), "media.field"),
        (media().field("a", json!([1])), "media.field"),
        (media().field("a", json!({})), "media.field"),
        ((0..101).fold(media(), |media, at| media.field(format!("f{at}"), 1)), "media.field"),
    ] {
        let Err(Error::Config(error)) = wx["v3/x"].post(Value::Null).media(media).wait() else {
            panic!("{field}")
        };
        assert_eq!(error.field(), field, "{error}");
    }
    assert!(recorder.seen().is_empty(), "nothing was sent");
}

#[tokio::test]
async fn the_sandbox_takes_files_async_and_blocking() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let dir = tempfile::tempdir().unwrap();
    // The sandbox wants a picture of at most 2 MiB, a video of at most 5; a script takes anything that is rightly signed.
    sandbox.on("POST", "v3/test/upload", 200, json!({"media_id": "any"})).unwrap();
    for length in [0, 1, 8, 127 * 1024, 128 * 1024, 3_000_001] {
        let path = dir.path().join("图 片.png");
        let mut content = vec![7; length];
        // A PNG picture, or an MP4 video.
        let start = if length == 3_000_001 { b"\0\0\0\x18ftyp" } else { b"\x89PNG\r\n\x1a\n" };
        let start = &start[..length.min(8)];
        content[..start.len()].copy_from_slice(start);
        std::fs::write(&path, &content).unwrap();
        let url = format!("file://{}", path.display());
        let endpoint = match length {
            0 | 1 => "v3/test/upload",
            3_000_001 => "v3/merchant/media/video_upload",
            _ => "v3/merchant/media/upload",
        };
        for media in [Media::file(&path), Media::file(&url), Media::bytes("a.png", content.clone())] {
            let request = || wx[endpoint].post(Value::Null).media(media.clone());
            assert!(request().await.unwrap().data()["media_id"].is_string());
            assert!(request().wait().unwrap().data()["media_id"].is_string());
        }
    }
    // A meta that does not match the file.
    let wrong = Media::bytes("a.png", "x").meta(json!({"filename": "a.png", "sha256": "00"}));
    let Err(Error::Api(error)) = wx["v3/merchant/media/upload"].post(Value::Null).media(wrong).await else {
        panic!("not an Api error")
    };
    assert_eq!((error.status, error.code.as_str()), (400, "PARAM_ERROR"));
    // JSON where a file is wanted.
    let Err(Error::Api(error)) = wx["v3/merchant/media/upload"].post(json!({"filename": "a"})).await else {
        panic!("not an Api error")
    };
    assert_eq!(error.code, "PARAM_ERROR");
}

/// With another executor, and without any.
#[test]
fn an_upload_needs_no_runtime() {
    let sandbox = start_sandbox();
    let wx = sandbox.client().unwrap();
    let mut file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
    file.write_all(b"\xff\xd8\xff content").unwrap();
    let request = || wx["v3/merchant/media/upload"].post(Value::Null).media(Media::file(file.path()));
    assert_eq!(request().wait().unwrap().status(), 200);
    let waker = futures_util::task::noop_waker();
    let mut future = Box::pin(std::future::IntoFuture::into_future(request()));
    let mut context = std::task::Context::from_waker(&waker);
    let response = loop {
        if let std::task::Poll::Ready(response) = future.as_mut().poll(&mut context) {
            break response.unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    };
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn bad_files_are_named_and_nothing_is_sent() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let dir = tempfile::tempdir().unwrap();
    for (media, name, reason) in [
        (Media::file(dir.path().join("missing.jpg")), "missing.jpg`", "does not exist"),
        (Media::file(dir.path()), "", "is a directory"),
        (Media::file(dir.path()).meta("{}"), "", "is a directory"),
        (Media::file("/dev/null"), "`/dev/null`", "not a regular file"),
    ] {
        let request = || wx["v3/x"].post(Value::Null).media(media.clone());
        for result in [request().await, request().wait(), request().prepare().map(|_| unreachable!())] {
            let Err(Error::File(error)) = result else { panic!("{media:?}: not a File error") };
            let text = error.to_string();
            assert!(!error.maybe_sent() && text.contains(name) && text.contains(reason), "{text}");
        }
    }
    let Err(Error::Config(error)) = wx["v3/x"].post(Value::Null).media(Media::bytes("", "x")).await else {
        panic!("not a Config error")
    };
    assert_eq!(error.field(), "media");
    assert!(recorder.seen().is_empty());
}

/// The file changes while it is sent: the platform must never receive a complete body.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.bin");
    for (change, says) in [(3_usize, "shorter"), (20_000_000, "longer"), (16_000_000, "changed")] {
        std::fs::write(&path, vec![1; 16_000_000]).unwrap();
        // Reads nothing until the file was changed, so that the sender waits half-way.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wx = support::client(&format!("http://{}/", listener.local_addr().unwrap()));
        let changed = path.clone();
        let server = tokio::spawn(async move {
            use tokio::io::AsyncReadExt as _;
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut first = [0; 1024];
            stream.read_exact(&mut first).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            // In place: the sender has the file open.
            let mut file = std::fs::OpenOptions::new().write(true).open(&changed).unwrap();
            match change {
                16_000_000 => {
                    use std::io::Seek as _;
                    file.seek(std::io::SeekFrom::Start(15_999_999)).unwrap();
                    file.write_all(&[2]).unwrap();
                }
                other => file.set_len(other as u64).unwrap(),
            }
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            rest.len()
        });
        let result = wx["v3/x"].post(Value::Null).media(Media::file(&path)).await;
        let Err(Error::File(error)) = result else { panic!("not a File error: {result:?}") };
        assert!(!error.maybe_sent() && error.to_string().contains(says), "{error}");
        assert!(error.to_string().contains("a.bin`"), "{error}");
        drop(wx);
        server.await.unwrap();
    }
}
