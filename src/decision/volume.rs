//! Limits on the drivers of volumes.

use super::{Judge, Reason};

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
}
