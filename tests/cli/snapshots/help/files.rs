//! Batches, bills, certificates, saved messages.

use super::help;

#[test]
fn batch() {
    snapshot!(help("batch"), @r#"
    exit 0
    --- stdout
    Run many calls, one JSON object per line, with a crash-safe journal of the results

    Usage: wxpay batch [OPTIONS] <CALLS>

    Arguments:
      <CALLS>  The file with the calls; - for stdin

    Options:
      -j, --jobs <N>        Run up to N calls at the same time [default: 16]
      -o, --output <FILE>   The journal with the results; - for stdout [default: CALLS with the
                            extension .results.jsonl]
          --resume          Continue an existing journal: calls with a response are not sent again,
                            calls whose outcome is unknown only if they are GETs
          --repeat-unknown  Send every call whose outcome is unknown again, with the same numbers and
                            the same body
          --check           Send nothing; compare each call with the documents, without credentials.
                            Exit code 6 if there is something to say
          --json            With --check: print a line of JSON for each call that has hints
      -h, --help            Print help

    A line of CALLS (only method and path are required):
      {"id": "R1", "method": "POST", "path": "v3/…/{var}", "vars": {}, "query": {}, "body": {},
      "headers": {}, "encrypt": ["/pointer"], "timeout": 10}
      For APIv2 (v2/…), "client_certificate": true presents the merchant's certificate

    Examples:
      wxpay batch calls.jsonl
      wxpay batch calls.jsonl -j 32 -o results.jsonl --resume
      wxpay batch - -o more.jsonl < calls.jsonl

    Outcomes:
      ok          success, verified; never sent again
      refused     the platform's own error: verified, or its JSON with a code; never sent again
      limited     rejected by a rate limit, so not carried out; --resume sends it
      unsent      not carried out: no connection, or 401; --resume sends it
      unknown     possibly carried out; --resume repeats a GET, --repeat-unknown all others
      unverified  not the platform's word, possibly carried out; as unknown

    Exit codes:
      0    every call is `ok`
      1    wrong argument, line, setting or journal: no call can be sent until it is fixed
      2    some calls are `refused`
      3    some calls are left (`limited`, `unsent`, not begun): `--resume` later; or the journal failed
      4    some calls are `unverified`: query them
      5    some calls are `unknown`, all others are done: query them
      6    `--check` found something to look at; nothing was sent
      129  SIGHUP, and some calls are left
      130  Ctrl-C, and some calls are left
      143  SIGTERM, and some calls are left

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    "#);
}

#[test]
fn bill() {
    snapshot!(help("bill"), @"
    exit 0
    --- stdout
    Download a bill and check its digest

    Usage: wxpay bill [OPTIONS] [DATE]

    Arguments:
      [DATE]  The day, in the form 2026-11-20

    Options:
          --type <TYPE>          The kind of bill: tradebill (default), fundflow or profitsharing
          --path <PATH>          Any other path whose response has the address and the digest of a file
          --bill-type <TYPE>     The orders of a tradebill: ALL (default), SUCCESS, REFUND,
                                 RECHARGE_REFUND, ALL_SPECIAL, SUC_SPECIAL or REF_SPECIAL
          --account-type <TYPE>  The account of a fundflow: BASIC (default), OPERATION or FEES
          --sub-mchid <MCHID>    The bill of this sub-merchant
          --var <NAME=VALUE>     Set a variable of --path (repeatable)
      -q, --query <NAME=VALUE>   Add a query parameter (repeatable)
      -o, --output <FILE>        Write the bill to this file, which appears only once it is complete; -
                                 for stdout [default: stdout]
          --gzip                 Transfer the bill compressed; the output is not compressed
          --allow-unverified     Accept a response without a digest that can be checked, as that of
                                 profit sharing in Hong Kong
      -h, --help                 Print help

    Examples:
      wxpay bill 2026-11-20
      wxpay bill 2026-11-20 --bill-type REFUND --sub-mchid 1900000109
      wxpay bill 2026-11-20 --type fundflow --account-type FEES -o fundflow.csv --gzip
      wxpay bill --path v3/marketing/favor/stocks/{stock_id}/use-flow --var stock_id=9856000

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn certs() {
    snapshot!(help("certs"), @"
    exit 0
    --- stdout
    Download the platform certificates, verified and decrypted with the APIv3 key

    Usage: wxpay certs [OPTIONS]

    Options:
      -o, --output <DIR>  Write each certificate to this folder as SERIAL.pem; - for stdout: the
                          certificates only
      -h, --help          Print help

    Examples:
      wxpay certs
      wxpay certs -o certificates

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn verify() {
    snapshot!(help("verify"), @"
    exit 0
    --- stdout
    Verify a saved notification or response: its timestamp, serial and signature

    Usage: wxpay verify [OPTIONS] <BODY>

    Arguments:
      <BODY>  The file with the body, byte for byte as received; - for stdin

    Options:
          --headers <FILE>  The file with the headers: lines such as `Wechatpay-Serial: …`, or JSON;
                            also as curl, CGI and PHP print them; a message of APIv2 needs none
          --any-time        Accept a message of any age; everything else is still verified
      -o, --output <FILE>   Write the output to this file, which appears only once it is complete; - for
                            stdout
      -h, --help            Print help

    Examples:
      wxpay verify --headers notification.headers notification.json
      wxpay verify --headers notification.headers notification.json --any-time

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn decrypt() {
    snapshot!(help("decrypt"), @r"
    exit 0
    --- stdout
    Verify a saved notification, then decrypt its resource with the APIv3 or APIv2 key

    Usage: wxpay decrypt [OPTIONS] <BODY>

    Arguments:
      <BODY>  The file with the body, byte for byte as received; - for stdin

    Options:
          --headers <FILE>  The file with the headers: lines such as `Wechatpay-Serial: …`, or JSON;
                            also as curl, CGI and PHP print them; a message of APIv2 needs none
          --any-time        Accept a message of any age; everything else is still verified
          --jq <FILTER>     Filter the decrypted notification with a jq expression
      -r, --raw             With --jq, print strings without quotes
      -o, --output <FILE>   Write the output to this file, which appears only once it is complete; - for
                            stdout
      -h, --help            Print help

    Examples:
      wxpay decrypt --headers notification.headers notification.json
      wxpay decrypt --headers notification.headers notification.json --any-time \
        --jq .resource.out_trade_no --raw

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn sign() {
    snapshot!(help("sign"), @r"
    exit 0
    --- stdout
    Sign the bytes from stdin with the merchant private key; print the signature

    Usage: wxpay sign [OPTIONS]

    Options:
          --apiv2 <TYPE>   Sign the fields of a JSON object with the APIv2 key instead: MD5 or
                           HMAC-SHA256
      -o, --output <FILE>  Write the signature to this file, which appears only once it is complete; -
                           for stdout
      -h, --help           Print help

    Examples:
      printf 'GET\n/v3/certificates\n[TIMESTAMP]\n[NONCE]\n\n' | wxpay sign

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --color, --compact, --pretty,
    --verbose, --json-errors
    --- stderr
    ");
}
