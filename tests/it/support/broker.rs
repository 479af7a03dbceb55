//! A broker of the built binary, in a folder of its own, on a port of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

/// A folder that is removed with its value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty folder below the build folder, on a real filesystem.
    pub(crate) fn new(name: &str) -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        // Left over from a run that was killed under the same process id.
        let _absent = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the build folder is writable");
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _best_effort = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that brokers are started at one after the other; no other test gets it in between.
pub(crate) struct Port {
    address: SocketAddr,
    /// A connection of it: the system gives its port only to listeners that ask for this one.
    _ends: [TcpStream; 2],
}

impl Port {
    pub(crate) fn reserve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let dialled = TcpStream::connect(address).expect("it listens");
        let (accepted, _) = listener.accept().expect("it was dialled");
        Self {
            address,
            _ends: [dialled, accepted],
        }
    }

    /// Where clients connect to, whenever a broker is there.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A running broker; dropping it kills it.
pub(crate) struct Broker {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
    admin: Option<SocketAddr>,
}

impl Broker {
    /// Starts `riverrun dev` on the folder and waits until it says where it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_with(data, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_with(data: &Path, arguments: &[&str]) -> Self {
        Self::listen("127.0.0.1:0", data, arguments)
    }

    /// Starts where another one was, or will be.
    pub(crate) fn start_at(port: &Port, data: &Path, arguments: &[&str]) -> Self {
        Self::listen(&port.address().to_string(), data, arguments)
    }

    fn listen(address: &str, data: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_riverrun"))
            .args(["dev", "--listen", address, "--data"])
            .arg(data)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the built binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let (mut address, mut admin) = (None, None);
        let mut line = String::new();
        while address.is_none() {
            line.clear();
            let length = stdout.read_line(&mut line).expect("stdout is readable");
            assert!(
                length > 0,
                "the broker ended before it listened: {:?}",
                child.wait()
            );
            if let Some(rest) = line.split("admin ").nth(1) {
                admin = rest.trim().trim_start_matches("http://").parse().ok();
            } else if let Some(rest) = line.split("listening on ").nth(1) {
                address = rest.trim().parse().ok();
            }
        }
        Self {
            child,
            stdout,
            address: address.expect("found above"),
            admin,
        }
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as text.
    pub(crate) fn bootstrap(&self) -> String {
        self.address.to_string()
    }

    /// Where the metrics are, if `--admin` was given.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin.expect("started with --admin")
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a power switch ends a program: no handler runs.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the broker is still running");
        self.child.wait().expect("it was our child");
    }

    /// Asks the broker to stop and returns how it ended and what it still printed.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success(), "SIGTERM to {pid}");
        let status = self.child.wait().expect("it was our child");
        let mut rest = String::new();
        self.stdout
            .read_to_string(&mut rest)
            .expect("stdout is UTF-8");
        (status, rest)
    }

    /// Whether the process is still there.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped_already = self.child.wait();
    }
}
