//! Which paths of the host a policy opens: those beneath one that it names, after the host has followed them.

use super::Facts;
use super::host_paths::{HostFile, PROTECTED, cleaned, lies_in};
use crate::policy::{HostFileSystem, HostPath, Policy};

/// What a policy opens of a path.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    /// The path to mount.
    pub(super) path: String,
    pub(super) is_writable: bool,
    /// Why nobody may write there all the same.
    pub(super) unwritable: Option<String>,
    /// Whether what is mounted beneath it must not come along, since the gate cannot see it.
    pub(super) leaves_out_beneath: bool,
    /// Beneath it, and not opened for writing by themselves.
    pub(super) mounts_beneath: Vec<&'a str>,
}

/// What the policy opens of a source as a request names it; the code and the message of the refusal where it opens none.
pub(super) fn opened<'a>(
    policy: &Policy,
    facts: &'a Facts,
    source: &str,
) -> Result<Opened<'a>, (&'static str, String)> {
    if policy.container.host_paths.value.is_empty() {
        return Err(("host-path", "a path of the host".to_owned()));
    }
    let found = match facts.host_paths.get(source) {
        Some(Ok(file)) => Some(file),
        Some(Err(cause)) => {
            let message = format!("the gate cannot tell where it leads: {cause}");
            return Err(("host-path-unresolved", message));
        }
        None => None,
    };
    match (policy.container.host_file_system.value, found) {
        (HostFileSystem::Foreign, _) => opened_as_written(policy, facts, source),
        (HostFileSystem::Shared, Some(file)) => opened_as_followed(policy, facts, file),
        (HostFileSystem::Shared, None) => {
            Err(("host-path-unresolved", "it was not resolved".to_owned()))
        }
    }
}

fn opened_as_followed<'a>(
    policy: &Policy,
    facts: &'a Facts,
    file: &'a HostFile,
) -> Result<Opened<'a>, (&'static str, String)> {
    let path = &file.path;
    if let Some(protected) = file.reaches.as_deref().or_else(|| protected(facts, path)) {
        return Err(("protected-path", reaches(path, protected)));
    }
    let (all, others) = entries(policy, facts);
    let is_writable = |path: &str| {
        all.iter()
            .any(|(real, opened)| opened.is_writable && lies_in(path, real))
    };
    let found: Vec<_> = all.iter().filter(|(real, _)| lies_in(path, real)).collect();
    let is_named = !file.is_socket || found.iter().any(|(real, _)| real == path);
    let is_meant = |real: &str| real == path || (!file.is_socket && lies_in(path, real));
    let movable = others.iter().find(|(real, _)| is_meant(real));
    if found.is_empty() || (!is_named && movable.is_some()) {
        return Err(
            match movable.and_then(|(_, opened)| facts.movable.get(&opened.path)) {
                Some(why) => (
                    "host-path-movable",
                    format!("others could put what they like in its place: {why}"),
                ),
                None => (
                    "host-path",
                    format!("it leads to `{path}`, which lies in no opened path"),
                ),
            },
        );
    }
    if let Some(wider) = &file.movable_in
        && !found.iter().any(|(_, opened)| opened.has_subpaths)
    {
        let message = format!(
            "containers can write to `{wider}`, and so put a link to anywhere in the place of what lies there; mount the \
             whole of it"
        );
        return Err(("host-path-movable", message));
    }
    if !is_named {
        let message = format!("it leads to the socket `{path}`, which no opened path names itself");
        return Err(("host-path-socket", message));
    }
    let is_trusted = found
        .iter()
        .any(|(_, opened)| opened.is_writable && opened.has_set_user_id);
    let honoured = if is_trusted {
        &[][..]
    } else {
        &file.set_user_id_on
    };
    // Where another entry opens it for reading, it is mounted so.
    let is_read = !honoured.is_empty() && found.iter().any(|(_, opened)| !opened.is_writable);
    let is_open = |beneath: &str| is_writable(beneath) && !honoured.iter().any(|on| on == beneath);
    let beneath = file.mounts_beneath.iter().map(String::as_str);
    Ok(Opened {
        path: path.clone(),
        is_writable: is_writable(path) && !is_read,
        unwritable: honoured.first().map(|on| set_user_id(path, on)),
        leaves_out_beneath: false,
        mounts_beneath: beneath.filter(|beneath| !is_open(beneath)).collect(),
    })
}

/// An opened path with where it leads.
type Entry<'a> = (&'a str, &'a HostPath);

/// What the policy opens, and apart from that what it does not, since others than root could put another file there.
fn entries<'a>(policy: &'a Policy, facts: &'a Facts) -> (Vec<Entry<'a>>, Vec<Entry<'a>>) {
    let all = policy.container.host_paths.value.iter();
    let led = all.filter_map(|opened| match facts.opened.get(&opened.path) {
        None => Some((opened.path.as_str(), opened)),
        Some(Ok(real)) => Some((real.as_str(), opened)),
        Some(Err(_)) => None,
    });
    led.partition(|(_, opened)| opened.has_subpaths || !facts.movable.contains_key(&opened.path))
}

/// Where nothing can be followed: the very path that the policy names, and none that a container could put elsewhere.
fn opened_as_written<'a>(
    policy: &Policy,
    facts: &Facts,
    source: &str,
) -> Result<Opened<'a>, (&'static str, String)> {
    if source.split('/').any(|part| part == "..") {
        let message = "it has `..`, and the gate cannot see where that leads".to_owned();
        return Err(("host-path-unresolved", message));
    }
    let path = without_empty_parts(source);
    if let Some(protected) = protected(facts, &cleaned(&path)) {
        return Err(("protected-path", reaches(&path, protected)));
    }
    let paths = &policy.container.host_paths.value;
    let mut named = paths.iter().filter(|opened| opened.path == path).peekable();
    if named.peek().is_none() {
        let message = "the gate does not see this host, so only the very paths that the policy names can be mounted";
        return Err(("host-path", message.to_owned()));
    }
    let is_beneath =
        |wider: &&HostPath| wider.is_writable && wider.path != path && lies_in(&path, &wider.path);
    if let Some(wider) = paths.iter().find(is_beneath) {
        let message = format!(
            "it lies in `{}`, where a container could put a link in its place, which the gate cannot see",
            wider.path
        );
        return Err(("host-path-unresolved", message));
    }
    let named: Vec<&HostPath> = named.collect();
    let is_trusted = named
        .iter()
        .any(|opened| opened.is_writable && opened.has_set_user_id);
    let is_writable = is_trusted || named.iter().all(|opened| opened.is_writable);
    let unseen =
        "the gate cannot see whether the host honours set-user-id programs and device nodes there";
    Ok(Opened {
        path,
        is_writable,
        unwritable: (!is_trusted).then(|| unseen.to_owned()),
        leaves_out_beneath: !is_trusted,
        mounts_beneath: Vec::new(),
    })
}

fn set_user_id(path: &str, on: &str) -> String {
    format!(
        "the host honours set-user-id programs and device nodes on `{on}`, and a container could leave some there; mount \
         the path by itself: `mount --bind {path} {path} && mount -o remount,bind,nosuid,nodev {path}`"
    )
}

fn reaches(path: &str, protected: &str) -> String {
    format!("it leads to `{path}` and so to `{protected}`, which no policy opens")
}

/// The protected path that contains or lies beneath this one.
pub(super) fn protected<'a>(facts: &'a Facts, path: &str) -> Option<&'a str> {
    let own = facts.protected.iter().map(String::as_str);
    PROTECTED
        .iter()
        .copied()
        .chain(own)
        .find(|protected| lies_in(path, protected) || lies_in(protected, path))
}

fn without_empty_parts(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    format!("/{}", parts.join("/"))
}
