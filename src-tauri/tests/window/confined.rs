//! The page that is compiled in runs its own scripts alone and reaches nothing but the app.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use super::screen::Screen;
use super::stage::Stage;

/// What hostile text in the page would try. A script that `WebDriver` runs is not bound by the
/// policy, but what it adds to the page is.
const ATTEMPTS: &str = r"
    const host = arguments[0];
    window.refused = [];
    window.ran = [];
    document.addEventListener('securitypolicyviolation', event =>
        window.refused.push(event.effectiveDirective + ' ' + event.blockedURI));
    const add = (name, set) => {
        const element = Object.assign(document.createElement(name), set);
        document.body.append(element);
        return element;
    };
    const caught = (name, act) => { try { act(); } catch (error) { window.ran.push(name + ' ' + error.name); } };

    add('script', {textContent: `window.ran.push('inline script')`});
    add('div', {innerHTML: `<img src='data:,' onerror='window.ran.push(1)'>`});
    add('div', {innerHTML: `<p style='color: red'>styled</p>`});
    add('style', {textContent: `body {display: none}`});
    add('a', {href: `javascript:window.ran.push('address')`}).click();
    add('script', {src: `http://${host}/script.js`});
    add('script', {src: `data:text/javascript,window.ran.push('data script')`});
    caught('eval', () => eval(`window.ran.push('eval')`));
    caught('function', () => new Function(`window.ran.push('function')`)());
    caught('timer', () => setTimeout(`window.ran.push('timer')`, 0));
    fetch(`http://${host}/fetch`).then(
        () => window.ran.push('fetch'), error => window.ran.push('fetch ' + error.name));
    fetch('https://example.com/').then(
        () => window.ran.push('fetch'), error => window.ran.push('fetch ' + error.name));
    caught('socket', () => new WebSocket(`ws://${host}/socket`));
    add('img', {src: `http://${host}/picture.png`});
    add('iframe', {src: `http://${host}/frame`});
    add('link', {rel: 'stylesheet', href: `http://${host}/style.css`});
    add('object', {data: `http://${host}/object`});
    add('base', {href: `http://${host}/`});
    const form = add('form', {action: `http://${host}/form`, method: 'post'});
    form.submit();
";

/// The directives that refuse them, and what the page tells of each.
const REFUSED: [&str; 20] = [
    "script-src-elem inline",
    "script-src-attr inline",
    "img-src data",
    "style-src-attr inline",
    "style-src-elem inline",
    "script-src-elem inline",
    "script-src-elem http://HOST/script.js",
    "script-src-elem data",
    "script-src eval",
    "script-src eval",
    "script-src eval",
    "connect-src http://HOST/fetch",
    "connect-src https://example.com/",
    "connect-src ws://HOST/socket",
    "img-src http://HOST/picture.png",
    "frame-src http://HOST",
    "style-src-elem http://HOST/style.css",
    "object-src http://HOST",
    "base-uri http://HOST/",
    "form-action http://HOST/form",
];

#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn the_page_runs_and_reaches_nothing_of_others() {
    // Whoever is reached by the page comes in here.
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let host = listener.local_addr().expect("its address").to_string();

    let stage = Stage::with_password("ann", "unused");
    let screen = Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "not_configured");
    // The page that is compiled in, of no development server.
    let address = screen.script("return location.href", &[]);
    assert!(address.as_str().is_some_and(|address| address.starts_with("tauri://localhost")), "{address}");

    screen.script(ATTEMPTS, &[json!(host)]);
    let texts = |name: &str| -> Vec<String> {
        let list = screen.script(&format!("return window.{name}"), &[]);
        list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let expected: Vec<String> = REFUSED.iter().map(|line| line.replace("HOST", &host)).collect();
    let refused = screen.wait("all of it is refused", || {
        let refused = texts("refused");
        (refused.len() >= expected.len()).then_some(refused)
    });
    assert_eq!(sorted(refused), sorted(expected));
    let thrown = ["eval EvalError", "function EvalError", "socket SecurityError"];
    let thrown = thrown.into_iter().chain(["fetch TypeError"; 2]).map(str::to_owned).collect();
    let ran = screen.wait("the fetches have failed", || Some(texts("ran")).filter(|ran| ran.len() >= 5));
    assert_eq!(sorted(ran), sorted(thrown), "a script of the text's own ran");
    // A moment for what should not happen.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(texts("ran").len(), 5);
    let reached = listener.accept().expect_err("nobody is reached");
    assert_eq!(reached.kind(), ErrorKind::WouldBlock);
    assert_eq!(screen.script("return location.href", &[]), address, "the page is another");
}

/// What the page may not ask of the app, and what the window has no use for.
const FORBIDDEN: [&str; 4] =
    ["plugin:event|emit", "plugin:store|load", "plugin:window|close", "plugin:webview|create_webview_window"];

#[test]
#[ignore = "needs a display and tauri-driver; `cargo xtask test` runs it"]
fn the_page_calls_no_command_that_it_has_no_use_for() {
    let stage = Stage::with_password("ann", "unused");
    let screen = Screen::open(&stage);
    screen.wait_attribute("connection-status", "data-state", "not_configured");
    let call = "
        window.answered = {};
        for (const command of arguments[0]) {
            window.__TAURI_INTERNALS__.invoke(command, {event: 'connection', payload: 1, path: 'x.json'}).then(
                () => window.answered[command] = 'allowed',
                error => window.answered[command] = String(error));
        }";
    let commands: Vec<&str> = FORBIDDEN.into_iter().chain(["cache_usage"]).collect();
    screen.script(call, &[json!(commands)]);
    let answered = screen.wait("every command is answered", || {
        let answered = screen.script("return window.answered", &[]);
        (answered.as_object()?.len() == commands.len()).then_some(answered)
    });
    for command in FORBIDDEN {
        let told = answered[command].as_str().unwrap_or_default();
        assert!(told.contains("not allowed"), "{command}: {told}");
    }
    // The way there is open: what the window uses is answered.
    assert_eq!(answered["cache_usage"], json!("allowed"));
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}
