//! The program `wxpay`: where its output goes, and its layout.

use serde_json::{Value, json};

use crate::program::{Done, TestEnv};

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

/// Each kind of error of the operating system, in the program's words, wherever it may occur.
#[test]
fn errors_of_files_are_worded_by_one_place() {
    let env = TestEnv::new();
    let file = env.file("file", "{}");
    let below = format!("{file}/x");
    let folder = env.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let missing = env.path("missing/x");
    let long = env.path(&"x".repeat(300));
    let calls = env.file("calls.jsonl", r#"{"method":"GET","path":"v3/certificates"}"#);
    let echo = ["post", "v3/security/echo", "echo_message=x"];
    let not_a_folder = "a part of its path is not a directory";
    let not_a_name = "the file system does not allow its name";
    for (arguments, part) in [
        // To be written.
        ([&echo[..], &["-o", &missing]].concat(), "its directory does not exist"),
        ([&echo[..], &["-o", &below]].concat(), not_a_folder),
        ([&echo[..], &["-o", &long]].concat(), not_a_name),
        ([&echo[..], &["-o", &folder]].concat(), "is a directory, not a regular file"),
        (vec!["sign", "-o", &missing], "its directory does not exist"),
        (vec!["doctor", "-o", &below], not_a_folder),
        (vec!["get", "v3/certificates", "-o", &missing], "its directory does not exist"),
        (vec!["get", "v3/certificates", "-o", &below], not_a_folder),
        (vec!["bill", "2026-11-20", "-o", &long], not_a_name),
        (vec!["certs", "-o", &below], not_a_folder),
        (vec!["certs", "-o", &file], "it already exists"),
        (vec!["certs", "-o", &long], not_a_name),
        (vec!["batch", &calls, "-o", &missing], "its directory does not exist"),
        (vec!["batch", &calls, "-o", &below], not_a_folder),
        (vec!["batch", &calls, "-o", &long], not_a_name),
        (vec!["batch", &calls, "-o", &folder], "it is a directory"),
        // To be read.
        (vec!["batch", &missing], "it does not exist"),
        (vec!["batch", &below], not_a_folder),
        (vec!["batch", &folder], "it is a directory"),
        (vec!["batch", &long], not_a_name),
        (vec!["verify", "--headers", &below, &file], not_a_folder),
        (vec!["verify", "--headers", &file, &long], not_a_name),
        (vec!["get", "v3/x", "--config", &below], not_a_folder),
        (vec!["get", "v3/x", "--config", &long], not_a_name),
        (vec!["upload", &below, "v3/merchant/media/upload"], not_a_folder),
        (vec!["upload", &long, "v3/merchant/media/upload"], not_a_name),
    ] {
        let done = env.run(&arguments);
        done.fails(1, part);
        assert!(!done.err.contains("os error") && !done.err.contains("entity"), "{arguments:?}: {done:?}");
    }
    let key = |path: &str| {
        let mut command = env.wxpay();
        command.env("WECHATPAY_PRIVATE_KEY", format!("file://{path}")).args(echo);
        env.finish(&mut command)
    };
    key(&below).fails(1, not_a_folder);
    key(&long).fails(1, not_a_name);
    assert!(env.sandbox.requests().is_empty(), "nothing was sent");
    // A full disk.
    let mut shell = assert_cmd::Command::new("sh");
    let line = format!("{} version > /dev/full", env!("CARGO_BIN_EXE_wxpay"));
    Done::of(shell.args(["-c", &line])).fails(1, "cannot write to stdout: no space is left on the disk");
    // A mistake that only the system can word, without its number.
    let link = env.path("link");
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let done = env.run(&["batch", &link]);
    done.fails(1, "the operating system reports: ");
    assert!(!done.err.contains("os error"), "{done:?}");
}

#[test]
fn an_output_file_keeps_its_mode_and_a_new_one_has_the_usual_one() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let mode = |file: &str| std::fs::metadata(env.path(file)).unwrap().permissions().mode() & 0o777;
    // What a shell gives to a new file here.
    let usual = {
        env.file("usual", "");
        mode("usual")
    };
    for (name, arguments) in [
        ("post", &["post", "v3/security/echo", "echo_message=x"][..]),
        ("get", &["get", "v3/certificates"]),
        ("doctor", &["doctor"]),
    ] {
        for before in [0o600, 0o640, 0o444] {
            let file = env.file(name, "old");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(before)).unwrap();
            assert_eq!(env.run(&[arguments, &["-o", &file]].concat()).code, Some(0), "{name}");
            assert_eq!(mode(name), before, "{name}");
            assert_ne!(std::fs::read_to_string(&file).unwrap(), "old", "{name}");
        }
        std::fs::remove_file(env.path(name)).unwrap();
        assert_eq!(env.run(&[arguments, &["-o", name]].concat()).code, Some(0), "{name}");
        assert_eq!(mode(name), usual, "{name}");
    }
}

#[test]
fn verify_sign_and_doctor_write_files_too() {
    let env = TestEnv::new();
    let (headers, body) = crate::messages::saved(&env, &env.sandbox);
    let read = |name: &str| std::fs::read_to_string(env.path(name)).unwrap();
    let verify = ["verify", "--headers", &headers, &body];
    assert_eq!(env.run(&[&verify[..], &["-o", "verified.json"]].concat()).ok(), "");
    let verified: Value = serde_json::from_str(&read("verified.json")).unwrap();
    assert_eq!(verified["verified"], true);
    assert!(env.run(&[&verify[..], &["-o", "-"]].concat()).ok().contains("\"verified\":true"));
    // A check that fails leaves no file.
    let other = env.file("other.json", "{}");
    assert_eq!(env.run(&["verify", "--headers", &headers, &other, "-o", "none.json"]).code, Some(4));
    assert!(!std::path::Path::new(&env.path("none.json")).exists());
    let sign = |more: &[&str]| env.finish(env.wxpay().arg("sign").args(more).write_stdin("GET\n"));
    let signature = sign(&[]).ok().to_owned();
    assert_eq!(sign(&["-o", "signature"]).ok(), "");
    assert_eq!(read("signature"), signature);
    // A report with failures is a report.
    let mut doctor = env.wxpay();
    doctor.env("WECHATPAY_APIV3_KEY", "short").args(["doctor", "-o", "report.jsonl"]);
    let done = env.finish(&mut doctor);
    assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{done:?}");
    let lines: Vec<Value> =
        read("report.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["check"] == "APIv3 key" && line["status"] == "failed"), "{lines:?}");
    assert!(lines.iter().any(|line| line["check"] == "echo" && line["status"] == "ok"), "{lines:?}");
}

/// A file whose command is interrupted appears under no name.
#[test]
fn a_signal_leaves_no_part_of_an_output_file() {
    let env = TestEnv::new();
    let folder = env.path("folder");
    std::fs::create_dir(&folder).unwrap();
    env.sandbox.inject_rule("delay=60000".parse().unwrap()).unwrap();
    for signal in ["TERM", "KILL"] {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_wxpay"))
            .args(["post", "v3/security/echo", "echo_message=x", "-v", "-o", &format!("{folder}/out")])
            .env_clear()
            .envs(crate::program::variables(&env.sandbox))
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
        assert!(lines.map(Result::unwrap).any(|line| line.starts_with("> POST ")), "not sent");
        Done::of(assert_cmd::Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]))
            .ok();
        assert!(!child.wait().unwrap().success());
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "after {signal}");
    }
}
