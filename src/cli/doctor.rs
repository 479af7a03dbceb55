//! `riverrun doctor`: can this machine run a node, and how fast are its disk and its loopback?

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use runtime::{
    AlignedBuffer, Check, Chunk, ConnectionLimits, File, LaunchOptions, Listener, Mesh, OpenMode,
    Outcome, Queue,
};
use types::{BLOCK_SIZE, ByteCount};

use super::args::{Doctor, OutputFormat};
use super::failure::{Failure, OutputFailed};
use super::stdout::Stdout;
use super::visit::Visit;
use crate::causes::with_causes;

/// How often each thing is measured.
const SAMPLES: usize = 500;

/// What was measured.
#[derive(Debug)]
struct Measured {
    name: &'static str,
    /// In which data directory.
    directory: Option<PathBuf>,
    /// Sorted.
    times: Vec<Duration>,
}

impl Measured {
    fn new(name: &'static str, directory: Option<&Path>, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self {
            name,
            directory: directory.map(Path::to_path_buf),
            times,
        }
    }

    /// The values below which half of the samples lie, and 99 in 100, in microseconds.
    fn percentiles_us(&self) -> [u128; 2] {
        [50, 99].map(|percent| {
            let index = self.times.len().saturating_sub(1) * percent / 100;
            self.times
                .get(index)
                .copied()
                .unwrap_or_default()
                .as_micros()
        })
    }
}

/// The machine lacks something; the table said what.
#[derive(Debug, thiserror::Error)]
#[error("this machine cannot run a node yet")]
struct Unfit;

/// Checks and measures what can be, prints it all, and leaves the data directories as they were;
/// fails if a check failed.
pub(super) fn run(command: &Doctor) -> Result<(), Failure> {
    let mut checks = runtime::preflight();
    let can_start = checks.iter().all(Check::is_ok);
    let mut visits = Vec::new();
    let mut usable = Vec::new();
    for path in &command.data {
        let check = match Visit::begin(path) {
            Ok(visit) => {
                visits.push(visit);
                runtime::check_data_dir(path)
            }
            Err(error) => unmade(path, &error),
        };
        if check.is_ok() {
            usable.push(path.clone());
        }
        checks.push(check);
    }
    let measured = if can_start {
        measure(&usable).unwrap_or_else(|error| {
            checks.push(unmeasured(error.as_ref()));
            Vec::new()
        })
    } else {
        Vec::new()
    };
    let fit = checks.iter().all(Check::is_ok);
    let mut stdout = Stdout::open()?;
    match command.output {
        OutputFormat::Text => print_table(&mut stdout, &checks, &measured)?,
        OutputFormat::Json => stdout.line(document(&checks, &measured))?,
    }
    stdout.flush()?;
    if fit { Ok(()) } else { Err(Unfit.into()) }
}

fn unmade(path: &Path, error: &std::io::Error) -> Check {
    let what = format!("cannot make {}: {error}", path.display());
    let fix = "let this user write there, or choose another data directory";
    failed("data directory", what, fix)
}

fn unmeasured(error: &dyn std::error::Error) -> Check {
    let fix = "look at the disk and the loopback with dmesg";
    failed("measurements", with_causes(error), fix)
}

fn failed(name: &'static str, what: String, fix: &str) -> Check {
    let fix = fix.to_owned();
    let outcome = Outcome::Failed { what, fix };
    Check { name, outcome }
}

fn measure(directories: &[PathBuf]) -> Result<Vec<Measured>, Failure> {
    let result = Arc::new(Mutex::new(None));
    let (shared, directories) = (Arc::clone(&result), directories.to_vec());
    runtime::launch(&LaunchOptions::default(), move |_: Mesh<(), ()>| {
        let (shared, directories) = (Arc::clone(&shared), directories.clone());
        async move {
            let measured = measure_here(&directories).await;
            *shared.lock().expect("nobody panics while holding it") = Some(measured);
        }
    })?;
    let measured = result
        .lock()
        .expect("nobody panics while holding it")
        .take();
    Ok(measured.expect("the shard has ended")?)
}

async fn measure_here(directories: &[PathBuf]) -> std::io::Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for directory in directories {
        let path = directory.join(format!("doctor-{}", std::process::id()));
        let times = syncs(&path).await;
        runtime::remove_file(&path).await?;
        let name = "write and sync 4 KiB";
        measured.push(Measured::new(name, Some(directory), times?));
    }
    let name = "loopback round trip";
    measured.push(Measured::new(name, None, round_trips().await?));
    Ok(measured)
}

/// One block written and synced at a time, over blocks that were written before.
async fn syncs(path: &Path) -> std::io::Result<Vec<Duration>> {
    const BLOCKS: u64 = 256;
    let block = ByteCount(BLOCK_SIZE).as_usize();
    let file = File::open(path, OpenMode::Create).await?;
    let zeros = AlignedBuffer::zeroed(block * ByteCount(BLOCKS).as_usize());
    file.write_at(zeros, 0).await?;
    file.sync_data().await?;
    let mut times = Vec::with_capacity(SAMPLES);
    for sample in 0..SAMPLES {
        let position = ByteCount::from(sample).0 % BLOCKS * BLOCK_SIZE;
        let started = runtime::now();
        file.write_at_synced(AlignedBuffer::zeroed(block), position)
            .await?;
        times.push(runtime::now().since(started));
    }
    file.close().await?;
    Ok(times)
}

/// One small frame to ourselves and back at a time.
async fn round_trips() -> std::io::Result<Vec<Duration>> {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = listener.local_addr();
    let echo = runtime::spawn(Queue::Latency, async move {
        let accepted = listener.accept().await?;
        let connection = accepted.into_connection(ConnectionLimits::default())?;
        let (mut reader, mut writer) = connection.split();
        while let Some(bytes) = reader.bytes().await? {
            writer.queue(Chunk::Memory(bytes));
            writer.flush().await?;
        }
        writer.close().await
    });
    let connection = runtime::connect(address, ConnectionLimits::default()).await?;
    let (mut reader, mut writer) = connection.split();
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = runtime::now();
        writer.queue(Chunk::Memory(bytes::Bytes::from_static(&[0; 64])));
        writer.flush().await?;
        let mut received = 0;
        while received < 64 {
            let bytes = reader
                .bytes()
                .await?
                .ok_or(std::io::ErrorKind::UnexpectedEof)?;
            received += bytes.len();
        }
        times.push(runtime::now().since(started));
    }
    writer.close().await?;
    echo.await?;
    Ok(times)
}

fn print_table(
    stdout: &mut Stdout,
    checks: &[Check],
    measured: &[Measured],
) -> Result<(), OutputFailed> {
    for check in checks {
        match &check.outcome {
            Outcome::Ok { detail } => {
                stdout.line(format_args!("ok      {:<28}{detail}", check.name))?;
            }
            Outcome::Failed { what, fix } => {
                stdout.line(format_args!("FAILED  {:<28}{what}", check.name))?;
                stdout.line(format_args!("        {:<28}fix: {fix}", ""))?;
            }
        }
    }
    for row in measured {
        let (name, [p50, p99]) = (row.name, row.percentiles_us());
        let place = row.directory.as_ref();
        let place = place.map_or_else(String::new, |path| format!(" in {}", path.display()));
        stdout.line(format_args!(
            "        {name:<28}p50 {p50} us, p99 {p99} us{place}"
        ))?;
    }
    Ok(())
}

fn document(checks: &[Check], measured: &[Measured]) -> serde_json::Value {
    let checks: Vec<_> = checks
        .iter()
        .map(|check| match &check.outcome {
            Outcome::Ok { detail } => {
                serde_json::json!({ "name": check.name, "ok": true, "detail": detail })
            }
            Outcome::Failed { what, fix } => {
                serde_json::json!({ "name": check.name, "ok": false, "detail": what, "fix": fix })
            }
        })
        .collect();
    let measured: Vec<_> = measured
        .iter()
        .map(|row| {
            let [p50, p99] = row.percentiles_us();
            let (name, directory) = (row.name, &row.directory);
            serde_json::json!({ "name": name, "directory": directory, "p50_us": p50, "p99_us": p99 })
        })
        .collect();
    serde_json::json!({ "checks": checks, "measured": measured })
}
