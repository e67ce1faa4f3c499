//! A real browser: headless Chromium, driven through its remote debugging pipe (Chrome DevTools Protocol). It ends with
//! the process that started it, as the pipe does.

mod look;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::wait::{PATIENCE, eventually};

/// The browser; ends when dropped. Every method panics when it does not do what it is told, with what it said.
#[derive(Debug)]
pub struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    count: u64,
    faults: Vec<String>,
    _profile: TempDir,
}

/// A page in it.
#[derive(Debug)]
pub struct Tab<'a> {
    browser: &'a mut Chromium,
    session: String,
}

impl Chromium {
    /// Starts it, with a profile of its own.
    #[must_use]
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        // the pipe is file descriptors 3 and 4
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "chromium"]);
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        let commands = child.stdin.take().expect("a pipe");
        let mut answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).expect("the browser's JSON")).is_err() {
                    break;
                }
                message.clear();
            }
        });
        Self { child, commands, messages, count: 0, faults: Vec::new(), _profile: profile }
    }

    /// A new tab of this width, in CSS pixels.
    pub fn tab(&mut self, width: u32) -> Tab<'_> {
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }));
        let target = &target["targetId"];
        let session = self.call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        let session = session["sessionId"].as_str().expect("a session").to_owned();
        let mut tab = Tab { browser: self, session };
        tab.call("Page.enable", json!({}));
        tab.call("Runtime.enable", json!({}));
        tab.call("Log.enable", json!({}));
        tab.width(width);
        tab
    }

    /// Keeps what a page complains about: errors of scripts, what its policy forbids, what it could not load.
    fn note(&mut self, message: &Value) {
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.faults.push(params["exceptionDetails"].to_string()),
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                self.faults.push(params["entry"].to_string());
            }
            _ => {}
        }
    }

    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Value {
        self.count += 1;
        let id = self.count;
        let mut command = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).expect("the browser to listen");
        let mut answer = self.wait(|message| message["id"] == id, method);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].take()
    }

    /// The next message that is meant; others are of no interest.
    fn wait(&mut self, is_meant: impl Fn(&Value) -> bool, what: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.messages.recv_timeout(left);
            let message = message.unwrap_or_else(|error| panic!("{what}: {error}; is chromium installed?"));
            self.note(&message);
            if is_meant(&message) {
                return message;
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // it ends its own processes, which killing it would not
        let _ = self.commands.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        while self.messages.recv_timeout(PATIENCE).is_ok() {}
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tab<'_> {
    /// A command of the protocol, to this page.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let session = self.session.clone();
        self.browser.call(Some(&session), method, params)
    }

    /// The width in CSS pixels; below 500 it is a telephone, with touch.
    pub fn width(&mut self, width: u32) {
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        self.call("Emulation.setTouchEmulationEnabled", json!({ "enabled": width < 500 }));
    }

    /// Light or dark.
    pub fn scheme(&mut self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Do the page's own scripts run? Holds from the next page on.
    pub fn scripts(&mut self, run: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !run }));
    }

    /// Goes to `url` and waits until all of it is there.
    pub fn open(&mut self, url: &str) {
        let result = self.call("Page.navigate", json!({ "url": url }));
        assert!(result["errorText"].is_null(), "{url}: {result}");
        self.loaded();
    }

    /// Waits for the page that something leads to.
    pub fn loaded(&mut self) {
        let session = self.session.clone();
        let is_meant = |message: &Value| message["method"] == "Page.loadEventFired" && message["sessionId"] == session;
        self.browser.wait(is_meant, "loading");
    }

    /// What an expression comes to. It runs beside the page, also where the page's own scripts do not.
    pub fn eval(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// What the browser complained about since this was asked last: a script's errors, what a policy forbids, what could
    /// not be loaded.
    pub fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.browser.faults)
    }

    /// The text of the first element that `selector` finds; empty if there is none.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.eval(&format!("document.querySelector({selector:?})?.textContent ?? ''"));
        text.as_str().expect("a text").trim().to_owned()
    }

    /// Until the expression is true.
    pub fn until(&mut self, expression: &str) {
        let expression = format!("Boolean({expression})");
        eventually(&expression, || (self.eval(&expression) == true).then_some(()));
    }

    /// Clicks as a finger does: in the middle of what is seen there.
    pub fn click(&mut self, selector: &str) {
        let place = self.eval(&format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// A key by its name: `Enter`, `Tab`, `Escape`.
    pub fn key(&mut self, key: &str) {
        let (text, code) = match key {
            "Enter" => ("\r", 13),
            "Tab" => ("", 9),
            "Escape" => ("", 27),
            _ => ("", 0),
        };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({ "type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Puts a file into a field.
    pub fn choose(&mut self, selector: &str, file: &Path) {
        let document = self.call("DOM.getDocument", json!({}));
        let node =
            self.call("DOM.querySelector", json!({ "nodeId": document["root"]["nodeId"], "selector": selector }));
        self.call("DOM.setFileInputFiles", json!({ "nodeId": node["nodeId"], "files": [file] }));
    }

    /// The whole page as a PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }));
        STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64")
    }
}
