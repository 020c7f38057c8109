//! The arguments of the verbs.

use std::path::PathBuf;

use clap::Args;

use crate::apiv2;

/// Call an endpoint with GET
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109\n  \
    wxpay get v3/capital/capitallhh/banks/search-banks-by-bank-account \\\n    \
      -q account_number=6214830000000000 --encrypt account_number\n  \
    wxpay get v3/certificates --jq '.data[].serial_no' --raw\n  \
    wxpay get v3/merchant-service/complaints-v2 begin_date==2026-11-01 end_date==2026-11-20\n  \
    wxpay get v3/merchant-service/images/{+media_id} --var media_id=ChsyMDAyMDA4MDAy -o image.jpg")]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(super) call: CallArgs,
    /// Stream the response into this file, which appears only once it is complete; - for stdout
    #[arg(short = 'o', long = "output", alias = "save", value_name = "FILE", conflicts_with_all = ["raw", "jq", "decrypt"])]
    pub(super) save: Option<PathBuf>,
    /// With -o: the SHA-1 or SHA-256 that the content must have, in hex
    #[arg(long, value_name = "HEX", requires = "save")]
    pub(super) digest: Option<String>,
    /// Add a query parameter: NAME==VALUE
    #[arg(value_name = "NAME==VALUE")]
    pub(super) fields: Vec<String>,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay post v3/security/echo echo_message=hello\n  \
    wxpay post v3/security/echo -d '{\"echo_message\":\"hello\"}'\n  \
    wxpay post v3/refund/domestic/refunds out_trade_no=P1 out_refund_no=R1 \\\n    \
      amount[refund]:=1 amount[total]:=1 amount[currency]=CNY\n  \
    wxpay put v3/marketing/favor/stocks/{id} --var id=98065001 -d @body.json -H 'Idempotency-Key: 1'\n  \
    wxpay delete v3/global/merchant-service/complaint-notifications \\\n    \
      url=https://www.example.com/notify --curl")]
pub(crate) struct WriteArgs {
    #[command(flatten)]
    pub(super) call: CallArgs,
    #[command(flatten)]
    pub(super) body: BodyArgs,
    /// Write the output to this file, which appears only once it is complete; - for stdout
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// The arguments of every verb.
#[derive(Args)]
pub(crate) struct CallArgs {
    /// The path, with {variables} as in RFC 6570, or a complete https:// URL
    #[arg(value_name = "PATH")]
    pub(super) path: String,
    /// Set a variable of the path (repeatable)
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) var: Vec<(String, String)>,
    /// Add a query parameter; VALUE may be @FILE, or @- for stdin (repeatable)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = query_pair)]
    pub(super) query: Vec<(String, String)>,
    /// Set a request header (repeatable)
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = header)]
    pub(super) header: Vec<(String, String)>,
    /// Retry up to N times (at most 3) when the platform asks for it [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) retry: u32,
    /// Encrypt the body fields at this JSON pointer (`*` matches every element of an array), or the query parameter NAME
    #[arg(long, value_name = "POINTER|NAME")]
    pub(super) encrypt: Vec<String>,
    /// Decrypt the response fields at this JSON pointer (`*` matches every element of an array)
    #[arg(long, value_name = "POINTER")]
    pub(super) decrypt: Vec<String>,
    /// Use RSAES-PKCS1-v1_5 for --encrypt and --decrypt, which some Hong Kong endpoints ask for
    #[arg(long)]
    pub(super) pkcs1v15: bool,
    /// APIv2: present the merchant's certificate, as refunds and transfers need (security in PHP's SDK)
    #[arg(long)]
    pub(super) client_certificate: bool,
    /// Send nothing; print the request and the message to be signed
    #[arg(long, conflicts_with_all = ["curl", "check"])]
    pub(super) dry_run: bool,
    /// Send nothing; print an equivalent curl command, valid for five minutes
    #[arg(long, conflicts_with = "check")]
    pub(super) curl: bool,
    /// Send nothing; compare the request with the documents, without credentials. Exit code 6 if there is something to say
    #[arg(long)]
    pub(super) check: bool,
    /// With --check: print the hints as JSON
    #[arg(long, requires = "check")]
    pub(super) json: bool,
    /// Also print the status and the response headers
    #[arg(short, long)]
    pub(super) include: bool,
    /// Print the response body unchanged; with --jq, print strings without quotes
    #[arg(short, long)]
    pub(super) raw: bool,
    /// Filter the response with a jq expression
    #[arg(long, value_name = "FILTER")]
    pub(super) jq: Option<String>,
}

impl CallArgs {
    /// Whether it is a call of APIv2.
    pub(super) fn is_apiv2(&self) -> bool {
        apiv2::is_path(&self.path)
    }

    /// The values of `--encrypt` as the library takes them: a name without a slash is a query parameter.
    pub(super) fn encrypted(&self) -> Vec<String> {
        let pointer = |text: &String| match text.starts_with(['/', '?']) {
            true => text.clone(),
            false => format!("?{text}"),
        };
        self.encrypt.iter().map(pointer).collect()
    }
}

/// The arguments that make the request body.
#[derive(Args)]
pub(crate) struct BodyArgs {
    /// The JSON body: the text itself, @FILE, or @- (or -) for stdin. Sent unchanged unless there are fields or --encrypt
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    pub(super) data: Option<String>,
    // The help, in which `amount[total]` is no link.
    #[allow(rustdoc::broken_intra_doc_links)]
    /// Set a field of the body: NAME=TEXT or NAME:=JSON (amount[total]:=1, list[]=last, or a JSON pointer: /amount/total:=1).
    /// NAME=@FILE and NAME:=@FILE read it from a file, @- from stdin; NAME==VALUE adds a query parameter
    #[arg(value_name = "FIELD")]
    pub(super) fields: Vec<String>,
}

pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// What other tools mean by `==` and `:=` is not a part of the value or of the name.
pub(crate) fn query_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = pair(text)?;
    if name.ends_with(':') {
        return Err("expected NAME=VALUE: a query parameter is a text, without `:=`".to_owned());
    }
    if value.starts_with('=') {
        return Err("expected NAME=VALUE, with one `=` after -q (a value that begins with `=` is written into the path: \
                    `PATH?NAME=%3D…`)"
            .to_owned());
    }
    Ok((name, value))
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected 'NAME: VALUE'".to_owned()),
    }
}
