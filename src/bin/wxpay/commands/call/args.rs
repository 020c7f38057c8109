//! The verbs.

use std::path::PathBuf;

use clap::Args;

/// Call an endpoint with GET
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay get v3/pay/transactions/id/{transaction_id} --var transaction_id=4200 -q mchid=1900000109\n  \
    wxpay get v3/certificates --jq '.data[].serial_no' --raw\n  \
    wxpay get v3/merchant-service/images/{+media_id} --var media_id=ChsyMDAyMDA4MDAy --save image.jpg")]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) call: Call,
    /// Stream the answer into this file, which appears once it is whole
    #[arg(long, value_name = "FILE", conflicts_with_all = ["raw", "jq", "decrypt"])]
    pub(crate) save: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  \
    wxpay post v3/security/echo echo_message=hello\n  \
    wxpay post v3/security/echo -d '{\"echo_message\":\"hello\"}'\n  \
    wxpay post v3/refund/domestic/refunds out_trade_no=P1 out_refund_no=R1 /amount/refund:=1 /amount/total:=1 /amount/currency=CNY\n  \
    wxpay put v3/marketing/favor/stocks/{id} --var id=98065001 -d @body.json -H 'Idempotency-Key: 1'\n  \
    wxpay delete v3/global/merchant-service/complaint-notifications url=https://www.example.com/notify --curl")]
pub(crate) struct Write {
    #[command(flatten)]
    pub(crate) call: Call,
    #[command(flatten)]
    pub(crate) body: Body,
}

/// What a call with any verb takes.
#[derive(Args)]
pub(crate) struct Call {
    /// The path, with its {variables} (RFC 6570), or a whole https:// URL
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    /// Give a variable of the path its value
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) var: Vec<(String, String)>,
    /// Add a parameter to the query
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) query: Vec<(String, String)>,
    /// Set a header
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,
    /// Try again up to so many times (3 at most) when the platform asks for it
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) retry: u32,
    /// Decrypt the fields of the answer that this JSON pointer leads to (`*`: every element of an array)
    #[arg(long, value_name = "POINTER")]
    pub(crate) decrypt: Vec<String>,
    /// Send nothing: print the request, and the message that would be signed
    #[arg(long, conflicts_with = "curl")]
    pub(crate) dry_run: bool,
    /// Send nothing: print a curl line that does the same, good for five minutes
    #[arg(long)]
    pub(crate) curl: bool,
    /// Print status and headers, too
    #[arg(short, long)]
    pub(crate) include: bool,
    /// Print the answer's bytes as they are; with --jq, texts without quotes
    #[arg(long)]
    pub(crate) raw: bool,
    /// Pass the answer through a jq filter
    #[arg(long, value_name = "FILTER")]
    pub(crate) jq: Option<String>,
}

/// The body of a call.
#[derive(Args)]
pub(crate) struct Body {
    /// The JSON body: the text itself, @FILE, or - for stdin. It is sent as it is, unless fields or --encrypt change it
    #[arg(short, long, value_name = "JSON|@FILE|-")]
    pub(crate) data: Option<String>,
    /// Encrypt the fields of the body that this JSON pointer leads to (`*`: every element of an array)
    #[arg(long, value_name = "POINTER")]
    pub(crate) encrypt: Vec<String>,
    /// Fields of the body: NAME=TEXT, NAME:=JSON, or a JSON pointer for the name (/amount/total:=1, /list/-=last)
    #[arg(value_name = "FIELD")]
    pub(crate) fields: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected 'NAME: VALUE'".to_owned()),
    }
}
