// SPDX-License-Identifier: MIT OR Apache-2.0
//! What others write: the parameters, files of the administrator, values of the public tools.

use std::os::unix::fs::symlink;

use maccel_core::settings::Mode;

use super::*;

#[test]
fn an_outside_write_wins_and_is_saved() {
    for host in [Host::with_driver(), Host::public_driver()] {
        let mut keeper = host.agent();
        let driver = Driver::open(host.at("").as_path()).unwrap();
        driver.write(&with_sens(4.0)).unwrap();
        written(&mut keeper);
        assert_eq!(keeper.snapshot().settings, Some(with_sens(4.0)));
        assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 4"));
        assert_eq!(host.in_force(), with_sens(4.0));
    }
}

#[test]
fn an_outside_write_keeps_what_is_saved_and_could_not_be_put_in_force() {
    let host = Host::public_driver();
    let saved = "version = 1\n[settings]\nsens-mult = 2\nlimit = 3\nangle-snap = 5\n";
    host.file("var/lib/vespera/maccel.toml", saved);
    let mut keeper = host.agent();
    assert_eq!(host.in_force(), Settings::default(), "the public driver has no angle-snap");
    host.file(&format!("{PARAMETERS}/SENS_MULT"), "17179869184\n");
    written(&mut keeper);
    assert_eq!(host.in_force(), with_sens(4.0));
    for file in ["maccel.toml", "maccel.toml.good"] {
        let saved = host.text(&format!("var/lib/vespera/{file}"));
        for line in ["sens-mult = 4", "limit = 3", "angle-snap = 5"] {
            assert!(saved.contains(line), "{file} lacks {line}: {saved}");
        }
    }
    host.unload();
    host.load();
    host.agent();
    let held = host.in_force();
    assert_eq!(
        ["SENS_MULT", "LIMIT", "ANGLE_SNAP"].map(|name| held.get(name).unwrap()),
        [4.0, 3.0, 5.0]
    );
}

#[test]
fn an_outside_write_is_not_undone_by_what_happens_right_after_it() {
    for event in [Event::Layer, Event::Resumed, Event::Module, Event::ActiveUser(None)] {
        let host = Host::with_driver();
        let mut keeper = host.agent();
        host.write(&with_sens(4.0));
        keeper.event(event, Instant::now());
        written(&mut keeper);
        assert_eq!(host.in_force(), with_sens(4.0));
    }
}

#[test]
fn an_outside_write_that_cannot_be_saved_is_not_undone_either_and_saved_with_the_next_change() {
    let events: [fn() -> Event; 4] = [
        || Event::Layer,
        || Event::Resumed,
        || Event::Module,
        || Event::DeviceAdded("input6".to_owned()),
    ];
    for event in events {
        let host = Host::with_driver();
        host.mouse("input5", "046d:c088");
        let mut keeper = host.agent();
        let set = Request::SetDevice { input: "input5".to_owned(), changes: sens(0.5) };
        ask(&mut keeper, set).unwrap();
        // A folder where the new file would be fails for root, too.
        let blocked = host.at("var/lib/vespera/maccel.toml.new");
        fs::create_dir(&blocked).unwrap();
        host.write(&with_sens(4.0));
        host.write_own("input5", &with_sens(0.25));
        written(&mut keeper);
        host.mouse("input6", "046d:c089");
        keeper.event(event(), Instant::now());
        let holds = |keeper: &Keeper| {
            assert_eq!(host.in_force(), with_sens(4.0));
            let own = keeper.snapshot().devices["input5"].settings.clone();
            assert_eq!(own, Some(with_sens(0.25)));
        };
        holds(&keeper);
        assert_eq!(check(&keeper, "settings-not-saved").status, "failed");
        fs::remove_dir(&blocked).unwrap();
        let off = Request::SetEnabled { input: "input5".to_owned(), enabled: false };
        ask(&mut keeper, off).unwrap();
        host.unload();
        host.load();
        host.mouse("input5", "046d:c088");
        holds(&host.agent());
    }
}

#[test]
fn an_outside_write_while_the_agent_was_away_is_kept_too() {
    let host = Host::with_driver();
    ask(&mut host.agent(), Request::Set(sens(2.0))).unwrap();
    host.write(&with_sens(4.0));
    let keeper = host.agent();
    assert_eq!(host.in_force(), with_sens(4.0));
    assert_eq!(keeper.snapshot().settings, Some(with_sens(4.0)));
    assert!(host.text("var/lib/vespera/maccel.toml").contains("sens-mult = 4"));
}

#[test]
fn a_locked_value_comes_back_and_the_rest_of_an_outside_write_is_kept() {
    let host = Host::with_driver();
    host.file(
        "etc/vespera/maccel.toml",
        "version = 1\nlocked = [\"sens-mult\"]\n[settings]\nsens-mult = 2\n",
    );
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().locked, ["SensMult"]);
    assert_eq!(host.in_force(), with_sens(2.0));
    let refusal = ask(&mut keeper, Request::Set(sens(3.0))).unwrap_err();
    assert!(matches!(refusal, Error::Locked(_)), "{refusal}");
    let mut outside = with_sens(8.0);
    outside.set("LIMIT", 3.0).unwrap();
    host.write(&outside);
    written(&mut keeper);
    outside.set("SENS_MULT", 2.0).unwrap();
    assert_eq!(host.in_force(), outside);
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}

#[test]
fn a_program_that_writes_a_locked_value_again_and_again_is_not_fought_for_ever() {
    let host = Host::with_driver();
    let text = "version = 1\nlocked = [\"sens-mult\"]\n[settings]\nsens-mult = 2\n";
    host.file("etc/vespera/maccel.toml", text);
    let mut keeper = host.agent();
    let mut writes = 0;
    while host.in_force() == with_sens(2.0) && writes < 100 {
        host.write(&with_sens(8.0));
        written(&mut keeper);
        writes += 1;
    }
    assert!((2..100).contains(&writes), "{writes}");
    assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
    assert_eq!(keeper.snapshot().settings, Some(with_sens(8.0)), "what is shown was read back");
}

#[test]
fn locked_values_that_were_put_back_do_not_keep_a_later_failure_from_being_mended() {
    let locked = "version = 1\nlocked = [\"limit\"]\n[settings]\nlimit = 3\n";
    let mut wanted = Settings::default();
    wanted.set("LIMIT", 3.0).unwrap();
    for (times, reload, seconds) in [(1, false, 0), (5, true, 0), (5, false, 7200)] {
        let host = Host::public_driver();
        host.file("etc/vespera/maccel.toml", locked);
        let mut keeper = host.agent();
        for _ in 0..times {
            host.file(&format!("{PARAMETERS}/LIMIT"), "4294967296\n");
            written(&mut keeper);
            assert_eq!(host.in_force(), wanted);
        }
        if reload {
            host.unload();
            host.load_public();
        }
        let file = host.at(&format!("{PARAMETERS}/LIMIT"));
        // A folder in place of the file fails for root, too.
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        keeper.event(Event::Module, Instant::now());
        written(&mut keeper);
        assert_eq!(check(&keeper, "settings-not-in-force").status, "failed");
        fs::remove_dir(&file).unwrap();
        fs::write(&file, "6442450944\n").unwrap();
        keeper.event(Event::Module, Instant::now() + Duration::from_secs(seconds));
        assert_eq!(host.in_force(), wanted);
        assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    }
}

#[test]
fn a_value_that_the_public_driver_should_not_have_taken_goes_at_once() {
    let host = Host::public_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    // 2^64 counts as 0 there, and stops the kernel as 0 does; so does what is no text at all.
    for bytes in [&b"0\n"[..], b"18446744073709551616\n", b"\xff\n"] {
        fs::write(host.at(&format!("{PARAMETERS}/INPUT_DPI")), bytes).unwrap();
        written(&mut keeper);
        assert_eq!(host.in_force(), with_sens(2.0));
        assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
    }
}

#[test]
fn what_cannot_be_read_or_put_back_is_a_finding_until_it_can() {
    let host = Host::public_driver();
    let mut keeper = host.agent();
    ask(&mut keeper, Request::Set(sens(2.0))).unwrap();
    let file = host.at(&format!("{PARAMETERS}/INPUT_DPI"));
    // A folder in place of the file fails for root, too.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    written(&mut keeper);
    let found = check(&keeper, "settings-not-in-force");
    assert_eq!(found.status, "failed");
    assert!(found.detail.contains("INPUT_DPI"), "{}", found.detail);
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "18446744073709551616\n").unwrap();
    ask(&mut keeper, Request::Set(sens(3.0))).unwrap();
    assert_eq!(host.in_force(), with_sens(3.0));
    assert_eq!(check(&keeper, "settings-not-in-force").status, "ok");
}

#[test]
fn a_file_of_the_administrator_that_breaks_changes_nothing_and_is_reported() {
    let host = Host::with_driver();
    let path = "etc/vespera/maccel.toml";
    host.file(path, "version = 1\nlocked = [\"limit\"]\n[settings]\nlimit = 2\n");
    let mut keeper = host.agent();
    host.file(path, "version = 1\n[settings]\nlimit = \"2\"\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force().get("LIMIT").unwrap(), 2.0);
    assert_eq!(keeper.snapshot().locked, ["Limit"]);
    let found = check(&keeper, "settings-file-refused");
    assert_eq!(found.status, "failed");
    assert!(found.detail.contains("/etc/vespera/maccel.toml: TOML parse error at line 3"));
    host.file(path, "version = 1\n[settings]\nlimit = 3\n");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(host.in_force().get("LIMIT").unwrap(), 3.0);
    assert_eq!(check(&keeper, "settings-file-refused").status, "ok");
}

#[test]
fn values_of_the_public_tools_are_taken_over_once_and_nothing_is_run() {
    let host = Host::with_driver();
    let folder = "var/opt/maccel/resets";
    let script = |name: &str, text: &str| host.file(&format!("{folder}/{name}"), text);
    let set = |parameter: &str, raw: &str| {
        format!("echo {raw} > /sys/module/maccel/parameters/{parameter};")
    };
    script("set_last_SENS_MULT_value.sh", &set("SENS_MULT", "8589934592"));
    script("set_last_MODE_value.sh", &set("MODE", "1"));
    script("set_last_LIMIT_value.sh", "touch /tmp/owned");
    script("set_last_GAMMA_value.sh", &format!("{}{}", set("GAMMA", "1"), " ".repeat(500)));
    script("README", "not a script");
    let victim = host.at("victim");
    fs::write(&victim, set("SMOOTH", "0")).unwrap();
    symlink(&victim, host.at(&format!("{folder}/set_last_SMOOTH_value.sh"))).unwrap();
    let keeper = host.agent();
    let settings = host.in_force();
    assert_eq!((settings.mode(), settings.get("SENS_MULT").unwrap()), (Mode::Natural, 2.0));
    let found = check(&keeper, "settings-not-imported");
    let lines: Vec<_> = found.detail.lines().map(|line| line.split(':').next().unwrap()).collect();
    let refused = ["GAMMA", "LIMIT", "SMOOTH"].map(|name| format!("set_last_{name}_value.sh"));
    assert_eq!(lines, refused);

    script("set_last_SENS_MULT_value.sh", &set("SENS_MULT", "4294967296"));
    host.agent();
    assert_eq!(host.in_force().get("SENS_MULT").unwrap(), 2.0, "only once");
}
