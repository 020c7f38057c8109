//! The scripts of `wxpay completions`: whole, and with every command and option of the help.

use crate::help::commands;
use crate::program::{Done, wxpay};
use crate::support::has;

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

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
    snapshot!(ends("bash"), @r#"
    exit 0
    --- stdout
    _wxpay() {
        local i cur prev opts cmd
        COMPREPLY=()
        if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
            cur="$2"
        else
    …

    if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
        complete -F _wxpay -o nosort -o bashdefault -o default wxpay
    else
        complete -F _wxpay -o bashdefault -o default wxpay
    fi
    --- stderr
    "#);
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
    snapshot!(ends("fish"), @r#"
    exit 0
    --- stdout
    # Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
    function __fish_wxpay_global_optspecs
        string join \n sandbox profile= config= base-url= timeout= color= compact pretty v/verbose json-errors h/help V/version
    end

    function __fish_wxpay_needs_command
    …
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -l sandbox -d 'Run against an offline platform that is started for this command; no account is needed'
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -l compact -d 'Print JSON on one line, also on a terminal'
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -l pretty -d 'Indent JSON, also in a pipe'
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -s v -l verbose -d 'Print each request to stderr: its line and host, the attempts, the time and the Request-ID; -vv also headers and bodies, without secrets'
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -l json-errors -d 'Print errors as one line of JSON'
    complete -c wxpay -n "__fish_wxpay_using_subcommand version" -s h -l help -d 'Print help'
    --- stderr
    "#);
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
    snapshot!(ends("zsh"), @r#"
    exit 0
    --- stdout
    #compdef wxpay

    autoload -U is-at-least

    _wxpay() {
        typeset -A opt_args
    …

    if [ "$funcstack[1]" = "_wxpay" ]; then
        _wxpay "$@"
    else
        compdef _wxpay wxpay
    fi
    --- stderr
    "#);
}

#[test]
fn each_script_has_every_command_and_every_option() {
    let helps: Vec<_> = commands()
        .into_iter()
        .map(|command| {
            let words: Vec<_> = command.iter().map(String::as_str).collect();
            let help = run(&[&words[..], &["--help"]].concat()).ok().to_owned();
            (command, help)
        })
        .collect();
    for shell in SHELLS {
        let script = run(&["completions", shell]);
        for (command, help) in &helps {
            for name in command {
                assert!(script.ok().contains(name.as_str()), "{shell}: no {name}");
            }
            // `-o, --output <FILE>  …`, `--verbose...  …`
            let named = help.lines().filter(|line| line.trim_start().starts_with('-')).filter_map(|line| {
                let long = line.split("--").nth(1)?;
                Some(long.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()?.to_owned())
            });
            for option in named.filter(|option| !option.is_empty()) {
                // fish writes an option without its dashes.
                let written = if shell == "fish" { format!("-l {option}") } else { format!("--{option}") };
                assert!(script.ok().contains(&written), "{shell}: no {written} of {command:?}");
            }
        }
    }
}

/// What bash offers for the last word.
fn offered(words: &[&str]) -> Vec<String> {
    let script = run(&["completions", "bash"]);
    let line = format!(
        "{}\nCOMP_WORDS=({}); COMP_CWORD={}; COMP_LINE='{}'; COMP_POINT=${{#COMP_LINE}}\n\
         _wxpay wxpay \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        script.ok(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
        words.join(" "),
    );
    let done = Done::of(assert_cmd::Command::new("bash").arg("-s").write_stdin(line));
    done.ok().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !has("bash") {
        return;
    }
    assert_eq!(offered(&["wxpay", "ba"]), ["batch"]);
    assert_eq!(offered(&["wxpay", "config", "i"]), ["init"]);
    assert_eq!(offered(&["wxpay", "batch", "--re"]), ["--resume", "--repeat-unknown"]);
    assert_eq!(offered(&["wxpay", "get", "--json"]), ["--json-errors"]);
    assert_eq!(offered(&["wxpay", "doctor", "--out"]), ["--output"]);
    assert_eq!(offered(&["wxpay", "get", "--color", ""]), ["auto", "always", "never"]);
    assert_eq!(offered(&["wxpay", "bill", "--type", "t"]), ["tradebill"]);
}
