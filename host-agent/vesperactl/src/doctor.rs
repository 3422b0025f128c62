// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vesperactl doctor`: every check, also those that are well or could not be made.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::ensure;
use health::check::causes;
use health::{Check, Root, State, Status, Survey, flatpak};
use serde::Serialize;

use crate::args::Show;
use crate::desktop::{self, Session};
use crate::exit::{self, Outcome};
use crate::in_force::Agent;
use crate::screen::{Ink, Mark, finding};

/// The version of the JSON.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize)]
struct DoctorReport<'a> {
    format: u32,
    state: State,
    checks: &'a [Check],
}

/// Looks and shows.
pub(crate) fn run(root: &Root, show: &Show, ink: Ink) -> anyhow::Result<Outcome> {
    look(root, &Session::of_environment(root), &Agent::ask(root), show, ink)
}

fn look(
    root: &Root,
    session: &Session,
    agent: &Agent,
    show: &Show,
    ink: Ink,
) -> anyhow::Result<Outcome> {
    let checks = checks_with(root, session, agent);
    let mut outcome = listing(&checks, show, ink)?;
    outcome.code = agent.exit_code(State::of(&checks));
    if let (Agent::Unreachable(reason), false) = (agent, show.json) {
        outcome.text.push_str(&format!("{reason}\n"));
    }
    Ok(outcome)
}

/// All checks, also those that only the agent or the person at the desktop can make.
pub(crate) fn checks(root: &Root, session: &Session) -> Vec<Check> {
    checks_with(root, session, &Agent::ask(root))
}

fn checks_with(root: &Root, session: &Session, agent: &Agent) -> Vec<Check> {
    let mut checks = Survey::with_report(root).checks;
    checks.extend(agent.findings(root));
    checks.push(desktop::check(root, session));
    checks.extend(flatpak::check(root));
    checks
}

/// Looks and shows, then offers to mend what needs no right but the person's own: the desktop's
/// acceleration.
pub(crate) fn fix(root: &Root, show: &Show, ink: Ink, yes: bool) -> anyhow::Result<Outcome> {
    ensure!(!show.json, "--fix asks a person; it does not go with --json");
    let session = Session::of_environment(root);
    let before = look(root, &session, &Agent::ask(root), show, ink)?;
    let plan = match desktop::plan(root, &session) {
        Ok(plan) if plan.is_empty() => Vec::new(),
        Ok(plan) => plan,
        Err(error) => {
            let text = format!("{}\nnothing that could be mended here: {error}\n", before.text);
            return Ok(Outcome { text, code: before.code });
        }
    };
    if plan.is_empty() {
        let text = format!("{}\nnothing that could be mended here\n", before.text);
        return Ok(Outcome { text, code: before.code });
    }
    let mut out = io::stdout().lock();
    write!(out, "{}\nto set the desktop's profile flat:\n", before.text)?;
    for command in &plan {
        writeln!(out, "  {}", command.join(" "))?;
    }
    if !yes && !agreed(&mut out, &mut io::stdin().lock(), io::stdin().is_terminal())? {
        return Ok(Outcome { text: "nothing was changed\n".to_owned(), code: before.code });
    }
    desktop::carry_out(&plan)?;
    let after = look(root, &session, &Agent::ask(root), show, ink)?;
    let text = format!("done; it holds from the next login at the latest\n\n{}", after.text);
    Ok(Outcome { text, code: after.code })
}

/// Asks; whoever cannot be asked has not agreed.
fn agreed(out: &mut impl Write, input: &mut impl BufRead, terminal: bool) -> io::Result<bool> {
    if !terminal {
        writeln!(out, "there is nobody to ask; --yes agrees beforehand")?;
        return Ok(false);
    }
    write!(out, "do it? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Shows findings one by one, then what mends those that stand on their own.
pub(crate) fn listing(checks: &[Check], show: &Show, ink: Ink) -> anyhow::Result<Outcome> {
    let state = State::of(checks);
    let code = exit::code(state);
    if show.json {
        let report = DoctorReport { format: FORMAT, state, checks };
        return Ok(Outcome { text: serde_json::to_string_pretty(&report)? + "\n", code });
    }
    let mut text = String::new();
    for check in checks {
        let detail =
            if check.detail.is_empty() { String::new() } else { format!(": {}", check.detail) };
        text.push_str(&format!("{} {}{detail}\n", ink.mark(Mark::of(check)), check.title));
    }
    for check in causes(checks) {
        text.push('\n');
        text.push_str(&finding(ink, check));
    }
    let unseen = checks.iter().filter(|check| check.status == Status::Unknown).count();
    let unseen = match unseen {
        0 => String::new(),
        1 => ", 1 check could not be made".to_owned(),
        many => format!(", {many} checks could not be made"),
    };
    let plural = if checks.len() == 1 { "" } else { "s" };
    text.push_str(&format!("\n{} of {} check{plural}{unseen}\n", ink.state(state), checks.len()));
    Ok(Outcome { text, code })
}

#[cfg(test)]
mod tests {
    use health::catalogue::SETTINGS_FILE_DAMAGED;
    use module_check::fixtures::FixtureRoot;

    use super::*;
    use crate::in_force::tests::{agent_that_found, stopped_agent};

    #[test]
    fn what_could_not_be_seen_is_counted_and_never_well() {
        let fixture = FixtureRoot::new();
        let session = Session::of_environment(fixture.root());
        let checks = checks(fixture.root(), &session);
        let outcome = listing(&checks, &Show { json: false }, Ink::PLAIN).unwrap();
        insta::assert_snapshot!(outcome.text, @r"
        ?    Module for this kernel: there is no kernel
        ?    Module signature: there is no module to look at
        ?    Module signature proved: there is no module to look at
        ?    Signing key enrolled: there is no module to look at
        ok   Module not blacklisted
        ?    Loading of modules allowed: this system does not run
        ?    Module loaded: this system does not run
        ?    Loaded module is the installed one: this system does not run
        warn The group maccel does not exist: /etc/group and /usr/lib/group have none, and no /usr/lib/sysusers.d/vespera.conf declares it
        ?    You are in group maccel: this system does not run
        ?    Settings writable by group maccel: this system does not run
        ?    /dev/maccel readable by group maccel: this system does not run
        ?    Settings of each mouse writable by group maccel: this system does not run
        ?    Module checked at this boot: this system does not run
        ?    Desktop leaves mouse acceleration to the driver: another root has no desktop session

        warn The group maccel does not exist (group-missing)
             /etc/group and /usr/lib/group have none, and no /usr/lib/sysusers.d/vespera.conf declares it

        degraded of 15 checks, 13 checks could not be made
        ");
        assert_eq!(outcome.code, exit::DEGRADED);
    }

    /// `doctor --root IMAGE` said "broken", and what to do about it here.
    #[test]
    fn an_unpacked_image_with_a_fitting_module_is_not_broken() {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0");
        fixture.file("usr/lib/sysusers.d/vespera.conf", b"g maccel - -\n");
        let list = b"[Flatpak Preinstall org.x.Y]\n";
        fixture.file("usr/share/flatpak/preinstall.d/vespera.preinstall", list);
        let outcome = run(fixture.root(), &Show { json: false }, Ink::PLAIN).unwrap();
        assert_eq!(outcome.code, exit::HEALTHY, "{}", outcome.text);
        assert!(!outcome.text.contains("to mend it"), "{}", outcome.text);
        assert!(outcome.text.contains("?    Module loaded"), "{}", outcome.text);
        assert!(outcome.text.contains("?    Signing key enrolled"), "{}", outcome.text);
    }

    #[test]
    fn what_the_agent_found_is_listed_and_without_it_that_could_not_be_seen() {
        let fixture = FixtureRoot::new();
        let session = Session::of_environment(fixture.root());
        let text = |agent: &Agent| {
            let checks = checks_with(fixture.root(), &session, agent);
            listing(&checks, &Show { json: false }, Ink::PLAIN).unwrap().text
        };
        let found = text(&agent_that_found(&SETTINGS_FILE_DAMAGED, "failed"));
        assert!(found.contains("(settings-file-damaged)"), "{found}");
        assert!(found.contains("13 checks could not be made"), "{found}");
        let silent = text(&Agent::Unreachable("no bus".to_owned()));
        let line = format!("?    {}: only the agent knows: no bus", SETTINGS_FILE_DAMAGED.title);
        assert!(silent.contains(&line), "{line} in {silent}");
        assert!(silent.contains("18 checks could not be made"), "{silent}");
    }

    /// `doctor` said "healthy" and exited 0 while the agent was dead.
    #[test]
    fn an_agent_that_does_not_answer_has_an_exit_code_of_its_own() {
        let fixture = FixtureRoot::new();
        fixture.kernel("6.1.0");
        let session = Session::of_environment(fixture.root());
        let silent = Agent::Unreachable("the agent cannot be reached".to_owned());
        for json in [false, true] {
            let show = Show { json };
            let outcome = look(fixture.root(), &session, &silent, &show, Ink::PLAIN).unwrap();
            assert_eq!(outcome.code, exit::UNREACHABLE);
            assert_eq!(outcome.text.ends_with("the agent cannot be reached\n"), !json);
        }
        let outcome =
            look(fixture.root(), &session, &Agent::None, &Show { json: true }, Ink::PLAIN).unwrap();
        assert_eq!(outcome.code, exit::BROKEN);
    }

    /// `kill -STOP` of the agent kept `status`, `doctor` and `report` for ever.
    #[test]
    fn a_stopped_agent_counts_as_unreachable_and_the_checks_are_shown() {
        let fixture = FixtureRoot::new();
        let session = Session::of_environment(fixture.root());
        let show = Show { json: false };
        let outcome = look(fixture.root(), &session, &stopped_agent(), &show, Ink::PLAIN).unwrap();
        assert_eq!(outcome.code, exit::UNREACHABLE);
        assert!(outcome.text.contains("Module for this kernel"), "{}", outcome.text);
        let reason = "the agent cannot be reached: I/O error: it does not answer\n";
        assert!(outcome.text.ends_with(reason), "{}", outcome.text);
    }

    #[test]
    fn only_a_clear_yes_of_somebody_agrees() {
        for (answer, terminal, expected) in [
            ("y\n", true, true),
            ("yes\n", true, true),
            ("\n", true, false),
            ("", true, false),
            ("no\n", true, false),
            ("y\n", false, false),
        ] {
            let mut out = Vec::new();
            let found = agreed(&mut out, &mut answer.as_bytes(), terminal).unwrap();
            assert_eq!(found, expected, "{answer:?} {terminal}");
        }
    }
}
