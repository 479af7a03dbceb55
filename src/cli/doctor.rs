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

/// How often each thing is measured.
const SAMPLES: usize = 500;

/// What was measured, sorted.
#[derive(Debug, Default)]
struct Measured {
    sync: Vec<Duration>,
    round_trip: Vec<Duration>,
}

/// The machine lacks something; the table said what.
#[derive(Debug, thiserror::Error)]
#[error("this machine cannot run a node yet")]
struct Unfit;

/// Prints the table; fails if a check failed.
pub(super) fn run(command: &Doctor) -> Result<(), Failure> {
    let data = command.data.display();
    std::fs::create_dir_all(&command.data)
        .map_err(|error| format!("cannot make the data directory {data}: {error}"))?;
    let checks = runtime::preflight(&command.data);
    let fit = checks.iter().all(Check::is_ok);
    let measured = if fit {
        Some(measure(&command.data)?)
    } else {
        None
    };
    let mut stdout = Stdout::open()?;
    match command.output {
        OutputFormat::Text => print_table(&mut stdout, &checks, measured.as_ref())?,
        OutputFormat::Json => stdout.line(document(&checks, measured.as_ref()))?,
    }
    stdout.flush()?;
    if fit { Ok(()) } else { Err(Unfit.into()) }
}

fn measure(data: &Path) -> Result<Measured, Failure> {
    let path = data.join(format!("doctor-{}", std::process::id()));
    let result = Arc::new(Mutex::new(Ok(Measured::default())));
    let (shared, file) = (Arc::clone(&result), path.clone());
    runtime::launch(&LaunchOptions::default(), move |_: Mesh<(), ()>| {
        let (shared, file) = (Arc::clone(&shared), file.clone());
        async move {
            let measured = measure_here(file).await;
            *shared.lock().expect("nobody panics while holding it") = measured;
        }
    })?;
    std::fs::remove_file(&path)?;
    let result = Arc::into_inner(result).expect("the shard has ended");
    Ok(result
        .into_inner()
        .expect("nobody panics while holding it")?)
}

async fn measure_here(path: PathBuf) -> std::io::Result<Measured> {
    let mut measured = Measured {
        sync: syncs(&path).await?,
        round_trip: round_trips().await?,
    };
    measured.sync.sort_unstable();
    measured.round_trip.sort_unstable();
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

/// The value below which `percent` of the sorted samples lie.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let index = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(index).copied().unwrap_or_default()
}

fn print_table(
    stdout: &mut Stdout,
    checks: &[Check],
    measured: Option<&Measured>,
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
    for (name, times) in measured.into_iter().flat_map(rows) {
        let (p50, p99) = (percentile(times, 50), percentile(times, 99));
        let (p50, p99) = (p50.as_micros(), p99.as_micros());
        stdout.line(format_args!("        {name:<28}p50 {p50} us, p99 {p99} us"))?;
    }
    Ok(())
}

fn rows(measured: &Measured) -> [(&'static str, &[Duration]); 2] {
    [
        ("write and sync 4 KiB", measured.sync.as_slice()),
        ("loopback round trip", measured.round_trip.as_slice()),
    ]
}

fn document(checks: &[Check], measured: Option<&Measured>) -> serde_json::Value {
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
        .into_iter()
        .flat_map(rows)
        .map(|(name, times)| {
            serde_json::json!({
                "name": name,
                "p50_us": percentile(times, 50).as_micros(),
                "p99_us": percentile(times, 99).as_micros(),
            })
        })
        .collect();
    serde_json::json!({ "checks": checks, "measured": measured })
}
