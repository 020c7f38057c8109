//! A server of a test, over plain TCP, that cannot be ignored: what goes wrong in its threads fails the test when the
//! server is dropped, with the requests that came.

use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the threads of a server leave for its test.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Mutex<Written>>);

#[derive(Default)]
struct Written {
    connections: usize,
    requests: Vec<String>,
    faults: Vec<String>,
}

impl Notes {
    fn with<T>(&self, change: impl FnOnce(&mut Written) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request came; only messages show it.
    pub(crate) fn request(&self, line: impl Into<String>) {
        self.with(|written| written.requests.push(line.into()));
    }

    /// Runs a part of the server; its panic is the test's.
    fn run(&self, serve: impl FnOnce()) {
        let Err(panic) = catch_unwind(AssertUnwindSafe(serve)) else { return };
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text");
        self.with(|written| written.faults.push(text.to_owned()));
    }
}

pub(crate) struct TestServer {
    /// `http://127.0.0.1:PORT/`.
    pub(crate) base: String,
    pub(crate) notes: Notes,
}

impl TestServer {
    /// Each connection has a thread of its own.
    pub(crate) fn start(serve: impl Fn(TcpStream, &Notes) + Send + Sync + 'static) -> TestServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let (notes, serve) = (Notes::default(), Arc::new(serve));
        let shared = notes.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else {
                    // A test took all file descriptors away, for a while.
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                let (notes, serve) = (shared.clone(), serve.clone());
                notes.with(|written| written.connections += 1);
                std::thread::spawn(move || notes.run(|| serve(stream, &notes)));
            }
        });
        TestServer { base, notes }
    }

    pub(crate) fn connections(&self) -> usize {
        self.notes.with(|written| written.connections)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let (faults, requests) =
            self.notes.with(|written| (written.faults.clone(), written.requests.clone()));
        // A second panic would hide the first.
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "the server of the test: {faults:#?}; requests: {requests:#?}");
        }
    }
}

#[test]
fn a_panic_of_a_server_fails_its_test() {
    use std::io::Read as _;

    let drop_it = |server: TestServer| {
        let failed = catch_unwind(AssertUnwindSafe(|| drop(server))).err()?;
        Some(failed.downcast_ref::<String>().unwrap().clone())
    };
    let connect = |server: &TestServer| {
        let mut stream = TcpStream::connect(&server.base["http://".len()..server.base.len() - 1]).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    };
    let server = TestServer::start(|_, notes| {
        notes.request("GET /v3/x");
        panic!("unexpected {}", 1);
    });
    connect(&server);
    while server.notes.with(|written| written.faults.is_empty()) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let text = drop_it(server).unwrap();
    assert!(text.contains("unexpected 1") && text.contains("GET /v3/x"), "{text}");
    let server = TestServer::start(|_, notes| notes.request("GET /v3/y"));
    connect(&server);
    assert_eq!((server.connections(), drop_it(server)), (1, None));
}
