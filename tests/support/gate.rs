//! The gate: the built program with a configuration of the test's, ended with the test.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::address::Address;
use super::certificates::{Authority, DOCKGATE};
use super::{engine, process, wait};

/// A configuration in the making.
#[derive(Debug)]
pub(crate) struct Setup {
    folder: TempDir,
    daemon: Address,
    audit: String,
    text: String,
    listeners: usize,
}

/// A running gate.
#[derive(Debug)]
pub(crate) struct Gate {
    folder: TempDir,
    child: Child,
    output: Arc<Mutex<String>>,
    listeners: Vec<Address>,
}

impl Setup {
    pub(crate) fn before(daemon: &Address) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockgate-test-")
            .tempdir()
            .unwrap();
        let audit = folder.path().join("audit.jsonl").display().to_string();
        Self {
            folder,
            daemon: daemon.clone(),
            audit,
            text: String::new(),
            listeners: 0,
        }
    }

    /// Where the audit log goes, in place of a file in the gate's folder.
    pub(crate) fn audit_to(mut self, sink: &str) -> Self {
        self.audit = sink.to_owned();
        self
    }

    /// A Unix socket for whoever reaches it.
    pub(crate) fn listen(mut self, policy: &str) -> Self {
        let path = self
            .folder
            .path()
            .join(format!("gate{}.sock", self.listeners));
        write!(
            self.text,
            "\n[[listener]]\naddress = \"unix://{}\"\npolicy = \"{policy}\"\n",
            path.display()
        )
        .unwrap();
        self.listeners += 1;
        self
    }

    /// A TCP port with mutual TLS, by the authority's server certificate `gate`.
    pub(crate) fn listen_tls(mut self, policy: Option<&str>, authority: &Authority) -> Self {
        let policy = policy
            .map(|policy| format!("policy = \"{policy}\"\n"))
            .unwrap_or_default();
        let revoked = authority.file("crl.pem");
        write!(
            self.text,
            "\n[[listener]]\naddress = \"tcp://127.0.0.1:0\"\n{policy}tls = {{ certificate = {:?}, key = {:?}, \
             client-ca = {:?}, client-crl = {revoked:?} }}\n",
            authority.server("gate").join("cert.pem"),
            authority.server("gate").join("key.pem"),
            authority.file("ca.pem"),
        )
        .unwrap();
        self.listeners += 1;
        self
    }

    /// More of the configuration, as it is written in the file.
    pub(crate) fn plus(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self.text.push('\n');
        self
    }

    /// More of the configuration, where keys of no table stand.
    pub(crate) fn before_tables(mut self, text: &str) -> Self {
        self.text = format!("{text}\n{}", self.text);
        self
    }

    /// How many listeners there are, where the text has more than were asked for here.
    pub(crate) fn listeners(mut self, count: usize) -> Self {
        self.listeners = count;
        self
    }

    /// A file beside the configuration, such as a policy.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    pub(crate) fn start(self) -> Gate {
        self.start_with(|_| {})
    }

    /// Starts it by a command that the test changes first, such as in its environment.
    pub(crate) fn start_with(self, change: impl FnOnce(&mut Command)) -> Gate {
        self.start_as(Command::new(DOCKGATE), change)
    }

    /// Starts it under another program, which is given these arguments and then its command line.
    pub(crate) fn start_under(self, program: &str, arguments: &[&str]) -> Gate {
        let mut command = Command::new(program);
        command.args(arguments).arg(DOCKGATE);
        self.start_as(command, |_| {})
    }

    fn start_as(self, mut command: Command, change: impl FnOnce(&mut Command)) -> Gate {
        let configuration = self.folder.path().join("dockgate.toml");
        let (daemon, audit) = (&self.daemon, &self.audit);
        let ends = format!("daemon.address = \"{daemon}\"\naudit.file = \"{audit}\"\n");
        fs::write(&configuration, ends + &self.text).unwrap();
        command
            .arg("serve")
            .arg("--config")
            .arg(&configuration)
            .env_remove("DOCKER_HOST");
        change(&mut command);
        Gate::start(&mut command, self.folder, self.listeners)
    }
}

impl Gate {
    /// The default policy on a Unix socket before the real daemon.
    pub(crate) fn guarded() -> Self {
        Self::with_policy("guarded")
    }

    /// A built-in policy by its name, or the text of one, on a Unix socket before the real daemon.
    pub(crate) fn with_policy(policy: &str) -> Self {
        let setup = Setup::before(&engine::address());
        if policy.contains('\n') {
            setup
                .file("policy.toml", policy)
                .listen("policy.toml")
                .start()
        } else {
            setup.listen(policy).start()
        }
    }

    /// Starts the program and waits for its line on each listener.
    ///
    /// # Panics
    /// Where it ends before, with what it wrote.
    pub(crate) fn start(command: &mut Command, folder: TempDir, listeners: usize) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut gate = Self {
            folder,
            child,
            output: Arc::default(),
            listeners: Vec::new(),
        };
        collect(gate.child.stdout.take().unwrap(), &gate.output);
        collect(gate.child.stderr.take().unwrap(), &gate.output);
        gate.listeners = wait::until("the gate says where it listens", || {
            let ended = gate.child.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the gate ended with {}:\n{}",
                ended.unwrap(),
                gate.output()
            );
            let said = addresses(&gate.output());
            (said.len() == listeners).then_some(said)
        });
        gate
    }

    /// Its only listener, or the first.
    pub(crate) fn address(&self) -> &Address {
        self.listener(0)
    }

    /// A listener, in the configuration's order.
    pub(crate) fn listener(&self, index: usize) -> &Address {
        &self.listeners[index]
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All that it has written to its standard output and error.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// The audit records so far.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.audit_file()).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(super::json).collect()
    }

    pub(crate) fn audit_file(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    /// A file beside its configuration, or `dockgate.toml` itself.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces a file as editors do: another one takes its name.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let new = self.file(&format!(".{name}.new"));
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file(name)).unwrap();
    }

    /// Waits until its output has a text more often than `before` times; gives how often.
    pub(crate) fn says(&self, part: &str, before: usize) -> usize {
        wait::until(part, || {
            let count = self.output().matches(part).count();
            (count > before).then_some(count)
        })
    }

    /// Sends it a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.arg(format!("-{name}")).arg(self.id().to_string());
        process::run(&mut kill, Vec::new(), wait::DEADLINE).ok("kill");
    }

    pub(crate) fn ended_within(&mut self, deadline: Duration) -> Option<ExitStatus> {
        wait::within(deadline, || self.child.try_wait().unwrap())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("---- what the gate wrote ----\n{}", self.output());
            let audit = fs::read_to_string(self.audit_file()).unwrap_or_default();
            let last: Vec<&str> = audit.lines().rev().take(12).collect();
            for line in last.iter().rev() {
                eprintln!("audit: {line}");
            }
        }
    }
}

fn collect(stream: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
        }
    });
}

/// The addresses in the lines `export DOCKER_HOST=…`, in their order.
fn addresses(output: &str) -> Vec<Address> {
    let starts = output
        .match_indices("DOCKER_HOST=")
        .map(|(start, key)| &output[start + key.len()..]);
    let words = starts.filter_map(|rest| {
        rest.split([' ', '\n', '"', '\'', ';'])
            .find(|word| !word.is_empty())
    });
    words.map(Address::parse).collect()
}
