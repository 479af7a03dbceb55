//! What the machine must offer, tried out; each lack with a line that says what to do.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use types::ByteCount;
use types::size::BLOCK_SIZE;

use super::sys::{self, RingTrial};
use crate::preflight::{Check, Outcome};

/// The oldest kernel with all that is used without a detour. *Source*: IORING_REGISTER_IOWQ_MAX_WORKERS.
const KERNEL_MIN: (u32, u32) = (5, 15);

/// What glommio demands for the memory of its rings.
const LOCKED_MEMORY_MIN: ByteCount = ByteCount::kib(512);

/// Below this a broker runs out of descriptors in ordinary use.
const OPEN_FILES_MIN: u64 = 4096;

/// Checks all requirements but those of a data directory.
pub(crate) fn preflight() -> Vec<Check> {
    let check = |name, outcome| Check { name, outcome };
    vec![
        check("kernel version", kernel()),
        check("io_uring", ring(sys::try_ring())),
        check("locked memory", locked_memory()),
        check("open files", open_files()),
        check("processors", processors()),
    ]
}

/// Checks what glommio would panic over.
///
/// *Errors*: `Unsupported`, with what is missing and how to mend it in the message.
pub(super) fn executor_can_start() -> io::Result<()> {
    for outcome in [ring(sys::try_ring()), locked_memory()] {
        if let Outcome::Failed { what, fix } = outcome {
            let message = format!("{what}; {fix}");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    }
    Ok(())
}

fn ok(detail: impl Into<String>) -> Outcome {
    Outcome::Ok {
        detail: detail.into(),
    }
}

fn failed(what: impl Into<String>, fix: impl Into<String>) -> Outcome {
    Outcome::Failed {
        what: what.into(),
        fix: fix.into(),
    }
}

fn kernel() -> Outcome {
    let (major_min, minor_min) = KERNEL_MIN;
    match sys::kernel_release() {
        Ok(release) => match version(&release) {
            Some(version) if version >= KERNEL_MIN => ok(release),
            Some(_) => failed(
                format!("Linux {release} is too old"),
                format!("run Linux {major_min}.{minor_min} or later"),
            ),
            None => ok(format!("{release} (of unknown age)")),
        },
        Err(error) => failed(
            format!("the kernel does not say its version: {error}"),
            format!("run Linux {major_min}.{minor_min} or later"),
        ),
    }
}

/// Reads major and minor off a release such as `6.18.44-generic`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn ring(trial: RingTrial) -> Outcome {
    match trial {
        RingTrial::Works => ok("permitted"),
        RingTrial::SetupDenied(libc::ENOSYS) => failed(
            "this kernel has no io_uring",
            "run Linux 5.15 or later, built with CONFIG_IO_URING",
        ),
        RingTrial::SetupDenied(libc::EPERM | libc::EACCES) => failed(
            "io_uring_setup is forbidden",
            "in a container: docker run --security-opt seccomp=unconfined (or a profile that allows \
             io_uring_*); on the host: sysctl kernel.io_uring_disabled=0",
        ),
        RingTrial::SetupDenied(libc::ENOMEM) => failed(
            "there is no locked memory left for io_uring",
            "raise it: ulimit -l 8192 (systemd: LimitMEMLOCK=8M)",
        ),
        RingTrial::SetupDenied(libc::EMFILE | libc::ENFILE) => failed(
            "there is no descriptor left for io_uring",
            "raise the limit: ulimit -n 65536 (systemd: LimitNOFILE=65536)",
        ),
        RingTrial::SetupDenied(error) => failed(
            format!(
                "io_uring_setup fails: {}",
                io::Error::from_raw_os_error(error)
            ),
            "run on a host or in a container that permits io_uring",
        ),
        RingTrial::RegisterDenied(error) => failed(
            format!(
                "io_uring_register fails: {}",
                io::Error::from_raw_os_error(error)
            ),
            "let the seccomp profile allow io_uring_register beside io_uring_setup",
        ),
    }
}

fn locked_memory() -> Outcome {
    match sys::limit(libc::RLIMIT_MEMLOCK) {
        Ok(None) => ok("unlimited"),
        Ok(Some(limit)) if limit >= LOCKED_MEMORY_MIN.0 => ok(ByteCount(limit).to_string()),
        Ok(Some(limit)) => failed(
            format!(
                "{} may be locked, {LOCKED_MEMORY_MIN} are needed",
                ByteCount(limit)
            ),
            "raise it: ulimit -l 8192 (systemd: LimitMEMLOCK=8M, docker: --ulimit memlock=8388608)",
        ),
        Err(error) => ok(format!("unknown: {error}")),
    }
}

fn open_files() -> Outcome {
    match sys::limit(libc::RLIMIT_NOFILE) {
        Ok(None) => ok("unlimited"),
        Ok(Some(limit)) if limit >= OPEN_FILES_MIN => ok(limit.to_string()),
        Ok(Some(limit)) => failed(
            format!("{limit} files may be open, {OPEN_FILES_MIN} are needed"),
            "raise it: ulimit -n 65536 (systemd: LimitNOFILE=65536, docker: --ulimit nofile=65536)",
        ),
        Err(error) => ok(format!("unknown: {error}")),
    }
}

fn processors() -> Outcome {
    match super::allowed_cpus() {
        Ok(cpus) => ok(format!("{} allowed", cpus.len())),
        Err(error) => failed(
            format!("no processor can be used: {error}"),
            "give the process a core: taskset, cpuset or the container's --cpus",
        ),
    }
}

/// Writes a block past the page cache, syncs it, reads it back.
pub(crate) fn direct_io(data_dir: &Path) -> Outcome {
    let path = data_dir.join(format!(".preflight-{}", std::process::id()));
    let tried = try_direct_io(&path);
    let removed = fs::remove_file(&path);
    match tried.and_then(|()| removed.map_err(|error| ("removing", error))) {
        Ok(()) => ok(format!("and fdatasync work in {}", data_dir.display())),
        Err((step, error)) => {
            let fix = match error.raw_os_error() {
                Some(libc::EINVAL | libc::EOPNOTSUPP) => {
                    "put the data directory on ext4 or xfs: this file system has no direct I/O"
                }
                Some(libc::EACCES | libc::EPERM | libc::EROFS) => {
                    "let this user write there, or choose another data directory"
                }
                Some(libc::ENOSPC | libc::EDQUOT) => "make room on that disk",
                Some(libc::ENOENT | libc::ENOTDIR) => "create the data directory",
                _ => "look at that disk with dmesg, or choose another data directory",
            };
            let place = data_dir.display();
            failed(format!("{step} in {place} fails: {error}"), fix)
        }
    }
}

/// Memory with the alignment that direct I/O wants.
#[repr(align(4096))]
struct Block([u8; BLOCK_LEN]);

const BLOCK_LEN: usize = 4096;
const _: () = assert!(BLOCK_LEN as u64 == BLOCK_SIZE);

fn try_direct_io(path: &Path) -> Result<(), (&'static str, io::Error)> {
    let mut block = Box::new(Block([0xa5; BLOCK_LEN]));
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)
        .map_err(|error| ("opening a file for direct I/O", error))?;
    file.write_all_at(&block.0, 0)
        .map_err(|error| ("a direct write", error))?;
    file.sync_data().map_err(|error| ("fdatasync", error))?;
    block.0.fill(0);
    file.read_exact_at(&mut block.0, 0)
        .map_err(|error| ("a direct read", error))?;
    if block.0.iter().any(|&byte| byte != 0xa5) {
        let error = io::Error::other("other bytes came back than were written");
        return Err(("a direct read", error));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_off_all_kinds_of_releases() {
        assert_eq!(version("6.18.44-fc-v669"), Some((6, 18)));
        assert_eq!(version("5.15"), Some((5, 15)));
        assert_eq!(version("5.4.0-1103-aws"), Some((5, 4)));
        assert_eq!(version("linux"), None);
    }

    #[test]
    fn every_denial_of_the_ring_names_a_remedy() {
        for error in [
            libc::ENOSYS,
            libc::EPERM,
            libc::ENOMEM,
            libc::EMFILE,
            libc::EIO,
        ] {
            for trial in [
                RingTrial::SetupDenied(error),
                RingTrial::RegisterDenied(error),
            ] {
                let Outcome::Failed { what, fix } = ring(trial) else {
                    panic!("{trial:?} is a failure");
                };
                assert!(!what.contains('\n') && !fix.contains('\n'));
                assert!(!fix.is_empty());
            }
        }
        let Outcome::Failed { fix, .. } = ring(RingTrial::SetupDenied(libc::EPERM)) else {
            panic!("forbidden is a failure");
        };
        assert!(fix.contains("seccomp"));
    }

    #[test]
    fn a_missing_data_directory_is_a_failure_with_a_remedy() {
        let Outcome::Failed { what, fix } = direct_io(Path::new("/nonexistent/data")) else {
            panic!("there is no such directory");
        };
        assert!(what.contains("/nonexistent/data"));
        assert_eq!(fix, "create the data directory");
    }

    #[test]
    fn this_machine_passes_and_nothing_is_left_behind() {
        let dir = std::env::temp_dir().join(format!("preflight-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let checks = preflight();
        assert!(checks.iter().all(Check::is_ok), "{checks:#?}");
        assert!(matches!(direct_io(&dir), Outcome::Ok { .. }));
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir(&dir).unwrap();
    }
}
