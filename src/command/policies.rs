//! `dockgate policies [NAME]`: lists the ready policies, or prints one.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::policy::{describe, ready};

/// Lists the ready policies, or prints the text of one.
///
/// # Errors
/// When the standard output takes no more.
pub fn run(name: Option<&str>) -> io::Result<ExitCode> {
    answer(name, &mut io::stdout().lock(), &mut io::stderr().lock())
}

fn answer(
    name: Option<&str>,
    out: &mut impl Write,
    complaints: &mut impl Write,
) -> io::Result<ExitCode> {
    let Some(name) = name else {
        return list(out).map(|()| ExitCode::SUCCESS);
    };
    if let Some(text) = ready::find(name) {
        out.write_all(text.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let hint = ready::nearest(name).map_or_else(
        || "`dockgate policies` lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    writeln!(complaints, "no ready policy is named `{name}`; {hint}")?;
    Ok(ExitCode::FAILURE)
}

fn list(out: &mut impl Write) -> io::Result<()> {
    let policies = ready::ready();
    let width = policies
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or_default();
    for (name, text) in policies {
        let description = describe(text).unwrap_or_default();
        writeln!(out, "{name:width$}  {description}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: Option<&str>) -> (ExitCode, String, String) {
        let (mut out, mut complaints) = (Vec::new(), Vec::new());
        let code = answer(name, &mut out, &mut complaints).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code, text(out), text(complaints))
    }

    #[test]
    fn lists_each_policy_in_one_line() {
        let (code, out, complaints) = run(None);
        assert_eq!((code, complaints.as_str()), (ExitCode::SUCCESS, ""));
        assert_eq!(out.lines().count(), ready::ready().len());
        assert!(out.starts_with("guarded        Runs, builds"));
    }

    #[test]
    fn prints_a_policy_as_it_is() {
        let (code, out, _) = run(Some("traefik"));
        assert_eq!(code, ExitCode::SUCCESS);
        assert_eq!(Some(out.as_str()), ready::find("traefik"));
    }

    #[test]
    fn says_what_was_meant() {
        let (code, out, complaints) = run(Some("trafik"));
        assert_eq!((code, out.as_str()), (ExitCode::FAILURE, ""));
        assert_eq!(
            complaints,
            "no ready policy is named `trafik`; did you mean `traefik`?\n"
        );
    }
}
