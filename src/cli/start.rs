//! `riverrun dev` and `riverrun serve`: from words to a running node.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use runtime::{LaunchOptions, Pinning};

use crate::broker::{Milestone, Plan, run_shard};
use crate::config::{Address, NodeConfig, NodeConfigError};
use crate::start_error::StartError;

use super::args::{Dev, Serve};
use super::failure::{Failure, complain};
use super::greeting::Greeting;
use super::{logging, port_owner, ready};

/// Runs a node for development.
pub(super) fn dev(args: &Dev) -> Result<(), Failure> {
    let scratch = args.ephemeral.then(Scratch::new).transpose()?;
    let data = scratch
        .as_ref()
        .map_or(args.data.as_path(), |scratch| scratch.0.as_path());
    let mut settings = vec![
        format!("data.dir={}", data.display()),
        format!("listen={}", args.listen),
    ];
    settings.extend(
        args.admin
            .as_ref()
            .map(|admin| format!("admin.listen={admin}")),
    );
    settings.extend(args.cores.map(|cores| format!("cores={cores}")));
    settings.extend(args.set.iter().cloned());
    let config = NodeConfig::parse("", &settings)?;
    let greeting = Greeting {
        shards: launch_options(&config)?.cpus.len(),
        data: config.data_dirs.clone(),
        durability: config.given("durability").unwrap_or("group").to_owned(),
    };
    let left_behind = scratch.as_ref().map(|scratch| scratch.0.clone());
    run_node(config, TYPED_TO_DEV, move |milestone| match milestone {
        Milestone::Listening { address, admin } => {
            // The broker serves on when nobody reads what it says.
            let _unread = greeting.say(address, admin);
        }
        Milestone::Ready => {}
        Milestone::Stopping => complain("stopping"),
        Milestone::StoppingAtOnce => {
            // What cannot be removed is in the folder for temporary files.
            let _left_behind = left_behind.as_ref().map(std::fs::remove_dir_all);
        }
    })
}

/// Runs a node from a configuration file.
pub(super) fn serve(args: &Serve) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&args.config).map_err(|source| ConfigFile::Read {
        path: args.config.clone(),
        source,
    })?;
    let config = NodeConfig::parse(&text, &args.set).map_err(|source| ConfigFile::Refused {
        path: args.config.clone(),
        source,
    })?;
    run_node(config, TYPED_TO_SERVE, |milestone| match milestone {
        Milestone::Listening { address, .. } => tracing::info!(%address, "listening"),
        Milestone::Ready => {
            tracing::info!("ready");
            ready::tell("READY=1");
        }
        Milestone::Stopping => {
            tracing::info!("stopping");
            ready::tell("STOPPING=1");
        }
        Milestone::StoppingAtOnce => tracing::warn!("a second signal: stopping at once"),
    })
}

/// What is typed before an address to listen on.
#[derive(Clone, Copy, Debug)]
struct ListenOptions {
    clients: &'static str,
    admin: &'static str,
}

const TYPED_TO_DEV: ListenOptions = ListenOptions {
    clients: "--listen ",
    admin: "--admin ",
};

const TYPED_TO_SERVE: ListenOptions = ListenOptions {
    clients: "--set listen=",
    admin: "--set admin.listen=",
};

fn run_node(
    config: NodeConfig,
    options: ListenOptions,
    announce: impl Fn(Milestone) + Send + Sync + 'static,
) -> Result<(), Failure> {
    logging::start(&config);
    let listen = resolve(&config.listen)?;
    let admin = config.admin_listen.as_ref().map(resolve).transpose()?;
    let (first, others) = config.first_data_dir();
    std::fs::create_dir_all(first).map_err(|source| DataDirectory {
        path: first.to_path_buf(),
        source,
    })?;
    check_machine(first)?;
    for path in others {
        look_at(path);
    }
    let launch = launch_options(&config)?;
    let announce = move |milestone| {
        announce(milestone);
        if milestone == Milestone::StoppingAtOnce {
            complain("stopped at once; the next start replays the journal");
            std::process::exit(1);
        }
    };
    let plan = Arc::new(Plan {
        config: Arc::new(config),
        listen,
        admin,
        announce: Box::new(announce),
        failure: Mutex::new(None),
    });
    let shared = Arc::clone(&plan);
    runtime::launch(&launch, move |mesh| run_shard(mesh, Arc::clone(&shared)))?;
    let failure = plan
        .failure
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    match failure {
        None => Ok(()),
        Some(StartError::Listen { address, source }) => {
            Err(cannot_listen(&plan, options, address, source))
        }
        Some(error) => Err(error.into()),
    }
}

/// The configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
enum ConfigFile {
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path}")]
    Refused {
        path: PathBuf,
        #[source]
        source: NodeConfigError,
    },
}

/// The data directory cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the data directory {path}")]
struct DataDirectory {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// The name of an address does not resolve.
#[derive(Debug, thiserror::Error)]
#[error("cannot find the address of {address}")]
struct Unresolved {
    address: String,
    #[source]
    source: Option<std::io::Error>,
}

fn resolve(address: &Address) -> Result<SocketAddr, Unresolved> {
    let unresolved = |source| Unresolved {
        address: address.to_string(),
        source,
    };
    let mut found = (address.host(), address.port())
        .to_socket_addrs()
        .map_err(|error| unresolved(Some(error)))?;
    found.next().ok_or_else(|| unresolved(None))
}

/// The machine lacks something that a node needs.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {fix}")]
struct Unfit {
    what: String,
    fix: String,
}

/// One shard a core that this process may use, or as many as the configuration says.
fn launch_options(config: &NodeConfig) -> Result<LaunchOptions, Failure> {
    let allowed = runtime::allowed_cpus()?;
    let wanted = config.cores.map_or(allowed.len(), usize::from);
    if wanted > allowed.len() {
        return Err(format!(
            "cores = {wanted}, and this process may use {}: lower it, or give the process more",
            allowed.len()
        )
        .into());
    }
    Ok(LaunchOptions {
        cpus: allowed.into_iter().take(wanted).collect(),
        pinning: Pinning::Pinned,
        io_memory: config.io_memory,
        tcp_congestion: config.tcp_congestion.clone(),
    })
}

/// Checks what a node cannot run without.
fn check_machine(first: &Path) -> Result<(), Unfit> {
    let checks = runtime::preflight();
    for check in checks.into_iter().chain([runtime::check_data_dir(first)]) {
        if let runtime::Outcome::Failed { what, fix } = check.outcome {
            return Err(Unfit { what, fix });
        }
    }
    Ok(())
}

/// Says what is wrong with a data directory beside the first. Without it the node runs all the same, and
/// what is not there yet is made when it is sure that it is new.
fn look_at(path: &Path) {
    if path.is_dir()
        && let runtime::Outcome::Failed { what, fix } = runtime::check_data_dir(path).outcome
    {
        tracing::warn!(directory = %path.display(), what, fix, "a data directory cannot be used");
    }
}

/// Says why an address cannot be listened on, and what to do.
fn cannot_listen(
    plan: &Plan,
    options: ListenOptions,
    address: SocketAddr,
    source: std::io::Error,
) -> Failure {
    match (source.kind(), &plan.config.tcp_congestion) {
        (std::io::ErrorKind::AddrInUse, _) if plan.admin == Some(address) => {
            taken(address, options.admin)
        }
        (std::io::ErrorKind::AddrInUse, _) => taken(address, options.clients),
        // The only thing about a listener that the kernel may not have.
        (std::io::ErrorKind::NotFound, Some(name)) => no_congestion_control(name),
        _ => StartError::Listen { address, source }.into(),
    }
}

fn no_congestion_control(name: &str) -> Failure {
    const AVAILABLE: &str = "/proc/sys/net/ipv4/tcp_available_congestion_control";
    let text = format!("tcp.congestion = {name}: the kernel does not have it");
    match std::fs::read_to_string(AVAILABLE) {
        Ok(names) => format!("{text}, it has {}", names.trim()).into(),
        Err(_) => text.into(),
    }
}

/// An address is in use; says by whom and what to do.
fn taken(address: SocketAddr, option: &str) -> Failure {
    let by = match port_owner::of(address.port()) {
        Some(owner) => format!("{} (process {})", owner.command, owner.pid),
        None => "another process".to_owned(),
    };
    let port = address.port();
    format!(
        "port {port} is taken by {by}; stop it, or listen elsewhere: {option}{}",
        SocketAddr::new(address.ip(), port.checked_add(1).unwrap_or(0))
    )
    .into()
}

/// A folder for `--ephemeral`, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("riverrun-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "the data stays behind");
        }
    }
}
