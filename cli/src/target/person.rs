//! Who sits at this machine.

/// `user@host`, of what the system says.
pub(super) fn of_machine() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = variable("USER")
        .or_else(|| variable("LOGNAME"))
        .or_else(|| variable("USERNAME"));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| variable("HOSTNAME"));
    let user = user.unwrap_or_else(|| "unknown".to_owned());
    match host {
        Some(host) => format!("{user}@{host}"),
        None => user,
    }
}
