//! As much of `WebDriver` as the test of the window takes: a session, scripts, keys, clicks, screenshots.

use std::time::Duration;

use serde_json::{Value, json};

/// The key that names an element in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// One command at most. Starting the app is the longest.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys that are no characters.
pub(crate) mod keys {
    pub(crate) const BACKSPACE: &str = "\u{E003}";
    pub(crate) const TAB: &str = "\u{e004}";
    pub(crate) const ENTER: &str = "\u{E007}";
    pub(crate) const ESCAPE: &str = "\u{E00C}";
    pub(crate) const ENTER_KEY: char = '\u{E007}';
    pub(crate) const END: char = '\u{E010}';
    pub(crate) const SHIFT: char = '\u{E008}';
    pub(crate) const ALT: char = '\u{E00A}';
    pub(crate) const CONTROL: char = '\u{e009}';
    pub(crate) const LEFT: char = '\u{E012}';
    pub(crate) const RIGHT: char = '\u{E014}';
    pub(crate) const F10: char = '\u{E03A}';
}

/// A session with the app. It ends, and the app with it, when it is dropped.
pub(crate) struct Session {
    agent: ureq::Agent,
    address: String,
}

/// An element of the page.
#[derive(Debug, Clone)]
pub(crate) struct Element(String);

impl Session {
    /// Starts the app through a driver.
    pub(crate) fn start(driver: &str, app: &str) -> Result<Self, String> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        // No `browserName`: WebKitWebDriver would look for a browser of that name.
        let wanted = json!({"capabilities": {"alwaysMatch": {"tauri:options": {"application": app}}}});
        let mut session = Self { agent, address: driver.to_owned() };
        let made = session.post("session", &wanted)?;
        let id = made["sessionId"].as_str().ok_or_else(|| format!("The driver gave no session: {made}"))?;
        session.address = format!("{driver}/session/{id}");
        Ok(session)
    }

    /// Runs a script in the page; what it returns.
    pub(crate) fn script(&self, script: &str, arguments: &[Value]) -> Result<Value, String> {
        self.post("execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// The first element that a CSS selector finds.
    pub(crate) fn find(&self, selector: &str) -> Result<Element, String> {
        let found = self.post("element", &json!({"using": "css selector", "value": selector}))?;
        let id = found[ELEMENT].as_str().ok_or_else(|| format!("There is no {selector}: {found}"))?;
        Ok(Element(id.to_owned()))
    }

    /// Clicks where an element is.
    pub(crate) fn click(&self, element: &Element) -> Result<(), String> {
        self.post(&format!("element/{}/click", element.0), &json!({})).map(drop)
    }

    /// Types into an element.
    pub(crate) fn type_into(&self, element: &Element, text: &str) -> Result<(), String> {
        self.post(&format!("element/{}/value", element.0), &json!({"text": text})).map(drop)
    }

    /// Presses keys, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) -> Result<(), String> {
        let strokes: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
            })
            .collect();
        self.act(&strokes)
    }

    /// Presses one key while others are held.
    pub(crate) fn chord(&self, held: &[char], key: char) -> Result<(), String> {
        let stroke = |kind: &str, key: char| json!({"type": kind, "value": key});
        let down = held.iter().map(|key| stroke("keyDown", *key));
        let up = held.iter().rev().map(|key| stroke("keyUp", *key));
        let pressed = [stroke("keyDown", key), stroke("keyUp", key)];
        self.act(&down.chain(pressed).chain(up).collect::<Vec<_>>())
    }

    fn act(&self, strokes: &[Value]) -> Result<(), String> {
        self.post("actions", &json!({"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]}))
            .map(drop)
    }

    /// Gives the window a size.
    pub(crate) fn resize(&self, width: u32, height: u32) -> Result<(), String> {
        self.post("window/rect", &json!({"x": 0, "y": 0, "width": width, "height": height})).map(drop)
    }

    /// A picture of the page, as PNG in base 64.
    pub(crate) fn screenshot(&self) -> Result<String, String> {
        let picture = self.answer(self.agent.get(format!("{}/screenshot", self.address)).call())?;
        picture.as_str().map(str::to_owned).ok_or_else(|| "The driver gave no picture.".to_owned())
    }

    fn post(&self, command: &str, body: &Value) -> Result<Value, String> {
        self.answer(self.agent.post(format!("{}/{command}", self.address)).send_json(body))
            .map_err(|why| format!("{command}: {why}"))
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
        let mut answer = answer.map_err(|error| format!("the driver does not answer: {error}"))?;
        let body: Value =
            answer.body_mut().with_config().limit(64 << 20).read_json().map_err(|error| error.to_string())?;
        let value = body["value"].clone();
        if answer.status().is_success() { Ok(value) } else { Err(value.to_string()) }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The driver's process group is ended next, whatever this says.
        let _ = self.agent.delete(&self.address).call();
    }
}
