//! What clients that keep to their own may use beside it: networks and volumes that are shared, and images of others.

use super::pattern::Pattern;

/// What an operator shares among owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Names of networks that every owner may join and see; those that every daemon has are among them anyway.
    pub networks: Vec<Pattern>,
    /// Names of volumes that every owner may mount and see.
    pub volumes: Vec<Pattern>,
    /// Whether every owner may read the images of the others.
    pub images: bool,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            networks: Vec::new(),
            volumes: Vec::new(),
            images: true,
        }
    }
}
