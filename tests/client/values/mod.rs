//! Values as real integrators and the real platform write them: halves of characters, nulls, missing fields, odd headers.

mod headers;
mod notification;
mod optional_fields;
mod pay_sign;
mod pkcs1;
mod query;
mod response;
