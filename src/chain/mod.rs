//! `Chain` and `chain!`: grow a path, pick a verb.

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::chain::nodes::Nodes;
use crate::client::Inner;
use crate::error::{Error, PathError};
use crate::path;
use crate::request::Request;
use crate::response::Response;

pub(crate) mod nodes;

/// A path that is being put together; a verb makes a [`Request`] of it.
///
/// The five spellings build the same request and mix freely:
///
/// ```
/// use wechatpay_chain::{WeChatPay, chain};
/// # fn f(wx: WeChatPay) {
/// let path = "v3/payscore/partner/permissions/terminate";
/// assert_eq!(wx[path].path(), path);
/// assert_eq!(wx.chain(path).path(), path);
/// assert_eq!(wx.seg("v3").seg("payscore").seg("partner").seg("permissions").seg("terminate").path(), path);
/// assert_eq!(chain!(wx->v3->payscore->partner->permissions->terminate).path(), path);
/// assert_eq!(chain!(wx.v3.payscore.partner.permissions.terminate).path(), path);
/// assert_eq!(wx["v3"].seg("payscore")["partner/permissions"].chain("terminate").path(), path);
/// # }
/// ```
///
/// In a segment, `merchantService` becomes `merchant-service` and `_out_trade_no_` becomes `{out_trade_no}`, as in
/// PHP. A segment with capitals that is no camelCase word (`P12345`) is refused when the request is made: it is a
/// value, and belongs into a variable.
pub struct Chain {
    inner: Arc<Inner>,
    path: Arc<str>,
    /// The first thing that was wrong; it comes out when a request is made.
    error: Option<Arc<PathError>>,
    nodes: Nodes,
}

impl Chain {
    pub(crate) fn root(inner: &Arc<Inner>) -> Chain {
        Chain { inner: Arc::clone(inner), path: Arc::from(""), error: None, nodes: Nodes::default() }
    }

    /// Goes on with a path: one or more segments, which may hold `{variables}`, or a whole `https://…` (or `http://…`)
    /// URL, which is taken as it is.
    #[must_use = "a chain sends nothing until a verb's request is awaited"]
    pub fn chain(&self, path: &str) -> Chain {
        self.grow(path, path::normalise(path))
    }

    /// Goes on with one segment.
    #[must_use = "a chain sends nothing until a verb's request is awaited"]
    pub fn seg(&self, segment: &str) -> Chain {
        self.grow(segment, path::normalise_one(segment))
    }

    fn grow(&self, written: &str, normalised: Result<String, PathError>) -> Chain {
        let grown = normalised.and_then(|right| path::join(&self.path, &right));
        let (path, error) = match grown {
            Ok(path) => (Arc::from(path), self.error.clone()),
            Err(e) => {
                let path = format!("{}/{written}", self.path);
                (Arc::from(path), Some(self.error.clone().unwrap_or_else(|| Arc::new(e))))
            }
        };
        Chain { inner: Arc::clone(&self.inner), path, error, nodes: Nodes::default() }
    }

    /// The path as a template, normalised; what cannot be normalised stands in it as written.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A GET request.
    pub fn get(&self) -> Request {
        self.request(Method::GET)
    }

    /// A POST request with a JSON body. [`Value::Null`] sends none, `json!({})` sends `{}`.
    pub fn post(&self, body: Value) -> Request {
        self.request(Method::POST).json(body)
    }

    /// A PUT request with a JSON body; [`Value::Null`] sends none.
    pub fn put(&self, body: Value) -> Request {
        self.request(Method::PUT).json(body)
    }

    /// A PATCH request with a JSON body; [`Value::Null`] sends none.
    pub fn patch(&self, body: Value) -> Request {
        self.request(Method::PATCH).json(body)
    }

    /// A DELETE request; some endpoints take a body: [`Request::json`].
    pub fn delete(&self) -> Request {
        self.request(Method::DELETE)
    }

    /// GET, blocking: [`get`](Self::get) and [`Request::wait`].
    ///
    /// # Errors
    /// Those of [`Request::wait`].
    pub fn get_sync(&self) -> Result<Response, Error> {
        self.get().wait()
    }

    /// POST, blocking: [`post`](Self::post) and [`Request::wait`].
    ///
    /// # Errors
    /// Those of [`Request::wait`].
    pub fn post_sync(&self, body: Value) -> Result<Response, Error> {
        self.post(body).wait()
    }

    /// PUT, blocking: [`put`](Self::put) and [`Request::wait`].
    ///
    /// # Errors
    /// Those of [`Request::wait`].
    pub fn put_sync(&self, body: Value) -> Result<Response, Error> {
        self.put(body).wait()
    }

    /// PATCH, blocking: [`patch`](Self::patch) and [`Request::wait`].
    ///
    /// # Errors
    /// Those of [`Request::wait`].
    pub fn patch_sync(&self, body: Value) -> Result<Response, Error> {
        self.patch(body).wait()
    }

    /// DELETE, blocking: [`delete`](Self::delete) and [`Request::wait`].
    ///
    /// # Errors
    /// Those of [`Request::wait`].
    pub fn delete_sync(&self) -> Result<Response, Error> {
        self.delete().wait()
    }

    fn request(&self, method: Method) -> Request {
        let error = self.error.as_ref().map(|e| Error::from(PathError::clone(e)));
        Request::new(Arc::clone(&self.inner), method, Arc::clone(&self.path), error)
    }
}

impl Index<&str> for Chain {
    type Output = Chain;

    fn index(&self, path: &str) -> &Chain {
        self.nodes.get_or_insert(path, || self.chain(path))
    }
}

impl Clone for Chain {
    fn clone(&self) -> Self {
        Chain {
            inner: Arc::clone(&self.inner),
            path: Arc::clone(&self.path),
            error: self.error.clone(),
            nodes: Nodes::default(),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("path", &self.path).field("error", &self.error).finish_non_exhaustive()
    }
}

/// A PHP or Node chain, pasted: `chain!(wx->v3->pay->transactions->native)`, `chain!(wx.v3.pay.transactions.native)`.
///
/// The root is a name, or an expression in parentheses (`chain!((self.wx)->v3)`). A segment is a name (keywords too), an expression in braces
/// (PHP's `->{'merchant-service'}`), `$name$` (Node), or a path in brackets.
///
/// ```
/// use wechatpay_chain::{WeChatPay, chain};
/// # fn f(wx: WeChatPay) {
/// let close = chain!(wx->v3->pay->transactions->outTradeNo->_out_trade_no_->close);
/// assert_eq!(close.path(), "v3/pay/transactions/out-trade-no/{out_trade_no}/close");
/// assert_eq!(chain!((wx.clone()).v3.{"merchant-service"}["complaints-v2"].return.use).path(),
///     "v3/merchant-service/complaints-v2/return/use");
/// # }
/// ```
#[macro_export]
macro_rules! chain {
    (@ $node:expr ;) => { $node };
    (@ $node:expr ; -> { $segment:expr } $($rest:tt)*) => { $crate::chain!(@ $node.seg($segment) ; $($rest)*) };
    (@ $node:expr ; . { $segment:expr } $($rest:tt)*) => { $crate::chain!(@ $node.seg($segment) ; $($rest)*) };
    (@ $node:expr ; [ $path:expr ] $($rest:tt)*) => { $crate::chain!(@ $node.chain($path) ; $($rest)*) };
    (@ $node:expr ; -> $segment:ident $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(stringify!($segment)) ; $($rest)*)
    };
    (@ $node:expr ; . $segment:ident $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(stringify!($segment)) ; $($rest)*)
    };
    (@ $node:expr ; . $open:tt $segment:ident $close:tt $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(concat!(stringify!($open), stringify!($segment), stringify!($close))) ; $($rest)*)
    };
    (@ $($wrong:tt)*) => {
        compile_error!("chain! takes `->name`, `.name`, `->{\"name\"}` or `[\"path\"]`, one after another")
    };
    (( $root:expr ) $($rest:tt)+) => { $crate::chain!(@ ($root) ; $($rest)+) };
    ($root:ident $($rest:tt)+) => { $crate::chain!(@ $root ; $($rest)+) };
}
