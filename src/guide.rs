//! The guides of `docs/`, by task. Their code blocks are tested.
//!
//! | I want to | page |
//! |---|---|
//! | port PHP code | [`porting_from_php`] |
//! | port Node code | [`porting_from_node`] |
//! | load keys | [`keys`] |
//! | receive notifications (回调通知) | [`notifications`] |
//! | open the cashier | [`pay_sign`] |
//! | encrypt and decrypt sensitive fields | [`sensitive_fields`] |
//! | upload, download, get bills | [`files`] |
//! | handle failures | [`reliability`] |
//! | know what protects me | [`security`] |
//! | call APIv2 (XML) | [`apiv2`] |
//! | find an endpoint, check a call | [`endpoints`] |
//! | test offline | [`sandbox`] |
//! | use the shell | [`cli`] |
//! | look up a rule of APIv3 | [`protocol`] |
//! | change this library | [`architecture`] |
//!
//! The same pages in Chinese (中文): [`zh`].

macro_rules! pages {
    ($suffix:literal: $($name:ident $file:literal)*) => {
        $(
            #[doc = include_str!(concat!("../docs/", $file, $suffix))]
            pub mod $name {}
        )*
    };
}

pages! {
    ".md":
    apiv2 "apiv2"
    architecture "architecture"
    cli "cli"
    endpoints "endpoints"
    files "files"
    keys "keys"
    notifications "notifications"
    pay_sign "pay-sign"
    porting_from_node "porting-from-node"
    porting_from_php "porting-from-php"
    protocol "protocol"
    reliability "reliability"
    sandbox "sandbox"
    security "security"
    sensitive_fields "sensitive-fields"
}

/// 中文指南。
pub mod zh {
    pages! {
        ".zh-CN.md":
        apiv2 "apiv2"
        cli "cli"
        endpoints "endpoints"
        files "files"
        keys "keys"
        notifications "notifications"
        pay_sign "pay-sign"
        porting_from_node "porting-from-node"
        porting_from_php "porting-from-php"
        readme "README"
        reliability "reliability"
        sandbox "sandbox"
        security "security"
        sensitive_fields "sensitive-fields"
    }
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
