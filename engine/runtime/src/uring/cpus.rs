//! The cores this process may use: its affinity, cut to the control group's CPU quota.

use std::fs;
use std::io;
use std::path::Path;

use super::sys;

/// Where control groups are mounted: the second version at the top, the first per controller.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// Returns the allowed cores, in order.
pub(crate) fn allowed_cpus() -> io::Result<Vec<usize>> {
    let mut cpus = sys::affinity()?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    if let Some(quota) = quota(Path::new(CGROUP_ROOT), &groups) {
        cpus.truncate(quota.max(1));
    }
    if cpus.is_empty() {
        return Err(io::Error::other("the process has no core to run on"));
    }
    Ok(cpus)
}

/// Returns the smallest quota of the process's groups and of all above them, in whole cores, rounded
/// up; `None` if there is none.
///
/// *Layout*: `groups` is /proc/self/cgroup: `number:controllers:path` per line, number 0 and no
/// controllers for the second version.
fn quota(root: &Path, groups: &str) -> Option<usize> {
    let mut smallest: Option<u64> = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let second = controllers.is_empty();
        let mount = match controllers.split(',').find(|name| *name == "cpu") {
            Some(_) => first_version_mount(root, controllers),
            None if second => root.to_owned(),
            None => continue,
        };
        // Inside a container the path may lie outside of what is mounted: then the mount's root is
        // the group itself, and it is the last one looked at here.
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let directory = mount.join(group);
            let cores = if second {
                second_version(&directory)
            } else {
                first_version(&directory)
            };
            smallest = [smallest, cores].into_iter().flatten().min();
        }
    }
    smallest.and_then(|cores| usize::try_from(cores).ok())
}

/// The controllers of one hierarchy share a mount, named after them or after one of them.
fn first_version_mount(root: &Path, controllers: &str) -> std::path::PathBuf {
    let joint = root.join(controllers);
    if joint.is_dir() {
        joint
    } else {
        root.join("cpu")
    }
}

/// `cpu.max`: quota or `max`, and period, in microseconds.
fn second_version(directory: &Path) -> Option<u64> {
    let text = fs::read_to_string(directory.join("cpu.max")).ok()?;
    let mut fields = text.split_whitespace();
    cores(fields.next()?, fields.next()?)
}

/// `cpu.cfs_quota_us`, -1 for none, and `cpu.cfs_period_us`.
fn first_version(directory: &Path) -> Option<u64> {
    let quota = fs::read_to_string(directory.join("cpu.cfs_quota_us")).ok()?;
    let period = fs::read_to_string(directory.join("cpu.cfs_period_us")).ok()?;
    cores(quota.trim(), period.trim())
}

fn cores(quota: &str, period: &str) -> Option<u64> {
    // "max" and -1 are no numbers of this kind: no quota.
    let quota: u64 = quota.parse().ok()?;
    let period: u64 = period.parse().ok().filter(|&period| period > 0)?;
    Some(quota.div_ceil(period))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, content: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn in_fresh_root(test: impl FnOnce(&Path)) {
        let name = format!(
            "cgroups-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        );
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(&root).unwrap();
        test(&root);
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn quotas_are_rounded_up_to_whole_cores() {
        assert_eq!(cores("100000", "100000"), Some(1));
        assert_eq!(cores("150000", "100000"), Some(2));
        assert_eq!(cores("1", "100000"), Some(1));
        assert_eq!(cores("max", "100000"), None);
        assert_eq!(cores("-1", "100000"), None);
        assert_eq!(cores("100000", "0"), None);
    }

    #[test]
    fn the_smallest_quota_above_a_second_version_group_counts() {
        in_fresh_root(|root| {
            write(root, "service/cpu.max", "150000 100000\n");
            write(root, "service/broker/cpu.max", "max 100000\n");
            assert_eq!(quota(root, "0::/service/broker\n"), Some(2));
            assert_eq!(quota(root, "0::/service\n"), Some(2));
            assert_eq!(quota(root, "0::/\n"), None);
        });
    }

    #[test]
    fn a_container_sees_its_own_quota_at_the_mount() {
        in_fresh_root(|root| {
            write(root, "cpu.max", "50000 100000\n");
            assert_eq!(quota(root, "0::/not/mounted/here\n"), Some(1));
        });
    }

    #[test]
    fn a_first_version_group_is_found_under_its_controllers() {
        in_fresh_root(|root| {
            write(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
            write(root, "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
            let groups = "5:memory:/job\n4:cpu,cpuacct:/job\n";
            assert_eq!(quota(root, groups), Some(3));
            write(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n");
            assert_eq!(quota(root, groups), None);
        });
    }

    #[test]
    fn this_process_may_use_a_core() {
        let cpus = allowed_cpus().unwrap();
        assert!(!cpus.is_empty());
        assert!(cpus.is_sorted());
    }
}
