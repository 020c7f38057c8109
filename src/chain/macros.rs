//! `chain!`.

/// A PHP or Node chain, pasted: `chain!(wx->v3->pay->transactions->native)`, `chain!(wx.v3.pay.transactions.native)`.
///
/// The root is a name (with or without PHP's `$`), a field of `self` (`chain!(self.wx->v3)`), or an expression in
/// parentheses (`chain!((client())->v3)`). After a field of `self`, a chain with dots begins with `v3`. A segment is a
/// name (also a keyword), an expression in braces (PHP's `->{'merchant-service'}` and `->{$name}`), `$name$` (Node), or a
/// path in brackets. The verb goes after the macro.
///
/// ```
/// use wechatpay_chain::{WeChatPay, chain};
/// # fn f(wx: WeChatPay) {
/// let close = chain!(wx->v3->pay->transactions->outTradeNo->_out_trade_no_->close);
/// assert_eq!(close.path(), "v3/pay/transactions/out-trade-no/{out_trade_no}/close");
/// assert_eq!(chain!($wx->v3->pay->transactions->native).path(), "v3/pay/transactions/native");
/// assert_eq!(chain!((wx.clone()).v3.{"merchant-service"}["complaints-v2"].return.use).path(),
///     "v3/merchant-service/complaints-v2/return/use");
/// # }
/// # struct Shop { wx: WeChatPay }
/// # impl Shop {
/// # fn f(&self) {
/// assert_eq!(chain!(self.wx->v3->certificates).path(), "v3/certificates");
/// assert_eq!(chain!(self.wx.v3.certificates).path(), "v3/certificates");
/// # } }
/// ```
///
/// What is not a chain is a compile error that says what to write:
///
/// ```compile_fail
/// # fn f(wx: wechatpay_chain::WeChatPay) {
/// wechatpay_chain::chain!(wx->v3->certificates->get()); // write `chain!(wx->v3->certificates).get()`
/// # }
/// ```
#[macro_export]
macro_rules! chain {
    (@ $node:expr ;) => { $node };
    // `->{$name}`; `{ &name }` and `{ *name }` are expressions.
    (@ $node:expr ; -> { & $name:ident } $($rest:tt)*) => { $crate::chain!(@ $node.seg(&$name) ; $($rest)*) };
    (@ $node:expr ; -> { * $name:ident } $($rest:tt)*) => { $crate::chain!(@ $node.seg(*$name) ; $($rest)*) };
    (@ $node:expr ; -> { $mark:tt $name:ident } $($rest:tt)*) => {
        $crate::chain!(@ $node.seg($crate::chain!(@@ $mark $name)) ; $($rest)*)
    };
    (@ $node:expr ; -> { $segment:expr } $($rest:tt)*) => { $crate::chain!(@ $node.seg($segment) ; $($rest)*) };
    (@ $node:expr ; . { $segment:expr } $($rest:tt)*) => { $crate::chain!(@ $node.seg($segment) ; $($rest)*) };
    (@ $node:expr ; [ $path:expr ] $($rest:tt)*) => { $crate::chain!(@ $node.chain($path) ; $($rest)*) };
    (@ $node:expr ; -> $call:ident ( $($arguments:tt)* ) $($rest:tt)*) => { $crate::chain!(@call $call) };
    (@ $node:expr ; . $call:ident ( $($arguments:tt)* ) $($rest:tt)*) => { $crate::chain!(@call $call) };
    (@ $node:expr ; -> $segment:ident $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(stringify!($segment)) ; $($rest)*)
    };
    (@ $node:expr ; . $segment:ident $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(stringify!($segment)) ; $($rest)*)
    };
    (@ $node:expr ; . $open:tt $segment:ident $close:tt $($rest:tt)*) => {
        $crate::chain!(@ $node.seg(concat!(stringify!($open), stringify!($segment), stringify!($close))) ; $($rest)*)
    };
    (@call $call:ident) => {
        compile_error!(concat!(
            "`", stringify!($call), "(…)` is not a segment: a verb goes after the macro, as in \
             `chain!(wx->v3->pay).post(body)` or `chain!(wx->v3->pay).get()`"
        ))
    };
    // A name after PHP's `$`. No pattern can name that sign, so that its text is compared.
    (@@ $mark:tt $name:ident) => {{
        const _: () = assert!(
            matches!(stringify!($mark).as_bytes(), b"$"),
            "chain!: put anything but a plain name, `$name` or a field of `self` in parentheses: `chain!((*wx)->v3)`"
        );
        &$name
    }};
    // Twice, to compare it and to use the caller's own `self`.
    (@root self [ $root:ident ] $($rest:tt)+) => { $crate::chain!(@field [ $root ] $($rest)+) };
    // No path has `->v3` after its first name: that one is a field.
    (@root $name:ident [ $root:ident ] . $field:ident -> v3 $($rest:tt)*) => {
        $crate::chain!(@ $root . $field ; -> v3 $($rest)*)
    };
    (@root $name:ident [ $root:ident ] $($rest:tt)+) => { $crate::chain!(@ $root ; $($rest)+) };
    // The fields of `self`, up to the chain. With dots it begins where the path does, at `v3`.
    (@field [ $($root:tt)+ ] . v3 $($rest:tt)*) => { $crate::chain!(@ $($root)+ ; .v3 $($rest)*) };
    (@field [ $($root:tt)+ ] . v2 $($rest:tt)*) => { $crate::chain!(@ $($root)+ ; .v2 $($rest)*) };
    (@field [ $($root:tt)+ ] . $call:ident ( $($arguments:tt)* ) $($rest:tt)*) => {
        compile_error!("chain!: put a call in parentheses, as in `chain!((self.client())->v3->pay)`, and a verb after the macro")
    };
    (@field [ $($root:tt)+ ] . $field:ident $($rest:tt)+) => { $crate::chain!(@field [ $($root)+ . $field ] $($rest)+) };
    (@field [ $($root:tt)+ ] . $field:tt $($rest:tt)+) => { $crate::chain!(@field [ $($root)+ . $field ] $($rest)+) };
    (@field [ $($root:tt)+ ] -> $($rest:tt)+) => { $crate::chain!(@ $($root)+ ; -> $($rest)+) };
    (@field [ $($root:tt)+ ] [ $path:expr ] $($rest:tt)*) => { $crate::chain!(@ $($root)+ ; [ $path ] $($rest)*) };
    (@field $($wrong:tt)*) => {
        compile_error!(
            "chain!: where do the fields of `self` end and the path begins? Put the client in parentheses, as in \
             `chain!((self.wx).pay.transactions)`"
        )
    };
    (@ $($wrong:tt)*) => {
        compile_error!(
            "chain! accepts a sequence of `->name`, `.name`, `->{\"name\"}` and `[\"path\"]` after the client; put a \
             client that is not a plain name or a field of `self` in parentheses, as in `chain!((state.wx)->v3->pay)`"
        )
    };
    (( $root:expr ) $($rest:tt)+) => { $crate::chain!(@ ($root) ; $($rest)+) };
    ($root:ident $($rest:tt)+) => { $crate::chain!(@root $root [ $root ] $($rest)+) };
    // PHP's `$wx`.
    ($mark:tt this $($rest:tt)*) => {
        compile_error!("chain!: PHP's `$this` is `self` in Rust, as in `chain!(self.wx->v3->pay)`")
    };
    ($mark:tt $root:ident $($rest:tt)+) => { $crate::chain!(@ $crate::chain!(@@ $mark $root) ; $($rest)+) };
    ($($wrong:tt)*) => { $crate::chain!(@ $($wrong)*) };
}
