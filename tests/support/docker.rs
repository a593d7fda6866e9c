//! The docker CLI, with nothing of its surroundings but the address it is given.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::address::Address;
use super::process::{self, Ended};
use super::wait::DEADLINE;

/// The docker CLI at one address, with an own and empty configuration.
#[derive(Debug)]
pub(crate) struct Docker {
    address: Address,
    configuration: TempDir,
}

impl Docker {
    pub(crate) fn at(address: &Address) -> Self {
        Self {
            address: address.clone(),
            configuration: tempfile::tempdir().unwrap(),
        }
    }

    /// `docker COMMAND`, not yet started; the command's words are read as a shell reads them, `'…'` quotes.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut docker = self.client("docker");
        docker.args(words(command));
        docker
    }

    /// Another program that reads `DOCKER_HOST` and the like.
    pub(crate) fn client(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for (key, _) in std::env::vars_os() {
            if key.to_string_lossy().starts_with("DOCKER_") {
                command.env_remove(key);
            }
        }
        // Python's requests takes them over the authority that the client was told.
        command
            .env_remove("REQUESTS_CA_BUNDLE")
            .env_remove("CURL_CA_BUNDLE");
        command.env("DOCKER_CONFIG", self.configuration.path());
        command.env("DOCKER_BUILDKIT", "0");
        command.env("DOCKER_HOST", self.address.to_string());
        if let Address::Tls(_, folder) = &self.address {
            command
                .env("DOCKER_TLS_VERIFY", "1")
                .env("DOCKER_CERT_PATH", folder);
        }
        command
    }

    /// Runs `docker COMMAND` to its end.
    pub(crate) fn run(&self, command: impl AsRef<str>) -> Ended {
        self.run_with(command, Vec::new())
    }

    /// Runs it with `input` on its standard input.
    pub(crate) fn run_with(&self, command: impl AsRef<str>, input: Vec<u8>) -> Ended {
        process::run(&mut self.command(command.as_ref()), input, DEADLINE * 2)
    }

    /// Runs it and gives its trimmed standard output.
    ///
    /// # Panics
    /// Where it fails.
    pub(crate) fn ok(&self, command: impl AsRef<str>) -> String {
        let ended = self
            .run(&command)
            .ok(&format!("docker {}", command.as_ref()));
        ended.trim_end().to_owned()
    }

    /// Runs it, expects it to fail, and gives its standard error.
    pub(crate) fn fails(&self, command: impl AsRef<str>) -> String {
        self.run(&command)
            .failed(&format!("docker {}", command.as_ref()))
    }

    /// Starts it and leaves it running, its standard input and output piped.
    pub(crate) fn start(&self, command: impl AsRef<str>) -> Running {
        let mut command = self.command(command.as_ref());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        Running {
            child: Some(command.spawn().unwrap()),
        }
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }
}

/// A client that runs; it is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Option<Child>,
}

impl Running {
    pub(crate) fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    /// Waits for its end; its standard input is closed.
    pub(crate) fn finish(mut self, deadline: Duration) -> Ended {
        let child = self.child.take().unwrap();
        process::finish(child, Vec::new(), deadline).unwrap_or_else(|so_far| {
            panic!("the client did not end in {deadline:?}; it wrote:\n{so_far}")
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quoted) = (None::<String>, false);
    for letter in text.chars() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}
