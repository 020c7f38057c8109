//! What `-h` prints, where it is shorter than `--help`.

use super::short;

#[test]
fn the_program() {
    snapshot!(short(""), @"
    exit 0
    --- stdout
    WeChat Pay (微信支付) APIv3 from the shell: call any endpoint, signed and verified

    Usage: wxpay [OPTIONS] <COMMAND>

    Commands:
      get          Call an endpoint with GET
      post         Call an endpoint with POST
      put          Call an endpoint with PUT
      patch        Call an endpoint with PATCH
      delete       Call an endpoint with DELETE
      upload       Upload a file; the signature covers its meta part
      batch        Run many calls, one JSON object per line, with a crash-safe journal of the results
      bill         Download a bill and check its digest
      certs        Download the platform certificates, verified and decrypted with the APIv3 key
      verify       Verify a saved notification or response: its timestamp, serial and signature
      decrypt      Verify a saved notification, then decrypt its resource with the APIv3 or APIv2 key
      sign         Sign the bytes from stdin with the merchant private key; print the signature
      doctor       Check configuration, keys, certificates, network, clock and a signed call; print a
                   fix for each failure
      config       Write, list and find the profiles of config.toml
      endpoints    Search the documented endpoints, and show one with its fields and as code
      sandbox      Run an offline WeChat Pay platform for any SDK, until Ctrl-C
      trigger      Send the notification of any documented event to your receiver, signed and encrypted
                   by a sandbox
      completions  Print a completion script for a shell
      man          Print a manual page (roff) of the program or of a command
      help         Print the help of a command or of a topic
      version      Print the version

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Global options:
          --sandbox            Run against an offline platform that is started for this command; no
                               account is needed
          --profile <NAME>     Use this profile of config.toml instead of the environment [default:
                               WXPAY_PROFILE]
          --config <FILE>      Use this configuration file instead of the default config.toml
          --base-url <URL>     Use this base URL instead of the configured one
          --timeout <SECONDS>  Time limit of a call with all its attempts, in seconds [default: the
                               configured one, or 30]
          --color <WHEN>       When to colour and indent JSON: auto, always or never [default: auto]
          --compact            Print JSON on one line, also on a terminal
          --pretty             Indent JSON, also in a pipe
      -v, --verbose...         Print each request to stderr: its line and host, the attempts, the time
                               and the Request-ID; -vv also headers and bodies, without secrets
          --json-errors        Print errors as one line of JSON

    Examples:
      wxpay --sandbox post v3/security/echo echo_message=你好
      wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109
      wxpay post v3/payscore/partner/permissions/terminate -d @body.json
      wxpay doctor

    Topics:
      wxpay help environment  environment variables and the keys of a profile
      wxpay help profiles     config.toml, and where the credentials come from
      wxpay help exit-codes   exit codes of all commands, and of batch
      wxpay help outcomes     outcomes of the calls of a batch

    Exit codes:
      0    success
      1    wrong argument, setting, key or file; or output that cannot be written
      2    the platform refused the call: see its code
      3    safe to repeat later: no connection, a rate limit, or a GET that failed
      4    not the platform's word, or cannot be decrypted; a write may have been carried out
      5    a write was sent and its result is unknown: query it before you repeat it
      6    `--check` found something to look at; nothing was sent
      129  ended by SIGHUP: the terminal was closed
      130  ended by Ctrl-C
      143  ended by SIGTERM

    More with --help.
    --- stderr
    ");
}

#[test]
fn commands() {
    snapshot!(short("sandbox"), @r#"
    exit 0
    --- stdout
    Run an offline WeChat Pay platform for any SDK, until Ctrl-C

    Usage: wxpay sandbox [OPTIONS] [-- <COMMAND>...]

    Arguments:
      [COMMAND]...  Run this command with the variables set, end with it, and return its exit code

    Options:
          --port <PORT>           Listen on this port; 0: a free port [default: 8933, or a free port if
                                  it is taken]
          --host <ADDRESS>        Listen on this address; any but a loopback address opens the sandbox
                                  to the network [default: 127.0.0.1]
          --allow-host <NAME>     Accept this host name at the web page and the control endpoint, with
                                  any port (repeatable)
          --ready-file <FILE>     Write address, process ID and variables to this file, as JSON, once
                                  the sandbox listens; removed at the end
          --keys <DIR>            Keep keys, merchant number and APIv3 key in this folder [default: new
                                  ones for each run]
          --sign-with <KIND>      Sign responses and notifications with this kind of key: public-key,
                                  certificate, or migration for both [default: the kind that --keys has,
                                  or what the client has]
          --serial-zero           Begin the serials of new certificates with a zero, as a test of
                                  clients
          --state <FILE>          Keep orders, refunds, files and all other state in this SQLite file
                                  [default: in memory]
          --hold-refunds          Leave refunds in PROCESSING instead of completing them at once
          --hold-code-payments    Leave code payments in USERPAYING, as if the user had to enter a
                                  password
          --script <FILE>         Read scripted responses from this file, one JSON object per line
                                  (repeatable)
          --strict                Refuse everything that differs from the documents; return 404 for
                                  undocumented endpoints
          --time-scale <X>        Send repeated notifications X times as fast as the platform [default:
                                  1]
          --notify-host <HOST>    Send notifications to this host, too; by default only to this machine
                                  (repeatable)
          --seed <SEED>           Random seed for faults with a `share` and for values in responses
                                  [default: random]
          --fault <RULE>          Inject a fault, such as "rate-limited share=0.1 path=v3/pay/{+rest}"
                                  (repeatable)
          --clock-skew <SECONDS>  Set the sandbox's clock ahead by this many seconds; behind, if
                                  negative [default: 0]
          --snippet <LANGUAGE>    Print code that points this SDK at the sandbox [possible values: php,
                                  node, go, java, python, rust]
      -h, --help                  Print help (see more with '--help')

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
    snapshot!(short("config init"), @"
    exit 0
    --- stdout
    Ask for the settings of a profile, check them with doctor, and write them to config.toml

    Usage: wxpay config init [OPTIONS]

    Options:
          --no-check  Do not run doctor before the file is written
      -h, --help      Print help (see more with '--help')

    Examples:
      wxpay config init
      wxpay config init --profile hongkong

    Global options, see `wxpay --help`: --profile, --config, --timeout, --color, --compact, --pretty,
    --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn trigger() {
    snapshot!(short("trigger"), @r#"
    exit 0
    --- stdout
    Send the notification of any documented event to your receiver, signed and encrypted by a sandbox

    Usage: wxpay trigger [OPTIONS] --to <URL> <EVENT>

    Arguments:
      <EVENT>  The event: TRANSACTION.SUCCESS, REFUND.CLOSED …

    Options:
          --to <URL>             The address of the receiver
          --set <FIELD>          Set a documented field of the resource: a JSON pointer, POINTER=TEXT
                                 (as the documented type) or POINTER:=JSON; null removes it (repeatable)
      -d, --data <JSON|@FILE|->  Merge this JSON object into the resource: the text itself, @FILE, or @-
                                 (or -) for stdin; null removes a member
          --keys <DIR>           Start a sandbox with the keys of this folder, which the receiver holds,
                                 too
          --attempts <N>         Wait for up to N attempts; the pauses between them are the platform's
                                 [default: 1]
          --time-scale <X>       Make those pauses X times shorter, in a sandbox that this command
                                 starts
          --jq <FILTER>          Filter the output with a jq expression
      -r, --raw                  With --jq, print strings without quotes
      -o, --output <FILE>        Write the output to this file, which appears only once it is complete;
                                 - for stdout
      -h, --help                 Print help (see more with '--help')

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
