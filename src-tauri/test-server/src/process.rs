//! The server as a child process: start, wait for the first answer, end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Program, Setup};
use crate::wire;

/// How often to check a server that is starting or ending.
const POLL: Duration = Duration::from_millis(10);

/// How long a clean shutdown may take before the server is killed.
const SHUT_DOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    // Stopped in `drop` once `server` has been killed, since there is nothing left to watch then.
    watchdog: Option<Child>,
}

impl Process {
    /// Starts `program` in `folder` and waits until it answers a ping. Also returns the port.
    pub(crate) fn start(
        program: &Program,
        folder: &Path,
        folder_is_temporary: bool,
        port: Option<u16>,
        setup: &Setup,
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
            let answers = |port: &u16| match setup {
                Setup::WithTls(_) => wire::accepts(*port),
                _ => wire::answers(*port),
            };
            if let Some(port) = port.filter(answers) {
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

    /// Shuts the server down cleanly; kills it if it does not end in time.
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

    /// Asks the server to end. Returns false if that is not possible.
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
        // A failure here cannot be handled, and a process that has already ended is fine.
        let _ = self.server.kill();
        if let Some(watchdog) = &mut self.watchdog {
            // Before the server's process id can be reused.
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
        let _ = self.server.wait();
    }
}

/// Moves the server out of this process group, so that Ctrl-C in a terminal reaches only this process, which then
/// ends it.
#[cfg(unix)]
fn own_group(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(not(unix))]
fn own_group(_command: &mut Command) {}

/// Starts a shell that waits until this process's end of a pipe is closed, which the system does however the process
/// dies. The shell then kills the server and deletes its temporary folder.
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
    // Optional: without it, the server is still ended by every regular exit.
    command.spawn().ok()
}

#[cfg(not(unix))]
fn watchdog(_server: &Child, _temporary: Option<&Path>) -> Option<Child> {
    None
}

/// The end of a log, for error messages.
fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().rev().take(5).collect();
    match lines.is_empty() {
        true => "It said nothing.".to_owned(),
        false => format!("It said: {}", lines.into_iter().rev().collect::<Vec<_>>().join(" / ")),
    }
}
