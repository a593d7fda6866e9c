//! The gate: what it decides, and what it moves.

pub mod audit;
pub mod command {
    pub mod certs;
}
pub mod daemon {
    pub mod tls;
}
pub mod policy {
    pub mod client;
    pub mod client_match;
    pub mod pattern;
}
pub mod proxy {
    pub mod client_identity;
    pub mod tls;
}
pub mod tls_files;
