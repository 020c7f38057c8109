//! The current time, replaceable in tests.

use std::time::{SystemTime, UNIX_EPOCH};

/// The client's source of time: for the timestamps that it signs, and for the window in which it accepts a response.
/// It is asked by the threads of the calls and of certificate downloads, never by the one that drives the connections.
///
/// ```
/// use wechatpay_chain::WeChatPay;
/// use wechatpay_chain::clock::Clock;
///
/// struct Fixed(u64);
/// impl Clock for Fixed {
///     fn unix_seconds(&self) -> u64 {
///         self.0
///     }
/// }
/// let builder = WeChatPay::builder().clock(Fixed(1_700_000_000));
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn unix_seconds(&self) -> u64;
}

/// The system's clock, the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // the only place that reads the system's clock
    fn unix_seconds(&self) -> u64 {
        // A clock before 1970 is as wrong as one at 1970: the platform refuses both.
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
    }
}
