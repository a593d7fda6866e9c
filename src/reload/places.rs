//! Where a change of a file shows: every name on the way to it, symbolic links included.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::{env, fs};

/// Directories, and the names in them that lead to a file.
pub(super) type Places = BTreeMap<PathBuf, BTreeSet<OsString>>;

/// All places in which something can be put that changes what is read at these paths.
///
/// A link is followed by hand, because each link on the way may be the one that is exchanged: a mounted `ConfigMap` is
/// changed by renaming a link that stands above the files.
pub(super) fn of<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Places {
    let mut places = Places::new();
    for file in files {
        walk(file, &mut places);
    }
    places
}

fn walk(file: &Path, places: &mut Places) {
    let start = env::current_dir().unwrap_or_default();
    let mut rest: VecDeque<Step> = steps(&start.join(file)).collect();
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(step) = rest.pop_front() {
        let name = match step {
            Step::Root => {
                at = PathBuf::from("/");
                continue;
            }
            Step::Up => {
                at.pop();
                continue;
            }
            Step::Down(name) => name,
        };
        places.entry(at.clone()).or_default().insert(name.clone());
        at.push(name);
        if let Ok(target) = fs::read_link(&at) {
            links += 1;
            if links > MOST_LINKS {
                return;
            }
            at.pop();
            for step in steps(&target).rev().collect::<Vec<_>>() {
                rest.push_front(step);
            }
        }
    }
}

enum Step {
    Root,
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> impl DoubleEndedIterator<Item = Step> {
    path.components().filter_map(|component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

/// As the kernel has it (path_resolution(7)).
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_is_a_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("..2026")).unwrap();
        fs::write(root.join("..2026/policy.toml"), "").unwrap();
        symlink("..2026", root.join("..data")).unwrap();
        symlink("..data/policy.toml", root.join("policy.toml")).unwrap();
        let places = of([&root.join("policy.toml")]);
        let names = |path: &Path| -> Vec<String> {
            let found = places.get(path).into_iter().flatten();
            found
                .map(|name| name.to_string_lossy().into_owned())
                .collect()
        };
        assert_eq!(names(&root), ["..2026", "..data", "policy.toml"]);
        assert_eq!(names(&root.join("..2026")), ["policy.toml"]);
        assert!(places.contains_key(Path::new("/")));
    }

    #[test]
    fn links_in_a_circle_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        symlink(&other, &one).unwrap();
        symlink(&one, &other).unwrap();
        assert!(!of([&one]).is_empty());
    }
}
