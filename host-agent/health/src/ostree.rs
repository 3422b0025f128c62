// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layout of an ostree host, read without ostree.
//!
//! - `/ostree/deploy/<stateroot>/deploy/<checksum>.<serial>`: a deployment, a whole root folder;
//!   `....origin` beside it says where it came from
//! - `/boot/loader/entries/*.conf`: what the boot loader offers; the highest `version` is first
//! - `ostree=` on a kernel command line: a link under `/ostree/boot.N` to its deployment
//! - `/run/ostree/staged-deployment`: the deployment that becomes an entry at shutdown

use std::io;
use std::os::unix::fs::MetadataExt;

use camino::{Utf8Path, Utf8PathBuf};
use module_check::Root;

/// The marker of a staged deployment.
pub const STAGED: &str = "run/ostree/staged-deployment";
/// The marker of a host booted through ostree.
pub const BOOTED: &str = "run/ostree-booted";
const ENTRIES: &str = "boot/loader/entries";
const CHECKSUM_DIGITS: usize = 64;

/// One deployment as the layout shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its root folder.
    pub folder: Utf8PathBuf,
    /// The stateroot it belongs to.
    pub stateroot: String,
    /// The commit.
    pub checksum: String,
    /// Tells deployments of one commit apart.
    pub serial: u32,
}

/// All deployments, and what each is to the boot loader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// What runs now.
    pub booted: Option<Place>,
    /// What becomes the next boot at shutdown.
    pub staged: Option<Place>,
    /// The boot loader's entries, first first.
    pub entries: Vec<Place>,
    /// What the kernels of the entries and of the staged deployment are told.
    arguments: Vec<(Place, String)>,
}

impl Layout {
    /// Reads the layout; an empty one when this is no ostree host.
    pub fn read(root: &Root) -> io::Result<Self> {
        let booted = booted(root);
        let mut arguments = entries(root)?;
        let entries: Vec<Place> = arguments.iter().map(|(place, _)| place.clone()).collect();
        let staged = match std::fs::read(root.at(STAGED)) {
            Ok(marker) => {
                let staged = staged(root, &marker, &entries, booted.as_ref());
                arguments.extend(staged.clone().map(|place| (place, texts(&marker))));
                staged
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { booted, staged, entries, arguments })
    }

    /// What the kernel of a deployment is told at its boot; for a staged one there are other words
    /// in between.
    pub fn arguments(&self, place: &Place) -> &str {
        let of_place = self.arguments.iter().find(|(other, _)| other == place);
        of_place.map_or("", |(_, arguments)| arguments)
    }

    /// What the next boot will start.
    pub fn next(&self) -> Option<&Place> {
        self.staged.as_ref().or_else(|| self.entries.first())
    }

    /// What one can go back to: the first entry that is neither running nor next.
    pub fn rollback(&self) -> Option<&Place> {
        let running = |place: &&Place| self.booted.as_ref() == Some(*place);
        let default = |place: &&Place| self.staged.is_none() && self.next() == Some(*place);
        self.entries.iter().find(|place| !running(place) && !default(place))
    }
}

impl Place {
    /// Reads the name of a deployment's folder.
    fn parse(folder: &Utf8Path) -> Option<Self> {
        let (checksum, serial) = folder.file_name()?.split_once('.')?;
        if !is_checksum(checksum) {
            return None;
        }
        Some(Self {
            stateroot: folder.parent()?.parent()?.file_name()?.to_owned(),
            checksum: checksum.to_owned(),
            serial: serial.parse().ok()?,
            folder: folder.to_owned(),
        })
    }

    /// The container image it was made from, if its origin names one.
    pub fn reference(&self) -> Option<String> {
        let origin = format!("{}.origin", self.folder);
        let text = std::fs::read_to_string(origin).ok()?;
        text.lines()
            .find_map(|line| line.trim().strip_prefix("container-image-reference="))
            .map(str::to_owned)
    }
}

fn is_checksum(text: &str) -> bool {
    text.len() == CHECKSUM_DIGITS
        && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

/// What runs now. The link it was booted by is gone as soon as another deployment is made, so the
/// identity of the root folder comes first; with composefs only ostree knows what lies beneath.
fn booted(root: &Root) -> Option<Place> {
    let identity = |path: &Utf8Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    let marker = std::fs::read(root.at(BOOTED)).ok();
    let roots = [identity(root.path()), marker.as_deref().and_then(backing_root)];
    let is_root = |place: &Place| {
        let own = identity(&place.folder);
        own.is_some() && roots.contains(&own)
    };
    let line = || root.read("proc/cmdline").ok();
    deployments(root)
        .into_iter()
        .find(is_root)
        .or_else(|| by_command_line(root, &line()?))
        .or_else(|| by_boot_checksum(root, &line()?))
}

/// Device and inode of the deployment under a composefs root, from the GVariant `a{sv}` that
/// ostree leaves in its marker: values of type `(tt)` lie at the next multiple of eight.
fn backing_root(marker: &[u8]) -> Option<(u64, u64)> {
    const KEY: &[u8] = b"backing-root-device-inode\0";
    let key = marker.windows(KEY.len()).position(|part| part == KEY)?;
    let value = (key + KEY.len()).next_multiple_of(8);
    let number = |at: usize| {
        let bytes: [u8; 8] = marker.get(at..at + 8)?.first_chunk().copied()?;
        Some(u64::from_le_bytes(bytes))
    };
    Some((number(value)?, number(value + 8)?))
}

/// Finds the deployment by the checksum of its kernel when its link is gone, if only one has it.
fn by_boot_checksum(root: &Root, line: &str) -> Option<Place> {
    let link = line.split_whitespace().find_map(|word| word.strip_prefix("ostree="))?;
    let mut parts = Utf8Path::new(link).components().rev().skip(1);
    let (checksum, stateroot) = (parts.next()?, parts.next()?);
    let mut found = Vec::new();
    for boot in ["boot.0", "boot.1"] {
        let folder = format!("ostree/{boot}/{stateroot}/{checksum}");
        for entry in root.at(&folder).read_dir_utf8().into_iter().flatten().flatten() {
            let line = format!("ostree={folder}/{}", entry.file_name());
            found.extend(by_command_line(root, &line));
        }
    }
    match found.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Follows `ostree=` on a kernel command line.
fn by_command_line(root: &Root, line: &str) -> Option<Place> {
    let link = line.split_whitespace().find_map(|word| word.strip_prefix("ostree="))?;
    // The link leads to ../../../deploy/<stateroot>/deploy/<checksum>.<serial>; its last part is
    // enough, and joins to a path without dots.
    let target = root.at(link).read_link_utf8().ok()?;
    let name = target.file_name()?;
    let stateroot = target.parent()?.parent()?.file_name()?;
    let place = Place::parse(&root.at(format!("ostree/deploy/{stateroot}/deploy/{name}")))?;
    place.folder.is_dir().then_some(place)
}

/// The deployments of the boot loader's entries, with their options.
fn entries(root: &Root) -> io::Result<Vec<(Place, String)>> {
    let listing = match root.at(ENTRIES).read_dir_utf8() {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for file in listing {
        let path = file?.into_path();
        if path.extension() == Some("conf") {
            let text = std::fs::read_to_string(&path)?;
            let (version, options) = parse_entry(&text);
            if let Some(place) = by_command_line(root, options) {
                found.push((version, path, (place, options.to_owned())));
            }
        }
    }
    found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(found.into_iter().map(|(_, _, entry)| entry).collect())
}

/// The version and the options of a boot loader entry.
fn parse_entry(text: &str) -> (u32, &str) {
    let value =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix([' ', '\t']));
    let version = value("version").and_then(|version| version.trim().parse().ok());
    (version.unwrap_or(0), value("options").unwrap_or_default())
}

/// The marker is a GVariant that names the staged deployment and the one it was merged from. Only
/// the former has a folder, but no boot entry yet, and does not run.
fn staged(root: &Root, marker: &[u8], entries: &[Place], booted: Option<&Place>) -> Option<Place> {
    let named = |name: &str| marker.windows(name.len()).any(|part| part == name.as_bytes());
    deployments(root)
        .into_iter()
        .find(|place| named(&place.checksum) && !entries.contains(place) && booted != Some(place))
}

/// The words of a GVariant, whose texts end with a zero. The arguments are a list of such texts.
fn texts(marker: &[u8]) -> String {
    let words = marker.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// All deployment folders; those that cannot be listed count for nothing.
fn deployments(root: &Root) -> Vec<Place> {
    let list = |folder: Utf8PathBuf| {
        folder.read_dir_utf8().into_iter().flatten().flatten().map(camino::Utf8DirEntry::into_path)
    };
    list(root.at("ostree/deploy"))
        .flat_map(|stateroot| list(stateroot.join("deploy")))
        .filter(|folder| folder.is_dir())
        .filter_map(|folder| Place::parse(&folder))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::symlink;

    use module_check::fixtures::FixtureRoot;

    use super::*;

    /// Adds a deployment whose checksum repeats `digit`; returns its folder inside the root.
    pub(crate) fn deploy(fixture: &FixtureRoot, digit: char) -> String {
        let folder = format!("ostree/deploy/default/deploy/{}.0", checksum(digit));
        fixture.file(&format!("{folder}/usr/lib/os-release"), b"NAME=Aurora\nIMAGE_VERSION=1\n");
        let origin = "[origin]\ncontainer-image-reference=ostree-image-signed:docker://x/y:z\n";
        fixture.file(&format!("{folder}.origin"), origin.as_bytes());
        folder
    }

    fn checksum(digit: char) -> String {
        digit.to_string().repeat(CHECKSUM_DIGITS)
    }

    /// Makes a boot entry; `order` is its place from 0.
    pub(crate) fn entry(fixture: &FixtureRoot, digit: char, order: u32) -> String {
        let boot = format!("ostree/boot.1/default/{}", checksum(digit));
        std::fs::create_dir_all(fixture.root().at(&boot)).unwrap();
        let target = format!("../../../deploy/default/deploy/{}.0", checksum(digit));
        symlink(target, fixture.root().at(&boot).join("0")).unwrap();
        let options = format!("root=UUID=1 rw ostree=/{boot}/0 quiet");
        let text = format!("title x\nversion {}\noptions {options}\n", 9 - order);
        fixture.file(&format!("boot/loader/entries/ostree-{digit}.conf"), text.as_bytes());
        options
    }

    /// Makes `digit` the running deployment.
    pub(crate) fn boot(fixture: &FixtureRoot, options: &str) {
        fixture.file("proc/cmdline", format!("BOOT_IMAGE=x {options}\n").as_bytes());
        fixture.file("run/ostree-booted", b"");
    }

    /// Stages `digit`, merged from `from`.
    pub(crate) fn stage(fixture: &FixtureRoot, digit: char, from: char) {
        let mut marker = b"target\0\0\x01name\0".to_vec();
        marker.extend(
            format!("{}.0\0merge-deployment\0{}.0", checksum(digit), checksum(from)).bytes(),
        );
        fixture.file(STAGED, &marker);
    }

    fn digit(place: Option<&Place>) -> Option<char> {
        place.and_then(|place| place.checksum.chars().next())
    }

    #[test]
    fn booted_next_and_rollback_are_told_from_the_entries() {
        let fixture = FixtureRoot::new();
        deploy(&fixture, 'a');
        deploy(&fixture, 'b');
        let running = entry(&fixture, 'a', 0);
        entry(&fixture, 'b', 1);
        boot(&fixture, &running);
        let layout = Layout::read(fixture.root()).unwrap();
        let roles = |layout: &Layout| {
            [layout.booted.as_ref(), layout.staged.as_ref(), layout.next(), layout.rollback()]
                .map(digit)
        };
        assert_eq!(roles(&layout), [Some('a'), None, Some('a'), Some('b')]);

        deploy(&fixture, 'c');
        stage(&fixture, 'c', 'a');
        let layout = Layout::read(fixture.root()).unwrap();
        assert_eq!(roles(&layout), [Some('a'), Some('c'), Some('c'), Some('b')]);
        assert_eq!(
            layout.next().unwrap().reference().as_deref(),
            Some("ostree-image-signed:docker://x/y:z")
        );
    }

    #[test]
    fn after_a_rollback_is_queued_the_next_boot_is_the_other_entry() {
        let fixture = FixtureRoot::new();
        deploy(&fixture, 'a');
        deploy(&fixture, 'b');
        entry(&fixture, 'b', 0);
        let running = entry(&fixture, 'a', 1);
        boot(&fixture, &running);
        let layout = Layout::read(fixture.root()).unwrap();
        assert_eq!(digit(layout.next()), Some('b'));
        assert_eq!(layout.rollback(), None);
    }

    #[test]
    fn what_runs_is_known_after_its_own_link_is_gone() {
        let fixture = FixtureRoot::new();
        let folder = deploy(&fixture, 'a');
        deploy(&fixture, 'b');
        let running = entry(&fixture, 'a', 0);
        let booted = |marker: &[u8]| {
            fixture.file(BOOTED, marker);
            digit(Layout::read(fixture.root()).unwrap().booted.as_ref())
        };
        // Another deployment was made: boot.1 became boot.0.
        boot(&fixture, &running.replace("boot.1", "boot.0"));
        assert_eq!(booted(b""), Some('a'));
        fixture.file("proc/cmdline", b"quiet\n");
        assert_eq!(booted(b""), None);
        let metadata = std::fs::metadata(fixture.root().at(folder)).unwrap();
        let mut marker = b"backing-root-device-inode\0".to_vec();
        marker.resize(marker.len().next_multiple_of(8), 0);
        marker.extend(metadata.dev().to_le_bytes());
        assert_eq!(booted(&marker), None, "cut short");
        marker.extend(metadata.ino().to_le_bytes());
        marker.extend(b"\0(tt)");
        assert_eq!(booted(&marker), Some('a'));
    }

    #[test]
    fn other_hosts_have_an_empty_layout() {
        let fixture = FixtureRoot::new();
        fixture.file("proc/cmdline", b"quiet\n");
        fixture.file("boot/loader/entries/arch.conf", b"options root=x\n");
        fixture.file("ostree/deploy/default/deploy/not-a-checksum.0/x", b"");
        assert_eq!(Layout::read(fixture.root()).unwrap(), Layout::default());
    }
}
