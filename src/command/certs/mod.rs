//! `dockgate certs`: an authority, certificates for servers and clients, and their revocation.

mod authority;
mod folder;
mod index;
mod subject;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use time::OffsetDateTime;

use crate::command::certs::authority::Authority;
use crate::command::certs::folder::Folder;
use crate::command::certs::index::{Index, Issued};
use crate::command::certs::subject::{AlternativeName, Kind, Name, Subject, Validity};

/// Makes an authority, server and client certificates, and revokes them.
#[derive(Clone, Debug, Args)]
pub struct CertsArguments {
    #[command(subcommand)]
    verb: Verb,
}

/// Does what was asked and prints what was made.
pub fn run(arguments: &CertsArguments) -> Result<(), CertsError> {
    let report = report(arguments)?;
    io::stdout()
        .write_all(report.as_bytes())
        .map_err(|error| CertsError(format!("cannot print what was made: {error}")))
}

/// Does what was asked and gives the text to print.
pub fn report(arguments: &CertsArguments) -> Result<String, CertsError> {
    let now = OffsetDateTime::now_utc();
    match &arguments.verb {
        Verb::Init(init) => make_authority(init, now),
        Verb::Server(leaf) => make_leaf(Kind::Server, leaf, now),
        Verb::Client(leaf) => make_leaf(Kind::Client, leaf, now),
        Verb::Revoke(revoke) => revoke_by_name(revoke, now),
    }
}

/// Why nothing was made, or not all of it, for the operator to read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct CertsError(String);

#[derive(Clone, Debug, Subcommand)]
enum Verb {
    /// Make an authority (ca.pem, ca-key.pem) and its empty revocation list (crl.pem)
    Init(InitArguments),
    /// Make a certificate for the gate's own TCP listener
    Server(LeafArguments),
    /// Make a certificate for a client: a folder ready to be its DOCKER_CERT_PATH
    Client(LeafArguments),
    /// Revoke what was issued under a name and write the revocation list anew
    Revoke(RevokeArguments),
}

#[derive(Clone, Debug, Args)]
struct OutArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR", default_value = "./certs")]
    out: PathBuf,
}

#[derive(Clone, Debug, Args)]
struct InitArguments {
    #[command(flatten)]
    folder: OutArguments,
    /// How long the authority is valid
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
    days: u32,
    /// The organization (O) that the authority names
    #[arg(long, value_name = "O", value_parser = subject::text)]
    organization: Option<String>,
    /// Replace an authority that is there; what it has signed is no longer accepted
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
struct LeafArguments {
    /// The common name (CN), and the folder's name: letters, digits, `.`, `_`, `-`
    name: Name,
    #[command(flatten)]
    folder: OutArguments,
    /// An alternative name: DNS:…, IP:…, EMAIL:… or URI:…; for a server the default is localhost, 127.0.0.1, ::1,
    /// this machine's name and NAME
    #[arg(long = "san", value_name = "KIND:VALUE")]
    alternative_names: Vec<AlternativeName>,
    /// How long the certificate is valid; 0 makes one that has expired already, for tests
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(..=36500))]
    days: u32,
    /// The organization (O)
    #[arg(long, value_name = "O", value_parser = subject::text)]
    organization: Option<String>,
    /// The organizational unit (OU)
    #[arg(long, value_name = "OU", value_parser = subject::text)]
    organizational_unit: Option<String>,
    /// Replace the certificate of that name; the earlier one stays valid until it is revoked
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Debug, Args)]
struct RevokeArguments {
    /// The name that the certificate was issued under
    name: Name,
    #[command(flatten)]
    folder: OutArguments,
    /// Which of two certificates of the same name
    #[arg(long)]
    kind: Option<Kind>,
    /// Only the certificate of this serial number, in hexadecimal
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
}

fn make_authority(init: &InitArguments, now: OffsetDateTime) -> Result<String, CertsError> {
    let folder = Folder::create(&init.folder.out)?;
    if !init.force {
        for name in [folder::AUTHORITY, folder::AUTHORITY_KEY] {
            folder.refuse_existing(name)?;
        }
    }
    let validity = Validity::starting(now, init.days);
    let authority = Authority::generate(init.organization.as_deref(), validity)?;
    // The key is last but one, so that a folder with an authority always has what the authority needs.
    folder.append(folder::INDEX, &authority.index_line()?)?;
    folder.write_public(
        folder::REVOCATION_LIST,
        &authority.revocation_list(&[], 1, now)?,
    )?;
    folder.write_private(folder::AUTHORITY_KEY, &authority.key_pem())?;
    folder.write_public(folder::AUTHORITY, authority.certificate_pem())?;

    let root = folder.root().display();
    let out = shell_word(&init.folder.out);
    Ok(format!(
        "made an authority, valid until {end}\n  \
         {root}/ca.pem      its certificate\n  \
         {root}/ca-key.pem  its private key: keep it off the machine that the gate runs on, if you can\n  \
         {root}/crl.pem     its revocation list, empty\n\n\
         next:\n  \
         dockgate certs server gate --out {out}\n  \
         dockgate certs client NAME --out {out}\n",
        end = date(validity.not_after),
    ))
}

fn make_leaf(kind: Kind, leaf: &LeafArguments, now: OffsetDateTime) -> Result<String, CertsError> {
    let folder = Folder::open(&leaf.folder.out)?;
    if !leaf.force {
        folder.refuse_existing(&format!("{kind}/{}", leaf.name))?;
    }
    let authority = Authority::load(&folder)?;
    let validity = Validity::starting(now, leaf.days).within(authority.validity())?;
    let mut alternative_names = leaf.alternative_names.clone();
    if kind == Kind::Server && alternative_names.is_empty() {
        alternative_names = subject::server_names(&leaf.name);
    }
    let subject = Subject {
        kind,
        name: leaf.name.clone(),
        organization: leaf.organization.clone(),
        organizational_unit: leaf.organizational_unit.clone(),
        alternative_names,
    };
    let made = authority.sign(&subject, validity)?;
    // The index comes first: a certificate that it does not know could not be revoked.
    folder.append(folder::INDEX, &made.index_line(&subject, validity)?)?;
    let path = folder.install(
        kind.as_str(),
        leaf.name.as_str(),
        &[
            ("ca.pem", authority.certificate_pem()),
            ("cert.pem", &made.certificate_pem),
        ],
        ("key.pem", &made.key_pem),
    )?;
    let mut report = format!(
        "made the {kind} certificate `{}`, serial {}, {}\n  {}/{{ca,cert,key}}.pem\n",
        leaf.name,
        made.serial,
        lifetime(validity, now),
        path.display()
    );
    for name in &subject.alternative_names {
        report.push_str(&format!("  {name}\n"));
    }
    report.push_str(&match kind {
        Kind::Server => listener_table(folder.root(), &path),
        Kind::Client => docker_variables(&path),
    });
    Ok(report)
}

fn revoke_by_name(revoke: &RevokeArguments, now: OffsetDateTime) -> Result<String, CertsError> {
    let folder = Folder::open(&revoke.folder.out)?;
    let authority = Authority::load(&folder)?;
    let mut index = Index::read(&folder)?;
    let chosen = chosen(&index, revoke)?;
    let number = authority::next_list_number(&folder, now)?;
    let mut report = String::new();
    // The index comes first: a run that is interrupted here is completed by the next one, which lists all of them.
    for issued in &chosen {
        let was = if index.is_revoked(&issued.serial) {
            "was revoked already"
        } else {
            folder.append(folder::INDEX, &index.revoke(issued, now)?)?;
            "revoked"
        };
        report.push_str(&format!(
            "{was}: the {} certificate `{}`, serial {}\n",
            issued.kind, issued.name, issued.serial
        ));
    }
    let list = authority.revocation_list(index.revoked(), number, now)?;
    folder.write_public(folder::REVOCATION_LIST, &list)?;
    let count = index.revoked().len();
    report.push_str(&format!(
        "\n{}/crl.pem is now list number {number}, with {count} {}\n\
         next: give it to the gate as `client-crl`, and start the gate again, which reads it then\n",
        folder.root().display(),
        if count == 1 { "entry" } else { "entries" }
    ));
    Ok(report)
}

fn chosen(index: &Index, revoke: &RevokeArguments) -> Result<Vec<Issued>, CertsError> {
    let serial = revoke
        .serial
        .as_ref()
        .map(|serial| serial.replace(':', "").to_ascii_lowercase());
    let chosen: Vec<Issued> = index
        .issued()
        .iter()
        .filter(|issued| issued.name == revoke.name.as_str())
        .filter(|issued| revoke.kind.is_none_or(|kind| kind == issued.kind))
        .filter(|issued| {
            serial
                .as_ref()
                .is_none_or(|serial| *serial == issued.serial)
        })
        .cloned()
        .collect();
    let Some(first) = chosen.first() else {
        return Err(CertsError(format!(
            "this authority has issued no such certificate: `{}`",
            revoke.name
        )));
    };
    if chosen.iter().any(|issued| issued.kind != first.kind) {
        return Err(CertsError(format!(
            "`{}` names a server and a client: say which with `--kind`",
            revoke.name
        )));
    }
    Ok(chosen)
}

fn lifetime(validity: Validity, now: OffsetDateTime) -> String {
    let end = date(validity.not_after);
    if validity.not_after < now {
        format!("which EXPIRED on {end}: good for tests only")
    } else {
        format!("valid until {end}")
    }
}

fn date(time: OffsetDateTime) -> String {
    let (year, month, day) = time.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

fn listener_table(root: &Path, path: &Path) -> String {
    format!(
        "\nnext, in the gate's configuration:\n  \
         [[listener]]\n  \
         address = \"tcp://0.0.0.0:2376\"\n  \
         tls     = {{ certificate = {:?}, key = {:?}, client-ca = {:?}, client-crl = {:?} }}\n",
        path.join("cert.pem"),
        path.join("key.pem"),
        root.join(folder::AUTHORITY),
        root.join(folder::REVOCATION_LIST),
    )
}

fn docker_variables(path: &Path) -> String {
    format!(
        "\nnext, with the gate's address for `localhost`:\n  \
         export DOCKER_HOST=tcp://localhost:2376\n  \
         export DOCKER_TLS_VERIFY=1\n  \
         export DOCKER_CERT_PATH={}\n",
        shell_word(path)
    )
}

fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain =
        |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    if text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
