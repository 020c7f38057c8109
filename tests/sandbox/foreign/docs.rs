//! The lines that point an SDK at the sandbox. Those of docs/sandbox.md run as they stand, in both languages, and with the
//! change that the text names for certificates. Those of `--snippet` run as they are printed.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use wechatpay_chain::sandbox::{Sandbox, SnippetLanguage};

use crate::support::keys_folder;

use super::{NODE, PYTHON, exported, node_command, python_command, sandbox_in};

/// The code blocks of a language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let opened = format!("\n```{language}\n");
    text.split(&opened).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned()).collect()
}

/// Runs lines as a user does who has the exported variables, and returns what they print.
#[track_caller]
fn paste(command: Command, mode: &str, lines: &str) -> String {
    paste_at(command, &sandbox_in(mode), mode, lines)
}

#[track_caller]
fn paste_at(mut command: Command, sandbox: &Sandbox, mode: &str, lines: &str) -> String {
    command.envs(exported(sandbox)).arg("-");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{mode}: {lines}\n{stdout}\n{stderr}");
    stdout
}

/// Both languages, as they stand and changed for certificates. A change that finds nothing to change is a fault.
#[track_caller]
fn each(language: &str, index: usize, change: impl Fn(&str) -> String, run: impl Fn(&str, &str)) {
    for document in ["sandbox.md", "sandbox.zh-CN.md"] {
        let lines = &blocks(document, language)[index];
        run("public-key", lines);
        let changed = change(lines);
        assert_ne!(&changed, lines, "{document}");
        run("certificate", &changed);
    }
}

#[test]
fn wechatpay_axios_plugin() {
    let Some(folder) = NODE.folder() else { return };
    let change = |lines: &str| {
        lines
            .replace("WECHATPAY_PUBLIC_KEY_ID", "WECHATPAY_PLATFORM_SERIAL")
            .replace("WECHATPAY_PUBLIC_KEY", "WECHATPAY_PLATFORM_CERTIFICATE")
    };
    each("js", 0, change, |mode, lines| {
        assert_eq!(paste(node_command(folder), mode, lines), "{ echo_message: '你好' }\n");
    });
}

#[test]
fn wechatpay_node_v3() {
    let Some(folder) = NODE.folder() else { return };
    let change = |lines: &str| {
        let line = lines.lines().find(|line| line.starts_with("WxPay.certificates")).unwrap();
        lines.replace(line, "const certificates = pay.fetchCertificates(env.WECHATPAY_APIV3_KEY);")
            + "\ncertificates.then(() => console.log(Object.keys(WxPay.certificates).length));"
    };
    each("js", 1, change, |mode, lines| {
        let printed = paste(node_command(folder), mode, lines);
        assert!(printed.contains("code_url: 'weixin://"), "{printed}");
        assert_eq!(printed.lines().any(|line| line == "1"), mode == "certificate", "{printed}");
    });
}

#[test]
fn wechatpayv3() {
    let Some(folder) = PYTHON.folder() else { return };
    let change = |lines: &str| {
        let kept = lines.lines().filter(|line| !line.trim_start().starts_with("public_key"));
        kept.collect::<Vec<_>>().join("\n")
    };
    each("python", 0, change, |mode, lines| {
        let printed = paste(python_command(folder), mode, lines);
        assert!(printed.starts_with("(200, '{\"code_url\":\"weixin://"), "{printed}");
    });
}

/// What this machine cannot run says the same in both languages, and what it can but for comments.
#[test]
fn both_languages_have_the_same_lines() {
    for (language, count) in [("php", 1), ("js", 2), ("python", 1), ("go", 1), ("java", 1)] {
        let [english, chinese] = ["sandbox.md", "sandbox.zh-CN.md"].map(|document| {
            let lines = blocks(document, language).join("\n\n");
            lines.lines().filter(|line| !line.trim_start().starts_with('#')).map(code).collect::<Vec<_>>()
        });
        assert_eq!(blocks("sandbox.md", language).len(), count, "{language}");
        assert_eq!(english, chinese, "{language}");
    }
}

/// A line without the comment at its end.
fn code(line: &str) -> String {
    line.split(" // ").next().unwrap().to_owned()
}

/// With this call, which a user adds.
fn paste_snippet(command: Command, language: SnippetLanguage, mode: &str, call: &str) -> String {
    let sandbox = sandbox_in(mode);
    let lines = sandbox.snippet(language, keys_folder()).unwrap();
    paste_at(command, &sandbox, mode, &format!("{lines}\n{call}\n"))
}

#[test]
fn the_snippet_of_node() {
    let Some(folder) = NODE.folder() else { return };
    let call = "wxpay.v3.security.echo.post({ echo_message: '你好' }).then(({ data }) => console.log(data));";
    for mode in ["public-key", "certificate", "migration"] {
        let printed = paste_snippet(node_command(folder), SnippetLanguage::Node, mode, call);
        assert_eq!(printed, "{ echo_message: '你好' }\n", "{mode}");
    }
}

#[test]
fn the_snippet_of_python() {
    let Some(folder) = PYTHON.folder() else { return };
    let call = "amount = {\"total\": 100, \"currency\": \"CNY\"}\n\
                print(wxpay.pay(description=\"茶\", out_trade_no=\"P202611280003\", amount=amount, notify_url=\"http://127.0.0.1:9/\"))";
    for mode in ["public-key", "certificate", "migration"] {
        let printed = paste_snippet(python_command(folder), SnippetLanguage::Python, mode, call);
        assert!(printed.starts_with("(200, '{\"code_url\":\"weixin://"), "{mode}: {printed}");
    }
}

/// The lines that replace the address are the same in the documents and in the snippets that cannot run here.
#[test]
fn the_address_is_replaced_in_one_way() {
    let sandbox = sandbox_in("public-key");
    for (language, name, from, to) in [
        (SnippetLanguage::Go, "go", "type toSandbox struct", "return t.next.RoundTrip(request)"),
        (SnippetLanguage::Java, "java", "OkHttpClient toSandbox", "}).build();"),
    ] {
        let part = |text: &str| {
            let start = text.find(from).unwrap_or_else(|| panic!("{name}: no `{from}`"));
            let length = text[start..].find(to).unwrap_or_else(|| panic!("{name}: no `{to}`"));
            text[start..start + length].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let snippet = sandbox.snippet(language, keys_folder()).unwrap();
        assert_eq!(part(&snippet), part(&blocks("sandbox.md", name)[0]), "{name}");
    }
}
