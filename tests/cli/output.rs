//! The program `wxpay`: where its output goes, and its layout.

use serde_json::json;

use crate::program::TestEnv;

const ECHO: &str = "v3/security/echo";

#[test]
fn json_is_indented_or_on_one_line_on_request() {
    let env = TestEnv::new();
    env.sandbox.on("GET", "v3/x", 200, json!({"a": [1, {}]})).unwrap();
    let (pretty, compact) = ("{\n  \"a\": [\n    1,\n    {}\n  ]\n}\n", "{\"a\":[1,{}]}\n");
    assert_eq!(env.run(&["get", "v3/x"]).ok(), compact);
    assert_eq!(env.run(&["get", "v3/x", "--compact"]).ok(), compact);
    assert_eq!(env.run(&["--pretty", "get", "v3/x"]).ok(), pretty);
    assert_eq!(env.run(&["get", "v3/x", "--pretty", "--jq", "."]).ok(), pretty);
    let coloured = env.run(&["get", "v3/x", "--compact", "--color", "always"]);
    assert!(coloured.ok().contains("\u{1b}[") && coloured.out.lines().count() == 1, "{coloured:?}");
    env.run(&["get", "v3/x", "--pretty", "--compact"]).fails(1, "cannot be used with");
    assert!(env.run(&["certs", "--pretty"]).ok().starts_with("[\n  {\n    \"serial\": "));
}

#[test]
fn output_goes_to_a_file_everywhere_by_the_same_option() {
    let env = TestEnv::new();
    let (file, picture) = (env.path("out"), env.file("a.jpg", b"\xff\xd8\xff\xd9"));
    let read = || {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        text
    };
    let echo = ["post", ECHO, "echo_message=茶"];
    for option in ["-o", "--output"] {
        assert_eq!(env.run(&[&echo[..], &[option, &file]].concat()).ok(), "");
        assert_eq!(read(), "{\"echo_message\":\"茶\"}\n");
    }
    env.run(&[&echo[..], &["-o", &file, "--jq", ".echo_message", "-r"]].concat()).ok();
    assert_eq!(read(), "茶\n");
    env.run(&[&echo[..], &["-o", &file, "-r"]].concat()).ok();
    assert_eq!(read(), "{\"echo_message\":\"茶\"}");
    env.run(&[&echo[..], &["-o", &file, "--dry-run", "--jq", ".method"]].concat()).ok();
    assert_eq!(read(), "\"POST\"\n");
    assert_eq!(env.run(&[&echo[..], &["-o", "-"]].concat()).ok(), "{\"echo_message\":\"茶\"}\n");
    env.sandbox.on("POST", "v3/media", 200, json!({"media_id": "M1"})).unwrap();
    env.run(&["upload", &picture, "v3/media", "-o", &file, "--jq", ".media_id", "-r"]).ok();
    assert_eq!(read(), "M1\n");
    for option in ["-o", "--output", "--save"] {
        assert_eq!(env.run(&["get", "v3/certificates", option, &file]).json()["path"], file.as_str());
        assert!(read().starts_with("{\"data\":"));
    }
    // A pipe or a device is not replaced by a file, which for root could be `/dev/null`.
    let pipe = env.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let link = env.path("link");
    std::os::unix::fs::symlink(&pipe, &link).unwrap();
    env.sandbox.clear_requests();
    for target in [&pipe, &link] {
        for arguments in [
            &echo[..],
            &["get", "v3/certificates"],
            &["upload", &picture, "v3/media"],
            &["bill", "2026-11-20"],
        ] {
            let done = env.run(&[arguments, &["-o", target]].concat());
            done.fails(1, "is a pipe, not a regular file");
        }
    }
    let kind = std::os::unix::fs::FileTypeExt::is_fifo;
    assert!(kind(&std::fs::symlink_metadata(&pipe).unwrap().file_type()));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(env.sandbox.requests().is_empty());
    std::fs::remove_file(&link).unwrap();
    std::fs::remove_file(&pipe).unwrap();
    // A link stays a link.
    let real = env.file("real", "");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    env.run(&[&echo[..], &["-o", &link]].concat()).ok();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&real).unwrap().contains('茶'));
    std::fs::remove_file(&link).unwrap();
    std::fs::remove_file(&real).unwrap();
    // A file that cannot be written is an error before anything is sent; one that exists stays.
    env.sandbox.clear_requests();
    env.run(&[&echo[..], &["-o", "/nowhere/out"]].concat()).fails(1, "-o: cannot write `/nowhere/out`");
    env.run(&[&echo[..], &["-o", "/"]].concat()).fails(1, "is a directory");
    assert!(env.sandbox.requests().is_empty());
    std::fs::write(&file, "mine").unwrap();
    env.run(&["post", ECHO, "-d", "{}", "-o", &file]).fails(2, "PARAM_ERROR");
    env.run(&[&echo[..], &["-o", &file, "--jq", ".echo_message.x"]].concat()).fails(1, "--jq");
    assert_eq!(read(), "mine");
    let left = std::fs::read_dir(env.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["a.jpg"]);
}
