//! References to images: their long form, as the daemon reads them.

/// The forms of a reference that an allowlist is held against, longest first; all name the same image.
///
/// `busybox` becomes `docker.io/library/busybox:latest` and `docker.io/library/busybox`. An id, or a name that could be
/// the beginning of one, is `sha256:…` beside (github.com/distribution/reference, `ParseAnyReference`).
#[must_use]
pub fn forms(reference: &str) -> Vec<Vec<String>> {
    let bare = reference.strip_prefix("sha256:").unwrap_or(reference);
    let is_hex = !bare.is_empty()
        && bare
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_hex && (bare.len() == 64 || bare.len() < reference.len()) {
        return vec![vec![format!("sha256:{bare}")]];
    }
    let mut readings = vec![named(reference)];
    if is_hex {
        readings.push(vec![format!("sha256:{bare}")]);
    }
    readings
}

/// The forms of a name that is never an id: of a plugin in a registry, or of one that is made.
#[must_use]
pub fn forms_of_name(reference: &str) -> Vec<String> {
    named(reference)
}

/// The forms of a reference to a plugin that is there already: its name, its id, or the beginning of that; the daemon
/// takes `sha256:…` for a name with a tag.
///
/// moby: daemon/pkg/plugin/store.go, `resolvePluginID`.
#[must_use]
pub fn forms_of_plugin(reference: &str) -> Vec<Vec<String>> {
    let mut readings = forms(reference);
    if reference.starts_with("sha256:") {
        readings.push(named(reference));
    }
    readings
}

/// A reference as the daemon says it in its answers: without what it stands for by default, and with a tag.
///
/// github.com/distribution/reference, `FamiliarString`; moby: daemon/images/image.go, `ErrImageDoesNotExist`.
#[must_use]
pub fn familiar(reference: &str) -> String {
    let readings = forms(reference);
    let longest = readings.first().and_then(|forms| forms.first());
    let longest = longest.map_or(reference, String::as_str);
    let Some(path) = longest.strip_prefix("docker.io/") else {
        return longest.to_owned();
    };
    let bare = path.strip_prefix("library/");
    bare.filter(|bare| !bare.contains('/'))
        .unwrap_or(path)
        .to_owned()
}

/// What a reference with neither tag nor digest stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untagged {
    /// The image that is tagged `latest`.
    Latest,
    /// Every image of the repository: pull and push.
    All,
}

/// The forms of a reference whose tag or digest may stand in a parameter of its own, which then counts.
///
/// moby: daemon/server/router/image/image_routes.go, `postImagesCreate`; httputils.RepoTagReference.
#[must_use]
pub fn forms_with_tag(reference: &str, tag: &str, untagged: Untagged) -> Vec<Vec<String>> {
    let (rest, digest) = split_digest(reference);
    let (path, own_tag) = split_tag(rest.strip_suffix(':').unwrap_or(rest));
    let whole = match (tag, own_tag, digest) {
        ("", None, None) => {
            let mut forms = named(path);
            if untagged == Untagged::All {
                forms.remove(0);
            }
            return vec![forms];
        }
        ("", ..) => reference.to_owned(),
        // A colon stands in digests only.
        (tag, ..) if tag.contains(':') => format!("{path}@{tag}"),
        (tag, _, Some(digest)) => format!("{path}:{tag}@{digest}"),
        (tag, _, None) => format!("{path}:{tag}"),
    };
    vec![named(&whole)]
}

fn split_digest(reference: &str) -> (&str, Option<&str>) {
    match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    }
}

fn split_tag(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        Some(_) | None => (rest, None),
    }
}

fn named(reference: &str) -> Vec<String> {
    let (rest, digest) = split_digest(reference);
    let (path, tag) = split_tag(rest);
    let (domain, path) = match path.split_once('/') {
        Some((domain, path)) if is_domain(domain) => (domain, path),
        Some(_) | None => ("docker.io", path),
    };
    let domain = if domain == "index.docker.io" {
        "docker.io"
    } else {
        domain
    };
    let library = if domain == "docker.io" && !path.contains('/') {
        "library/"
    } else {
        ""
    };
    let name = [domain, "/", library, path].concat();
    let whole = match (tag, digest) {
        (Some(tag), Some(digest)) => [&name, ":", tag, "@", digest].concat(),
        (None, Some(digest)) => [&name, "@", digest].concat(),
        (Some(tag), None) => [&name, ":", tag].concat(),
        (None, None) => [&name, ":latest"].concat(),
    };
    vec![whole, name]
}

/// Whether the part before the first slash names a registry.
///
/// github.com/distribution/reference, `splitDockerDomain`: since 2.8 a capital letter makes it one.
fn is_domain(text: &str) -> bool {
    text.contains(['.', ':']) || text == "localhost" || text.to_lowercase() != text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_as_the_daemon_says_it() {
        let hex = "c0ffee00".repeat(8);
        for (name, said) in [
            ("nope", "nope:latest"),
            ("nope:1", "nope:1"),
            ("docker.io/library/nope", "nope:latest"),
            ("docker.io/a/nope", "a/nope:latest"),
            ("docker.io/library/a/nope", "library/a/nope:latest"),
            ("index.docker.io/library/nope:1", "nope:1"),
            ("r.example:5000/x/y", "r.example:5000/x/y:latest"),
            ("c0ffee00c0ff", "c0ffee00c0ff:latest"),
            ("sha256:c0ffee", "sha256:c0ffee"),
        ] {
            assert_eq!(familiar(name), said);
        }
        let id = format!("sha256:{hex}");
        for (name, said) in [
            (hex, id.clone()),
            (format!("nope@{id}"), format!("nope@{id}")),
            (format!("nope:1@{id}"), format!("nope:1@{id}")),
            (id.clone(), id),
        ] {
            assert_eq!(familiar(&name), said);
        }
    }

    #[test]
    fn reads_short_names_as_the_daemon_does() {
        let long = |reference| forms(reference).concat();
        assert_eq!(
            long("busybox"),
            [
                "docker.io/library/busybox:latest",
                "docker.io/library/busybox"
            ]
        );
        assert_eq!(long("a/b:1"), ["docker.io/a/b:1", "docker.io/a/b"]);
        assert_eq!(long("localhost/x"), ["localhost/x:latest", "localhost/x"]);
        assert_eq!(
            long("r.example:5000/x/y:2"),
            ["r.example:5000/x/y:2", "r.example:5000/x/y"]
        );
        assert_eq!(
            long("index.docker.io/busybox"),
            [
                "docker.io/library/busybox:latest",
                "docker.io/library/busybox"
            ]
        );
    }

    #[test]
    fn a_name_that_could_be_an_id_has_both_readings() {
        assert_eq!(forms("cafe").len(), 2);
        assert_eq!(forms("sha256:cafe"), [["sha256:cafe"]]);
        assert_eq!(
            forms(&"a".repeat(64)),
            [[format!("sha256:{}", "a".repeat(64))]]
        );
    }
}
