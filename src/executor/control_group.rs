//! What the control groups above this process grant it, of the second version.

use std::fs;
use std::path::Path;

/// The texts of a file of this process's control group and of those above it, where they have one.
pub(super) fn texts(file: &str) -> Vec<String> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(path) = groups.lines().find_map(|line| line.strip_prefix("0::/")) else {
        return Vec::new();
    };
    let mount = Path::new("/sys/fs/cgroup");
    let own = mount.join(path);
    let above = own.ancestors().take_while(|group| group.starts_with(mount));
    above
        .filter_map(|group| fs::read_to_string(group.join(file)).ok())
        .collect()
}
