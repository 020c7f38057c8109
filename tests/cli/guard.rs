//! Keys and control characters in arguments, variables and files: what the program prints about them.

use std::io::Write as _;

use serde_json::json;

use crate::program::{Done, TestEnv, wxpay};
use crate::support;

/// ESC, CR, BEL, DEL, C1, reordering marks, a line separator. (An argument cannot have a NUL.)
const BAD: &str = "\u{1b}[2J\r\u{7}\u{8}\u{7f}\u{9b}\u{85}\u{202e}\u{2066}\u{2028}\u{feff}";

#[track_caller]
fn no_control_characters(done: &Done) {
    for output in [&done.out, &done.err] {
        // A line break ends a line of the program's; a tab is not in its output.
        let bad =
            output.chars().find(|c| *c != '\n' && (c.is_control() || !c.is_ascii() && BAD.contains(*c)));
        assert_eq!(bad, None, "{done:?}");
    }
}

#[test]
fn control_characters_of_arguments_and_files_are_not_printed() {
    let env = TestEnv::new();
    let bad = format!("a{BAD}\nwxpay: done");
    let write = |name: &str, text: &str| {
        let path = env.path(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        path
    };
    let toml = write(
        "bad.toml",
        &format!(
            "[default]\n\"{}\" = \"x\"\n",
            bad.escape_unicode().to_string().replace("\\u{", "\\U").replace('}', "")
        ),
    );
    let table = write("table.toml", "[\"a\\u001B\\u009B\\u202E\"]\nmchid = \"1\"\n");
    let broken = write("broken.toml", &format!("[default]\n{bad} = 1\n"));
    let calls = write("calls.jsonl", &json!({"id": bad, "method": "GET", "path": "v3/P1"}).to_string());
    let unknown =
        write("unknown.jsonl", &json!({"method": "GET", "path": "v3/x", bad.as_str(): 1}).to_string());
    let fine =
        write("fine.jsonl", &json!({"id": "R1", "method": "GET", "path": "v3/certificates"}).to_string());
    let run = json!({"run": 1, "mchid": bad, "platform": bad}).to_string();
    let journal = write("journal.jsonl", &format!("{run}\n"));
    let known = json!({"run": 1, "mchid": env.sandbox.mchid(), "platform": env.sandbox.base_url()});
    let other = json!({"sent": bad, "digest": "00", "at": 1});
    let sent = write("sent.jsonl", &format!("{known}\n{other}\n"));
    let headers = write("headers", &format!("a{BAD}: b\n"));
    let header_json = write("headers.json", &json!({bad.as_str(): 1}).to_string());
    let header_list = write("list.json", &json!({"a": [1], bad.as_str(): [1]}).to_string());
    let body = write("body", "{}");
    let named = write(&format!("b{BAD}"), "{}");
    let pair = format!("{bad}=1");
    let [query, named_at, nested] = ["==1", "@a=1", "[0]=1"].map(|rest| format!("{bad}{rest}"));
    let [file, json_file, pointer] = ["a=@./", "a:=@", "/a=="].map(|before| format!("{before}{bad}"));
    let arguments: Vec<Vec<&str>> = vec![
        vec![&bad],
        vec!["get", &bad],
        vec!["get", "v3/x", &bad],
        vec!["get", "v3/{x}", "--var", &bad],
        vec!["get", "v3/x", "-q", &bad],
        vec!["get", "v3/x", "-H", &bad],
        vec!["get", "v3/x", "--jq", &bad],
        vec!["get", "v3/x", "--color", &bad],
        vec!["get", "v3/x", "--timeout", &bad],
        vec!["get", "v3/x", "--base-url", &bad],
        vec!["get", "v3/x", "--profile", &bad],
        vec!["get", "v3/x", "--config", &bad],
        vec!["get", "v3/x", "--config", &toml],
        vec!["get", "v3/x", "--config", &table],
        vec!["get", "v3/x", "--config", &broken],
        vec!["get", "v3/x", "--save", &bad],
        vec!["get", "v3/x", "-o", "-", "--digest", &bad],
        vec!["get", "v3/x", &query],
        vec!["get", "v3/x", &pair],
        vec!["get", "v3/x", "-q", &file],
        vec!["post", "v3/x", &named_at],
        vec!["post", "v3/x", &nested],
        vec!["post", "v3/x", &file],
        vec!["post", "v3/x", &json_file],
        vec!["post", "v3/x", &pointer],
        vec!["get", "v3/certificates", "--decrypt", &bad],
        vec!["post", "v3/x", &bad],
        vec!["post", "v3/x", "a=b", &bad],
        vec!["post", "v3/x", "-d", &bad],
        vec!["post", "v3/x", "-d", "@/nowhere/a\u{1b}"],
        vec!["post", "v3/x", "a=b", "--encrypt", &bad],
        vec!["post", "v3/x", "/list/-=1", "/list/a\u{1b}=1"],
        vec!["upload", &bad, "v3/x"],
        vec!["upload", &named, &bad],
        vec!["upload", &body, "v3/x", "--meta", &bad],
        vec!["upload", &body, "v3/x", "--part", &bad],
        vec!["upload", &body, "v3/x", "--field", &bad],
        vec!["upload", &body, "v3/x", "--field", &pair],
        vec!["upload", &body, "v3/x", "--type", &bad],
        vec!["upload", &body, "v3/x", "--var", &bad],
        vec!["upload", &body, "v3/x", "-q", &bad],
        vec!["upload", "-", "v3/x", "--name", &bad],
        vec!["bill", &bad],
        vec!["bill", "2026-11-20", "-o", &bad],
        vec!["bill", "2026-11-20", "--type", &bad],
        vec!["bill", "2026-11-20", "--bill-type", &bad],
        vec!["bill", "2026-11-20", "--account-type", &bad],
        vec!["bill", "2026-11-20", "--sub-mchid", &bad],
        vec!["bill", "2026-11-20", "-q", &bad],
        vec!["bill", "--path", &bad],
        vec!["bill", "--path", "v3/{x}", "--var", &bad],
        vec!["batch", &calls],
        vec!["batch", &unknown],
        vec!["batch", &bad],
        vec!["batch", &fine, "-o", &journal, "--resume"],
        vec!["batch", &fine, "-o", &sent, "--resume"],
        vec!["verify", "--headers", &headers, &body],
        vec!["verify", "--headers", &header_json, &body],
        vec!["verify", "--headers", &header_list, &body],
        vec!["verify", "--headers", &bad, &body],
        vec!["decrypt", "--headers", &headers, &bad],
        vec!["man", &bad],
        vec!["completions", &bad],
        vec!["sandbox", "--fault", &bad],
        vec!["sandbox", "--state", "/nowhere/a\u{1b}"],
        vec!["sandbox", "--script", "/nowhere/a\u{1b}"],
    ];
    let mut failed = 0;
    for arguments in &arguments {
        for json_errors in [false, true] {
            let mut all = arguments.clone();
            if json_errors {
                all.push("--json-errors");
            }
            let done = env.run(&all);
            // Some are fine: a file may have any name.
            failed += usize::from(done.code.is_some_and(|code| code != 0));
            no_control_characters(&done);
            if !json_errors {
                assert!(!done.err.contains("\nwxpay: done"), "{arguments:?} poses as another line: {done:?}");
            }
        }
    }
    assert!(failed > 100, "{failed}");
    // Each variable, and a platform that sends such text.
    for name in crate::tables::variables::names() {
        for command in [vec!["get", "v3/certificates"], vec!["doctor"]] {
            no_control_characters(&env.finish(env.wxpay().env(name, &bad).args(command)));
        }
    }
    env.sandbox
        .on("GET", "v3/bad", 400, json!({"code": bad, "message": bad, "detail": {"field": bad}}))
        .unwrap();
    for arguments in [vec!["get", "v3/bad"], vec!["get", "v3/bad", "--json-errors"]] {
        let done = env.run(&arguments);
        done.fails(2, "wxpay: done");
        no_control_characters(&done);
    }
}

#[test]
fn a_key_in_the_place_of_an_argument_or_a_setting_is_not_printed() {
    let env = TestEnv::new();
    let pem = support::key("platform_key.pem");
    let base64: String = pem.lines().filter(|line| !line.contains("---")).collect();
    let hex: String = base64.bytes().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<&str> = pem.lines().filter(|line| !line.contains("---")).collect();
    // As `fold -w 8` and a word processor leave it; each group alone looks like a word.
    let groups: Vec<&str> =
        base64.as_bytes().chunks(8).map(|eight| std::str::from_utf8(eight).unwrap()).collect();
    let body = env.path("body");
    std::fs::write(&body, "{}").unwrap();
    let calls = env.path("calls.jsonl");
    std::fs::write(&calls, json!({"id": "R1", "method": "GET", "path": "v3/certificates"}).to_string())
        .unwrap();
    for key in [
        &pem,
        &base64,
        &hex,
        &pem.replace('\n', "\\n"),
        &pem.replace('\n', " "),
        &groups.join(" "),
        &groups[20..60].join(","),
    ] {
        let (file, field) = (format!("file://{key}"), format!("a={key}"));
        let nowhere = format!("/dev/null/{key}");
        let [query, named, nested, header_like] =
            ["==1", "=1", "[0]=1", ":a"].map(|rest| format!("{key}{rest}"));
        let [key_file, json_file] = ["a=@", "a:=@"].map(|before| format!("{before}{key}"));
        let commands: Vec<Vec<String>> = vec![
            vec![key.as_str()],
            vec!["get", key],
            vec!["get", "v3/x", key],
            vec!["get", "v3/{x}", "--var", key],
            vec!["get", "v3/x", "--jq", key],
            vec!["get", "v3/x", "--config", key],
            vec!["get", "v3/x", "--profile", key],
            vec!["get", "v3/x", "--base-url", key],
            vec!["get", "v3/x", "--timeout", key],
            vec!["post", "v3/x", key],
            vec!["post", "v3/x", &field, "-vv"],
            vec!["get", "v3/x", "-q", &field, "-vv"],
            vec!["post", "v3/x", "-d", key],
            vec!["get", "v3/x", &query],
            vec!["get", "v3/x", &key_file],
            vec!["get", "v3/x", "-q", &key_file],
            vec!["get", "v3/x", "-o", "-", "--digest", key],
            vec!["post", "v3/x", &named],
            vec!["post", "v3/x", &nested],
            vec!["post", "v3/x", &header_like],
            vec!["post", "v3/x", &key_file],
            vec!["post", "v3/x", &json_file],
            vec!["upload", &body, "v3/x", "--type", key],
            vec!["upload", &body, "v3/x", "--var", key],
            vec!["upload", &body, "v3/x", "-q", key],
            vec!["bill", "2026-11-20", "-o", &nowhere],
            vec!["bill", "2026-11-20", "--type", key],
            vec!["bill", "2026-11-20", "--bill-type", key],
            vec!["bill", "2026-11-20", "--account-type", key],
            vec!["bill", "2026-11-20", "-q", key],
            vec!["bill", "--path", key],
            vec!["bill", "--path", "v3/{x}", "--var", key],
            vec!["upload", key, "v3/x"],
            vec!["bill", key],
            vec!["batch", key],
            vec!["verify", "--headers", key, key],
            vec!["verify", "--headers", key, &body],
            vec!["verify", "--headers", &body, key],
            vec!["decrypt", "--headers", key, &body],
            vec!["get", "v3/x", "--config", &nowhere],
            vec!["get", "v3/x", "--save", &nowhere],
            vec!["certs", "-o", &nowhere],
            vec!["batch", &nowhere],
            vec!["batch", &calls, "-o", &nowhere],
            vec!["post", "v3/x", "-d", &format!("@{nowhere}")],
            vec!["sandbox", "--keys", "/dev/null", "--state", &nowhere],
            vec!["sandbox", "--script", &nowhere],
            vec!["sandbox", "--fault", key],
        ]
        .into_iter()
        .map(|arguments| arguments.into_iter().map(str::to_owned).collect())
        .collect();
        let mut all: Vec<Done> = commands
            .iter()
            .map(|command| env.run(&command.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        for name in crate::tables::variables::names() {
            for value in [key, &file] {
                for command in [vec!["get", "v3/certificates", "--json-errors"], vec!["doctor"]] {
                    all.push(env.finish(env.wxpay().env(name, value).args(command)));
                }
            }
        }
        for done in &all {
            for text in [&done.out, &done.err] {
                let compact = text.replace(['\n', ' '], "").replace("\\n", "");
                for line in lines.iter().chain([&&hex[..64]]) {
                    for piece in line.as_bytes().windows(16).map(|piece| std::str::from_utf8(piece).unwrap())
                    {
                        assert!(!compact.contains(piece), "{piece} in {done:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_mistake_in_config_toml_is_told_without_the_line() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    let path = file.to_str().unwrap();
    for (value, secret, place) in [
        ("12345678901234567890123456789012", "1234567890", "line 3, column"),
        ("0xabcdef0123456789abcdef01234567", "abcdef0123", "line 3, column"),
        ("s3cr3tkeys3cr3tkeys3cr3tkeys3cr3", "s3cr3tkey", "line 3, column"),
        ("\"s3cr3tkeys3cr3tkey", "s3cr3tkey", "line 3, column"),
        ("'s3cr3tkey' s3cr3tkey", "s3cr3tkey", "line 3, column"),
        ("\"s3cr3tkey\\q\"", "s3cr3tkey", "line 3, column"),
        ("[\"s3cr3tkey\"", "s3cr3tkey", "line"),
        ("{s3cr3tkey = 1", "s3cr3tkey", "line"),
        ("2026-13-45T00:00:00", "2026-13", "line 3, column"),
        ("1e999999999999999999", "1e9999", "apiv3_key"),
        ("[\"s3cr3tkey\"]", "s3cr3tkey", "`apiv3_key`: expected a string, found array"),
    ] {
        std::fs::write(&file, format!("[default]\nmchid = \"1900000109\"\napiv3_key = {value}\n")).unwrap();
        let done = Done::of(wxpay(home.path()).args(["get", "v3/x", "--config", path]));
        assert!(!done.err.contains(secret), "{done:?}");
        if place != "apiv3_key" {
            done.fails(1, place);
        }
    }
}
