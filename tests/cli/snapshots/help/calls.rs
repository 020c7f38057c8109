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
          --client-certificate      APIv2: present the merchant's certificate, as refunds and transfers
                                    need (security in PHP's SDK)
          --dry-run                 Send nothing; print the request and the message to be signed
          --curl                    Send nothing; print an equivalent curl command, valid for five
                                    minutes
          --check                   Send nothing; compare the request with the documents, without
                                    credentials. Exit code 6 if there is something to say
          --json                    With --check: print the hints as JSON
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
          --client-certificate      APIv2: present the merchant's certificate, as refunds and transfers
                                    need (security in PHP's SDK)
          --dry-run                 Send nothing; print the request and the message to be signed
          --curl                    Send nothing; print an equivalent curl command, valid for five
                                    minutes
          --check                   Send nothing; compare the request with the documents, without
                                    credentials. Exit code 6 if there is something to say
          --json                    With --check: print the hints as JSON
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

/// The other verbs with a body have the help of `post`, with their own name.
#[test]
fn put_patch_and_delete() {
    let post = help("post").out;
    for verb in ["put", "patch", "delete"] {
        let expected = post.replacen("with POST", &format!("with {}", verb.to_uppercase()), 1).replacen(
            "wxpay post [",
            &format!("wxpay {verb} ["),
            1,
        );
        assert_eq!(help(verb).out, expected);
    }
}

#[test]
fn upload() {
    snapshot!(help("upload"), @r#"
    exit 0
    --- stdout
    Upload a file; the signature covers its meta part

    Usage: wxpay upload [OPTIONS] <FILE> <PATH>

    Arguments:
      <FILE>  The file to upload; - for stdin, which needs --name
      <PATH>  The path of the endpoint

    Options:
          --var <NAME=VALUE>     Set a variable of the path (repeatable)
      -q, --query <NAME=VALUE>   Add a query parameter (repeatable)
          --type <TYPE>          The content type of the file [default: by the extension of its name]
          --meta <JSON|@FILE|->  The meta part, if the endpoint needs more than filename and sha256:
                                 JSON, @FILE, or - for stdin
          --name <FILENAME>      The file name to send [default: the name of FILE]
          --part <NAME>          The name of the file's part, if the endpoint does not call it `file`
          --field <NAME=VALUE>   Add a part of text (repeatable)
          --jq <FILTER>          Filter the response with a jq expression
      -r, --raw                  Print the response body unchanged; with --jq, print strings without
                                 quotes
      -o, --output <FILE>        Write the output to this file, which appears only once it is complete;
                                 - for stdout
      -h, --help                 Print help

    Examples:
      wxpay upload licence.jpg v3/merchant/media/upload
      wxpay upload licence.jpg v3/merchant/media/upload --name front.jpg
      wxpay upload - v3/merchant/media/upload --name front.jpg --type image/jpeg < licence.jpg
      wxpay upload licence.jpg v3/mch-manage/submission-files/sub-mchid/1900000109/upload \
        --part submission_file --field item_id=7 --field manage_record_id=R1 \
        --meta '{"file_name":"licence.jpg","file_digest":"aac9320b…","item_id":7}'

    Global options, see `wxpay --help`: --sandbox, --profile, --config, --base-url, --timeout, --color,
    --compact, --pretty, --verbose, --json-errors
    --- stderr
    "#);
}
