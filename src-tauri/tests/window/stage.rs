//! What the window's test stands on: a server with trades, folders of its own, and a driver.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tidemark_sample_desk::{Desk, LoadOptions, MAPPING, load};
use tidemark_test_server::TestServer;

/// Messages of the desk: enough for a progress bar, few enough to load in seconds.
const MESSAGES: u64 = 60_000;
const SEED: u64 = 7;
const DATABASE: &str = "desk";
const COLLECTION: &str = "messages";
/// How long the driver may take to listen.
const DRIVER_TIME: Duration = Duration::from_secs(20);

/// Everything that the app is started with.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    /// Where exports go.
    pub(crate) csv: PathBuf,
    /// Whether the app is told of the server, as in the demo.
    told: bool,
    /// The keychain that the app may use.
    keychain: Option<Keychain>,
    /// A cache that outlives the stage.
    cache: Option<PathBuf>,
    folder: tempfile::TempDir,
}

impl Stage {
    /// A server with a desk that has been at work until now, and an app that is told of it.
    pub(crate) fn with_desk() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Not `TestServer::start`, which may be somebody's own server: this one gets stopped.
        let server = TestServer::start_on(&folder.path().join("server"), 0).expect("a server to test with");
        load_desk(&server, MESSAGES);
        // A repeat within the hour is answered from the cache, however slow the machine is.
        let mapping = MAPPING.replace(r#""open_day_seconds": 60"#, r#""open_day_seconds": 3600"#);
        assert_ne!(mapping, MAPPING, "the sample desk's mapping has changed; adapt this test");
        fs::write(folder.path().join("mapping.json"), mapping).expect("the mapping is written");
        Self {
            csv: folder.path().join("export.csv"),
            server,
            told: true,
            keychain: None,
            cache: None,
            folder,
        }
    }

    /// A server with a desk, and an app that knows nothing of it.
    pub(crate) fn at_first_start() -> Self {
        Self { told: false, ..Self::with_desk() }
    }

    /// A server that asks for a password, and an app that knows nothing of it.
    pub(crate) fn with_password(user: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = TestServer::start_with_auth(user, password).expect("a server with a password");
        load_desk(&server, 300);
        Self {
            csv: folder.path().join("export.csv"),
            server,
            told: false,
            keychain: None,
            cache: None,
            folder,
        }
    }

    /// An app that knows no source and has a cache that is there already.
    pub(crate) fn with_cache(cache: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = TestServer::start_on(&folder.path().join("server"), 0).expect("a server to test with");
        let csv = folder.path().join("export.csv");
        Self { csv, server, told: false, keychain: None, cache: Some(cache), folder }
    }

    /// Gives the app a keychain whose files are in the folder of the stage. `None` if this system has no service for it.
    pub(crate) fn with_keychain(mut self) -> Option<Self> {
        self.keychain = Some(Keychain::start(&self.folder.path().join("data"))?);
        Some(self)
    }

    /// Everything that the app has stored as its settings.
    pub(crate) fn settings(&self) -> String {
        fs::read_to_string(self.folder.path().join("settings/settings.json")).unwrap_or_default()
    }

    /// Looks for a secret in every file that the app, the page and the driver have written.
    pub(crate) fn holds_nothing_of(&self, secret: &str) {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder of the stage").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                // The app is at work: a file may be gone again.
                let Ok(bytes) = fs::read(&path) else { continue };
                files += 1;
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
        }
        assert!(files > 2, "the stage has but {files} files: nothing was looked at");
    }

    /// Starts the app beside the one that is open, and waits until it has ended.
    pub(crate) fn start_beside(&self, app: &str, arguments: &[&str]) -> ExitStatus {
        let log = File::create(self.folder.path().join("second.log")).expect("a log file");
        let mut second = Command::new(app)
            .args(arguments)
            .envs(self.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the app can be started");
        let begun = Instant::now();
        loop {
            match second.try_wait().expect("the app can be waited for") {
                Some(ended) => return ended,
                None if begun.elapsed() > DRIVER_TIME => {
                    let _ = second.kill();
                    panic!("The second start goes on beside the first.");
                }
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The surroundings of the app: nothing of the user's own is read or written.
    fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        let inside = |name: &str| self.folder.path().join(name);
        let mut all = vec![
            ("TIDEMARK_CACHE_DIR", self.cache.clone().unwrap_or_else(|| inside("cache"))),
            ("TIDEMARK_SETTINGS_DIR", inside("settings")),
            ("TIDEMARK_LOG_DIR", inside("logs")),
            ("TIDEMARK_TEST_SAVE_DIALOG", self.csv.clone()),
            ("TIDEMARK_KEYCHAIN", if self.keychain.is_some() { "on" } else { "off" }.into()),
            // The page's own storage, such as the theme.
            ("XDG_DATA_HOME", inside("data")),
            ("XDG_CACHE_HOME", inside("webkit")),
            ("XDG_CONFIG_HOME", inside("config")),
        ];
        if self.told {
            all.extend([
                ("TIDEMARK_DEMO_URI", self.server.uri().into()),
                ("TIDEMARK_DEMO_DB", DATABASE.into()),
                ("TIDEMARK_DEMO_COLLECTION", COLLECTION.into()),
                ("TIDEMARK_DEMO_MAPPING", inside("mapping.json")),
            ]);
        }
        all
    }
}

/// Loads a desk that has been at work until now.
fn load_desk(server: &TestServer, messages: u64) {
    let desk = Desk::until(SEED, chrono::Utc::now(), messages);
    let loaded = tokio::runtime::Runtime::new().expect("a runtime").block_on(load(
        server.uri(),
        DATABASE,
        COLLECTION,
        &desk,
        LoadOptions::default(),
        |_| {},
    ));
    assert_eq!(loaded.expect("the desk is loaded"), messages);
}

/// A Secret Service on the bus of this session. It ends when this is dropped.
struct Keychain(Child);

impl Keychain {
    fn start(data: &Path) -> Option<Self> {
        let program = on_path("gnome-keyring-daemon")?;
        fs::create_dir_all(data).expect("a folder");
        let mut daemon = Command::new(program)
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("XDG_DATA_HOME", data)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the keychain can be started");
        // The password of a new keychain, which is unlocked by it.
        let written = daemon.stdin.take().map(|mut input| input.write_all(b"of the keychain"));
        written.expect("an input").expect("the password is taken");
        Some(Self(daemon))
    }
}

impl Drop for Keychain {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `tauri-driver`, and what it starts. They end when this is dropped.
pub(crate) struct Driver {
    process: Child,
    pub(crate) address: String,
    output: PathBuf,
}

impl Driver {
    pub(crate) fn start(stage: &Stage) -> Self {
        let program = std::env::var_os("TAURI_DRIVER").map_or_else(|| "tauri-driver".into(), PathBuf::from);
        let (port, native_port) = (free_port(), free_port());
        let output = stage.folder.path().join("driver.log");
        let log = File::create(&output).expect("a log file");
        let mut command = Command::new(&program);
        command
            .args(["--port", &port.to_string(), "--native-port", &native_port.to_string()])
            .env_remove("TIDEMARK_DEMO_URI")
            .envs(stage.environment())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        if let Some(native) = on_path("WebKitWebDriver") {
            command.arg("--native-driver").arg(native);
        }
        // A group of its own, so that the native driver and the app end with it.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let process = command.spawn().unwrap_or_else(|error| {
            panic!("{} cannot be started: {error}. `cargo xtask setup` installs it.", program.display())
        });
        let driver = Self { process, address: format!("http://127.0.0.1:{port}"), output };
        // The native driver behind it takes a little longer, and nothing waits for it but this.
        driver.wait_for(native_port);
        driver.wait_for(port);
        driver
    }

    fn wait_for(&self, port: u16) {
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < DRIVER_TIME, "The driver does not listen.\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The processes of the driver and of what it started, with their names.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let own = self.process.id();
        let entries = fs::read_dir("/proc").expect("the processes are listed").flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        ids.filter_map(|id| {
            let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
            let group: u32 = rest.split(' ').nth(2)?.parse().ok()?;
            (group == own).then(|| (id, name.to_owned()))
        })
        .collect()
    }

    /// What the driver and the app printed.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.output).unwrap_or_default()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = rustix::process::Pid::from_child(&self.process);
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file: &PathBuf| Path::is_file(file))
}
