//! Firefox over WebDriver BiDi: enough to open the page, ask it questions and press keys.

use crate::{Res, paths, server::Server};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket, client};

/// How long anything may take before it counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Firefox with one page in it; it ends with this value.
#[derive(Debug)]
pub struct Firefox {
    process: Child,
    socket: WebSocket<TcpStream>,
    context: String,
    server: Server,
    commands: u64,
    /// What the page and its console complained of.
    pub complaints: Vec<String>,
    /// Removed with this value.
    _profile: TempDir,
}

impl Firefox {
    /// Serves the build, starts the browser and makes a tab for the page.
    pub fn start() -> Res<Self> {
        let server = Server::start(&paths::dist()?, "/", true)?;
        let profile = tempfile::tempdir()?;
        let mut process = Command::new(paths::firefox()?)
            .args([
                "--headless",
                "--no-remote",
                "--remote-debugging-port",
                "0",
                "--profile",
            ])
            .arg(profile.path())
            .env("HOME", profile.path())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let said = process.stderr.take().ok_or("no standard error")?;
        let mut lines = BufReader::new(said).lines();
        let address = loop {
            let line = lines.next().ok_or("Firefox ended before it listened")??;
            if let Some((_, address)) = line.split_once("BiDi listening on ws://") {
                break address.trim().to_owned();
            }
        };
        // What it says later is read and dropped, or it would wait for a reader.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let stream = TcpStream::connect(&address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let (socket, _) = client(format!("ws://{address}/session"), stream)?;
        let mut firefox = Self {
            process,
            socket,
            context: String::new(),
            server,
            commands: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        firefox.call("session.new", &json!({ "capabilities": {} }))?;
        firefox.call("session.subscribe", &json!({ "events": ["log.entryAdded"] }))?;
        let tab = firefox.call("browsingContext.create", &json!({ "type": "tab" }))?;
        tab["context"]
            .as_str()
            .ok_or("no tab")?
            .clone_into(&mut firefox.context);
        Ok(firefox)
    }

    /// Loads the page afresh at this hash and waits until it has started.
    pub fn open(&mut self, hash: &str) -> Res<()> {
        let context = self.context.clone();
        for url in ["about:blank".to_owned(), format!("{}{hash}", self.server.page())] {
            let to = json!({ "context": context, "url": url, "wait": "complete" });
            self.call("browsingContext.navigate", &to)?;
        }
        self.wait("!document.getElementById('boot')")
    }

    /// Sets the size of the window's inside.
    pub fn set_viewport(&mut self, width: u32, height: u32) -> Res<()> {
        let size = json!({ "context": self.context, "viewport": { "width": width, "height": height } });
        self.call("browsingContext.setViewport", &size).map(drop)
    }

    /// The value of a JavaScript expression; a promise is awaited.
    pub fn eval(&mut self, expression: &str) -> Res<Value> {
        let script = format!("(async () => JSON.stringify(await ({expression})))()");
        let ask = json!({
            "expression": script, "awaitPromise": true, "target": { "context": self.context },
        });
        let answer = self.call("script.evaluate", &ask)?;
        if answer["type"] != "success" {
            return Err(format!("{expression}: {}", answer["exceptionDetails"]["text"]).into());
        }
        Ok(answer["result"]["value"]
            .as_str()
            .map_or(Ok(Value::Null), serde_json::from_str)?)
    }

    /// Waits until a JavaScript expression is `true`.
    pub fn wait(&mut self, expression: &str) -> Res<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.eval(expression).is_ok_and(|value| value == true) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("`{expression}` never came true in Firefox").into())
    }

    /// Presses keys one after the other where the focus is. Special ones are WebDriver's code points.
    pub fn press(&mut self, keys: &str) -> Res<()> {
        let each = keys.chars().flat_map(|key| {
            let key = key.to_string();
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        });
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": each.collect::<Vec<_>>() });
        let perform = json!({ "context": self.context, "actions": [keyboard] });
        self.call("input.performActions", &perform).map(drop)
    }

    fn call(&mut self, method: &str, params: &Value) -> Res<Value> {
        self.commands += 1;
        let command = json!({ "id": self.commands, "method": method, "params": params });
        self.socket.send(Message::text(command.to_string()))?;
        loop {
            let message = self.socket.read()?;
            let Ok(text) = message.to_text() else { continue };
            let Ok(mut answer) = serde_json::from_str::<Value>(text) else {
                continue;
            };
            if answer["method"] == "log.entryAdded" && answer["params"]["level"] == "error" {
                self.complaints.push(answer["params"]["text"].to_string());
            }
            if answer["id"] == self.commands {
                return match answer["type"].as_str() {
                    Some("success") => Ok(answer["result"].take()),
                    _ => Err(format!("{method}: {answer}").into()),
                };
            }
        }
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
