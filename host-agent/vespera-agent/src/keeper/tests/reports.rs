// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is said about the payload.

use super::*;

#[test]
fn a_check_is_asked_for_at_most_once_a_second_and_never_forgotten() {
    let host = Host::new();
    let mut keeper = host.agent();
    let now = Instant::now();
    let request = || host.text("run/vespera/request/check");
    keeper.request(Request::Recheck, now).unwrap();
    assert!(!request().is_empty());
    host.file("run/vespera/request/check", "");
    keeper.request(Request::Recheck, now).unwrap();
    keeper.tick(now + Duration::from_millis(999));
    assert_eq!(request(), "");
    keeper.tick(now + Duration::from_secs(1));
    assert!(!request().is_empty());
    assert_eq!(keeper.deadline(), None);
}

#[test]
fn the_state_of_the_payload_is_that_of_the_reports_and_of_the_agents_own_findings() {
    let host = Host::with_driver();
    let report = r#"{"format": 1, "boot_id": "boot-1", "time": "2026-01-01T00:00:00Z",
        "kernel": "6.1.0", "state": "healthy", "module": null, "loaded": null,
        "load_error": null, "checks": []}"#;
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().health.state, "unknown");
    assert_eq!(check(&keeper, "boot-unchecked").status, "failed");
    host.file("run/vespera/module.json", report);
    keeper.event(Event::Report, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "healthy");
    assert_eq!(keeper.snapshot().health.history[0].state, "healthy");
    host.file("etc/vespera/maccel.toml", "nonsense");
    keeper.event(Event::Layer, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "degraded");
    host.file("run/vespera/module.json", &report.replace("healthy", "broken"));
    keeper.event(Event::Report, Instant::now());
    assert_eq!(keeper.snapshot().health.history[0].state, "broken");
}

#[test]
fn a_module_unloaded_since_the_check_is_said_to_be_gone_until_it_is_back() {
    let host = Host::with_driver();
    host.file(
        "run/vespera/module.json",
        r#"{"format": 1, "boot_id": "boot-1", "time": "2026-01-01T00:00:00Z",
            "kernel": "6.1.0", "state": "healthy", "module": null,
            "loaded": {"srcversion": "A"}, "load_error": null, "checks": [
            {"code": "module-not-loaded", "status": "ok", "severity": "error", "title": "t",
             "detail": "", "remedy": null, "after": null, "root": "/"}]}"#,
    );
    let mut keeper = host.agent();
    assert_eq!(keeper.snapshot().health.state, "healthy");
    host.unload();
    keeper.event(Event::Module, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "broken");
    let found = check(&keeper, "module-not-loaded");
    assert_eq!(found.status, "failed");
    assert_eq!(found.remedy.as_deref(), Some("sudo vesperactl module load"));
    host.load();
    keeper.event(Event::Module, Instant::now());
    assert_eq!(keeper.snapshot().health.state, "healthy");
}
