//! A headless Chromium, driven over the WebDriver protocol (W3C) with plain HTTP and JSON.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::has;

/// Its names in the packages of several systems.
const CHROMIUM: &str = "chromium|chromium-browser|google-chrome";
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";

pub(crate) struct Browser {
    driver: Child,
    session: String,
    http: reqwest::Client,
    runtime: Runtime,
    _profile: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// One browser at a time: starting one keeps a small machine busy.
static TURN: Mutex<()> = Mutex::new(());

impl Browser {
    /// `None` without Chromium or its driver; the test is then skipped.
    pub(crate) fn start() -> Option<Browser> {
        if !has(CHROMIUM) || !has("chromedriver") {
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_string())
        });
        // It must be able to go on writing.
        thread::spawn(move || lines.for_each(drop));
        let profile = TempDir::new().unwrap();
        let mut browser = Browser {
            driver,
            session: format!("http://127.0.0.1:{}/session", port.expect("the driver prints its port")),
            http: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            _profile: profile,
            _turn: turn,
        };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--lang=en-US",
            "--window-size=1200,900",
            &folder,
        ];
        let options = json!({ "args": args, "binary": which() });
        let wanted = json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" } });
        let made = browser.ask("", Some(json!({ "capabilities": { "alwaysMatch": wanted } })));
        browser.session += &format!("/{}", made["sessionId"].as_str().unwrap());
        Some(browser)
    }

    fn ask(&self, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let request = match body {
            Some(body) => {
                self.http.post(url).header("Content-Type", "application/json").body(body.to_string())
            }
            None => self.http.get(url),
        };
        let bytes = self.runtime.block_on(async { request.send().await?.bytes().await }).unwrap();
        let response: Value = serde_json::from_slice(&bytes).unwrap();
        let value = response["value"].clone();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    pub(crate) fn open(&self, url: &str) {
        self.ask("/url", Some(json!({ "url": url })));
    }

    /// The value that a script in the page returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask("/execute/sync", Some(json!({ "script": script, "args": [] })))
    }

    /// Waits until an expression holds.
    #[track_caller]
    pub(crate) fn wait(&self, expression: &str) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.run(&format!("return !!({expression})")) != json!(true) {
            assert!(Instant::now() < end, "{expression}\n{}", self.run("return document.body.innerText"));
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn click(&self, selector: &str) {
        let found = self.ask("/element", Some(json!({ "using": "css selector", "value": selector })));
        let id = found[ELEMENT].as_str().unwrap();
        self.ask(&format!("/element/{id}/click"), Some(json!({})));
    }

    /// Presses these keys one after another, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        let keys: Vec<Value> = strokes.collect();
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": keys }]);
        self.ask("/actions", Some(json!({ "actions": actions })));
    }

    /// A command of the Chrome DevTools Protocol.
    pub(crate) fn command(&self, name: &str, parameters: Value) -> Value {
        self.ask("/goog/cdp/execute", Some(json!({ "cmd": name, "params": parameters })))
    }

    pub(crate) fn scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    pub(crate) fn size(&self, width: u32, height: u32, scale: u32) {
        let mobile = width < 500;
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.command("Emulation.setDeviceMetricsOverride", size);
        self.command("Emulation.setScrollbarsHidden", json!({ "hidden": true }));
    }

    /// The messages of the console, and the URLs of all requests, since they were last asked for.
    pub(crate) fn logs(&self) -> (Vec<String>, Vec<String>) {
        let log = |name: &str| self.ask("/se/log", Some(json!({ "type": name }))).as_array().unwrap().clone();
        let text = |value: &Value| value["message"].as_str().unwrap().to_string();
        // Parts of the browser itself, for the empty page that it starts with; and data URLs, which are not requests.
        let own = |text: &String| text.starts_with("chrome") || text.starts_with("data:");
        let console = log("browser").iter().map(text).filter(|message| !own(message)).collect();
        let performance = log("performance");
        let events = performance.iter().map(|entry| serde_json::from_str::<Value>(&text(entry)).unwrap());
        let sent = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        let url = |event: Value| event["message"]["params"]["request"]["url"].as_str().unwrap().to_string();
        (console, sent.map(url).filter(|url| !own(url)).collect())
    }

    /// The whole page as a PNG, into the folder that `WECHATPAY_SCREENSHOTS` names, for a review by eye.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("WECHATPAY_SCREENSHOTS") else { return };
        let taken = self.command("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        fs::write(Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser: killing the driver alone would leave it running.
        let _ = self.runtime.block_on(async { self.http.delete(&self.session).send().await });
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The path of the browser, which the driver asks for.
fn which() -> String {
    let path = std::env::var_os("PATH").unwrap();
    let files = std::env::split_paths(&path)
        .flat_map(|folder| CHROMIUM.split('|').map(move |name| folder.join(name)));
    files.into_iter().find(|file| file.exists()).unwrap().to_str().unwrap().to_string()
}
