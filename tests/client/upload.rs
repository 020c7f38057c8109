//! Uploads: the two parts and what is signed, against PHP's recordings and against the sandbox.

use std::io::Write as _;

use crate::support::{self, Recorded, Recorder};
use base64::Engine as _;
use serde_json::{Value, json};
use wechatpay_chain::sandbox::Sandbox;
use wechatpay_chain::{Chain, Error, Media, WeChatPay};

/// The parts of a multipart body: header lines and content. Strict: what stands where it should not is a panic.
fn parts(seen: &Recorded) -> Vec<(String, Vec<u8>)> {
    let content_type = seen.header("content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let delimiter = format!("\r\n--{boundary}");
    let body = [b"\r\n", &seen.body[..]].concat();
    let at = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|w| w == what);
    let mut rest = &body[at(&body, delimiter.as_bytes()).unwrap() + delimiter.len()..];
    let mut all = Vec::new();
    while rest != b"--\r\n" {
        let part = rest.strip_prefix(b"\r\n").expect("a line end after the boundary");
        let end = at(part, delimiter.as_bytes()).expect("a closing boundary");
        let blank = at(part, b"\r\n\r\n").unwrap();
        all.push((String::from_utf8(part[..blank].to_vec()).unwrap(), part[blank + 4..end].to_vec()));
        rest = &part[end + delimiter.len()..];
    }
    all
}

/// What the platform would expect to be signed: the meta's text in the body's place.
fn expected_message(seen: &Recorded, meta: &[u8]) -> Vec<u8> {
    Recorded { body: meta.to_vec(), ..seen.clone() }.expected_message()
}

/// Every spelling that the recording has.
fn spellings(wx: &WeChatPay, chain: &Value) -> Vec<Chain> {
    let mut all = Vec::new();
    all.extend(chain["index"].as_str().map(|path| wx[path].clone()));
    all.extend(chain["chain"].as_str().map(|path| wx.chain(path)));
    if let Some(segments) = chain["pure"].as_array() {
        let segments: Vec<_> = segments.iter().map(|s| s.as_str().unwrap()).collect();
        all.push(segments[1..].iter().fold(wx.seg(segments[0]), |node, segment| node.seg(segment)));
        all.push(segments[1..].iter().fold(wx[segments[0]].clone(), |node, segment| node[*segment].clone()));
    }
    all
}

#[test]
fn every_recorded_upload_through_every_spelling() {
    let Some(folder) = std::env::var_os("WECHATPAY_CONFORMANCE") else {
        println!("skipped: WECHATPAY_CONFORMANCE is not set");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("calls.jsonl")).unwrap();
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let dir = tempfile::tempdir().unwrap();
    let (mut calls, mut compared) = (0, 0);
    for call in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if call["api"] != "v3" || call["kind"] != "upload" {
            continue;
        }
        calls += 1;
        let (id, php) = (&call["id"], call["sdk"] == "php");
        let mut options = call[if php { "options" } else { "config" }].as_object().unwrap().clone();
        let body = options.remove("body").unwrap_or_default(); // PHP's marker of the file
        let node_meta = options.remove("meta").unwrap_or_default();
        if let Some(base) = options.get_mut("base_uri") {
            let path = base.as_str().unwrap().splitn(4, '/').nth(3).unwrap_or_default().to_owned();
            *base = json!(format!("{}{path}", recorder.base));
        }
        // Node's recordings name a file without its content.
        let content = base64::engine::general_purpose::STANDARD
            .decode(body["file_base64"].as_str().unwrap_or("Y29udGVudA=="))
            .unwrap();
        let of = |php_value: &Value, node_value: &Value| {
            (if php { php_value } else { node_value }).as_str().unwrap().to_owned()
        };
        let filename = &*of(&body["filename"], &call["data"]["file"]["$readStream"]);
        let meta = &*of(&body["meta"], &call["data"]["meta"]);
        let path = dir.path().join(filename);
        std::fs::write(&path, &content).unwrap();
        // PHP's own default must come out of ours; any other meta is the caller's: PHP's text, Node's object.
        let sha256 = body["file_sha256"].as_str().unwrap_or_default();
        let default = meta == format!(r#"{{"filename":"{filename}","sha256":"{sha256}"}}"#);
        let own = if php { json!(meta) } else { node_meta };
        for media in [Media::file(&path), Media::bytes(filename, content.clone())] {
            let media = if default { media } else { media.meta(own.clone()) };
            for chain in spellings(&wx, &call["chain"]) {
                assert_eq!(call["verb"], "POST");
                chain
                    .post(Value::Null)
                    .media(media.clone())
                    .options(Value::Object(options.clone()))
                    .wait()
                    .unwrap();
                let seen = recorder.take();
                assert_eq!(call["expect"]["method"], seen.method, "{id}");
                assert_eq!(call["expect"]["target"], seen.target, "{id}");
                assert_eq!(seen.header("transfer-encoding"), None, "{id}");
                let [(meta_head, meta_text), (file_head, file)] = &parts(&seen)[..] else { panic!("{id}") };
                assert_eq!(String::from_utf8_lossy(meta_text), meta, "{id}");
                assert_eq!(*file, content, "{id}");
                assert_eq!(
                    meta_head,
                    "Content-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json"
                );
                let disposition =
                    format!("Content-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n");
                assert!(file_head.starts_with(&disposition), "{id}: {file_head}");
                if support::has_openssl() && compared == 0 {
                    let message = expected_message(&seen, meta_text);
                    let key = support::key_path("merchant_pub.pem");
                    assert!(support::openssl_verifies(key.as_ref(), &message, &seen.auth("signature")));
                }
                compared += 1;
            }
        }
    }
    println!("calls.jsonl: {calls} uploads, {compared} compared, all equal");
    assert!(calls >= 10 && compared >= 60, "only {calls}, {compared}");
}

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

#[tokio::test]
async fn the_sandbox_takes_files_async_and_blocking() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let dir = tempfile::tempdir().unwrap();
    for length in [0, 1, 127 * 1024, 128 * 1024, 3_000_001] {
        let path = dir.path().join("图 片.png");
        std::fs::write(&path, vec![7; length]).unwrap();
        let url = format!("file://{}", path.display());
        for media in [Media::file(&path), Media::file(&url), Media::bytes("a.png", vec![7; length])] {
            let request = || wx["v3/merchant/media/upload"].post(Value::Null).media(media.clone());
            assert!(request().await.unwrap().data()["media_id"].is_string());
            assert!(request().wait().unwrap().data()["media_id"].is_string());
        }
    }
    // A meta that says something else of the file.
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

/// Under another executor, and without any.
#[test]
fn an_upload_needs_no_runtime() {
    let sandbox = Sandbox::start().unwrap();
    let wx = sandbox.client().unwrap();
    let mut file = tempfile::Builder::new().suffix(".jpg").tempfile().unwrap();
    file.write_all(b"content").unwrap();
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
    for media in [
        Media::file(dir.path().join("missing.jpg")),
        Media::file(dir.path()),
        Media::file(dir.path()).meta("{}"),
        Media::bytes("", "x"),
        Media::file("/dev/null"),
    ] {
        let request = || wx["v3/x"].post(Value::Null).media(media.clone());
        for result in [request().await, request().wait(), request().prepare().map(|_| unreachable!())] {
            let Err(Error::Config(error)) = result else { panic!("{media:?}: not a Config error") };
            assert_eq!(error.field(), "media", "{error}");
        }
    }
    assert!(recorder.seen().is_empty());
}

/// The file changes while it is sent: the platform must never see a whole body.
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
        let Err(Error::Transport(error)) = result else { panic!("not a Transport error: {result:?}") };
        assert!(error.to_string().contains(says), "{error}");
        drop(wx);
        server.await.unwrap();
    }
}
