//! Commands about the program and its configuration.

use super::help;

#[test]
fn doctor() {
    snapshot!(help("doctor"), @"
    exit 0
    --- stdout
    Check configuration, keys, certificates, network, clock and a signed call; print a fix for each
    failure

    Usage: wxpay doctor [OPTIONS]

    Options:
      -o, --output <FILE>  Write the checks to this file, one JSON object per line; it appears only once
                           it is complete; - for stdout
      -h, --help           Print help

    Examples:
      wxpay doctor
      wxpay doctor --profile hongkong
      wxpay doctor -o report.jsonl

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn config() {
    snapshot!(help("config"), @"
    exit 0
    --- stdout
    Write, list and find the profiles of config.toml

    Usage: wxpay config <COMMAND>

    Commands:
      init  Ask for the settings of a profile, check them with doctor, and write them to config.toml
      list  Print the profiles as JSON, without secrets
      path  Print the path of config.toml

    Options:
      -h, --help  Print help

    Examples:
      wxpay config path
      wxpay config list
      wxpay config init --profile hongkong

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn config_init() {
    snapshot!(help("config init"), @"
    exit 0
    --- stdout
    Ask for the settings of a profile, check them with doctor, and write them to config.toml

    The file has the mode 0600. Other profiles of the file stay as they are. Without a terminal, each
    line of stdin is an answer.

    Usage: wxpay config init [OPTIONS]

    Options:
          --no-check
              Do not run doctor before the file is written

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      wxpay config init
      wxpay config init --profile hongkong

    Global options, see `wxpay --help`: --profile, --config, --timeout, --color, --compact, --pretty,
    --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn config_list() {
    snapshot!(help("config list"), @"
    exit 0
    --- stdout
    Print the profiles as JSON, without secrets

    Usage: wxpay config list [OPTIONS]

    Options:
      -o, --output <FILE>  Write the output to this file, which appears only once it is complete; - for
                           stdout
      -h, --help           Print help

    Examples:
      wxpay config list
      wxpay config list --pretty

    Global options, see `wxpay --help`: --config, --color, --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn config_path() {
    snapshot!(help("config path"), @"
    exit 0
    --- stdout
    Print the path of config.toml

    Usage: wxpay config path [OPTIONS]

    Options:
      -o, --output <FILE>  Write the output to this file, which appears only once it is complete; - for
                           stdout
      -h, --help           Print help

    Examples:
      wxpay config path

    Global options, see `wxpay --help`: --config, --color, --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn sandbox() {
    snapshot!(help("sandbox"), @r#"
    exit 0
    --- stdout
    Run an offline WeChat Pay platform for any SDK, until Ctrl-C

    Prints the address of its web page and the credentials as `export` lines, then a line on stderr for
    each request and notification.

    Usage: wxpay sandbox [OPTIONS] [-- <COMMAND>...]

    Arguments:
      [COMMAND]...
              Run this command with the variables set, end with it, and return its exit code

    Options:
          --port <PORT>
              Listen on this port; 0: a free port [default: 8933, or a free port if it is taken]

          --host <ADDRESS>
              Listen on this address; any but a loopback address opens the sandbox to the network

              [default: 127.0.0.1]

          --allow-host <NAME>
              Accept this host name at the web page and the control endpoint, with any port (repeatable)

          --ready-file <FILE>
              Write address, process ID and variables to this file, as JSON, once the sandbox listens;
              removed at the end

          --keys <DIR>
              Keep keys, merchant number and APIv3 key in this folder [default: new ones for each run]

          --sign-with <KIND>
              Sign responses and notifications with this kind of key: public-key, certificate, or
              migration for both [default: the kind that --keys has, or what the client has]

          --serial-zero
              Begin the serials of new certificates with a zero, as a test of clients

          --state <FILE>
              Keep orders, refunds, files and all other state in this SQLite file [default: in memory]

          --hold-refunds
              Leave refunds in PROCESSING instead of completing them at once

          --hold-code-payments
              Leave code payments in USERPAYING, as if the user had to enter a password

          --script <FILE>
              Read scripted responses from this file, one JSON object per line (repeatable)

          --strict
              Refuse everything that differs from the documents; return 404 for undocumented endpoints

          --time-scale <X>
              Send repeated notifications X times as fast as the platform

              [default: 1]

          --notify-host <HOST>
              Send notifications to this host, too; by default only to this machine (repeatable)

          --seed <SEED>
              Random seed for faults with a `share` and for values in responses [default: random]

          --fault <RULE>
              Inject a fault, such as "rate-limited share=0.1 path=v3/pay/{+rest}" (repeatable)

          --clock-skew <SECONDS>
              Set the sandbox's clock ahead by this many seconds; behind, if negative

              [default: 0]

          --snippet <LANGUAGE>
              Print code that points this SDK at the sandbox

              [possible values: php, node, go, java, python, rust]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      wxpay sandbox
      wxpay sandbox --snippet php
      wxpay sandbox --port 8080 --keys keys --state state.db
      wxpay sandbox -- npm test
      wxpay sandbox --fault 'rate-limited share=0.1' --seed 7

    Global options, see `wxpay --help`: --sandbox, --color, --compact, --pretty, --verbose,
    --json-errors
    --- stderr
    "#);
}

#[test]
fn completions() {
    snapshot!(help("completions"), @"
    exit 0
    --- stdout
    Print a completion script for a shell

    Usage: wxpay completions <SHELL>

    Arguments:
      <SHELL>  bash, elvish, fish, powershell or zsh

    Options:
      -h, --help  Print help

    Examples:
      wxpay completions bash > wxpay.bash
      wxpay completions zsh > _wxpay
      wxpay completions fish > wxpay.fish

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn man() {
    snapshot!(help("man"), @"
    exit 0
    --- stdout
    Print a manual page (roff) of the program or of a command

    Usage: wxpay man [COMMAND]...

    Arguments:
      [COMMAND]...  The command [default: the program]

    Options:
      -h, --help  Print help

    Examples:
      wxpay man > wxpay.1
      wxpay man post > wxpay-post.1

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn help_() {
    snapshot!(help("help"), @"
    exit 0
    --- stdout
    Print the help of a command or of a topic

    Usage: wxpay help [TOPIC]...

    Arguments:
      [TOPIC]...  A command, or environment, profiles, exit-codes or outcomes [default: the program]

    Options:
      -h, --help  Print help

    Examples:
      wxpay help batch
      wxpay help environment
      wxpay help exit-codes

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn version() {
    snapshot!(help("version"), @"
    exit 0
    --- stdout
    Print the version

    Usage: wxpay version

    Options:
      -h, --help  Print help

    Examples:
      wxpay version

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn trigger() {
    snapshot!(help("trigger"), @r#"
    exit 0
    --- stdout
    Send the notification of any documented event to your receiver, signed and encrypted by a sandbox

    A running sandbox sends it if the base URL is its own (--base-url, or the variables that `wxpay
    sandbox` prints). Otherwise one is started for this command, with the keys of --keys or
    WECHATPAY_SANDBOX_KEYS. The resource has every documented field; --set and -d change it. Prints the
    notification with the receiver's responses.

    Usage: wxpay trigger [OPTIONS] --to <URL> <EVENT>

    Arguments:
      <EVENT>
              The event: TRANSACTION.SUCCESS, REFUND.CLOSED …

    Options:
          --to <URL>
              The address of the receiver

          --set <FIELD>
              Set a documented field of the resource: a JSON pointer, POINTER=TEXT (as the documented
              type) or POINTER:=JSON; null removes it (repeatable)

      -d, --data <JSON|@FILE|->
              Merge this JSON object into the resource: the text itself, @FILE, or @- (or -) for stdin;
              null removes a member

          --keys <DIR>
              Start a sandbox with the keys of this folder, which the receiver holds, too

          --attempts <N>
              Wait for up to N attempts; the pauses between them are the platform's

              [default: 1]

          --time-scale <X>
              Make those pauses X times shorter, in a sandbox that this command starts

          --jq <FILTER>
              Filter the output with a jq expression

      -r, --raw
              With --jq, print strings without quotes

      -o, --output <FILE>
              Write the output to this file, which appears only once it is complete; - for stdout

      -h, --help
              Print help (see a summary with '-h')

    Exit codes: 0 accepted (200 or 204), 2 the receiver responded otherwise, 3 no response

    Examples:
      wxpay trigger TRANSACTION.SUCCESS --to http://127.0.0.1:[PORT]/notify --keys keys
      wxpay trigger REFUND.CLOSED --to http://127.0.0.1:[PORT]/notify \
        --set /out_refund_no=R1 --set /amount/refund=5
      wxpay trigger COMPLAINT.CREATE --to http://127.0.0.1:[PORT]/notify -d '{"complaint_id":"C1"}'

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    "#);
}
