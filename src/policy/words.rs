//! How the words in a policy's limits are written: patterns, capabilities, options and the like.

use super::problem::{Fault, did_you_mean, nearest};
use super::{Namespace, Pattern};

/// A pattern for names.
pub(crate) fn pattern(text: &str) -> Result<Pattern, Fault> {
    Pattern::parse(text).map_err(|error| Fault::new("not-a-pattern", error.to_string()))
}

/// A pattern for image references, which are matched in full, registry first.
pub(crate) fn image(text: &str) -> Result<Pattern, Fault> {
    let matches_some = match text.split_once('/') {
        _ if text.is_empty() || text.starts_with("regex:") || text.starts_with("sha256:") => true,
        // A capital letter makes the first part a registry, as engine_api::reference says.
        Some((registry, _)) => {
            registry.contains(['.', ':', '*'])
                || registry == "localhost"
                || registry.to_lowercase() != registry
        }
        None => text.contains('*'),
    };
    if matches_some {
        return pattern(text);
    }
    let folder = if text.contains('/') { "" } else { "library/" };
    let message = format!("`{text}` names no registry, so it fits no image");
    Err(Fault::new("never-matches", message).help(format!("write `docker.io/{folder}{text}`")))
}

/// A pattern for `HOST:PORT`, which an address of a swarm always is.
pub(super) fn swarm_address(text: &str) -> Result<Pattern, Fault> {
    let has_port = text
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.contains([']', '.']));
    if text.is_empty() || text.starts_with("regex:") || text.ends_with('*') || has_port {
        return pattern(text);
    }
    let message = format!("`{text}` names no port, so it fits no address of a swarm");
    Err(Fault::new("never-matches", message).help(format!("write `{text}:*`")))
}

/// Likewise for managers, whose names are compared in small letters.
pub(super) fn swarm_remote(text: &str) -> Result<Pattern, Fault> {
    let small = text.to_ascii_lowercase();
    if small == text || text.starts_with("regex:") {
        return swarm_address(text);
    }
    let message = format!("`{text}` has capital letters, so it fits no manager");
    Err(Fault::new("never-matches", message).help(format!("write `{small}`")))
}

/// A capability with or without `CAP_`, in any case; given without, in capitals.
pub(crate) fn capability(text: &str) -> Result<String, Fault> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if CAPABILITIES.contains(&name) {
        return Ok(name.to_owned());
    }
    let help = match nearest(name, CAPABILITIES.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "capabilities(7) lists them; `ALL` stands for all".to_owned(),
    };
    Err(Fault::new("unknown-value", format!("no capability is named `{text}`")).help(help))
}

/// A namespace of the host, or of another container.
pub(super) fn namespace(text: &str) -> Result<Namespace, Fault> {
    one_of(
        text,
        &Namespace::ALL.map(|namespace| (namespace.name(), namespace)),
    )
}

/// How a host path may be mounted: `true` for writing too.
pub(super) fn access(text: &str) -> Result<bool, Fault> {
    one_of(text, &[("read-only", false), ("read-write", true)])
}

/// One of a few words.
pub(crate) fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, Fault> {
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    let fault = Fault::new("unknown-value", format!("`{text}` is not known here"));
    Err(fault.help(did_you_mean(text, &names)))
}

/// `TYPE MAJOR:MINOR ACCESS`, as the daemon takes it.
// moby: daemon/pkg/oci/oci.go, deviceCgroupRuleRegex.
pub(super) fn device_cgroup_rule(text: &str) -> Result<String, Fault> {
    let is_number = |part: &str| {
        part == "*" || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts: Vec<_> = text.split(' ').collect();
    let is_rule = match parts.as_slice() {
        [kind, numbers, access] => {
            matches!(*kind, "a" | "b" | "c")
                && numbers
                    .split_once(':')
                    .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
                && matches!(access.len(), 1..=3)
                && access.bytes().all(|byte| b"rwm".contains(&byte))
        }
        _ => false,
    };
    if is_rule {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}` is not a device rule");
    Err(Fault::new("not-a-rule", message).help("write it like `c 10:229 rwm`"))
}

/// `NAME=VALUE` or `NAME:VALUE`, where the daemon knows the name.
pub(crate) fn security_option(text: &str) -> Result<String, Fault> {
    let parts = text.split_once('=').or_else(|| text.split_once(':'));
    let Some((name, value)) = parts else {
        let message = format!("`{text}` is not an option with its value");
        return Err(Fault::new("unknown-value", message).help("write it like `seccomp=unconfined`"));
    };
    if !SECURITY_OPTIONS.contains(&name) {
        let message = format!("no security option is named `{name}`");
        let help = did_you_mean(name, SECURITY_OPTIONS);
        return Err(Fault::new("unknown-value", message).help(help));
    }
    if value.is_empty() {
        return Err(Fault::new(
            "unknown-value",
            format!("`{name}` has no value"),
        ));
    }
    Ok(text.to_owned())
}

/// A file system that the `local` driver may mount and that cannot lead to a path of the host.
pub(super) fn volume_type(text: &str) -> Result<String, Fault> {
    if VOLUME_TYPES.contains(&text) {
        return Ok(text.to_owned());
    }
    let message = format!("a volume of the type `{text}` cannot be opened");
    let help = match text {
        "none" | "bind" | "overlay" | "overlayfs" => {
            "it mounts paths of the host: name those in host-paths of [container]".to_owned()
        }
        _ => did_you_mean(text, VOLUME_TYPES),
    };
    Err(Fault::new("unknown-value", message).help(help))
}

/// The name of a resource limit, as `docker run --ulimit` takes it.
pub(super) fn ulimit(text: &str) -> Result<String, Fault> {
    if ULIMITS.contains(&text) {
        return Ok(text.to_owned());
    }
    let message = format!("no resource limit is named `{text}`");
    Err(Fault::new("unknown-value", message).help(did_you_mean(text, ULIMITS)))
}

// github.com/docker/go-units, ulimit.go.
const ULIMITS: &[&str] = &[
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

// moby: daemon/daemon_unix.go, parseSecurityOpt.
const SECURITY_OPTIONS: &[&str] = &[
    "apparmor",
    "label",
    "no-new-privileges",
    "seccomp",
    "writable-cgroups",
];

const VOLUME_TYPES: &[&str] = &["cifs", "nfs", "nfs4"];

// capabilities(7), Linux 6.
const CAPABILITIES: &[&str] = &[
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_has_one_name() {
        for text in ["CAP_NET_ADMIN", "net_admin", "Cap_Net_Admin", "NET_ADMIN"] {
            assert_eq!(capability(text).unwrap(), "NET_ADMIN");
        }
        assert_eq!(capability("all").unwrap(), "ALL");
        assert!(capability("").is_err() && capability("CAP_").is_err());
        assert!(capability("CAP_CAP_CHOWN").is_err() && capability("NET-ADMIN").is_err());
    }

    #[test]
    fn an_image_pattern_that_fits_nothing_is_refused() {
        for text in [
            "*",
            "docker.io/library/*",
            "*/x",
            "localhost/a",
            "r:5000/a",
            "sha256:*",
            "regex:a",
        ] {
            assert!(image(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "busybox",
            "busybox:1.36",
            "library/busybox",
            "me/*",
            "regex:(",
        ] {
            assert!(image(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_pattern_that_fits_nothing_is_refused() {
        for text in [
            "*",
            "*:*",
            "127.0.0.1:2377",
            "[::1]:*",
            "eth0:*",
            "10.*",
            "regex:.*",
        ] {
            assert!(swarm_address(text).is_ok(), "{text}");
        }
        for text in ["127.0.0.1", "[::1]", "eth0", "regex:("] {
            assert!(swarm_address(text).is_err(), "{text}");
        }
        assert!(swarm_remote("manager.example:2377").is_ok());
        assert!(swarm_remote("Manager.example:2377").is_err());
    }

    #[test]
    fn device_rules_are_as_the_daemon_takes_them() {
        for text in ["c 10:229 rwm", "a *:* r", "b 8:* m"] {
            assert!(device_cgroup_rule(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "c 10:229",
            "x 1:1 r",
            "c 1:1 rwmr",
            "c  1:1 r",
            "c 1:1 x",
            "c :1 r",
            "c 1:1 r\n",
        ] {
            assert!(device_cgroup_rule(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_volume_type_leads_to_a_host_path() {
        assert!(volume_type("nfs").is_ok());
        for text in ["none", "bind", "overlay", "ext4", "", "NFS"] {
            assert!(volume_type(text).is_err(), "{text}");
        }
    }

    #[test]
    fn security_options_have_a_name_and_a_value() {
        assert!(security_option("seccomp=unconfined").is_ok());
        assert!(security_option("label=type:spc_t").is_ok());
        assert!(security_option("seccomp:unconfined").is_ok());
        for text in ["seccomp", "secomp=unconfined", "apparmor=", ""] {
            assert!(security_option(text).is_err(), "{text}");
        }
    }
}
