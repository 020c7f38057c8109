//! Connections: one pool for each runtime, and kept connections that the server has closed.

use std::future::IntoFuture as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use wechatpay_chain::{Error, WeChatPay};

use crate::support::{self, Recorder, TestServer, signed};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// `calls` on each runtime, all runtimes at the same time.
fn calls(wx: &WeChatPay, runtimes: &[Runtime], calls: usize) {
    let together = Barrier::new(runtimes.len());
    std::thread::scope(|scope| {
        for runtime in runtimes {
            scope.spawn(|| {
                together.wait();
                for _ in 0..calls {
                    runtime.block_on(async { wx["v3/x"].post(json!({"k": 1})).await }).unwrap();
                }
                // The last connection returns to its pool.
                runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
            });
        }
    });
}

#[test]
fn a_runtime_keeps_its_connections_however_many_there_are() {
    for count in [1, 8, 16, 64] {
        let recorder = Recorder::no_content();
        let wx = support::client(&recorder.base);
        let runtimes: Vec<_> = (0..count).map(|_| runtime()).collect();
        calls(&wx, &runtimes, 2);
        let warm = recorder.connections();
        assert!(warm <= count * 2, "{warm} connections for {count} runtimes");
        calls(&wx, &runtimes, 5);
        assert_eq!(recorder.connections(), warm, "{count} runtimes");
        assert_eq!(recorder.seen().len(), count * 7);
    }
}

/// As a server does that starts a runtime for each job: hundreds of them pass, and one stays.
#[test]
fn the_pool_that_is_in_use_stays_when_hundreds_of_runtimes_pass() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let stays = runtime();
    let call = |runtime: &Runtime| {
        runtime.block_on(async {
            wx["v3/x"].get().await.unwrap();
            tokio::task::yield_now().await;
        });
    };
    call(&stays);
    for passed in 1..=1_100 {
        call(&runtime());
        if passed % 50 == 0 {
            call(&stays);
        }
    }
    // One for each runtime, and none again for the one that stayed.
    assert_eq!(recorder.connections(), 1_101);
}

/// The sockets of this process.
#[cfg(target_os = "linux")]
fn sockets() -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// The pools of runtimes that are gone stay until others need their place; their connections do not.
#[cfg(target_os = "linux")]
#[test]
fn a_runtime_that_is_dropped_leaves_no_connection() {
    let output = support::alone(module_path!(), "runtimes_come_and_go").args(["--ignored"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a process of its own"]
fn runtimes_come_and_go() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let round = || {
        let runtimes: Vec<_> = (0..64).map(|_| runtime()).collect();
        calls(&wx, &runtimes, 2);
    };
    wx["v3/x"].get_sync().unwrap();
    let before = sockets();
    for _ in 0..3 {
        round();
        // The server notices it a moment later.
        for _ in 0..500 {
            if sockets() <= before {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(sockets() <= before, "{} sockets, {before} before", sockets());
    }
    // A runtime that ends in the middle of calls leaves nothing either.
    let ends = runtime();
    for _ in 0..8 {
        ends.spawn(wx["v3/x"].get().into_future());
    }
    ends.block_on(tokio::task::yield_now());
    ends.shutdown_background();
    runtime().block_on(async { wx["v3/x"].get().await }).unwrap();
}

/// What a server does with a connection after its first response.
#[derive(Clone, Copy, Debug)]
enum Closing {
    /// It reads the next request, and closes without a response.
    AfterReading,
    /// It reads the next request, and resets the connection.
    WithAReset,
    /// It reads nothing more, and closes when the next request is on its way.
    WhileSending,
}

/// A server that responds once on each connection and then closes it without saying so. Notes requests.
fn forgetful(closing: Closing) -> (TestServer, Arc<Mutex<Vec<String>>>) {
    let requests = Arc::<Mutex<Vec<String>>>::default();
    let seen = requests.clone();
    let server = TestServer::start(move |mut stream, _| {
        let mut reader = BufReader::new(stream);
        read_request(&mut reader, &seen);
        stream.write_all(&signed("200 OK", &[], b"{}"))?;
        match closing {
            Closing::AfterReading => read_request(&mut reader, &seen),
            Closing::WithAReset => {
                // Unread bytes make the kernel reset the connection.
                let _ = reader.fill_buf();
                seen.lock().unwrap().push("reset".to_owned());
                let _ = stream.shutdown(Shutdown::Read);
            }
            Closing::WhileSending => {
                let _ = stream.peek(&mut [0]);
            }
        }
        Ok(())
    });
    (server, requests)
}

fn read_request(reader: &mut BufReader<&TcpStream>, seen: &Mutex<Vec<String>>) {
    let (mut line, mut length) = (String::new(), 0);
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    seen.lock().unwrap().push(line.split(' ').next().unwrap().to_owned());
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    let _ = std::io::Read::read_exact(reader, &mut body);
}

#[test]
fn a_get_over_a_connection_that_the_server_closed_is_made_once_more() {
    for closing in [Closing::AfterReading, Closing::WithAReset, Closing::WhileSending] {
        let (server, _) = forgetful(closing);
        let wx = support::client(&server.base);
        let folder = tempfile::tempdir().unwrap();
        for round in 0..4 {
            wx["v3/x"].get_sync().unwrap_or_else(|e| panic!("{closing:?} {round}: {e}"));
            let saved = wx["v3/x"].get().save_to(folder.path().join("file")).wait();
            assert_eq!(saved.unwrap_or_else(|e| panic!("{closing:?} {round}: {e}")).bytes, 2);
        }
        let runtime = runtime();
        for round in 0..4 {
            let response = runtime.block_on(async { wx["v3/x"].get().await });
            response.unwrap_or_else(|e| panic!("{closing:?} {round}: {e}"));
        }
        // With a body, too, which is sent whole again.
        for round in 0..4 {
            let response = wx["v3/x"].get().json(json!({"k": "v".repeat(100_000)})).wait();
            response.unwrap_or_else(|e| panic!("{closing:?} {round}: {e}"));
        }
    }
}

#[test]
fn a_post_over_such_a_connection_is_not_repeated() {
    let (server, seen) = forgetful(Closing::AfterReading);
    let wx = support::client(&server.base);
    wx["v3/x"].get_sync().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let Err(Error::Transport(error)) = wx["v3/x"].post_sync(json!({"out_trade_no": "P1"})) else {
        panic!("not a Transport error")
    };
    assert!(error.maybe_sent(), "{error}");
    assert_eq!(*seen.lock().unwrap(), ["GET", "POST"]);
}

#[test]
fn a_get_over_a_new_connection_that_breaks_is_not_repeated() {
    let recorder = Recorder::start(|_| Vec::new());
    assert!(support::client(&recorder.base)["v3/x"].get_sync().is_err());
    assert_eq!(recorder.seen().len(), 1);
    // Nor if others were fine, and were closed in the open.
    let fine = || signed("200 OK", &[("Connection", "close")], b"{}");
    let recorder = Recorder::script([fine(), fine(), Vec::new()]);
    let wx = support::client(&recorder.base);
    wx["v3/x"].get_sync().unwrap();
    wx["v3/x"].get_sync().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert!(wx["v3/x"].get_sync().is_err());
}

/// The second connection breaks, too: that is no race, so the error is returned, or the spare host asked.
#[test]
fn a_get_is_made_once_more_and_no_oftener() {
    let first = || Recorder::script([signed("200 OK", &[], b"{}"), Vec::new(), Vec::new()]);
    let (recorder, again) = (first(), first());
    let wx = support::client(&recorder.base);
    wx["v3/x"].get_sync().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let Err(Error::Transport(error)) = wx["v3/x"].get().retry(3).wait() else {
        panic!("not a Transport error")
    };
    assert!(error.maybe_sent());
    let seen = recorder.seen();
    // Signed afresh.
    assert_ne!(seen[1].auth("nonce_str"), seen[2].auth("nonce_str"));

    let spare = Recorder::no_content();
    let wx = support::builder(&again.base).spare_base_url(&spare.base).build().unwrap();
    wx["v3/x"].get_sync().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(wx["v3/x"].get_sync().unwrap().status(), 204);
    assert_eq!(spare.seen().len(), 1);
}
