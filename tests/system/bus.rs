// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent in the booted image: its interface, people at the desktop and away from it, mice
//! that come and go.

use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use vespera_tests::{Guest, HarnessError, MousePlan, Output};

use crate::group::Group;
use crate::image::Booted;
use crate::pointer::parameter;
use crate::screen;

const UNIT: &str = "vespera-agent.service";
pub(crate) const NAME: &str = "org.vespera.Agent1";
/// Where the image has the documented interfaces.
const INTERFACES: &str = "/usr/share/dbus-1/interfaces";
/// At the screen, and on another console; neither is in the group maccel.
pub(crate) const ACTIVE: &str = "anna";
pub(crate) const INACTIVE: &str = "bela";
/// Of the group, without a session.
const MEMBER: &str = "mona";
/// For what comes by itself; nothing is measured against it.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) fn tests(booted: &Arc<Booted>) -> (Arc<Group>, Vec<Trial>) {
    let booted = Arc::clone(booted);
    let group = Group::new(
        "bus".into(),
        Box::new(move || {
            let guest = booted.guest()?;
            for person in [ACTIVE, INACTIVE, MEMBER] {
                guest.run(["useradd", "--create-home", person])?.success()?;
            }
            guest.run(["usermod", "-aG", "maccel", MEMBER])?.success()?;
            Ok(guest)
        }),
    );
    let mut tests = vec![
        group.test("the_agent_serves_the_shipped_interfaces_without_a_capability", interface),
        group.test("what_is_set_over_the_bus_is_in_force_in_the_kernel", in_force),
        group.test("only_the_active_person_and_members_may_change_settings", people),
        group.test("settings_on_trial_stay_only_if_someone_says_so", trial),
        group.test("a_watching_status_shows_every_change", watch),
        group.test("mice_come_and_go_while_settings_change", mice),
        group.test("a_stopped_agent_counts_as_unreachable_until_it_goes_on", stopped),
    ];
    tests.extend(screen::tests(&group));
    tests.push(group.test("the_agent_needs_less_than_6_mb", memory));
    (group, tests)
}

/// Waits for what comes by itself.
pub(crate) fn wait_for(
    what: &str,
    mut is_so: impl FnMut() -> Result<bool, HarnessError>,
) -> Result<(), HarnessError> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        assert!(Instant::now() < deadline, "it never came: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// Names of the members that `busctl introspect` lists for an interface, with their signatures.
pub(crate) fn members(listing: &str) -> Vec<String> {
    let mut members: Vec<String> = listing
        .lines()
        .map(|line| line.split_whitespace().take(3).collect::<Vec<_>>().join(" "))
        .filter(|line| line.starts_with('.'))
        .collect();
    members.sort();
    members
}

/// The same from the shipped file, read by a tool of the guest that knows nothing of us.
pub(crate) fn documented(guest: &Guest, interface: &str) -> Result<Vec<String>, HarnessError> {
    let text = guest.read_file(&format!("{INTERFACES}/{interface}.xml"))?;
    let mut members = Vec::new();
    let attribute = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    let mut input = String::new();
    let mut method: Option<String> = None;
    for line in text.lines().map(str::trim) {
        let kind = attribute(line, "type").unwrap_or_default();
        if line.starts_with("<method ") {
            method = attribute(line, "name");
            input.clear();
        } else if line.contains("direction=\"in\"") {
            input.push_str(&kind);
        } else if line.starts_with("<property ") {
            let name = attribute(line, "name").unwrap_or_default();
            members.push(format!(".{name} property {kind}"));
        }
        if (line.starts_with("<method ") && line.ends_with("/>")) || line == "</method>" {
            let signature = if input.is_empty() { "-" } else { input.as_str() };
            if let Some(name) = method.take() {
                members.push(format!(".{name} method {signature}"));
            }
        }
    }
    members.sort();
    Ok(members)
}

fn interface(guest: &Guest) -> Result<(), HarnessError> {
    for interface in ["Health", "Maccel"].map(|name| format!("{NAME}.{name}")) {
        let introspect = ["busctl", "introspect", "--no-pager", NAME, "/org/vespera/Agent1"];
        let argv = introspect.into_iter().chain([interface.as_str()]);
        let served = guest.run(argv)?.success()?.stdout;
        let documented = documented(guest, &interface)?;
        assert!(documented.len() >= 7, "{documented:?}");
        assert_eq!(members(&served), documented, "{interface}");
    }
    let status = guest.read_file(&format!("/proc/{}/status", pid(guest)?))?;
    let value = |key: &str| value(&status, key);
    assert_eq!(value("CapEff:").trim_start_matches('0'), "", "{status}");
    assert_eq!(value("CapBnd:").trim_start_matches('0'), "", "{status}");
    assert_eq!(value("NoNewPrivs:"), "1", "{status}");
    assert!(!value("Uid:").starts_with("0\t"), "{status}");
    Ok(())
}

/// Resident memory in kB, after the calls with the longest answers.
fn memory(guest: &Guest) -> Result<(), HarnessError> {
    const AT_MOST: u64 = 6 * 1024;
    guest.run(["vesperactl", "set", "sens-mult=2"])?.success()?;
    guest.run(["vesperactl", "get"])?.success()?;
    guest.run(["vesperactl", "history"])?.success()?;
    guest.run(["vesperactl", "reset"])?.success()?;
    let status = guest.read_file(&format!("/proc/{}/status", pid(guest)?))?;
    let resident = value(&status, "VmRSS:");
    let resident: u64 = resident.trim_end_matches(" kB").parse().expect("a number of kB");
    eprintln!("    vespera-agent: {resident} kB resident");
    assert!(resident < AT_MOST, "{status}");
    Ok(())
}

/// The process of the agent.
fn pid(guest: &Guest) -> Result<String, HarnessError> {
    let show = ["systemctl", "show", UNIT, "--property=MainPID", "--value"];
    Ok(guest.run(show)?.success()?.stdout.trim().to_owned())
}

/// A value in `/proc/PID/status`.
fn value(status: &str, key: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.unwrap_or_default().trim().to_owned()
}

pub(crate) fn raw(guest: &Guest, name: &str) -> Result<String, HarnessError> {
    Ok(guest.read_file(&parameter(name))?.trim().to_owned())
}

fn in_force(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["vesperactl", "set", "sens-mult=2", "mode=natural"])?.success()?;
    assert_eq!(raw(guest, "SENS_MULT")?, (2_i64 << 32).to_string());
    assert_eq!(raw(guest, "MODE")?, "1");
    let refused = guest.run(["vesperactl", "set", "sens-mult=3", "limit=1000"])?;
    assert_eq!(refused.code, 64, "{refused:?}");
    assert_eq!(raw(guest, "SENS_MULT")?, (2_i64 << 32).to_string(), "all or none");
    // As the public command does it: the agent sees it and takes it over.
    guest.write_file(&parameter("SENS_MULT"), (3_i64 << 32).to_string())?;
    wait_for("the outside write is seen", || {
        let get = guest.run(["vesperactl", "get", "sens-mult"])?.success()?.stdout;
        Ok(get.split_whitespace().nth(1) == Some("3"))
    })?;
    let status = guest.run(["vesperactl", "status", "--json"])?;
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["settings"]["sens-mult"], 3.0, "{status:#}");
    assert_eq!(status["agent"]["reached"], true, "{status:#}");
    guest.run(["vesperactl", "reset"])?.success()?;
    assert_eq!(raw(guest, "SENS_MULT")?, (1_i64 << 32).to_string());
    Ok(())
}

fn trial(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["vesperactl", "reset"])?.success()?;
    let try_it = |value: &str, answer: &str| {
        let argv = ["vesperactl".to_owned(), "trial".to_owned(), format!("sens-mult={value}")];
        guest.command(argv).stdin(answer).run()?.success()
    };
    assert_eq!(try_it("2", "y\n")?.stdout, "the new settings are kept\n");
    assert_eq!(raw(guest, "SENS_MULT")?, (2_i64 << 32).to_string());
    assert_eq!(try_it("3", "n\n")?.stdout, "the old settings are back\n");
    assert_eq!(raw(guest, "SENS_MULT")?, (2_i64 << 32).to_string());
    // The public command's trials are the agent's as well, whole processes as they are.
    let argv = ["maccel", "trial", "sens-mult"];
    for (answer, said, value) in
        [("n\n", "the old settings are back\n", 2_i64), ("y\n", "kept\n", 4)]
    {
        let output = guest.command(argv.into_iter().chain(["4"])).stdin(answer).run()?.success()?;
        assert_eq!(output.stdout, said);
        assert_eq!(raw(guest, "SENS_MULT")?, (value << 32).to_string());
    }
    guest.run(["vesperactl", "set", "sens-mult=2"])?.success()?;
    // A pointer that cannot be used any more: nobody answers, and the terminal is closed.
    let silent = "sleep 600 | vesperactl trial --seconds 600 sens-mult=3";
    guest.run(["systemd-run", "--unit=trial", "sh", "-c", silent])?.success()?;
    wait_for("the trial", || Ok(raw(guest, "SENS_MULT")? == (3_i64 << 32).to_string()))?;
    guest.run(["systemctl", "kill", "--signal=KILL", "trial.service"])?.success()?;
    wait_for("the end of the trial", || Ok(raw(guest, "SENS_MULT")? == (2_i64 << 32).to_string()))
}

fn watch(guest: &Guest) -> Result<(), HarnessError> {
    let unit = ["systemd-run", "--unit=watch", "--property=StandardOutput=file:/run/watch"];
    let watching = ["vesperactl", "status", "--watch", "--json"];
    guest.run(unit.into_iter().chain(watching))?.success()?;
    let shown = || -> Result<Option<f64>, HarnessError> {
        let text = guest.run(["cat", "/run/watch"])?.stdout;
        let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        Ok(last.and_then(|status| status["settings"]["sens-mult"].as_f64()))
    };
    for value in [1.25, 1.75] {
        wait_for("a first look", || Ok(shown()?.is_some()))?;
        guest
            .run(["vesperactl".to_owned(), "set".to_owned(), format!("sens-mult={value}")])?
            .success()?;
        wait_for("the change on the screen", || Ok(shown()? == Some(value)))?;
    }
    guest.run(["systemctl", "stop", "watch.service"])?.success()?;
    Ok(())
}

fn stopped(guest: &Guest) -> Result<(), HarnessError> {
    let send = |signal: &str| {
        let argument = format!("--signal={signal}");
        guest.run(["systemctl", "kill", &argument, UNIT])?.success()
    };
    let before = pid(guest)?;
    send("STOP")?;
    // It waits for as long as any client does, which nobody can shorten.
    let unanswered = guest.run(["vesperactl", "status"]);
    send("CONT")?;
    let unanswered = unanswered?;
    assert_eq!(unanswered.code, 3, "{unanswered:?}");
    for shown in ["module       maccel", "loaded       ", "permissions  ", "it does not answer"] {
        assert!(unanswered.stdout.contains(shown), "{shown} in {unanswered:?}");
    }
    let answered = guest.run(["vesperactl", "status"])?.success()?;
    assert!(!answered.stdout.contains("it does not answer"), "{answered:?}");
    assert_eq!(pid(guest)?, before, "the agent has been the same all the time");
    Ok(())
}

/// Logs a person in on a console, as a display manager or a login prompt does.
pub(crate) fn log_in(guest: &Guest, person: &str, console: u32) -> Result<(), HarnessError> {
    let unit = format!("getty@tty{console}.service");
    let autologin = format!(
        "[Service]\nExecStart=\n\
         ExecStart=-/sbin/agetty --autologin {person} --noclear --noreset %I linux\n"
    );
    let folder = format!("/run/systemd/system/{unit}.d");
    guest.run(["mkdir", "-p", &folder])?.success()?;
    guest.write_file(&format!("{folder}/autologin.conf"), autologin)?;
    guest.run(["systemctl", "daemon-reload"])?.success()?;
    guest.run(["systemctl", "restart", &unit])?.success()?;
    wait_for(&format!("the session of {person}"), || Ok(session(guest, person)?.is_some()))
}

/// The session of a person.
pub(crate) fn session(guest: &Guest, person: &str) -> Result<Option<String>, HarnessError> {
    let show = guest.run(["loginctl", "show-user", person, "--property=Display", "--value"])?;
    let session = show.stdout.trim().to_owned();
    Ok((show.code == 0 && !session.is_empty()).then_some(session))
}

pub(crate) fn is_active(guest: &Guest, person: &str) -> Result<bool, HarnessError> {
    let Some(session) = session(guest, person)? else { return Ok(false) };
    let show = ["loginctl", "show-session", &session, "--property=Active", "--value"];
    Ok(guest.run(show)?.success()?.stdout.trim() == "yes")
}

/// Runs a command as a process of the person's session: that is what polkit looks at.
pub(crate) fn in_session(
    guest: &Guest,
    person: &str,
    command: &str,
) -> Result<Output, HarnessError> {
    let session = session(guest, person)?.expect("the person has logged in");
    let show = ["loginctl", "show-session", &session, "--property=Leader", "--value"];
    let leader = guest.run(show)?.success()?.stdout;
    let script = format!(
        "group=$(cut -d: -f3 /proc/{}/cgroup) && \
         echo $$ > /sys/fs/cgroup$group/cgroup.procs && \
         exec setpriv --reuid {person} --regid {person} --init-groups {command}",
        leader.trim()
    );
    guest.run(["sh", "-c", &script])
}

fn people(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["vesperactl", "reset"])?.success()?;
    log_in(guest, ACTIVE, 1)?;
    log_in(guest, INACTIVE, 2)?;
    let to_front = session(guest, ACTIVE)?.expect("the person has logged in");
    guest.run(["loginctl", "activate", &to_front])?.success()?;
    wait_for("the first console is in front", || is_active(guest, ACTIVE))?;
    assert!(!is_active(guest, INACTIVE)?);

    let set = "vesperactl set sens-mult=2";
    let refused = in_session(guest, INACTIVE, set)?;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.stderr.contains("to mend it: "), "{refused:?}");
    assert_eq!(raw(guest, "SENS_MULT")?, (1_i64 << 32).to_string());
    in_session(guest, ACTIVE, set)?.success()?;
    assert_eq!(raw(guest, "SENS_MULT")?, (2_i64 << 32).to_string());

    // Whoever comes to the front has the right, and nobody else.
    let to_front = session(guest, INACTIVE)?.expect("the person has logged in");
    guest.run(["loginctl", "activate", &to_front])?.success()?;
    wait_for("the second console is in front", || is_active(guest, INACTIVE))?;
    let refused = in_session(guest, ACTIVE, "vesperactl set sens-mult=1.5")?;
    assert_eq!(refused.code, 1, "{refused:?}");
    in_session(guest, INACTIVE, "vesperactl set sens-mult=1.25")?.success()?;
    assert_eq!(raw(guest, "SENS_MULT")?, (5_i64 << 30).to_string());

    let member = ["setpriv", "--reuid", MEMBER, "--regid", MEMBER, "--init-groups"];
    let set = ["vesperactl", "set", "sens-mult=1"];
    guest.run(member.into_iter().chain(set))?.success()?;
    assert_eq!(raw(guest, "SENS_MULT")?, (1_i64 << 32).to_string());
    Ok(())
}

fn mice(guest: &Guest) -> Result<(), HarnessError> {
    guest.run(["vesperactl", "get"])?.success()?;
    let before = pid(guest)?;
    let changes = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); \
                   vesperactl set sens-mult=1.$((10+i)) || exit 1; done";
    let unit = ["systemd-run", "--unit=changes", "--property=RemainAfterExit=yes", "--no-block"];
    guest.run(unit.into_iter().chain(["sh", "-c", changes]))?.success()?;
    for _ in 0..5 {
        let plan = MousePlan::one_mouse().and_mouse("another");
        plan.movement(0, 1000, 5, 5).movement(1, 300_000, 5, 5).play(guest)?;
    }
    wait_for("all changes are made", || {
        let show = ["systemctl", "show", "changes.service", "--property=SubState", "--value"];
        Ok(["exited", "failed"].contains(&guest.run(show)?.success()?.stdout.trim()))
    })?;
    let show = ["systemctl", "show", "changes.service", "--property=Result", "--value"];
    assert_eq!(guest.run(show)?.success()?.stdout.trim(), "success");
    assert_eq!(raw(guest, "SENS_MULT")?, "6442450944", "1.50 was the last");
    assert_eq!(pid(guest)?, before, "the agent has been the same all the time");
    // What has gone has no object any more.
    wait_for("the objects are those of the driver's entries", || {
        let tree = guest.run(["busctl", "tree", "--list", NAME])?.success()?.stdout;
        let prefix = "/org/vespera/Agent1/devices/";
        let objects = tree.lines().filter_map(|line| line.strip_prefix(prefix)).count();
        let entries = guest.run(["ls", "/sys/class/maccel"])?.success()?.stdout;
        let entries = entries.lines().filter(|line| line.starts_with("input")).count();
        Ok(objects == entries)
    })
}
