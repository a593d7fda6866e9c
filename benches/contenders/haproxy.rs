//! HAProxy in the configurations that stand before Docker daemons.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Contender, Kind, alone, contender, free_port};

pub(super) fn is_there() -> bool {
    let version = Command::new("haproxy")
        .arg("-v")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Tuned, with its access log and without; as people run it; and as a copier of bytes.
pub(super) fn all(folder: &Path, engine: &Path) -> Vec<Contender> {
    let certificates = folder.join("certs");
    let (certificate, key) = (
        fs::read(certificates.join("server/gate/cert.pem")).expect("a certificate"),
        fs::read(certificates.join("server/gate/key.pem")).expect("a key"),
    );
    fs::write(
        certificates.join("server/gate/both.pem"),
        [certificate, key].concat(),
    )
    .expect("a file");
    let start = |(name, kind, template): (&str, Kind, &str)| {
        let (socket, port) = (folder.join(format!("{name}.sock")), free_port());
        let tls = format!(
            "bind 127.0.0.1:{port} ssl crt {0}/server/gate/both.pem ca-file {0}/ca.pem verify required",
            certificates.display()
        );
        let text = template
            .replace("{socket}", &socket.display().to_string())
            .replace("{tls}", &tls)
            .replace("{engine}", &engine.display().to_string());
        let file = folder.join(format!("{name}.cfg"));
        fs::write(&file, text).expect("a configuration");
        let mut command = alone("haproxy");
        command.arg("-db").arg("-f").arg(file);
        contender(name, kind, command, (&socket, Some(port)))
    };
    [
        (
            "haproxy",
            Kind::Proxy,
            include_str!("haproxy-tuned.cfg").to_owned(),
        ),
        (
            "haproxy-no-log",
            Kind::Proxy,
            include_str!("haproxy-tuned.cfg")
                .replace("log stdout format raw daemon info", "")
                .replace("log global", ""),
        ),
        (
            "haproxy-usual",
            Kind::Proxy,
            include_str!("haproxy-usual.cfg").to_owned(),
        ),
        (
            "haproxy-tcp",
            Kind::Floor,
            include_str!("haproxy-tcp.cfg").to_owned(),
        ),
    ]
    .iter()
    .map(|(name, kind, template)| start((name, *kind, template)))
    .collect()
}
