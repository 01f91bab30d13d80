//! The servers, each a process on a core of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use hyper::header::HeaderName;
use sha2::{Digest as _, Sha256};
use tokio::process::{Child, Command};

use crate::client::Target;
use crate::job::{PASSWORD, USER};

/// Python's first start compiles its packages.
const START_TIME: Duration = Duration::from_secs(60);

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    /// `RUST_LOG=warn`: no line for each action.
    OursWithoutLog,
    Python,
    Node,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Ours, Kind::OursWithoutLog, Kind::Python, Kind::Node];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::OursWithoutLog => "ours, without its log",
            Kind::Python => "Python",
            Kind::Node => "Node",
        }
    }
}

/// Where the programs are.
pub struct Programs {
    pub gateway: PathBuf,
    /// A Python with the packages.
    pub python: Option<PathBuf>,
    /// The folder with `server.mjs` and its packages.
    pub node: Option<PathBuf>,
}

/// Which cores are whose; none where there is only one.
#[derive(Clone, Copy)]
pub struct Cores {
    pub servers: CoreId,
    pub bench: CoreId,
}

/// How to start servers.
pub struct Yard {
    pub programs: Programs,
    pub cores: Option<Cores>,
    folder: PathBuf,
    upstream: String,
    key: String,
}

/// A running server. It ends when this is dropped.
pub struct Server {
    pub kind: Kind,
    pub target: Target,
    pub pid: u32,
    process: Child,
}

impl Yard {
    /// Makes a caller's key in a state of its own.
    pub async fn new(programs: Programs, cores: Option<Cores>, folder: &Path, upstream: String) -> Yard {
        // What an earlier run left.
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        let mut yard = Yard {
            programs,
            cores,
            folder: folder.to_owned(),
            upstream,
            key: String::new(),
        };
        let made = Command::new(&yard.programs.gateway)
            .args(["keys", "create", "bench", "--label", "bench", "--state"])
            .arg(yard.state())
            .output()
            .await
            .expect("the gateway's command runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        yard.key = String::from_utf8_lossy(&made.stdout).trim().to_owned();
        yard
    }

    /// Starts a server and waits until it listens. The error says why it does not.
    pub async fn start(&self, kind: Kind) -> Result<Server, String> {
        let mut command = self.command(kind)?;
        let log = self.folder.join(format!("{}.log", kind.name()));
        // Another server of the kind may write into its own, which has no name from here on.
        let _ = fs::remove_file(&log);
        let file = File::create(&log).expect("a file");
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a file"))
            .stderr(file)
            .kill_on_drop(true);
        let process = self
            .on_servers_core(|| command.spawn())
            .map_err(|error| error.to_string())?;
        let pid = process.id().ok_or("it ended at once")?;
        let mut server = Server {
            kind,
            target: Target {
                address: ([127, 0, 0, 1], 0).into(),
                header: (HeaderName::from_static("x-api-key"), self.key.clone()),
            },
            pid,
            process,
        };
        let begun = Instant::now();
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if let Some(port) = port(&text) {
                server.target.address.set_port(port);
                return Ok(server);
            }
            if server.process.try_wait().is_ok_and(|ended| ended.is_some()) || begun.elapsed() > START_TIME {
                return Err(format!("{} does not listen: {}", kind.name(), text.trim()));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn command(&self, kind: Kind) -> Result<Command, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = match kind {
            Kind::Ours | Kind::OursWithoutLog => {
                let mut command = Command::new(&self.programs.gateway);
                command
                    .args([
                        "up",
                        "--listen",
                        "127.0.0.1:0",
                        "--require-keys",
                        "--allow-private-upstreams",
                    ])
                    .arg("--integration")
                    .arg(folder.join("integration.yaml"))
                    .args(["--set", &format!("bench.base_url={}", self.upstream)])
                    .args(["--set", &format!("bench.user={USER}"), "--state"])
                    .arg(self.state())
                    .env("TICKET_GATEWAY_SECRET_BENCH_PASSWORD", PASSWORD)
                    .env_remove("RUST_LOG");
                if kind == Kind::OursWithoutLog {
                    command.env("RUST_LOG", "warn");
                }
                command
            }
            Kind::Python => {
                let mut command = Command::new(
                    self.programs
                        .python
                        .as_ref()
                        .ok_or("its packages cannot be had")?,
                );
                command
                    .args(["-m", "uvicorn", "server:app", "--port", "0", "--app-dir"])
                    .arg(folder.join("python"))
                    .args(["--loop", "uvloop", "--http", "httptools"])
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                command
            }
            Kind::Node => {
                let folder = self.programs.node.as_ref().ok_or("its packages cannot be had")?;
                let mut command = Command::new("node");
                command
                    .arg(folder.join("server.mjs"))
                    .env("NODE_ENV", "production");
                command
            }
        };
        command
            .env("CALLER_KEY_SHA256", hexadecimal(&Sha256::digest(&self.key)))
            .env("UPSTREAM_URL", &self.upstream)
            .env("UPSTREAM_USER", USER)
            .env("UPSTREAM_PASSWORD", PASSWORD);
        Ok(command)
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state.redb")
    }

    /// A process is born on the cores of the thread that starts it.
    fn on_servers_core<T>(&self, start: impl FnOnce() -> T) -> T {
        let Some(cores) = self.cores else { return start() };
        core_affinity::set_for_current(cores.servers);
        let started = start();
        core_affinity::set_for_current(cores.bench);
        started
    }
}

/// All three say where they listen: `http://127.0.0.1:41234`. The gateway names the ticketing system nowhere.
fn port(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("http://127.0.0.1:")?;
    let end = rest.find(|character: char| !character.is_ascii_digit())?;
    rest.get(..end)?.parse().ok()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
