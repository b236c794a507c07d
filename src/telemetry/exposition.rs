//! The older of the two text formats in which metrics are read, made of the newer one.

/// OpenMetrics without what only OpenMetrics has: exemplars, units and the end mark; and with counters named as their samples are.
pub(super) fn plain(open: &str) -> String {
    let counters: Vec<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open.len());
    for line in open.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let sample = if line.starts_with('#') {
            line
        } else {
            line.split_once(" # {").map_or(line, |(sample, _)| sample)
        };
        let mut words = sample.splitn(4, ' ');
        let renamed = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                Some(format!("# {what} {name}_total {rest}"))
            }
            _ => None,
        };
        text.push_str(renamed.as_deref().unwrap_or(sample));
        text.push('\n');
    }
    text
}
