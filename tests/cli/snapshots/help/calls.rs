//! Commands that call an endpoint.

use super::help;

#[test]
fn get() {
    snapshot!(help("get"), @r"
    exit 0
    --- stdout
    Call an endpoint with GET

    Usage: wxpay get [OPTIONS] <PATH> [NAME==VALUE]...

    Arguments:
      <PATH>            The path, with {variables} as in RFC 6570, or a complete https:// URL
      [NAME==VALUE]...  Add a query parameter: NAME==VALUE

    Options:
          --var <NAME=VALUE>        Set a variable of the path (repeatable)
      -q, --query <NAME=VALUE>      Add a query parameter; VALUE may be @FILE, or @- for stdin
                                    (repeatable)
      -H, --header <NAME: VALUE>    Set a request header (repeatable)
          --retry <N>               Retry up to N times (at most 3) when the platform asks for it
                                    [default: 0]
          --encrypt <POINTER|NAME>  Encrypt the body fields at this JSON pointer (`*` matches every
                                    element of an array), or the query parameter NAME
          --decrypt <POINTER>       Decrypt the response fields at this JSON pointer (`*` matches every
                                    element of an array)
          --pkcs1v15                Use RSAES-PKCS1-v1_5 for --encrypt and --decrypt, which some Hong
                                    Kong endpoints ask for
          --dry-run                 Send nothing; print the request and the message to be signed
          --curl                    Send nothing; print an equivalent curl command, valid for five
                                    minutes
      -i, --include                 Also print the status and the response headers
      -r, --raw                     Print the response body unchanged; with --jq, print strings without
                                    quotes
          --jq <FILTER>             Filter the response with a jq expression
      -o, --output <FILE>           Stream the response into this file, which appears only once it is
                                    complete; - for stdout
          --digest <HEX>            With -o: the SHA-1 or SHA-256 that the content must have, in hex
      -h, --help                    Print help

    Examples:
      wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109
      wxpay get v3/capital/capitallhh/banks/search-banks-by-bank-account \
        -q account_number=6214830000000000 --encrypt account_number
      wxpay get v3/certificates --jq '.data[].serial_no' --raw
      wxpay get v3/merchant-service/complaints-v2 begin_date==2026-11-01 end_date==2026-11-20
      wxpay get v3/merchant-service/images/{+media_id} --var media_id=ChsyMDAyMDA4MDAy -o image.jpg

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    ");
}

#[test]
fn post() {
    snapshot!(help("post"), @r#"
    exit 0
    --- stdout
    Call an endpoint with POST

    Usage: wxpay post [OPTIONS] <PATH> [FIELD]...

    Arguments:
      <PATH>      The path, with {variables} as in RFC 6570, or a complete https:// URL
      [FIELD]...  Set a field of the body: NAME=TEXT or NAME:=JSON (amount[total]:=1, list[]=last, or a
                  JSON pointer: /amount/total:=1). NAME=@FILE and NAME:=@FILE read it from a file, @-
                  from stdin; NAME==VALUE adds a query parameter

    Options:
          --var <NAME=VALUE>        Set a variable of the path (repeatable)
      -q, --query <NAME=VALUE>      Add a query parameter; VALUE may be @FILE, or @- for stdin
                                    (repeatable)
      -H, --header <NAME: VALUE>    Set a request header (repeatable)
          --retry <N>               Retry up to N times (at most 3) when the platform asks for it
                                    [default: 0]
          --encrypt <POINTER|NAME>  Encrypt the body fields at this JSON pointer (`*` matches every
                                    element of an array), or the query parameter NAME
          --decrypt <POINTER>       Decrypt the response fields at this JSON pointer (`*` matches every
                                    element of an array)
          --pkcs1v15                Use RSAES-PKCS1-v1_5 for --encrypt and --decrypt, which some Hong
                                    Kong endpoints ask for
          --dry-run                 Send nothing; print the request and the message to be signed
          --curl                    Send nothing; print an equivalent curl command, valid for five
                                    minutes
      -i, --include                 Also print the status and the response headers
      -r, --raw                     Print the response body unchanged; with --jq, print strings without
                                    quotes
          --jq <FILTER>             Filter the response with a jq expression
      -d, --data <JSON|@FILE|->     The JSON body: the text itself, @FILE, or @- (or -) for stdin. Sent
                                    unchanged unless there are fields or --encrypt
      -o, --output <FILE>           Write the output to this file, which appears only once it is
                                    complete; - for stdout
      -h, --help                    Print help

    Examples:
      wxpay post v3/security/echo echo_message=hello
      wxpay post v3/security/echo -d '{"echo_message":"hello"}'
      wxpay post v3/refund/domestic/refunds out_trade_no=P1 out_refund_no=R1 \
        amount[refund]:=1 amount[total]:=1 amount[currency]=CNY
      wxpay put v3/marketing/favor/stocks/{id} --var id=98065001 -d @body.json -H 'Idempotency-Key: 1'
      wxpay delete v3/global/merchant-service/complaint-notifications \
        url=https://www.example.com/notify --curl

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    "#);
}

#[test]
fn put() {
    snapshot!(help("put"), @r#"
    exit 0
    --- stdout
    Call an endpoint with PUT

    Usage: wxpay put [OPTIONS] <PATH> [FIELD]...

    Arguments:
      <PATH>      The path, with {variables} as in RFC 6570, or a complete https:// URL
      [FIELD]...  Set a field of the body: NAME=TEXT or NAME:=JSON (amount[total]:=1, list[]=last, or a
                  JSON pointer: /amount/total:=1). NAME=@FILE and NAME:=@FILE read it from a file, @-
                  from stdin; NAME==VALUE adds a query parameter

    Options:
          --var <NAME=VALUE>        Set a variable of the path (repeatable)
      -q, --query <NAME=VALUE>      Add a query parameter; VALUE may be @FILE, or @- for stdin
                                    (repeatable)
      -H, --header <NAME: VALUE>    Set a request header (repeatable)
          --retry <N>               Retry up to N times (at most 3) when the platform asks for it
                                    [default: 0]
          --encrypt <POINTER|NAME>  Encrypt the body fields at this JSON pointer (`*` matches every
                                    element of an array), or the query parameter NAME
          --decrypt <POINTER>       Decrypt the response fields at this JSON pointer (`*` matches every
                                    element of an array)
          --pkcs1v15                Use RSAES-PKCS1-v1_5 for --encrypt and --decrypt, which some Hong
                                    Kong endpoints ask for
          --dry-run                 Send nothing; print the request and the message to be signed
          --curl                    Send nothing; print an equivalent curl command, valid for five
                                    minutes
      -i, --include                 Also print the status and the response headers
      -r, --raw                     Print the response body unchanged; with --jq, print strings without
                                    quotes
          --jq <FILTER>             Filter the response with a jq expression
      -d, --data <JSON|@FILE|->     The JSON body: the text itself, @FILE, or @- (or -) for stdin. Sent
                                    unchanged unless there are fields or --encrypt
      -o, --output <FILE>           Write the output to this file, which appears only once it is
                                    complete; - for stdout
      -h, --help                    Print help

    Examples:
      wxpay post v3/security/echo echo_message=hello
      wxpay post v3/security/echo -d '{"echo_message":"hello"}'
      wxpay post v3/refund/domestic/refunds out_trade_no=P1 out_refund_no=R1 \
        amount[refund]:=1 amount[total]:=1 amount[currency]=CNY
      wxpay put v3/marketing/favor/stocks/{id} --var id=98065001 -d @body.json -H 'Idempotency-Key: 1'
      wxpay delete v3/global/merchant-service/complaint-notifications \
        url=https://www.example.com/notify --curl

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    "#);
}
