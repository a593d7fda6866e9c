//! Limits on images: which are run, and which come and go; and on builds.

use super::{Judge, Reason};
use crate::engine_api::Operation;
use crate::engine_api::json::{self, Value};
use crate::engine_api::reference::{self, Untagged};

impl Judge<'_> {
    pub(super) fn image(&mut self, path: &str, text: &str) {
        let is_run = self.existing.is_some()
            || matches!(
                self.request.operation(),
                Some(
                    Operation::ContainerCreate
                        | Operation::ServiceCreate
                        | Operation::ServiceUpdate
                )
            );
        let (setting, key) = if is_run {
            (&self.policy.container.images, "`images` in `[container]`")
        } else {
            (&self.policy.image.references, "`references` in `[image]`")
        };
        let permits = |forms: &Vec<String>| {
            forms
                .iter()
                .any(|form| setting.value.iter().any(|pattern| pattern.matches(form)))
        };
        if text.is_empty() && !is_run {
            return;
        }
        let readings = self.readings(path, text);
        if readings.iter().all(permits) {
            return;
        }
        if let Some(image) = self.image_behind(text) {
            let mut names = image.tags.iter().chain(&image.digests).peekable();
            let is_named = |name: &String| reference::forms(name).iter().all(permits);
            // To remove an image by its id takes all its names away.
            let removes = self.request.operation() == Some(Operation::ImageDelete);
            let is_permitted = if removes && self.existing.is_none() {
                names.peek().is_some() && names.all(is_named)
            } else {
                names.any(is_named)
            };
            if is_permitted {
                return;
            }
        }
        // Only the pattern for all images fits a container that has none.
        let entry = |forms: &Vec<String>| match forms.last() {
            Some(form) if !form.is_empty() => Reason::quoted(form),
            Some(_) | None => Reason::quoted("*"),
        };
        let entries: Vec<String> = readings.iter().map(entry).collect();
        let remedy = format!("`{}` in {key}", entries.join(", "));
        self.refuse(
            Reason::new("image", path, text, "no rule opens this image")
                .opened_by(setting.line, &remedy),
        );
    }

    /// Every image that the daemon could take a reference for, with the tag that stands beside it.
    fn readings(&self, path: &str, text: &str) -> Vec<Vec<String>> {
        let tag = self.request.head.query.get("tag").unwrap_or_default();
        match (self.request.operation(), path) {
            // An empty file system, which `docker cp` can fill.
            _ if text.is_empty() => vec![vec![String::new()]],
            (Some(Operation::ImageCreate), "?fromImage") | (Some(Operation::ImagePush), _) => {
                reference::forms_with_tag(text, tag, Untagged::All)
            }
            (_, "?repo") => reference::forms_with_tag(text, tag, Untagged::Latest),
            _ => reference::forms(text),
        }
    }

    /// A create without an image is judged like one with an empty name.
    pub(super) fn absent_image(&mut self) {
        let is_create = self.request.operation() == Some(Operation::ContainerCreate);
        if is_create && self.body().and_then(|body| body.get("Image")).is_none() {
            self.image("Image", "");
        }
    }

    /// moby: daemon/server/router/image/image_routes.go, `-` stands for the request's body, all else for a URL.
    pub(super) fn import_source(&mut self, path: &str, source: &str) {
        let setting = &self.policy.image.import_urls;
        if !matches!(source, "" | "-") && !setting.value {
            let remedy = "`import-urls = true` in `[image]`";
            self.refuse(
                Reason::new(
                    "import-url",
                    path,
                    &without_user(source),
                    "the daemon would fetch it",
                )
                .opened_by(setting.line, remedy),
            );
        }
    }

    pub(super) fn build_remote(&mut self, path: &str, remote: &str) {
        let setting = &self.policy.build.remote_contexts;
        if remote.is_empty() {
            return;
        }
        if remote == "client-session" {
            self.refuse(Reason::new(
                "buildkit",
                path,
                remote,
                "its context comes through a tunnel that the gate cannot read",
            ));
        } else if !setting.value {
            let remedy = "`remote-contexts = true` in `[build]`";
            self.refuse(
                Reason::new(
                    "build-remote",
                    path,
                    &without_user(remote),
                    "the daemon would fetch it",
                )
                .opened_by(setting.line, remedy),
            );
        }
    }

    /// moby: daemon/server/router/build/build_routes.go, `version` 2 is BuildKit, all else the classic builder.
    pub(super) fn build_version(&mut self, path: &str, version: &str) {
        if !matches!(version, "" | "1") {
            self.refuse(Reason::new(
                "buildkit",
                path,
                version,
                "its further requests go through a tunnel that the gate cannot read",
            ));
        }
    }

    /// Images whose layers a build takes: the classic builder has them already, another one would pull them.
    pub(super) fn cache_sources(&mut self, path: &str, text: &str) {
        let sources = json::parse(text.as_bytes()).unwrap_or(Value::Null);
        for source in sources.texts() {
            self.image(path, source);
        }
    }
}

/// A URL without the user and password that may stand before its host.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.split_at(host) {
        (authority, path) if !scheme.is_empty() => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        _ => url.to_owned(),
    }
}
