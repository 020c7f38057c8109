//! `wxpay completions`: the scripts, and the candidates that the program itself names.

use std::path::Path;

use crate::help::commands;
use crate::program::{Done, wxpay};
use crate::support::has;

/// The shells whose scripts name all commands and options themselves.
const STATIC: [&str; 2] = ["elvish", "powershell"];
/// The shells whose scripts ask the program.
pub(crate) const ASKING: [&str; 3] = ["bash", "zsh", "fish"];

fn run(arguments: &[&str]) -> Done {
    let home = tempfile::tempdir().unwrap();
    Done::of(wxpay(home.path()).args(arguments))
}

/// The first and the last lines of a script.
fn ends(shell: &str) -> Done {
    let script = run(&["completions", shell]);
    let lines: Vec<_> = script.ok().lines().collect();
    let out = format!("{}\n…\n{}\n", lines[..6].join("\n"), lines[lines.len() - 6..].join("\n"));
    Done { out, ..script }
}

#[test]
fn each_script_is_whole() {
    snapshot!(ends("elvish"), @"
    exit 0
    --- stdout

    use builtin;
    use str;

    set edit:completion:arg-completer[wxpay] = {|@words|
        fn spaces {|n|
    …
                cand -h 'Print help'
                cand --help 'Print help'
            }
        ]
        $completions[$command]
    }
    --- stderr
    ");
    snapshot!(ends("powershell"), @r#"
    exit 0
    --- stdout

    using namespace System.Management.Automation
    using namespace System.Management.Automation.Language

    Register-ArgumentCompleter -Native -CommandName 'wxpay' -ScriptBlock {
        param($wordToComplete, $commandAst, $cursorPosition)
    …
            }
        })

        $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
            Sort-Object -Property ListItemText
    }
    --- stderr
    "#);
}

#[test]
fn the_shell_can_read_its_script() {
    for shell in ASKING.into_iter().filter(|shell| has(shell)) {
        let script = run(&["completions", shell]);
        assert!(script.ok().contains(env!("CARGO_BIN_EXE_wxpay")), "{shell}: {}", script.ok());
        let mut reads = assert_cmd::Command::new(shell);
        assert_eq!(Done::of(reads.args(["-n"]).write_stdin(script.ok())).ok(), "");
    }
}

/// The options of a help text: `-o, --output <FILE>  …`, `--verbose...  …`.
fn options(help: &str) -> Vec<String> {
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let named = lines.filter_map(|line| {
        let long = line.split("--").nth(1)?;
        Some(long.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()?.to_owned())
    });
    named.filter(|option| !option.is_empty()).collect()
}

#[test]
fn every_command_and_every_option_can_be_completed() {
    let scripts = STATIC.map(|shell| run(&["completions", shell]));
    for command in commands() {
        let words: Vec<_> = command.iter().map(String::as_str).collect();
        let help = run(&[&words[..], &["--help"]].concat()).ok().to_owned();
        let typed = format!("wxpay {} --", words.join(" "));
        let offered = ask(&typed);
        for option in options(&help) {
            assert!(offered.contains(&format!("--{option}")), "no --{option} after `{typed}`: {offered:?}");
            for script in &scripts {
                assert!(script.ok().contains(&format!("--{option}")), "no --{option} of {words:?}");
            }
        }
        if let Some((last, above)) = words.split_last() {
            assert!(
                ask(&format!("wxpay {} ", above.join(" "))).contains(&(*last).to_owned()),
                "no {words:?}"
            );
            assert!(scripts.iter().all(|script| script.ok().contains(last)), "no {words:?}");
        }
    }
}

/// What the program offers for a line, without what it says about each.
fn ask(line: &str) -> Vec<String> {
    let home = tempfile::tempdir().unwrap();
    ask_in(home.path(), line)
}

fn ask_in(home: &Path, line: &str) -> Vec<String> {
    let asked = Done::of(wxpay(home).env("_WXPAY_COMPLETE", "fish").arg(line));
    asked.ok().lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn paths_are_completed_a_segment_at_a_time_for_the_verb() {
    assert_eq!(ask("wxpay post v3/refund/"), ["v3/refund/domestic/"]);
    assert_eq!(ask("wxpay post v3/pay/transactions/nat"), ["v3/pay/transactions/native"]);
    assert!(ask("wxpay get v3/pay/transactions/nat").is_empty());
    assert_eq!(ask("wxpay get v3/pay/transactions/id/"), ["v3/pay/transactions/id/{transaction_id}"]);
    // A value in the path, a leading slash, a complete URL, another letter case of the verb.
    let close = "v3/pay/transactions/out-trade-no/P1/close";
    assert_eq!(ask("wxpay post v3/pay/transactions/out-trade-no/P1/c"), [close]);
    assert_eq!(ask("wxpay POST /v3/refund/"), ["/v3/refund/domestic/"]);
    let url = "https://api.mch.weixin.qq.com/v3/refund/";
    assert_eq!(ask(&format!("wxpay post {url}")), [format!("{url}domestic/")]);
    assert_eq!(ask("wxpay post v3/applyment4sub/appl"), ["v3/applyment4sub/applyment/"]);
    assert_eq!(ask("wxpay endpoints show v3/refund/dom"), ["v3/refund/domestic/"]);
    assert_eq!(
        ask("wxpay endpoints show GET v3/refund/domestic/refunds/"),
        ["v3/refund/domestic/refunds/{out_refund_no}"]
    );
    assert_eq!(ask("wxpay upload a.jpg v3/merchant/"), ["v3/merchant/media/"]);
}

#[test]
fn every_documented_path_can_be_typed_with_the_tab_key() {
    use wechatpay_chain::catalogue::Catalogue;
    // A sample: each one asks the program for all its segments.
    for operation in Catalogue::operations().step_by(97) {
        let template = operation.template();
        let verb = operation.verb().to_ascii_lowercase();
        let segments: Vec<_> = template.split_inclusive('/').collect();
        for end in 1..=segments.len() {
            let (above, next) = (segments[..end - 1].concat(), segments[end - 1]);
            // A letter, unless the segment is empty.
            let typed: String = next.chars().take(1).filter(|letter| *letter != '/').collect();
            let offered = ask(&format!("wxpay {verb} {above}{typed}"));
            assert!(offered.contains(&format!("{above}{next}")), "{verb} {template}: {next}: {offered:?}");
        }
    }
}

#[test]
fn variables_fields_and_values_are_those_of_the_operation() {
    let refund = "wxpay post v3/refund/domestic/refunds";
    let offered = ask(&format!("{refund} "));
    // Required ones first.
    assert_eq!(offered[..2], ["out_refund_no=", "amount["]);
    assert!(offered.contains(&"reason=".to_owned()) && offered.contains(&"goods_detail[0][".to_owned()));
    assert!(!offered.iter().any(|offered| offered.starts_with('-')), "{offered:?}");
    let offered = ask(&format!("{refund} out_refund_no=R1 amount[total]:=1 /amount/refund:=1 -d '{{}}' "));
    assert!(!offered.contains(&"out_refund_no=".to_owned()) && offered.contains(&"amount[".to_owned()));
    assert_eq!(
        ask(&format!("{refund} amount[total]:=1 /amount/refund:=1 amount[")),
        ["amount[currency]=", "amount[from][0]["]
    );
    assert_eq!(ask(&format!("{refund} amount[tot")), ["amount[total]:="]);
    assert_eq!(ask(&format!("{refund} amount[total]:")), ["amount[total]:="]);
    assert_eq!(ask(&format!("{refund} /amount/tot")), ["/amount/total:="]);
    // In an object that is the only one, and in an element of a list.
    assert!(ask(&format!("{refund} amo")).contains(&"amount[refund]:=".to_owned()));
    assert!(
        ask(&format!("{refund} goods_detail[1][unit")).contains(&"goods_detail[1][unit_price]:=".to_owned())
    );
    assert!(ask(&format!("{refund} goods_detail[1")).contains(&"goods_detail[1][unit_price]:=".to_owned()));
    assert_eq!(ask(&format!("{refund} funds_account=AV")), ["funds_account=AVAILABLE"]);
    assert_eq!(ask(&format!("{refund} funds_account:=\\\"AV")), ["funds_account:=\"AVAILABLE\""]);
    let bill = "wxpay get v3/bill/tradebill";
    assert_eq!(ask(&format!("{bill} bill_d")), ["bill_date=="]);
    assert!(!ask(&format!("{bill} -q bill_date=2026-11-20 ")).contains(&"bill_date==".to_owned()));
    assert_eq!(ask(&format!("{bill} bill_type==SUCC")), ["bill_type==SUCCESS"]);
    assert_eq!(ask(&format!("{bill} -q bill_type=SUCC")), ["bill_type=SUCCESS"]);
    assert_eq!(ask(&format!("{bill} --query=bill_type=SUCC")), ["--query=bill_type=SUCCESS"]);
    let query = "wxpay get v3/pay/transactions/id/{transaction_id}";
    assert_eq!(ask(&format!("{query} --var ")), ["transaction_id="]);
    assert!(ask(&format!("{query} --var transaction_id=1 --var ")).is_empty());
    assert!(
        ask("wxpay post v3/applyment4sub/applyment/ --encrypt /contact")
            .contains(&"/contact_info/contact_name".to_owned())
    );
    assert!(ask("wxpay post v3/not/documented ").iter().all(|option| option.starts_with('-')));
}

#[test]
fn profiles_faults_events_topics_and_files_are_completed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/wxpay");
    std::fs::create_dir_all(&folder).unwrap();
    let profiles = "[default]\nmchid = \"1\"\n[hongkong]\n[\"two words\"]\n";
    std::fs::write(folder.join("config.toml"), profiles).unwrap();
    assert_eq!(ask_in(home.path(), "wxpay get v3/x --profile "), ["default", "hongkong", "two words"]);
    assert_eq!(ask_in(home.path(), "wxpay --profile=h"), ["--profile=hongkong"]);
    std::fs::write(home.path().join("other.toml"), "[other]").unwrap();
    assert_eq!(ask_in(home.path(), "wxpay --config other.toml --profile "), ["other"]);
    // Nothing configured, no TOML, a folder.
    assert!(ask("wxpay --profile ").is_empty());
    std::fs::write(home.path().join("other.toml"), "[other").unwrap();
    assert!(ask_in(home.path(), "wxpay --config other.toml --profile ").is_empty());
    assert!(ask_in(home.path(), "wxpay --config . --profile ").is_empty());

    assert_eq!(ask("wxpay sandbox --fault bad"), ["bad-signature"]);
    assert_eq!(
        ask("wxpay sandbox --fault 'delay=5 on="),
        ["delay=5 on=requests", "delay=5 on=notifications"]
    );
    assert_eq!(ask("wxpay help exit"), ["exit-codes"]);
    assert_eq!(ask("wxpay trigger REFUND.C"), ["REFUND.CLOSED"]);
    assert_eq!(ask("wxpay trigger REFUND.CLOSED --set /amount/re"), ["/amount/refund:="]);
    assert_eq!(ask("wxpay trigger REFUND.CLOSED --set /refund_status=C"), ["/refund_status=CLOSED"]);
    assert!(ask("wxpay trigger REFUND.CLOSED --set ").contains(&"/out_refund_no=".to_owned()));
    std::fs::write(home.path().join("body.json"), "{}").unwrap();
    assert_eq!(ask_in(home.path(), "wxpay post v3/x -d @bo"), ["@body.json"]);
    assert_eq!(ask_in(home.path(), "wxpay batch bo"), ["body.json"]);
    // An option that the command refuses.
    assert!(!ask("wxpay sign --").contains(&"--timeout".to_owned()));
}

#[test]
fn odd_lines_have_no_candidates_and_no_error() {
    for line in [
        "",
        " ",
        "wxpay",
        "'",
        "wxpay post 'v3/{",
        "wxpay post x'",
        "wxpay post \"v3/\u{4f60}",
        "wxpay post = = ==",
        "wxpay post v3/refund/domestic/refunds [",
        "wxpay post v3/refund/domestic/refunds ]][[:=",
        "wxpay post v3/refund/domestic/refunds amount[][",
        "wxpay post v3/refund/domestic/refunds amount[total][x][y]:=",
        "wxpay post v3/refund/domestic/refunds /=",
        "wxpay post v3/refund/domestic/refunds //",
        "wxpay post v3/refund/domestic/refunds 退款=退",
        "wxpay post https://",
        "wxpay post http://v3/v2/",
        "wxpay get v3/\\",
        "wxpay -- post",
        "wxpay get -- v3/",
        "wxpay --profile -- get ",
        "wxpay sandbox -- npm te",
        "wxpay --help get ",
        "wxpay endpoints show GET POST DELETE ",
        "wxpay get --var --var --var ",
        "wxpay -",
        "wxpay -vv",
        "wxpay get -q=",
        "wxpay get -1",
        "A=1 B=2 ",
    ] {
        for (shell, replaced) in [("fish", ""), ("zsh", ""), ("bash", ""), ("bash", "'")] {
            let home = tempfile::tempdir().unwrap();
            let asked = Done::of(wxpay(home.path()).env("_WXPAY_COMPLETE", shell).args([line, replaced]));
            assert_eq!((asked.code, asked.err.as_str()), (Some(0), ""), "{shell}: {line:?}");
        }
    }
    let home = tempfile::tempdir().unwrap();
    for (shell, arguments) in [("tcsh", vec!["wxpay "]), ("", vec!["wxpay "]), ("bash", vec![])] {
        let asked = Done::of(wxpay(home.path()).env("_WXPAY_COMPLETE", shell).args(arguments));
        assert_eq!(asked.ok(), "");
    }
}

/// What bash offers for the last word, of which it replaces what is after the last `=` or `:`.
fn offered(line: &str, words: &[&str], replaced: &str) -> Vec<String> {
    let script = run(&["completions", "bash"]);
    let line = format!(
        "{}\nCOMP_WORDS=({}); COMP_CWORD={}; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}\n\
         _wxpay wxpay '{replaced}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        script.ok(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
    );
    let done = Done::of(assert_cmd::Command::new("bash").arg("-s").write_stdin(line));
    done.ok().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_gets_the_part_of_the_word_that_it_replaces() {
    if !has("bash") {
        return;
    }
    let simple = |words: &[&str]| offered(&words.join(" "), words, words[words.len() - 1]);
    assert_eq!(simple(&["wxpay", "ba"]), ["batch"]);
    assert_eq!(simple(&["wxpay", "config", "i"]), ["init"]);
    assert_eq!(simple(&["wxpay", "batch", "--re"]), ["--resume", "--repeat-unknown"]);
    assert_eq!(simple(&["wxpay", "get", "--json"]), ["--json", "--json-errors"]);
    assert_eq!(simple(&["wxpay", "doctor", "--out"]), ["--output"]);
    assert_eq!(simple(&["wxpay", "get", "--color", ""]), ["auto", "always", "never"]);
    assert_eq!(simple(&["wxpay", "bill", "--type", "t"]), ["tradebill"]);
    let bill = "wxpay get v3/bill/tradebill bill_type==SUC_";
    let words = ["wxpay", "get", "v3/bill/tradebill", "bill_type", "==", "SUC_"];
    assert_eq!(offered(bill, &words, "SUC_"), ["SUC_SPECIAL"]);
    let words = ["wxpay", "post", "v3/refund/domestic/refunds", "funds_account", "="];
    assert_eq!(offered("wxpay post v3/refund/domestic/refunds funds_account=", &words, ""), ["AVAILABLE"]);
    // Without COMP_LINE.
    assert_eq!(offered("", &["wxpay", "post", "v3/refund/dom"], "v3/refund/dom"), ["v3/refund/domestic/"]);
}
