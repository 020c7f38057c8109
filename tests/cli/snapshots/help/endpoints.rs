//! Commands about the documented endpoints.

use super::help;

#[test]
fn endpoints() {
    snapshot!(help("endpoints"), @"
    exit 0
    --- stdout
    Search the documented endpoints, and show one with its fields and as code

    Usage: wxpay endpoints [OPTIONS] <WORDS>...
           wxpay endpoints <COMMAND>

    Commands:
      show     Show one endpoint: its documents, its fields, and the call in every spelling
      suggest  Suggest documented endpoints for a path that may be mistyped
      export   Write all endpoints and notifications as static web pages, with an index and a search

    Arguments:
      <WORDS>...  What to search for, in Chinese or English; - reads a query from each line of stdin

    Options:
          --verb <VERB>    Only this verb
          --mode <MODE>    Only for this kind of caller: merchant, partner, platform, institution or
                           global
          --v2             Only APIv2
          --v3             Only APIv3
      -n, --limit <N>      Show at most N endpoints [default: 10]
          --json           Print JSON: one array for each query
      -o, --output <FILE>  Write the output to this file, which appears only once it is complete; - for
                           stdout
      -h, --help           Print help

    Examples:
      wxpay endpoints 退款
      wxpay endpoints refund --verb POST --mode partner
      wxpay endpoints show v3/refund/domestic/refunds
      wxpay endpoints show v3/refund/domestic/refunds --skeleton
      wxpay endpoints suggest v3/refunds/domestic/refund --verb POST
      wxpay endpoints export --html reference

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn endpoints_show() {
    snapshot!(help("endpoints show"), @"
    exit 0
    --- stdout
    Show one endpoint: its documents, its fields, and the call in every spelling

    Usage: wxpay endpoints show [OPTIONS] [[VERB] PATH]...

    Arguments:
      [[VERB] PATH]...  The path, with its verb before it if it has several

    Options:
          --skeleton       Print only a body to fill in, with the required fields
          --all            All fields, not only the required ones, in the skeleton and in the code
          --json           Print all facts as JSON
          --lang <en|zh>   The language of the labels [default: that of the terminal]
      -o, --output <FILE>  Write the output to this file, which appears only once it is complete; - for
                           stdout
      -h, --help           Print help

    Examples:
      wxpay endpoints show v3/refund/domestic/refunds
      wxpay endpoints show GET v3/pay/transactions/id/{transaction_id}
      wxpay endpoints show v3/refund/domestic/refunds --skeleton --all

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn endpoints_export() {
    snapshot!(help("endpoints export"), @"
    exit 0
    --- stdout
    Write all endpoints and notifications as static web pages, with an index and a search

    Usage: wxpay endpoints export --html <DIR>

    Options:
          --html <DIR>  Write the pages into this directory, which must be new, empty, or an earlier
                        export
      -h, --help        Print help

    Examples:
      wxpay endpoints export --html reference

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn endpoints_suggest() {
    snapshot!(help("endpoints suggest"), @"
    exit 0
    --- stdout
    Suggest documented endpoints for a path that may be mistyped

    Usage: wxpay endpoints suggest [OPTIONS] <PATH>

    Arguments:
      <PATH>  The path; - reads one from each line of stdin, with its verb before it or not

    Options:
          --verb <VERB>    The verb of the call
      -n, --limit <N>      Show at most N endpoints [default: 10]
          --json           Print JSON: one array for each query
      -o, --output <FILE>  Write the output to this file, which appears only once it is complete; - for
                           stdout
      -h, --help           Print help

    Examples:
      wxpay endpoints suggest v3/refunds/domestic/refund --verb POST

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}
