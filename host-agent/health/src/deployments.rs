// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deployments of an ostree host: is there a fitting module for the kernel of the next boot,
//! and of the one to go back to?

use camino::Utf8PathBuf;
use module_check::Root;
use serde::{Deserialize, Serialize};

use crate::catalogue::{
    DEPLOYMENT_NEXT_UNFIT, DEPLOYMENT_ROLLBACK_UNFIT, MODULE_BLACKLISTED, SECURE_BOOT_NOT_ENROLLED,
};
use crate::check::{Check, State, causes};
use crate::host::ImageFacts;
use crate::ostree::{Layout, Place};
use crate::report::{self, ReportError};
use crate::{blacklist, module, secure_boot};

/// Where the report lies.
pub const PATH: &str = "run/vespera/deployments.json";

/// What a deployment is to the boot loader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It runs now.
    Booted,
    /// It becomes the next boot at shutdown.
    Staged,
    /// It is the next boot, and does not run now.
    Pending,
    /// It is what one can go back to.
    Rollback,
}

/// One deployment and the module in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// What it is.
    pub role: Role,
    /// Whether the next boot starts it.
    pub next: bool,
    /// The stateroot it belongs to.
    pub stateroot: String,
    /// The commit.
    pub checksum: String,
    /// Tells deployments of one commit apart.
    pub serial: u32,
    /// The version of the image.
    pub version: Option<String>,
    /// The image it was made from.
    pub reference: Option<String>,
    /// The digest of that image, where a tool could tell it.
    #[serde(default)]
    pub digest: Option<String>,
    /// Its kernel.
    pub kernel: Option<String>,
    /// Whether that kernel has a fitting module.
    pub state: State,
    /// The findings about the module.
    pub checks: Vec<Check>,
}

/// The report for those who may not read the boot loader's entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentsReport {
    /// The version of the format.
    pub format: u32,
    /// The boot it was made in.
    pub boot_id: String,
    /// When it was made.
    pub time: String,
    /// The deployments, the next boot first.
    pub deployments: Vec<Deployment>,
}

/// Examines the running, the next and the rollback deployment; none on other hosts.
pub fn examine(root: &Root) -> std::io::Result<Vec<Deployment>> {
    let layout = Layout::read(root)?;
    let booted = layout.booted.as_ref();
    let mut found: Vec<Deployment> = Vec::new();
    let mut add = |place: Option<&Place>, role: Role| {
        let Some(place) = place else { return };
        let known =
            |other: &Deployment| (&other.checksum, other.serial) == (&place.checksum, place.serial);
        if !found.iter().any(known) {
            let next = layout.next() == Some(place);
            found.push(look_at(root, place, role, next, layout.arguments(place)));
        }
    };
    let next = match (&layout.staged, layout.next()) {
        (Some(_), _) => Role::Staged,
        (None, next) if next == booted => Role::Booted,
        _ => Role::Pending,
    };
    add(layout.next(), next);
    add(booted, Role::Booted);
    add(layout.rollback(), Role::Rollback);
    Ok(found)
}

fn look_at(machine: &Root, place: &Place, role: Role, next: bool, arguments: &str) -> Deployment {
    let root = Root::new(place.folder.clone());
    // An image has exactly one kernel; with another number there is no telling which boots.
    let kernel = match module::kernels(&root).as_deref() {
        Ok([kernel]) => Some(kernel.clone()),
        _ => None,
    };
    let checks = match &kernel {
        Some(kernel) => {
            let installed = module::examine(&root, kernel);
            let mut checks = installed.checks;
            // Of the running system the kernel's own word is among its checks.
            if role != Role::Booted {
                let signature = installed.signature.as_ref();
                checks.extend(secure_boot::checks(machine, &root, signature, false));
                checks.push(blacklist::of_deployment(machine, &root, arguments));
            }
            checks
        }
        None => vec![Check::unknown(
            &crate::catalogue::MODULE_MISSING,
            &root,
            "it does not have exactly one kernel",
        )],
    };
    Deployment {
        role,
        next,
        stateroot: place.stateroot.clone(),
        checksum: place.checksum.clone(),
        serial: place.serial,
        version: ImageFacts::read(&root).version,
        reference: place.reference(),
        digest: None,
        kernel,
        state: State::of(&checks),
        checks,
    }
}

impl DeploymentsReport {
    /// Looks at the deployments.
    pub fn make(root: &Root) -> std::io::Result<Self> {
        Ok(Self {
            format: report::FORMAT,
            boot_id: crate::host::boot_id(root).unwrap_or_default(),
            time: crate::timestamp::now(),
            deployments: examine(root)?,
        })
    }

    /// Reads the text of a report that must speak of the boot `boot_id`.
    pub fn parse(text: &str, boot_id: Option<&str>) -> Result<Self, ReportError> {
        let found: Self = serde_json::from_str(text)?;
        if found.format != report::FORMAT {
            return Err(ReportError::Format(found.format));
        }
        if boot_id.is_some_and(|boot| boot != found.boot_id) {
            return Err(ReportError::OtherBoot);
        }
        Ok(found)
    }

    /// Reads the report of this boot.
    pub fn read(root: &Root) -> Result<Self, ReportError> {
        let path = || Utf8PathBuf::from("/").join(PATH);
        let text = root.read(PATH).map_err(|source| ReportError::Io { path: path(), source })?;
        Self::parse(&text, crate::host::boot_id(root).as_deref())
    }

    /// Writes the report whole or not at all.
    pub fn write(&self, root: &Root) -> Result<(), ReportError> {
        report::write(root, PATH, self)
    }
}

/// Takes over the digests that an earlier look has learnt.
pub fn add_digests(deployments: &mut [Deployment], known: &[Deployment]) {
    for deployment in deployments {
        let same = |other: &&Deployment| {
            (&other.checksum, other.serial) == (&deployment.checksum, deployment.serial)
        };
        if deployment.digest.is_none() {
            deployment.digest = known.iter().find(same).and_then(|known| known.digest.clone());
        }
    }
}

/// What the deployments mean for this host; nothing on hosts that have none.
pub fn checks(root: &Root, deployments: &[Deployment]) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(next) = deployments.iter().find(|deployment| deployment.next) {
        checks.push(judge(root, next));
    }
    let rollback = deployments.iter().find(|deployment| deployment.role == Role::Rollback);
    if let Some(rollback) = rollback {
        checks.push(judge(root, rollback));
    }
    checks
}

fn judge(root: &Root, deployment: &Deployment) -> Check {
    let rollback = deployment.role == Role::Rollback;
    let kind = if rollback { &DEPLOYMENT_ROLLBACK_UNFIT } else { &DEPLOYMENT_NEXT_UNFIT };
    let kernel = deployment.kernel.as_deref().unwrap_or("unknown");
    let version = deployment.version.as_deref().unwrap_or("of unknown version");
    let what = format!("{version}, kernel {kernel}");
    match deployment.state {
        State::Healthy | State::Degraded => Check::ok(kind, root, what),
        State::Unknown => Check::unknown(kind, root, format!("{what} cannot be judged")),
        State::Broken => {
            let cause = causes(&deployment.checks).next();
            let detail = cause.map_or("", |cause| cause.detail.as_str());
            let check = Check::failed(kind, root, format!("{version}: {detail}"));
            // What lies at this machine and not in the image is mended here.
            let here = [MODULE_BLACKLISTED.code, SECURE_BOOT_NOT_ENROLLED.code];
            let remedy = cause.filter(|cause| here.contains(&&*cause.code));
            let remedy = remedy.and_then(|cause| cause.remedy.clone());
            match deployment.role {
                Role::Staged | Role::Pending if remedy.is_some() => Check { remedy, ..check },
                // Its fault is already named by the checks of the running system.
                Role::Booted | Role::Rollback => check,
                Role::Staged => check.remedy("sudo rpm-ostree cleanup --pending"),
                Role::Pending => check.remedy("sudo bootc rollback"),
            }
        }
    }
}

/// The command that brings a fitting module from what is deployed already, which is nearer than
/// what an upgrade may bring: a restart if the next boot has one, the rollback if that has.
pub fn nearest_fit(deployments: &[Deployment]) -> Option<&'static str> {
    let fits = |wanted: fn(&Deployment) -> bool| {
        deployments.iter().any(|one| wanted(one) && one.state == State::Healthy)
    };
    if fits(|one| one.next && one.role != Role::Booted) {
        Some("systemctl reboot")
    } else if fits(|one| one.role == Role::Rollback) {
        Some("sudo bootc rollback --apply")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use module_check::fixtures::{FixtureRoot, ModuleBuilder, signing};

    use super::*;
    use crate::check::Status;
    use crate::firmware::tests::{enrol, firmware};
    use crate::ostree::tests::{boot, deploy, entry, stage};

    fn kernel(fixture: &FixtureRoot, folder: &str, release: &str, module_for: Option<&str>) {
        let modules = format!("{folder}/usr/lib/modules/{release}");
        let own = "kernel/drivers/hid/hid.ko";
        let mut index = format!("{own}:\n");
        let builder = ModuleBuilder::new(release).crcs(true);
        fixture.file(&format!("{modules}/{own}"), &builder.bytes());
        if let Some(module_for) = module_for {
            let builder = ModuleBuilder::new(module_for);
            fixture.file(&format!("{modules}/extra/maccel/maccel.ko"), &builder.bytes());
            index.push_str("extra/maccel/maccel.ko:\n");
        }
        fixture.file(&format!("{modules}/modules.dep"), index.as_bytes());
        fixture.file(&format!("{modules}/modules.dep.bin"), b"x");
    }

    /// Runs 6.1 with a module; goes back to 6.0, and updates to 6.2, with modules as given.
    fn host(rollback: Option<&str>, staged: Option<&str>) -> FixtureRoot {
        let fixture = FixtureRoot::new();
        kernel(&fixture, &deploy(&fixture, 'a'), "6.1.0", Some("6.1.0"));
        kernel(&fixture, &deploy(&fixture, 'b'), "6.0.0", rollback);
        kernel(&fixture, &deploy(&fixture, 'c'), "6.2.0", staged);
        let running = entry(&fixture, 'a', 0);
        entry(&fixture, 'b', 1);
        boot(&fixture, &running);
        stage(&fixture, 'c', 'a');
        fixture
    }

    #[test]
    fn an_update_without_a_fitting_module_is_known_before_the_reboot() {
        for (staged, status) in
            [(Some("6.2.0"), Status::Ok), (Some("6.1.0"), Status::Failed), (None, Status::Failed)]
        {
            let fixture = host(Some("6.0.0"), staged);
            let deployments = examine(fixture.root()).unwrap();
            let roles: Vec<_> = deployments.iter().map(|found| found.role).collect();
            assert_eq!(roles, [Role::Staged, Role::Booted, Role::Rollback]);
            let checks = checks(fixture.root(), &deployments);
            assert_eq!(checks[0].status, status, "{staged:?}");
            assert_eq!(checks[1].status, Status::Ok);
            if status == Status::Failed {
                assert!(checks[0].detail.contains("6.2.0"), "{}", checks[0].detail);
                assert_eq!(checks[0].remedy.as_deref(), Some("sudo rpm-ostree cleanup --pending"));
                assert_eq!(State::of(&checks), State::Degraded);
            }
        }
    }

    /// Only whether the file fits was looked at: an update whose module the kernel would refuse, or
    /// that nobody would load, was told to be well.
    #[test]
    fn an_update_whose_module_would_be_refused_is_known_before_the_reboot() {
        let fixture = host(Some("6.0.0"), Some("6.2.0"));
        let next = |fixture: &FixtureRoot| {
            let check = checks(fixture.root(), &examine(fixture.root()).unwrap()).remove(0);
            (check.status, check.detail, check.remedy)
        };
        assert_eq!(next(&fixture).0, Status::Ok);
        let marker = fixture.root().at(crate::ostree::STAGED);
        let staged = std::fs::read(&marker).unwrap();
        let word = b"\0kargs\0quiet\0module_blacklist=nouveau,maccel\0";
        std::fs::write(&marker, [staged.as_slice(), word].concat()).unwrap();
        let detail = "1: kernel command line: module_blacklist=nouveau,maccel".to_owned();
        let remedy = "sudo rpm-ostree kargs --replace=module_blacklist=nouveau,maccel=nouveau";
        assert_eq!(next(&fixture), (Status::Failed, detail, Some(remedy.to_owned())));
        std::fs::write(&marker, staged).unwrap();
        fixture.file("sys/module/module/parameters/sig_enforce", b"Y\n");
        let detail = "1: not signed; the kernel takes only signed modules".to_owned();
        let remedy = "sudo rpm-ostree cleanup --pending".to_owned();
        assert_eq!(next(&fixture), (Status::Failed, detail, Some(remedy)));
    }

    #[test]
    fn a_key_that_the_next_boot_needs_is_enrolled_from_its_own_image() {
        let fixture = host(Some("6.0.0"), None);
        let staged = Layout::read(fixture.root()).unwrap().staged.unwrap();
        let folder = fixture.root().inside(&staged.folder);
        let modules = format!("{folder}/usr/lib/modules/6.2.0");
        let module = ModuleBuilder::new("6.2.0").crcs(true).signed_by(7).bytes();
        fixture.file(&format!("{modules}/extra/maccel/maccel.ko"), &module);
        let index = b"kernel/drivers/hid/hid.ko:\nextra/maccel/maccel.ko:\n";
        fixture.file(&format!("{modules}/modules.dep"), index);
        let certificate = format!("{folder}/{}", secure_boot::CERTIFICATE);
        fixture.file(&certificate, &signing::certificate(7));
        fixture.file("sys/module/module/parameters/sig_enforce", b"Y\n");
        firmware(&fixture, true);
        enrol(&fixture, "db", b"another");
        let check = checks(fixture.root(), &examine(fixture.root()).unwrap()).remove(0);
        assert_eq!(check.status, Status::Failed, "{check:?}");
        let import = format!("sudo mokutil --import {}", fixture.root().at(&certificate));
        assert_eq!(check.remedy, Some(import));
        enrol(&fixture, "MokListRT", &signing::certificate(7));
        let check = checks(fixture.root(), &examine(fixture.root()).unwrap()).remove(0);
        assert_eq!(check.status, Status::Ok, "{check:?}");
    }

    #[test]
    fn a_rollback_without_a_module_is_a_remark_only() {
        let fixture = host(None, Some("6.2.0"));
        let deployments = examine(fixture.root()).unwrap();
        assert_eq!(State::of(&checks(fixture.root(), &deployments)), State::Healthy);
    }

    /// Beside an update that mends it, going back was advised.
    #[test]
    fn what_is_deployed_and_fits_is_nearer_than_an_upgrade() {
        for (rollback, staged, nearest) in [
            (Some("6.0.0"), Some("6.2.0"), Some("systemctl reboot")),
            (Some("6.0.0"), None, Some("sudo bootc rollback --apply")),
            (None, None, None),
        ] {
            let deployments = examine(host(rollback, staged).root()).unwrap();
            assert_eq!(nearest_fit(&deployments), nearest, "{rollback:?} {staged:?}");
        }
    }

    #[test]
    fn the_report_is_written_and_read_back() {
        let fixture = host(Some("6.0.0"), Some("6.2.0"));
        let report = DeploymentsReport::make(fixture.root()).unwrap();
        report.write(fixture.root()).unwrap();
        assert_eq!(DeploymentsReport::read(fixture.root()).unwrap(), report);
        assert_eq!(report.deployments[0].version.as_deref(), Some("1"));
        let mut known = report.deployments.clone();
        known[1].digest = Some("sha256:1".to_owned());
        let mut found = report.deployments;
        add_digests(&mut found, &known);
        assert_eq!(found, known);
    }

    #[test]
    fn hosts_without_deployments_have_nothing_to_judge() {
        let fixture = FixtureRoot::new();
        let deployments = examine(fixture.root()).unwrap();
        assert!(deployments.is_empty() && checks(fixture.root(), &deployments).is_empty());
    }
}
