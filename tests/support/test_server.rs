//! A server of a test, over plain TCP, that cannot be ignored: what goes wrong in its threads fails the test when the
//! server is dropped, with the requests that came.

use std::collections::VecDeque;
use std::io;
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
    /// Responses that are still to be asked for.
    script: VecDeque<Vec<u8>>,
}

impl Notes {
    fn with<T>(&self, change: impl FnOnce(&mut Written) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A request came; only messages show it.
    pub(crate) fn request(&self, line: impl Into<String>) {
        self.with(|written| written.requests.push(line.into()));
    }

    /// What the next requests get, one each.
    pub(crate) fn script(&self, responses: impl IntoIterator<Item = Vec<u8>>) {
        self.with(|written| written.script.extend(responses));
    }

    /// The next response of the script.
    pub(crate) fn next_response(&self) -> Vec<u8> {
        let next = self.with(|written| written.script.pop_front());
        next.unwrap_or_else(|| panic!("a request beyond the script"))
    }

    /// Runs a part of the server; its panic is the test's. A client that goes away is no fault.
    fn run(&self, serve: impl FnOnce() -> io::Result<()>) {
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
    /// Each connection has a thread of its own, and is closed when `serve` returns.
    pub(crate) fn start(
        serve: impl Fn(&TcpStream, &Notes) -> io::Result<()> + Send + Sync + 'static,
    ) -> TestServer {
        TestServer::on(TcpListener::bind("127.0.0.1:0").unwrap(), usize::MAX, serve)
    }

    /// At this address, which is closed once `most` connections came.
    pub(crate) fn on(
        listener: TcpListener,
        most: usize,
        serve: impl Fn(&TcpStream, &Notes) -> io::Result<()> + Send + Sync + 'static,
    ) -> TestServer {
        let serve = Arc::new(serve);
        TestServer::accept(listener, most, move |stream, notes| {
            let (notes, serve) = (notes.clone(), serve.clone());
            std::thread::spawn(move || notes.run(|| serve(&stream, &notes)));
        })
    }

    /// One connection after another.
    pub(crate) fn one_by_one(
        mut serve: impl FnMut(&TcpStream, &Notes) -> io::Result<()> + Send + 'static,
    ) -> TestServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        TestServer::accept(listener, usize::MAX, move |stream, notes| notes.run(|| serve(&stream, notes)))
    }

    /// `take` must not close a stream before all that goes wrong with it is noted: a client that sees it closed may be
    /// the end of the test.
    fn accept(
        listener: TcpListener,
        most: usize,
        mut take: impl FnMut(TcpStream, &Notes) + Send + 'static,
    ) -> TestServer {
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let notes = Notes::default();
        let server = TestServer { base, notes: notes.clone() };
        let mut listener = (most > 0).then_some(listener);
        std::thread::spawn(move || {
            let mut left = most;
            while let Some(open) = &listener {
                let Ok((stream, _)) = open.accept() else {
                    // A test took all file descriptors away, for a while.
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                left -= 1;
                if left == 0 {
                    // Before the client has its response.
                    listener = None;
                }
                notes.with(|written| written.connections += 1);
                take(stream, &notes);
            }
        });
        server
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.base["http://".len()..self.base.len() - 1]
    }

    pub(crate) fn connections(&self) -> usize {
        self.notes.with(|written| written.connections)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let (faults, requests) = self.notes.with(|written| {
            let mut faults = written.faults.clone();
            faults.extend(written.script.iter().map(|response| {
                let line = response.split(|byte| *byte == b'\r').next().unwrap_or_default();
                format!("nobody asked for the response `{}` of the script", String::from_utf8_lossy(line))
            }));
            (faults, written.requests.clone())
        });
        // A second panic would hide the first.
        if !std::thread::panicking() {
            assert!(faults.is_empty(), "the server of the test: {faults:#?}; requests: {requests:#?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// What its end says.
    fn end(server: TestServer) -> Option<String> {
        let failed = catch_unwind(AssertUnwindSafe(|| drop(server))).err()?;
        Some(failed.downcast_ref::<String>().unwrap().clone())
    }

    /// Until the server closes the connection.
    fn connect(server: &TestServer) {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }

    #[test]
    fn a_panic_of_a_server_fails_its_test() {
        let server = TestServer::start(|_, notes| {
            notes.request("GET /v3/x");
            panic!("unexpected {}", 1);
        });
        connect(&server);
        let text = end(server).unwrap();
        assert!(text.contains("unexpected 1") && text.contains("GET /v3/x"), "{text}");
        let server = TestServer::one_by_one(|_, notes| {
            notes.request("GET /v3/y");
            Err(io::Error::other("the client went away"))
        });
        connect(&server);
        assert_eq!((server.connections(), end(server)), (1, None));
    }

    #[test]
    fn a_script_is_met_exactly() {
        let start = |responses: usize| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = TestServer::on(listener, 2, |_, notes| {
                notes.request("GET /v3/x");
                assert_eq!(notes.next_response(), b"HTTP/1.1 204 X\r\n\r\n");
                Ok(())
            });
            server.notes.script(vec![b"HTTP/1.1 204 X\r\n\r\n".to_vec(); responses]);
            connect(&server);
            connect(&server);
            // Two connections, and no more.
            assert!(TcpStream::connect(server.address()).is_err());
            end(server)
        };
        assert_eq!(start(2), None);
        let (beyond, unmet) = (start(1).unwrap(), start(3).unwrap());
        assert!(beyond.contains("beyond the script") && beyond.contains("GET /v3/x"), "{beyond}");
        assert!(unmet.contains("nobody asked for the response `HTTP/1.1 204 X`"), "{unmet}");
    }
}
