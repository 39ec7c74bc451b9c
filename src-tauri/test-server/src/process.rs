//! The server as a child process: start, wait for its first answer, end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Program, Setup};
use crate::wire;

/// How often a starting server is looked at.
const POLL: Duration = Duration::from_millis(10);

/// How long a server may take to shut down in order before it is killed.
const SHUT_DOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    // Dropped after `server` was killed: what it watches over has been dealt with then.
    watchdog: Option<Child>,
}

impl Process {
    /// Starts `program` in `folder` and waits until it answers a ping. Gives the port beside it.
    pub(crate) fn start(
        program: &Program,
        folder: &Path,
        folder_is_temporary: bool,
        port: Option<u16>,
        setup: Setup,
        timeout: Duration,
    ) -> Result<(Self, u16), String> {
        let asked = port.map_or_else(|| program.any_port(), Ok)?;
        let data = folder.join("data");
        let log = folder.join("server.log");
        let failed = |what: &str, error: &dyn std::fmt::Display| {
            format!("The test server's {what} cannot be made in {}: {error}.", folder.display())
        };
        std::fs::create_dir_all(&data).map_err(|error| failed("data folder", &error))?;
        let output = File::create(&log).map_err(|error| failed("log", &error))?;
        let errors = output.try_clone().map_err(|error| failed("log", &error))?;

        let mut command = program.command(&data, asked, setup);
        command.current_dir(folder).stdin(Stdio::null()).stdout(output).stderr(errors);
        own_group(&mut command);
        let server = command
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}.", command.get_program().display()))?;
        let watchdog = watchdog(&server, folder_is_temporary.then_some(folder));
        let mut process = Self { server, watchdog };

        let started = Instant::now();
        loop {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            if let Ok(Some(status)) = process.server.try_wait() {
                return Err(format!("The test server ended while starting ({status}). {}", tail(&said)));
            }
            let port = if asked == 0 { program.reported_port(&said) } else { Some(asked) };
            if let Some(port) = port.filter(|port| wire::answers(*port)) {
                return Ok((process, port));
            }
            if started.elapsed() > timeout {
                return Err(format!(
                    "The test server did not answer within {} s. {}",
                    timeout.as_secs(),
                    tail(&said)
                ));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Ends the server in order; kills it where it does not end in time.
    pub(crate) fn shut_down(mut self) -> Result<(), String> {
        if !self.terminate() {
            return Ok(());
        }
        let started = Instant::now();
        while started.elapsed() < SHUT_DOWN_TIMEOUT {
            match self.server.try_wait() {
                Ok(None) => std::thread::sleep(POLL),
                Ok(Some(_)) => return Ok(()),
                Err(error) => {
                    return Err(format!("The test server cannot be waited for: {error}."));
                }
            }
        }
        Err(format!(
            "The test server did not shut down within {} s and was killed.",
            SHUT_DOWN_TIMEOUT.as_secs()
        ))
    }

    /// Asks the server to end. False where there is no way to ask.
    #[cfg(unix)]
    fn terminate(&self) -> bool {
        self.signal(rustix::process::Signal::CONT).is_ok()
            && self.signal(rustix::process::Signal::TERM).is_ok()
    }

    #[cfg(not(unix))]
    fn terminate(&self) -> bool {
        false
    }

    /// Freezes the server.
    #[cfg(unix)]
    pub(crate) fn pause(&self) -> Result<(), String> {
        self.signal(rustix::process::Signal::STOP)
    }

    /// Wakes the server.
    #[cfg(unix)]
    pub(crate) fn resume(&self) -> Result<(), String> {
        self.signal(rustix::process::Signal::CONT)
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) -> Result<(), String> {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.server), signal)
            .map_err(|error| format!("The test server cannot be signalled: {error}."))
    }

    /// Freezes the server.
    #[cfg(not(unix))]
    pub(crate) fn pause(&self) -> Result<(), String> {
        Err("A server can be paused on Linux and macOS only.".to_owned())
    }

    /// Wakes the server.
    #[cfg(not(unix))]
    pub(crate) fn resume(&self) -> Result<(), String> {
        Err("A server can be paused on Linux and macOS only.".to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a failure here, and a process that has ended is what is wanted.
        let _ = self.server.kill();
        if let Some(watchdog) = &mut self.watchdog {
            // Before the server's id is free for another process to get.
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
        let _ = self.server.wait();
    }
}

/// Takes the server out of our process group, so that Ctrl-C in a terminal reaches us alone and we end it.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// A shell that waits for our end of a pipe to close, which the system does however we die, and
/// then kills the server and removes its temporary folder.
#[cfg(unix)]
fn watchdog(server: &Child, temporary: Option<&Path>) -> Option<Child> {
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"cat >/dev/null; kill -9 "$1"; if [ -n "$2" ]; then sleep 0.2; rm -rf "$2"; fi"#])
        .args(["tidemark-server-watchdog", &server.id().to_string()])
        .arg(temporary.unwrap_or(Path::new("")))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    own_group(&mut command);
    // Without it the server is still ended by every ordinary way out.
    command.spawn().ok()
}

#[cfg(not(unix))]
fn watchdog(_server: &Child, _temporary: Option<&Path>) -> Option<Child> {
    None
}

/// The end of a log, for an error message.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(5).collect();
    match lines.is_empty() {
        true => "It said nothing.".to_owned(),
        false => format!("It said: {}", lines.into_iter().rev().collect::<Vec<_>>().join(" / ")),
    }
}
