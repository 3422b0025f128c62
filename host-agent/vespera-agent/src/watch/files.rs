// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that others write, seen by inotify: the parameters and attributes of the driver, the
//! reports, the settings of image and administrator.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use health::Root;
use maccel_core::driver::PARAMETERS;
use maccel_core::driver::devices::CLASS;
use maccel_core::settings_file::{FILE_NAME, Layer};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use tokio::sync::watch;

use super::descriptor::Readable;
use crate::bus::line::Line;
use crate::message::Event;
use crate::snapshot::Snapshot;

/// Where the reports lie.
const REPORTS: &str = "run/vespera";

/// Where the administrator's folder will be.
const ABOVE: &str = "etc";
/// The last part of the administrator's folder.
const LAYER_NAME: &str = "vespera";

/// A file is there anew, or is gone.
const REPLACED: AddWatchFlags = AddWatchFlags::IN_MOVED_TO
    .union(AddWatchFlags::IN_MOVED_FROM)
    .union(AddWatchFlags::IN_CLOSE_WRITE)
    .union(AddWatchFlags::IN_DELETE);

/// A link to a file is there, or who may read it has changed; to read it changes neither.
const MADE_READABLE: AddWatchFlags = AddWatchFlags::IN_CREATE.union(AddWatchFlags::IN_ATTRIB);

/// What a watched folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Parameters, or the attributes of a mouse: written in place.
    Driver,
    /// Reports: renamed into place.
    Reports,
    /// Settings of the image or the administrator: written by any editor.
    Settings,
    /// `/etc`, while the administrator's folder is not there.
    Above,
}

impl Content {
    fn mask(self) -> AddWatchFlags {
        match self {
            Content::Driver => AddWatchFlags::IN_MODIFY,
            Content::Reports => REPLACED,
            Content::Settings => REPLACED.union(MADE_READABLE).union(AddWatchFlags::IN_MOVE_SELF),
            Content::Above => MADE_READABLE.union(AddWatchFlags::IN_MOVED_TO),
        }
    }

    /// What a change in the folder means.
    fn event(self, event: &InotifyEvent) -> Option<Event> {
        let name = event.name.as_ref().and_then(|name| name.to_str()).unwrap_or_default();
        match self {
            // The folder itself went: the module, or a mouse.
            Content::Driver if event.mask.contains(AddWatchFlags::IN_IGNORED) => {
                Some(Event::Module)
            }
            Content::Driver => Some(Event::Written),
            // It went, and what it locked with it; it may be back by now.
            Content::Settings
                if event
                    .mask
                    .intersects(AddWatchFlags::IN_IGNORED | AddWatchFlags::IN_MOVE_SELF) =>
            {
                Some(Event::Layer)
            }
            Content::Reports => name.ends_with(".json").then_some(Event::Report),
            // Without a name it is the folder that may be looked into, or not any more.
            Content::Settings => {
                (name == FILE_NAME || event.name.is_none()).then_some(Event::Layer)
            }
            Content::Above => (name == LAYER_NAME).then_some(Event::Layer),
        }
    }
}

/// The watched folders.
struct Watches {
    inotify: Inotify,
    readable: Readable,
    root: Root,
    folders: HashMap<WatchDescriptor, (Content, Utf8PathBuf)>,
    /// Those of the driver, and for which loading of the module and which mice they are.
    driver: Vec<WatchDescriptor>,
    armed_for: Option<(Option<u64>, Vec<String>)>,
}

/// Watches until the keeper ends.
pub(crate) async fn run(
    root: Root,
    line: Line,
    mut view: watch::Receiver<Arc<Snapshot>>,
) -> anyhow::Result<()> {
    let mut watches = Watches::new(root)?;
    watches.add(REPORTS, Content::Reports);
    watches.add(Layer::Image.folder(), Content::Settings);
    watches.add_admin();
    // Whatever was written before the watch was there.
    line.tell(Event::Report);
    line.tell(Event::Layer);
    loop {
        let now = Arc::clone(&view.borrow_and_update());
        if watches.follow(&now) {
            line.tell(Event::Written);
        }
        tokio::select! {
            events = watches.read() => {
                for event in events? {
                    if event == Event::Layer {
                        watches.add_admin();
                    }
                    line.tell(event);
                }
            }
            changed = view.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

impl Watches {
    fn new(root: Root) -> anyhow::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .context("cannot watch files")?;
        let readable = Readable::new(&inotify)?;
        Ok(Self {
            inotify,
            readable,
            root,
            folders: HashMap::new(),
            driver: Vec::new(),
            armed_for: None,
        })
    }

    /// Watches a folder, if it is there.
    fn add(&mut self, inside: &str, content: Content) -> Option<WatchDescriptor> {
        let path = self.root.at(inside);
        let watch = self.inotify.add_watch(path.as_std_path(), content.mask()).ok()?;
        self.folders.insert(watch, (content, path));
        Some(watch)
    }

    /// Watches the administrator's folder, or waits for it. To watch a folder again is no fault.
    fn add_admin(&mut self) {
        if self.add(Layer::Admin.folder(), Content::Settings).is_none() {
            self.add(ABOVE, Content::Above);
            // It may have come between the two.
            self.add(Layer::Admin.folder(), Content::Settings);
        }
    }

    /// Watches the driver and the mice of a snapshot; whether that is new.
    fn follow(&mut self, now: &Snapshot) -> bool {
        let wanted = (now.instance, now.devices.keys().cloned().collect());
        if self.armed_for.as_ref() == Some(&wanted) {
            return false;
        }
        for watch in std::mem::take(&mut self.driver) {
            self.folders.remove(&watch);
            // A folder that went took its watch along.
            let _ = self.inotify.rm_watch(watch);
        }
        let parameters = now.instance.is_some().then(|| PARAMETERS.to_owned());
        let mice = wanted.1.iter().map(|input: &String| format!("{CLASS}/{input}"));
        for folder in parameters.into_iter().chain(mice) {
            let watch = self.add(&folder, Content::Driver);
            self.driver.extend(watch);
        }
        self.armed_for = Some(wanted);
        true
    }

    /// Waits for changes and says what they mean, each once.
    async fn read(&self) -> io::Result<Vec<Event>> {
        self.readable.read(|| self.seen()).await
    }

    /// The same, of the changes until now.
    fn seen(&self) -> io::Result<Vec<Event>> {
        let mut read = Vec::new();
        loop {
            match self.inotify.read_events() {
                Ok(some) => read.extend(some),
                Err(Errno::EAGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let mut events: Vec<Event> = Vec::new();
        for event in &read {
            // More happened than the kernel keeps: anything may have changed.
            if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                return Ok(vec![Event::Written, Event::Report, Event::Layer]);
            }
            let Some((content, folder)) = self.folders.get(&event.wd) else { continue };
            let is_new = event.mask.contains(AddWatchFlags::IN_CREATE);
            if *content == Content::Settings && is_new && !is_whole(&folder.join(FILE_NAME)) {
                continue;
            }
            if let Some(meaning) = content.event(event)
                && !events.contains(&meaning)
            {
                events.push(meaning);
            }
        }
        Ok(events)
    }
}

/// Whether a file that has just got its name may have its content, too: it is a link, or was one
/// whose other name is gone by now, or never had another (`O_TMPFILE`). A new one is empty, and is
/// seen again when it has been written.
fn is_whole(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok_and(|file| !file.is_file() || file.nlink() > 1 || file.len() > 0)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use super::*;

    fn allow(path: &Path, mode: u32) {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A root, the administrator's folder in it, and what watches need.
    fn host() -> (tempfile::TempDir, PathBuf, tokio::runtime::Runtime) {
        let folder = tempfile::tempdir().unwrap();
        let admin = folder.path().join("etc/vespera");
        std::fs::create_dir_all(&admin).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        (folder, admin, runtime)
    }

    fn meaning(content: Content, mask: AddWatchFlags, name: &str) -> Option<Event> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
        let wd = inotify.add_watch("/", AddWatchFlags::IN_MODIFY).unwrap();
        let name = (!name.is_empty()).then(|| OsString::from(name));
        content.event(&InotifyEvent { wd, mask, cookie: 0, name })
    }

    #[test]
    fn a_change_means_what_its_folder_holds() {
        let (modify, ignored) = (AddWatchFlags::IN_MODIFY, AddWatchFlags::IN_IGNORED);
        let moved = AddWatchFlags::IN_MOVED_TO;
        for (content, mask, name, right) in [
            (Content::Driver, modify, "SENS_MULT", Some(Event::Written)),
            (Content::Driver, ignored, "", Some(Event::Module)),
            (Content::Reports, moved, "module.json", Some(Event::Report)),
            (Content::Reports, moved, ".moduleX1Y2", None),
            (Content::Settings, moved, "maccel.toml", Some(Event::Layer)),
            (Content::Settings, moved, "maccel.toml~", None),
            (Content::Settings, ignored, "", Some(Event::Layer)),
            (Content::Settings, AddWatchFlags::IN_MOVE_SELF, "", Some(Event::Layer)),
            (Content::Settings, AddWatchFlags::IN_ATTRIB, "", Some(Event::Layer)),
            (Content::Settings, AddWatchFlags::IN_ATTRIB, "maccel.toml", Some(Event::Layer)),
            (Content::Settings, AddWatchFlags::IN_ATTRIB, "other", None),
            (Content::Above, moved, "vespera", Some(Event::Layer)),
            (Content::Above, moved, "passwd", None),
            (Content::Above, AddWatchFlags::IN_ATTRIB, "vespera", Some(Event::Layer)),
            (Content::Above, AddWatchFlags::IN_ATTRIB, "", None),
        ] {
            assert_eq!(meaning(content, mask, name), right, "{content:?} {name}");
        }
    }

    #[test]
    fn the_administrators_folder_is_seen_again_after_it_went_and_came_back() {
        let (folder, admin, runtime) = host();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let _inside = runtime.enter();
        let mut watches = Watches::new(root).unwrap();
        watches.add_admin();
        type Change = fn(&Path);
        let removals: [Change; 2] = [
            |admin| std::fs::remove_dir_all(admin).unwrap(),
            |admin| std::fs::rename(admin, admin.with_extension("old")).unwrap(),
        ];
        for remove in removals {
            remove(&admin);
            assert_eq!(watches.seen().unwrap(), [Event::Layer], "it went");
            watches.add_admin();
            std::fs::create_dir(&admin).unwrap();
            assert_eq!(watches.seen().unwrap(), [Event::Layer], "it came back");
            watches.add_admin();
            std::fs::write(admin.join(FILE_NAME), "version = 1\n").unwrap();
            assert_eq!(watches.seen().unwrap(), [Event::Layer], "it was written in");
            let changes: [(&str, Change); 6] = [
                ("nobody may read the file", |admin| allow(&admin.join(FILE_NAME), 0o000)),
                ("everyone may", |admin| allow(&admin.join(FILE_NAME), 0o644)),
                ("everyone may look into the folder", |admin| allow(admin, 0o755)),
                ("the file has another name", |admin| {
                    std::fs::rename(admin.join(FILE_NAME), admin.join("off")).unwrap();
                }),
                ("it is gone", |admin| {
                    std::fs::write(admin.join(FILE_NAME), "version = 1\n").unwrap();
                    std::fs::remove_file(admin.join(FILE_NAME)).unwrap();
                }),
                ("it lies elsewhere", |admin| {
                    symlink("/run/elsewhere.toml", admin.join(FILE_NAME)).unwrap();
                }),
            ];
            for (what, change) in changes {
                change(&admin);
                assert_eq!(watches.seen().unwrap(), [Event::Layer], "{what}");
            }
            for (text, keeps_other) in [("", true), ("version = 1\n", false)] {
                std::fs::remove_file(admin.join(FILE_NAME)).unwrap();
                assert_eq!(watches.seen().unwrap(), [Event::Layer]);
                let other = admin.join("other");
                std::fs::write(&other, text).unwrap();
                std::fs::hard_link(&other, admin.join(FILE_NAME)).unwrap();
                if !keeps_other {
                    std::fs::remove_file(&other).unwrap();
                }
                assert_eq!(watches.seen().unwrap(), [Event::Layer], "a link to '{text}'");
            }
            std::fs::remove_file(admin.join(FILE_NAME)).unwrap();
            assert_eq!(watches.seen().unwrap(), [Event::Layer]);
            let file = std::fs::File::create(admin.join(FILE_NAME)).unwrap();
            assert_eq!(watches.seen().unwrap(), [], "it is not written yet");
            drop(file);
            assert_eq!(watches.seen().unwrap(), [Event::Layer], "now it is");
        }
    }

    #[test]
    fn an_administrators_folder_that_may_be_looked_into_at_last_is_seen() {
        let (folder, admin, runtime) = host();
        let root = Root::new(Utf8Path::from_path(folder.path()).unwrap());
        let _inside = runtime.enter();
        let mut watches = Watches::new(root).unwrap();
        // As where the folder cannot be watched, which root, who may run this, always can.
        watches.add(ABOVE, Content::Above).unwrap();
        allow(&admin, 0o755);
        assert_eq!(watches.seen().unwrap(), [Event::Layer]);
        allow(folder.path().join("etc").as_path(), 0o755);
        assert_eq!(watches.seen().unwrap(), []);
    }
}
