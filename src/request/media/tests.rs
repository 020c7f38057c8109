use super::*;

#[test]
fn a_filename_cannot_leave_its_header() {
    for (name, expected) in [
        ("a.jpg", "a.jpg"),
        ("图 片😀.jpg", "图 片😀.jpg"),
        ("a\"; name=\"meta", "a%22; name=%22meta"),
        ("a\r\nX-Evil: 1\r\n\r\n", "a%0D%0AX-Evil: 1%0D%0A%0D%0A"),
        ("a\0\u{7f}%41\\", "a%00%7F%41\\"),
    ] {
        assert_eq!(escaped(name), expected);
    }
}

#[test]
fn types_follow_the_extension() {
    for (name, expected) in [
        ("A.JPG", "image/jpeg"),
        ("a.b.mp4", "video/mp4"),
        ("noext", "application/octet-stream"),
        ("a.", "application/octet-stream"),
        ("图.png", "image/png"),
        ("发票.OFD", "application/ofd"),
        ("发票.pdf", "application/pdf"),
        ("a.tar.gz", "application/gzip"),
    ] {
        assert_eq!(mime_of(name), expected, "{name}");
    }
}

/// The forms in the platform's pages: of videos, and of pictures.
#[test]
fn every_documented_form_has_its_kind_of_type() {
    for (kind, forms) in
        [("video/", "avi wmv mpeg mp4 mov mkv flv f4v m4v rmvb mpg"), ("image/", "jpg jpeg bmp png gif tif")]
    {
        for form in forms.split(' ') {
            assert!(mime_of(&format!("a.{form}")).starts_with(kind), "{form}");
        }
    }
    for form in "pdf zip xls xlsx doc docx csv txt rar gz".split(' ') {
        assert_ne!(mime_of(&format!("a.{form}")), "application/octet-stream", "{form}");
    }
}

#[test]
fn the_default_meta_is_phps() {
    let upload = Media::bytes("A.JPG", "hello").into_upload().unwrap();
    let php =
        r#"{"filename":"A.JPG","sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}"#;
    assert_eq!(upload.meta, php);
}

#[test]
fn an_invalid_upload_names_the_field() {
    let field = |media: Media| match media.into_upload().map(|_| ()).unwrap_err() {
        Error::Config(e) => e.field().to_owned(),
        other => panic!("{other}"),
    };
    assert_eq!(field(Media::bytes("", "x")), "media");
    for meta in [json!("not json"), json!("[1]"), json!(1), json!([1]), Value::Null] {
        assert_eq!(field(Media::bytes("a", "x").meta(meta)), "media.meta");
    }
    for mime in ["", "image/png\r\nX: y"] {
        assert_eq!(field(Media::bytes("a", "x").mime(mime)), "media.mime");
    }
}

#[tokio::test]
async fn a_file_that_changed_before_it_is_sent_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jpg");
    std::fs::write(&path, "content").unwrap();
    let upload = Media::file(&path).into_upload().unwrap();
    assert!(upload.body().await.is_ok() && upload.body().await.is_ok(), "as often as there are attempts");
    std::fs::write(&path, "longer content").unwrap();
    let Err(Error::File(error)) = upload.body().await else { panic!("not a File error") };
    assert!(!error.maybe_sent() && error.to_string().contains("a.jpg`"), "{error}");
    assert!(error.to_string().contains("7 bytes") && error.to_string().contains("14 now"), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(upload.body().await, Err(Error::File(_))));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    for (path, reason) in [
        ("/nonexistent/a.jpg", "does not exist"),
        ("", "does not exist"),
        (env!("CARGO_MANIFEST_DIR"), "is a directory"),
        (concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/a.jpg"), "not a directory"),
        #[cfg(unix)]
        ("/dev/null", "not a regular file"),
    ] {
        let Err(Error::File(error)) = Media::file(path).filename("a.jpg").into_upload() else {
            panic!("{path}")
        };
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains("nothing was sent"), "{text}");
        assert!(!error.maybe_sent());
        // The system's error, if there is one: a directory can be opened, too.
        let has_source = std::error::Error::source(&*error).is_some();
        assert_eq!(has_source, reason.contains("does not exist") || reason == "not a directory", "{text}");
    }
}
