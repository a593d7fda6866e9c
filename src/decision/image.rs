//! Limits on images: which are run, and which come and go; and on builds.

use super::{Judge, Reason};
use crate::engine_api::{Operation, reference};

impl Judge<'_> {
    pub(super) fn image(&mut self, path: &str, text: &str) {
        let is_run = self.request.operation() == Some(Operation::ContainerCreate);
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
        let readings = self.readings(text);
        if text.is_empty() || readings.iter().all(permits) {
            return;
        }
        let form = readings
            .first()
            .and_then(|forms| forms.last())
            .cloned()
            .unwrap_or_default();
        let remedy = format!("`\"{form}\"` in {key}");
        let message = "no rule opens this image";
        self.refuse(Reason::new("image", path, text, message).opened_by(setting.line, &remedy));
    }

    /// The forms of a reference, with the tag that stands in the query beside it.
    ///
    /// moby: daemon/server/router/image/image_routes.go, `postImagesCreate`; without a tag every tag may come or go.
    fn readings(&self, text: &str) -> Vec<Vec<String>> {
        let takes_tag = matches!(
            self.request.operation(),
            Some(
                Operation::ImageCreate
                    | Operation::ImagePush
                    | Operation::ImageTag
                    | Operation::ImageCommit
            )
        );
        match self
            .request
            .head
            .query
            .get("tag")
            .filter(|tag| takes_tag && !tag.is_empty())
        {
            Some(tag) if tag.contains(':') => reference::forms(&format!("{text}@{tag}")),
            Some(tag) => reference::forms(&format!("{text}:{tag}")),
            None if takes_tag && !text.contains('@') => {
                let without_tag =
                    |forms: Vec<String>| forms.into_iter().rev().take(1).collect::<Vec<_>>();
                let is_tagged = text
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| last.contains(':'));
                let forms = reference::forms(text);
                if is_tagged {
                    forms
                } else {
                    forms.into_iter().map(without_tag).collect()
                }
            }
            None => reference::forms(text),
        }
    }

    /// moby: daemon/server/router/image/image_routes.go, `-` stands for the request's body, all else for a URL.
    pub(super) fn import_source(&mut self, path: &str, source: &str) {
        let setting = &self.policy.image.import_urls;
        if !matches!(source, "" | "-") && !setting.value {
            let remedy = "`import-urls = true` in `[image]`";
            self.refuse(
                Reason::new("import-url", path, source, "the daemon would fetch it")
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
                Reason::new("build-remote", path, remote, "the daemon would fetch it")
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
}
