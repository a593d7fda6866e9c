//! Limits on the drivers of volumes, and on volumes of the swarm.

use super::{Judge, Reason};
use crate::engine_api::Operation;

impl Judge<'_> {
    pub(super) fn volume_driver(&mut self, path: &str, driver: &str) {
        let (of_volumes, of_containers) = (
            &self.policy.volume.drivers,
            &self.policy.container.volume_drivers,
        );
        let permits = of_volumes
            .value
            .iter()
            .chain(&of_containers.value)
            .any(|pattern| pattern.matches(driver));
        if !matches!(driver, "" | "local") && !permits {
            let remedy = format!("`drivers = [{}]` in `[volume]`", Reason::quoted(driver));
            self.refuse(
                Reason::new(
                    "volume-driver",
                    path,
                    driver,
                    "a plugin decides what it mounts",
                )
                .opened_by(of_volumes.line, &remedy),
            );
        }
    }

    /// A specification that is there makes a volume of the swarm, an empty one too.
    pub(super) fn cluster_volume(&mut self, path: &str) {
        let setting = &self.policy.volume.cluster;
        if !setting.value {
            let message = "the plugins of all nodes mount a volume of the swarm";
            self.refuse(
                Reason::new("cluster-volume", path, "", message)
                    .opened_by(setting.line, "`cluster = true` in `[volume]`"),
            );
        }
    }

    /// An update is one of a volume of the swarm, whatever it holds.
    pub(super) fn cluster_volume_update(&mut self) {
        let has_spec = self.body().is_some_and(|body| body.get("Spec").is_some());
        if self.request.operation() == Some(Operation::VolumeUpdate) && !has_spec {
            self.cluster_volume("Spec");
        }
    }
}
