//! Blocking calls: from a plain `main`, from several threads, and from inside a tokio runtime.
//!
//! ```sh
//! cargo run --example blocking --features sandbox
//! ```

use serde_json::json;
use wechatpay_chain::sandbox::Sandbox;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start()?;
    let wx = sandbox.client()?;

    let response = wx["v3/security/echo"].post_sync(json!({"echo_message": "from a plain main"}))?;
    println!("{}", response.data()["echo_message"]);

    let threads = (1..=4).map(|thread| {
        let wx = wx.clone();
        std::thread::spawn(move || {
            let message = format!("from thread {thread}");
            wx["v3/security/echo"].post(json!({"echo_message": message})).wait()
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        let response = thread.join().map_err(|_| "a thread panicked")??;
        println!("{}", response.data()["echo_message"]);
    }

    // Inside a runtime, a blocking call blocks its thread, as any blocking work does. It does not panic.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let response = wx["v3/security/echo"].post_sync(json!({"echo_message": "from inside a runtime"}))?;
        println!("{}", response.data()["echo_message"]);
        Ok(())
    })
}
