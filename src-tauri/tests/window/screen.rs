//! The window as the test sees it: by the marks that the page carries for it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::stage::{Driver, Stage};
use super::webdriver::Session;

/// How long something in the window may take.
const LIMIT: Duration = Duration::from_secs(20);

/// The app's window.
pub(crate) struct Screen {
    session: Session,
    driver: Driver,
}

impl Screen {
    pub(crate) fn open(stage: &Stage) -> Self {
        let driver = Driver::start(stage);
        let mut tries = 0;
        loop {
            match Session::start(&driver.address, &app()) {
                Ok(session) => return Self { session, driver },
                // The app of the screen before may still be closing, and a start beside it hands over to it.
                Err(_) if tries < 2 => tries += 1,
                Err(why) => panic!("The app did not start under the driver: {why}\n{}", driver.said()),
            }
            std::thread::sleep(Duration::from_secs(2));
        }
    }

    /// Runs a script in the page.
    pub(crate) fn script(&self, script: &str, arguments: &[Value]) -> Value {
        self.session
            .script(script, arguments)
            .unwrap_or_else(|why| self.fail(&format!("A script failed: {why}")))
    }

    /// An attribute of what carries a mark.
    pub(crate) fn attribute(&self, mark: &str, name: &str) -> Option<String> {
        let script =
            "return document.querySelector(`[data-testid=\"${arguments[0]}\"]`)?.getAttribute(arguments[1])";
        self.script(script, &[json!(mark), json!(name)]).as_str().map(str::to_owned)
    }

    /// The text of what carries a mark; none where nothing does.
    pub(crate) fn text(&self, mark: &str) -> Option<String> {
        let script = "return document.querySelector(`[data-testid=\"${arguments[0]}\"]`)?.textContent";
        self.script(script, &[json!(mark)]).as_str().map(str::to_owned)
    }

    /// What is typed in a field; blank if there is none.
    pub(crate) fn value(&self, mark: &str) -> String {
        let script = "return document.querySelector(`[data-testid=\"${arguments[0]}\"]`)?.value";
        self.script(script, &[json!(mark)]).as_str().unwrap_or_default().to_owned()
    }

    /// A count that something shows.
    pub(crate) fn count(&self, mark: &str) -> Option<u64> {
        self.attribute(mark, "data-count")?.parse().ok()
    }

    /// Memory of the app and of its page's processes together, in bytes: pages that several share count once (PSS).
    pub(crate) fn memory(&self) -> u64 {
        let driver = ["tauri-driver", "WebKitWebDriver"];
        let processes = self.driver.processes();
        let apps = processes.iter().filter(|(_, name)| !driver.iter().any(|other| other.starts_with(name)));
        let kilobytes = |id: &u32| {
            let text = fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?;
            text.lines()
                .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        };
        apps.filter_map(|(id, _)| kilobytes(id)).sum::<u64>() * 1024
    }

    /// Waits until something is so.
    pub(crate) fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.wait_for(what, LIMIT, look)
    }

    /// Waits until something is so, for a time of its own.
    pub(crate) fn wait_for<T>(&self, what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if started.elapsed() > limit {
                self.fail(&format!("Waited {} s in vain until {what}.", limit.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(60));
        }
    }

    /// Waits until an attribute has a value.
    pub(crate) fn wait_attribute(&self, mark: &str, name: &str, value: &str) {
        self.wait(&format!("{mark} has {name}={value}"), || {
            (self.attribute(mark, name).as_deref() == Some(value)).then_some(())
        });
    }

    /// Clicks what a selector finds, as soon as it can be clicked.
    pub(crate) fn click_on(&self, selector: &str) {
        let mut why = String::new();
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            match self.session.find(selector).and_then(|element| self.session.click(&element)) {
                Ok(()) => return,
                Err(problem) => why = problem,
            }
            std::thread::sleep(Duration::from_millis(60));
        }
        self.fail(&format!("{selector} cannot be clicked: {why}"));
    }

    /// Clicks what carries a mark.
    pub(crate) fn click(&self, mark: &str) {
        self.click_on(&marked(mark));
    }

    /// Types into what a selector finds.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let typed = self.session.find(selector).and_then(|element| self.session.type_into(&element, text));
        typed.unwrap_or_else(|why| self.fail(&format!("Nothing can be typed into {selector}: {why}")));
    }

    /// Presses keys, wherever the focus is.
    pub(crate) fn press(&self, keys: &str) {
        self.session.press(keys).unwrap_or_else(|why| self.fail(&format!("Keys cannot be pressed: {why}")));
    }

    /// Presses one key while others are held.
    pub(crate) fn chord(&self, held: &[char], key: char) {
        self.session
            .chord(held, key)
            .unwrap_or_else(|why| self.fail(&format!("Keys cannot be pressed: {why}")));
    }

    /// Gives the page a size.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.session
            .resize(width, height)
            .unwrap_or_else(|why| self.fail(&format!("The window cannot be resized: {why}")));
        self.wait("the window has its new size", || {
            let size = self.script("return [innerWidth, innerHeight]", &[]);
            (size == json!([width, height])).then_some(())
        });
    }

    /// Keeps a picture, where `TIDEMARK_SCREENSHOTS` names a folder.
    pub(crate) fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("TIDEMARK_SCREENSHOTS").map(PathBuf::from) else { return };
        // What the page has changed just now is not on the screen yet.
        std::thread::sleep(Duration::from_millis(300));
        let kept = self.session.screenshot().and_then(|picture| {
            fs::create_dir_all(&folder)
                .and_then(|()| fs::write(folder.join(format!("{name}.png")), from_base64(&picture)))
                .map_err(|error| error.to_string())
        });
        if let Err(why) = kept {
            println!("no picture {name}: {why}");
        }
    }

    /// Ends the test with what can be seen and what was printed.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.picture("failure");
        let page = self.session.script("return document.body.innerText", &[]).unwrap_or_default();
        let page = page.as_str().unwrap_or("(nothing)");
        panic!("{why}\n\n--- the window ---\n{page}\n\n--- printed ---\n{}", self.driver.said());
    }
}

/// The app that is tested: the one that was built with the test, or the one that `TIDEMARK_TEST_APP` names, such
/// as that of a release.
pub(crate) fn app() -> String {
    std::env::var("TIDEMARK_TEST_APP").unwrap_or_else(|_| env!("CARGO_BIN_EXE_tidemark").to_owned())
}

/// The selector of a mark.
pub(crate) fn marked(mark: &str) -> String {
    format!("[data-testid=\"{mark}\"]")
}

fn from_base64(text: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let values: Vec<u32> = text
        .bytes()
        .filter_map(|sign| SIGNS.iter().position(|known| *known == sign))
        .filter_map(|value| u32::try_from(value).ok())
        .collect();
    let decode = |four: &[u32]| {
        let bits = four.iter().enumerate().fold(0, |bits, (at, value)| bits | value << (18 - 6 * at));
        bits.to_be_bytes()[1..four.len()].to_vec()
    };
    values.chunks(4).flat_map(decode).collect()
}
