// SPDX-License-Identifier: MIT OR Apache-2.0
//! The harness itself, on a kernel without our driver.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};
use vespera_tests::mouse::event_code::{BTN_LEFT, EV_KEY, EV_REL, REL_WHEEL};
use vespera_tests::{Artifacts, Disk, Guest, HarnessError, Kernel, Machine, MousePlan, Snapshot};

use crate::chain;
use crate::group::Group;

const ENOENT: i32 = 2;
const ENOEXEC: i32 = 8;

/// Fresh guests, all woken from one boot.
struct Fresh {
    machine: Machine,
    snapshot: Mutex<Option<Snapshot>>,
}

impl Fresh {
    fn guest(&self) -> Result<Guest, HarnessError> {
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*snapshot {
            Some(snapshot) => snapshot.wake(),
            None => snapshot.insert(Snapshot::take(&self.machine, |_| Ok(()))?).wake(),
        }
    }
}

pub(crate) fn tests(artifacts: &Arc<Artifacts>, kernel: &Kernel) -> (Arc<Group>, Vec<Trial>) {
    let machine = Machine::bare(&artifacts.guest, kernel).name(&format!("bare-{}", kernel.name));
    let name = format!("harness {}", kernel.name);
    let fresh = Arc::new(Fresh { machine, snapshot: Mutex::new(None) });
    let shared = Arc::clone(&fresh);
    let group = Group::new(name.clone(), Box::new(move || shared.guest()));
    let own = |test: &str, body: fn(&Fresh) -> Result<(), HarnessError>| {
        let fresh = Arc::clone(&fresh);
        Trial::test(format!("{name}::{test}"), move || {
            body(&fresh).map_err(|error| Failed::from(chain(&error)))
        })
    };
    let tests = vec![
        group.test("commands_give_code_output_and_errors", commands),
        group.test("a_command_that_does_not_end_is_killed", endless_command),
        group.test("files_survive_the_way_in_and_out", files),
        group.test("refusals_carry_the_error_number", refusals),
        group.test("the_kernel_log_is_read", kernel_log),
        group.test("mice_are_seen_at_the_times_of_the_plan", mice),
        group.test("a_disk_is_attached_to_the_running_guest", attached_disk),
        own("a_kernel_complaint_turns_the_guest_red", complaint),
        own("a_panic_is_noticed_at_once", panic),
        own("what_was_written_back_survives_a_power_cut", power_cut),
    ];
    (group, tests)
}

/// The guest's own program is the only one there.
fn program(guest: &Guest) -> String {
    guest.hello().program.clone()
}

fn commands(guest: &Guest) -> Result<(), HarnessError> {
    let refused = guest.run([program(guest)])?;
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("usage: vespera-guest"), "{refused:?}");
    assert!(refused.stdout.is_empty());
    let output =
        guest.command([program(guest), "mouse".into()]).stdin("{\"mice\":[],\"frames\":[]}");
    assert!(output.run()?.success()?.stdout.contains("\"mice\":[]"));
    let missing = guest.run(["/no/such/program"]).unwrap_err();
    assert_eq!(missing.errno(), Some(ENOENT), "{missing}");
    Ok(())
}

fn endless_command(guest: &Guest) -> Result<(), HarnessError> {
    let started = Instant::now();
    let limit = Duration::from_millis(300);
    let sleep = [program(guest), "sleep".into(), "100000".into()];
    let error = guest.command(sleep).timeout(limit).run().unwrap_err();
    assert!(matches!(error, HarnessError::CommandTimeout { .. }), "{error}");
    assert!(started.elapsed() >= limit && started.elapsed() < Duration::from_secs(60));
    // The next command is served as if nothing had been.
    guest.run([program(guest), "sleep".into(), "0".into()])?.success().map(|_| ())
}

fn files(guest: &Guest) -> Result<(), HarnessError> {
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).take(9_999_999).collect();
    let started = Instant::now();
    guest.write_file("/tmp/data", &content)?;
    let there = started.elapsed();
    assert_eq!(guest.read_bytes("/tmp/data")?, content);
    eprintln!("    10 MB in {there:.1?} there, {:.1?} back", started.elapsed() - there);
    guest.write_file("/tmp/data", "")?;
    assert_eq!(guest.read_file("/tmp/data")?, "");
    Ok(())
}

fn refusals(guest: &Guest) -> Result<(), HarnessError> {
    let missing = guest.read_file("/no/such/file").unwrap_err();
    assert_eq!(missing.errno(), Some(ENOENT), "{missing}");
    guest.write_file("/tmp/none.ko", "not a module")?;
    let refused = guest.insert_module("/tmp/none.ko", "").unwrap_err();
    assert_eq!(refused.errno(), Some(ENOEXEC), "{refused}");
    let absent = guest.remove_module("no_such_module").unwrap_err();
    assert_eq!(absent.errno(), Some(ENOENT), "{absent}");
    Ok(())
}

fn kernel_log(guest: &Guest) -> Result<(), HarnessError> {
    guest.write_file("/dev/kmsg", "<6>a remark of the harness\n")?;
    let log = guest.kernel_log()?;
    assert!(log.contains(&format!("Linux version {}", guest.hello().release)), "{log}");
    assert!(log.contains("a remark of the harness"), "{log}");
    Ok(())
}

fn mice(guest: &Guest) -> Result<(), HarnessError> {
    let record = MousePlan::one_mouse()
        .and_mouse("the other")
        .movement(0, 1000, 3, -2)
        .movement(1, 1500, 7, 0)
        .movement(0, 2125, 1, 1)
        .frame(0, 10_000, &[(EV_REL, REL_WHEEL, -1), (EV_KEY, BTN_LEFT, 1)])
        .movement(1, 250_000, 0, 9)
        .play(guest)?;
    let [first, second] = record.mice.as_slice() else { panic!("two mice: {record:?}") };
    let first: Vec<_> = first.frames();
    let second: Vec<_> = second.frames();
    assert_eq!(first[0].movement(), (3, -2));
    assert_eq!(first[1].movement(), (1, 1));
    assert_eq!(first[2].relative(REL_WHEEL), -1);
    assert!(first[2].events.iter().any(|event| event.code == BTN_LEFT && event.value == 1));
    assert_eq!(
        second.iter().map(vespera_tests::mouse::SeenFrame::movement).collect::<Vec<_>>(),
        [(7, 0), (0, 9)]
    );
    let times: Vec<i64> = first.iter().chain(&second).map(|frame| frame.at_us).collect();
    let plan = [1000, 2125, 10_000, 1500, 250_000];
    eprintln!("    stamped: {}, times {times:?}", record.stamped);
    if record.stamped {
        assert_eq!(times, plan);
    } else {
        assert!(times.iter().zip(plan).all(|(seen, planned)| *seen >= planned), "{times:?}");
    }
    Ok(())
}

/// No such device or address.
const ENXIO: i32 = 6;

fn attached_disk(guest: &Guest) -> Result<(), HarnessError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(4 << 20).unwrap();
    guest.attach_disk(&Disk::new(file.path(), "attached-later"))?;
    let device = block_device(guest, "attached-later")?;
    // Its serial number can be read a moment before it can be opened.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match guest.write_file(&device, "written by the guest") {
            Err(error) if error.errno() == Some(ENXIO) && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(100));
            }
            written => return written,
        }
    }
}

/// The node of the disk with this serial number.
fn block_device(guest: &Guest, serial: &str) -> Result<String, HarnessError> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        for letter in 'a'..='d' {
            let path = format!("/sys/block/vd{letter}/serial");
            if guest.read_file(&path).is_ok_and(|text| text.trim() == serial) {
                return Ok(format!("/dev/vd{letter}"));
            }
        }
        assert!(Instant::now() < deadline, "the disk {serial} does not appear");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn complaint(fresh: &Fresh) -> Result<(), HarnessError> {
    let guest = fresh.guest()?;
    let line = "BUG: this is the harness testing itself";
    guest.write_file("/dev/kmsg", format!("<4>{line}\n"))?;
    let logs = guest.logs().to_owned();
    match guest.finish().unwrap_err() {
        HarnessError::Faults { faults, logs: kept, .. } => {
            assert_eq!(faults.len(), 1, "once on the console, once in the log: {faults:?}");
            assert!(faults[0].line.contains(line));
            assert_eq!(kept.as_ref(), Some(&logs));
        }
        other => panic!("another error: {other}"),
    }
    let console = std::fs::read_to_string(logs.join("console.log")).unwrap();
    assert!(console.contains(line), "level 4 reaches the console: {console}");
    std::fs::remove_dir_all(logs).unwrap();
    Ok(())
}

fn panic(fresh: &Fresh) -> Result<(), HarnessError> {
    let guest = fresh.guest()?;
    let started = Instant::now();
    // Documentation/admin-guide/sysrq.rst: c crashes the kernel.
    let error = guest.write_file("/proc/sysrq-trigger", "c").unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    let HarnessError::GuestEnded { words, logs, .. } = &error else { panic!("{error}") };
    assert!(words.contains("Kernel panic"), "{error}");
    let logs = logs.clone().expect("logs are kept");
    guest.power_cut().unwrap_err();
    std::fs::remove_dir_all(logs).unwrap();
    Ok(())
}

fn power_cut(fresh: &Fresh) -> Result<(), HarnessError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(1 << 20).unwrap();
    let disk = Disk::new(file.path(), "durable");
    let guest = fresh.guest()?;
    guest.attach_disk(&disk)?;
    let device = block_device(&guest, disk.serial())?;
    guest.write_file(&device, "written back")?;
    // Documentation/admin-guide/sysrq.rst: s writes everything back, and says when it has.
    guest.write_file("/proc/sysrq-trigger", "s")?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while !guest.kernel_log()?.contains("Emergency Sync complete") {
        assert!(Instant::now() < deadline, "no sync");
        std::thread::sleep(Duration::from_millis(20));
    }
    guest.power_cut()?;
    assert!(std::fs::read(file.path()).unwrap().starts_with(b"written back"));
    let again = fresh.guest()?;
    again.attach_disk(&disk)?;
    let device = block_device(&again, disk.serial())?;
    assert!(again.read_bytes(&device)?.starts_with(b"written back"));
    again.power_off()
}
