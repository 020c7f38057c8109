//! Bills.

use super::WeChatPay;
use crate::request::bill::Bill;

impl WeChatPay {
    /// Downloads a bill: `v3/bill/tradebill`, `v3/bill/fundflowbill`, and any other GET that responds with
    /// `download_url` (or `url`), `hash_type` and `hash_value`: a coupon's use-flow, profit sharing, a transfer's receipt
    /// (电子回单). [`Bill`] lists what each kind of response leads to.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "sandbox")] {
    /// # let sandbox = wechatpay_chain::sandbox::Sandbox::start()?;
    /// # let wx = sandbox.client()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("bill.csv");
    /// # wx["v3/pay/transactions/native"].post_sync(serde_json::json!({
    /// #     "appid": "wxd678efh567hg6787", "mchid": wx.mchid(), "description": "d", "out_trade_no": "P1234567",
    /// #     "notify_url": "https://www.example.com/notify", "amount": {"total": 1},
    /// # }))?;
    /// # let paid = sandbox.pay("P1234567")?;
    /// # let day = paid["success_time"].as_str().and_then(|time| time.get(..10)).unwrap_or_default();
    /// # sandbox.advance(std::time::Duration::from_secs(2 * 24 * 3600))?;
    /// let saved = wx.bill("v3/bill/tradebill").date(day).gzip().save_to(&path).wait()?;
    /// assert!(saved.verified);
    /// let mut rows = wechatpay_chain::bill::rows(std::fs::File::open(&path)?)?;
    /// for row in &mut rows {
    ///     println!("{:?}", row?.get("商户订单号"));
    /// }
    /// println!("{:?}", rows.summary());
    /// # }
    /// # Ok(()) }
    /// ```
    pub fn bill(&self, path: &str) -> Bill {
        self.chain(path).bill()
    }
}
