//! `Chain` and `chain!`: build a path, choose a verb.

mod macros;
mod nodes;

use std::fmt;
use std::ops::Index;
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Error, PathError, shown_template};
use crate::path;
use crate::request::Request;
use crate::response::Response;
#[cfg(test)]
pub(crate) use nodes::NODE_WARNING;
pub(crate) use nodes::Nodes;

/// A path under construction. A verb turns it into a [`Request`].
///
/// The five spellings build the same request, and mix freely:
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
/// In a segment, `merchantService` becomes `merchant-service`, and `_out_trade_no_` becomes `{out_trade_no}`, as in PHP.
/// A segment with capitals that is not a camelCase word (`P12345`) is refused when the request is sent: it is a value,
/// and belongs in a variable.
pub struct Chain {
    context: Arc<Context>,
    path: Arc<str>,
    /// The first error; the request returns it.
    error: Option<Arc<PathError>>,
    nodes: Nodes,
}

impl Chain {
    pub(crate) fn root(context: &Arc<Context>) -> Chain {
        Chain { context: Arc::clone(context), path: Arc::from(""), error: None, nodes: Nodes::default() }
    }

    /// Appends a path: one or more segments, which may contain `{variables}`. A slash at the end is kept, as some
    /// documented paths have it. An absolute URL (`https://…` or `http://…`) replaces the chain, and is used unchanged.
    #[must_use = "a chain sends nothing before a verb's request is awaited"]
    pub fn chain(&self, path: &str) -> Chain {
        self.append(path, path::normalise(path))
    }

    /// Appends a path like [`chain`](Self::chain), but without the case rule: capitals stay, for a documented path that
    /// has some, and for a path that a person types. A segment with capitals that is not a camelCase word is still
    /// refused as a value.
    ///
    /// ```
    /// # fn f(wx: wechatpay_chain::WeChatPay) {
    /// assert_eq!(wx.chain("v2/secapi/mch").chain("addInstitutionsub").path(), "v2/secapi/mch/add-institutionsub");
    /// assert_eq!(wx.chain("v2/secapi/mch").literal("addInstitutionsub").path(), "v2/secapi/mch/addInstitutionsub");
    /// # }
    /// ```
    #[must_use = "a chain sends nothing before a verb's request is awaited"]
    pub fn literal(&self, path: &str) -> Chain {
        self.append(path, path::normalise_literal(path))
    }

    /// Appends one segment. It may have the slash at the end of a documented path: `seg("applyments/")`.
    #[must_use = "a chain sends nothing before a verb's request is awaited"]
    pub fn seg(&self, segment: &str) -> Chain {
        self.append(segment, path::normalise_one(segment))
    }

    fn append(&self, written: &str, normalised: Result<String, PathError>) -> Chain {
        let joined = normalised.and_then(|right| path::join(&self.path, &right));
        let (path, error) = match joined {
            Ok(path) => (Arc::from(path), self.error.clone()),
            Err(e) => {
                let path = format!("{}/{written}", self.path);
                (Arc::from(path), Some(self.error.clone().unwrap_or_else(|| Arc::new(e))))
            }
        };
        Chain { context: Arc::clone(&self.context), path, error, nodes: Nodes::default() }
    }

    /// The path as a normalised template. A segment that cannot be normalised appears as written.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A GET request.
    pub fn get(&self) -> Request {
        self.request(Method::GET)
    }

    /// The bill of this path: [`WeChatPay::bill`](crate::WeChatPay::bill).
    #[cfg(feature = "bill")]
    pub fn bill(&self) -> crate::request::bill::Bill {
        crate::request::bill::Bill::new(self.get())
    }

    /// A POST request with a JSON body. [`Value::Null`] sends no body, `json!({})` sends `{}`.
    pub fn post(&self, body: Value) -> Request {
        self.request(Method::POST).json(body)
    }

    /// A PUT request with a JSON body; [`Value::Null`] sends no body.
    pub fn put(&self, body: Value) -> Request {
        self.request(Method::PUT).json(body)
    }

    /// A PATCH request with a JSON body; [`Value::Null`] sends no body.
    pub fn patch(&self, body: Value) -> Request {
        self.request(Method::PATCH).json(body)
    }

    /// A DELETE request. Some endpoints need a body: [`Request::json`].
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
        Request::new(Arc::clone(&self.context), method, Arc::clone(&self.path), error)
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
            context: Arc::clone(&self.context),
            path: Arc::clone(&self.path),
            error: self.error.clone(),
            nodes: Nodes::default(),
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("path", &shown_template(&self.path))
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
