//! wechatpay-chain

#[cfg(feature = "sandbox")]
pub mod sandbox;
