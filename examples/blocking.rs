//! Blocking calls: from a plain `main`, from many threads, and from inside a runtime.
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

    std::thread::scope(|scope| {
        for thread in 1..=4 {
            let wx = wx.clone();
            scope.spawn(move || {
                let message = format!("from thread {thread}");
                match wx["v3/security/echo"].post(json!({"echo_message": message})).wait() {
                    Ok(response) => println!("{}", response.data()["echo_message"]),
                    Err(e) => println!("{e}"),
                }
            });
        }
    });

    // Inside a runtime a blocking call holds up its thread, as any blocking work does; it does not panic.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let response = wx["v3/security/echo"].post_sync(json!({"echo_message": "from inside a runtime"}))?;
        println!("{}", response.data()["echo_message"]);
        Ok(())
    })
}
