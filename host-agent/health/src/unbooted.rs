// SPDX-License-Identifier: MIT OR Apache-2.0
//! A system that does not run: another deployment, an unpacked image. What only a running kernel,
//! a firmware or a boot can tell is not known of it, and no command of this host mends it.

use module_check::Root;
use module_check::signature::Appended;

use crate::catalogue::{
    BOOT_UNCHECKED, GROUP_MISSING, GROUP_NOT_MEMBER, Kind, MODULE_LOADING_DISABLED, MODULE_MISSING,
    MODULE_NOT_LOADED, MODULE_STALE, PERMISSIONS_DEVICE, PERMISSIONS_MICE, PERMISSIONS_PARAMETERS,
    SECURE_BOOT_NOT_ENROLLED, SECURE_BOOT_SIGNATURE_WRONG, SECURE_BOOT_UNSIGNED,
};
use crate::check::{Check, Severity};
use crate::module::{self, Installed};
use crate::{blacklist, group, host, secure_boot};

/// What declares the group to systemd-sysusers, which makes it at the boot.
const DECLARATION: &str = "usr/lib/sysusers.d/vespera.conf";

/// Why what only a running system can tell is not known.
pub const NOT_RUNNING: &str = "this system does not run";

/// Whether it is one: there is no kernel below this root that could tell anything.
pub fn is(root: &Root) -> bool {
    !root.is_host() && host::kernel(root).is_none()
}

/// Its kernel, and what was found about the module for it. With another number than one there is
/// no telling which would boot.
pub fn installed(root: &Root) -> (Option<String>, Installed) {
    let unknown = |reason| Installed::unread(vec![Check::unknown(&MODULE_MISSING, root, reason)]);
    match module::kernels(root) {
        Ok(kernels) => match kernels.as_slice() {
            [kernel] => (Some(kernel.clone()), module::examine(root, kernel)),
            [] => (None, unknown("there is no kernel".to_owned())),
            several => {
                let reason = format!("there are several kernels: {}", several.join(", "));
                (None, unknown(reason))
            }
        },
        Err(error) => (None, unknown(error.to_string())),
    }
}

/// All checks, given what was found about the module.
pub(crate) fn checks(root: &Root, installed: Installed) -> Vec<Check> {
    let unseen = |kind: &Kind| Check::unknown(kind, root, NOT_RUNNING).severity(Severity::Info);
    let mut checks = installed.checks;
    checks.extend(signature(root, installed.signature.as_ref()));
    checks.push(blacklist::of_deployment(root, root, ""));
    checks.extend([&MODULE_LOADING_DISABLED, &MODULE_NOT_LOADED, &MODULE_STALE].map(unseen));
    checks.push(group(root));
    checks.extend(
        [
            &GROUP_NOT_MEMBER,
            &PERMISSIONS_PARAMETERS,
            &PERMISSIONS_DEVICE,
            &PERMISSIONS_MICE,
            &BOOT_UNCHECKED,
        ]
        .map(unseen),
    );
    without_remedies(checks)
}

/// The same findings; a command that is run here would mend this host instead.
pub fn without_remedies(mut checks: Vec<Check>) -> Vec<Check> {
    for check in &mut checks {
        check.remedy = None;
    }
    checks
}

/// What the signature is worth is up to the machine; whether it is genuine, to its certificate.
fn signature(root: &Root, signature: Option<&Appended>) -> Vec<Check> {
    let unseen =
        |kind: &Kind, detail: String| Check::unknown(kind, root, detail).severity(Severity::Info);
    let machine = "what a machine demands and trusts is not to be seen here";
    let Some(Appended::Signature(appended)) = signature else {
        let words = match signature {
            None => "there is no module to look at".to_owned(),
            Some(Appended::Damaged(reason)) => format!("not signed properly: {reason}; {machine}"),
            Some(_) => format!("not signed; {machine}"),
        };
        return [&SECURE_BOOT_UNSIGNED, &SECURE_BOOT_SIGNATURE_WRONG, &SECURE_BOOT_NOT_ENROLLED]
            .map(|kind| unseen(kind, words.clone()))
            .into();
    };
    vec![
        Check::ok(&SECURE_BOOT_UNSIGNED, root, secure_boot::claim(appended)),
        secure_boot::proof(root, false, signature),
        unseen(&SECURE_BOOT_NOT_ENROLLED, machine.to_owned()),
    ]
}

/// The group may come with the first boot.
fn group(root: &Root) -> Check {
    let check = group::check(root);
    if !check.is_failed() {
        return check;
    }
    if root.exists(DECLARATION) {
        let detail = format!("not yet made; /{DECLARATION} declares it");
        return Check::unknown(&GROUP_MISSING, root, detail).severity(Severity::Info);
    }
    let detail =
        format!("/etc/group and /usr/lib/group have none, and no /{DECLARATION} declares it");
    Check::failed(&GROUP_MISSING, root, detail)
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::{FixtureRoot, ModuleBuilder, signing};

    use crate::check::{State, Status};
    use crate::secure_boot::CERTIFICATE;
    use crate::{Survey, catalogue};

    use super::*;

    /// An unpacked image with a fitting module.
    fn image() -> FixtureRoot {
        let fixture = FixtureRoot::new();
        fixture.kernel_with_module("6.1.0");
        fixture.file(DECLARATION, b"g maccel - -\n");
        fixture.file("usr/share/vespera/image.json", b"{}");
        fixture
    }

    /// `doctor --root` called every image broken, with remedies for the host.
    #[test]
    fn an_image_with_a_fitting_module_is_not_broken_and_nothing_is_made_up() {
        let fixture = image();
        let survey = Survey::with_report(fixture.root());
        assert_eq!(survey.state(), State::Healthy, "{:?}", survey.checks);
        assert_eq!(survey.kernel.as_deref(), Some("6.1.0"));
        let ok: Vec<_> = survey.checks.iter().filter(|check| check.status == Status::Ok).collect();
        let ok: Vec<_> = ok.iter().map(|check| check.code.as_ref()).collect();
        assert_eq!(
            ok,
            [
                "module-missing",
                "module-not-indexed",
                "module-unreadable",
                "module-wrong-kernel",
                "module-symbols-differ",
                "module-blacklisted"
            ]
        );
    }

    #[test]
    fn its_checks_are_those_of_a_running_system_in_the_same_order() {
        let running = image();
        running.file("proc/sys/kernel/osrelease", b"6.1.0\n");
        let codes = |fixture: &FixtureRoot| -> Vec<String> {
            let checks = Survey::with_report(fixture.root()).checks;
            checks.iter().map(|check| check.code.to_string()).collect()
        };
        assert_eq!(codes(&image()), codes(&running));
        assert!(codes(&image()).iter().all(|code| catalogue::find(code).is_some()));
    }

    #[test]
    fn what_is_wrong_with_its_files_is_found_and_no_command_is_advised() {
        let without = image();
        std::fs::remove_dir_all(without.root().at("usr/lib/modules/6.1.0/extra")).unwrap();
        let blacklisted = image();
        blacklisted.file("usr/etc/modprobe.d/x.conf", b"blacklist maccel\n");
        let unlisted = image();
        unlisted.index("6.1.0", &[]);
        for (fixture, code) in [
            (without, "module-missing"),
            (blacklisted, "module-blacklisted"),
            (unlisted, "module-not-indexed"),
        ] {
            let survey = Survey::with_report(fixture.root());
            assert_eq!(survey.state(), State::Broken);
            let failed: Vec<_> = survey.checks.iter().filter(|check| check.is_failed()).collect();
            assert_eq!(failed.len(), 1, "{failed:?}");
            assert_eq!((failed[0].code.as_ref(), &failed[0].remedy), (code, &None));
        }
        let several = image();
        several.kernel("6.2.0");
        let survey = Survey::with_report(several.root());
        assert_eq!((survey.state(), survey.kernel), (State::Unknown, None));
        assert_eq!(survey.checks[0].detail, "there are several kernels: 6.1.0, 6.2.0");
    }

    #[test]
    fn its_signature_is_proved_and_what_the_machine_makes_of_it_is_not_known() {
        let seen = |module: &ModuleBuilder| {
            let fixture = image();
            fixture.module("6.1.0", module);
            fixture.file(CERTIFICATE, &signing::certificate(7));
            let checks = Survey::with_report(fixture.root()).checks;
            let of_signature = checks.into_iter().filter(|one| one.code.starts_with("secure-boot"));
            of_signature.map(|check| check.status).collect::<Vec<_>>()
        };
        let module = || ModuleBuilder::new("6.1.0").crcs(true);
        assert_eq!(seen(&module().signed_by(7)), [Status::Ok, Status::Ok, Status::Unknown]);
        assert_eq!(seen(&module()), [Status::Unknown; 3]);
    }
}
