//! wechatpay-chain
