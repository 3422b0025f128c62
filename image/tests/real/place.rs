// SPDX-License-Identifier: MIT OR Apache-2.0
//! A registry on loopback, a key pair, container storage and images of a few files: all that a
//! test needs, in one temporary folder.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{PROGRAM, run};

/// The repository, as the image is built of it.
pub(crate) const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// How often the registry is tried before it counts as not coming up.
const TRIES: u32 = 200;
/// The date of every build of the tests; it makes the second tag.
pub(crate) const DATE: &str = "2026-11-26T02:00:00Z";
const KERNEL: &str = "6.17.1-300.fc43.x86_64";

/// Everything a test needs.
#[derive(Debug)]
pub(crate) struct Place {
    folder: tempfile::TempDir,
    /// Host and port of the registry.
    pub(crate) host: String,
    registry: Child,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.registry.kill();
        let _ = self.registry.wait();
    }
}

impl Place {
    /// Starts the registry; `auth` are lines of its configuration.
    pub(crate) fn new(auth: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let host = format!("127.0.0.1:{port}");
        let data = folder.path().join("registry");
        let settings = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"{host}\"}}\n{auth}",
            data.display()
        );
        let file = folder.path().join("registry.yml");
        fs::write(&file, settings).unwrap();
        let log = fs::File::create(folder.path().join("registry.log")).unwrap();
        let registry = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let place = Self { folder, host, registry };
        place.storage();
        let up = (0..TRIES).any(|_| {
            let connected = TcpStream::connect(&place.host).is_ok();
            if !connected {
                std::thread::sleep(Duration::from_millis(50));
            }
            connected
        });
        assert!(up, "the registry did not come up: {}", place.read("registry.log"));
        place
    }

    /// Ends the registry, as an outage does.
    pub(crate) fn stop_registry(&mut self) {
        self.registry.kill().unwrap();
        self.registry.wait().unwrap();
    }

    /// A place whose images are signed with a fresh key.
    pub(crate) fn with_key(auth: &str) -> Self {
        let place = Self::new(auth);
        run(place.command("cosign").args(["generate-key-pair"]));
        place
    }

    /// Container storage of its own, so that tests do not see each other's images.
    fn storage(&self) {
        let at = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            at("storage"),
            at("run")
        );
        self.write("storage.conf", &text);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A command that works in this place.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("CONTAINERS_STORAGE_CONF", self.path("storage.conf"))
            .env("COSIGN_PASSWORD", "")
            .env("HOME", self.folder.path());
        command
    }

    /// The program under test, with plain HTTP allowed.
    pub(crate) fn program(&self, words: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(words);
        command
    }

    /// A configuration of an image without the driver, pushed to this registry.
    pub(crate) fn config(&self, more: &str) -> PathBuf {
        let text = format!(
            "base: {{registry: '{host}/base'}}\nmaccel: {{enabled: false}}\n\
             build: {{registry: '{host}/org', image_name: vespera}}\n{more}",
            host = self.host
        );
        self.write("vespera-config.yaml", &text)
    }

    /// The repository that [`Place::config`] publishes to.
    pub(crate) fn repository(&self) -> String {
        format!("{}/org/vespera", self.host)
    }

    /// Builds an image that verification has nothing to say against; `mark` is what tells it from
    /// others. Returns its name in storage.
    pub(crate) fn build(&self, mark: &str) -> String {
        self.build_with(mark, &[], |_| ())
    }

    /// The same, with more facts, and a change to its files before they are packed.
    pub(crate) fn build_with(
        &self,
        mark: &str,
        facts: &[&str],
        change: impl FnOnce(&Path),
    ) -> String {
        let root = self.path(&format!("root-{mark}"));
        let file = |path: &str, text: &str| {
            self.write(&format!("root-{mark}/{path}"), text);
        };
        file(&format!("usr/lib/modules/{KERNEL}/vmlinuz"), "kernel");
        file("usr/lib/os-release", "ID=aurora\nIMAGE_ID=aurora\n");
        file("usr/share/mark", mark);
        for folder in ["dev", "proc", "sys", "run", "tmp", "var", "sysroot", "etc"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::os::unix::fs::symlink("sysroot/ostree", root.join("ostree")).unwrap();
        let words = ["customize", "--root", root.to_str().unwrap(), "payload", "--from", "/none"];
        run(&mut self.program(&words));
        change(&root);
        let words = ["plan", "--json", "--date", DATE, "--kernel", KERNEL];
        let plan = run(self.program(&words).args(facts));
        let plan: Value = serde_json::from_str(&plan).unwrap();
        let container = run(self.command("buildah").args(["from", "scratch"]));
        let buildah = |words: &[&str]| run(self.command("buildah").args(words));
        buildah(&["add", "--quiet", &container, root.to_str().unwrap(), "/"]);
        for (key, value) in plan["builds"][0]["labels"].as_object().unwrap() {
            let label = format!("{key}={}", value.as_str().unwrap());
            buildah(&["config", "--label", &label, &container]);
        }
        let name = format!("localhost/vespera:{mark}");
        buildah(&["commit", "--quiet", "--rm", "--format", "docker", &container, &name]);
        name
    }

    /// The digest that a tag names, if it names one.
    pub(crate) fn digest(&self, tag: &str) -> Option<String> {
        let reference = format!("docker://{}:{tag}", self.repository());
        let output = self
            .command("skopeo")
            .args(["inspect", "--tls-verify=false", "--no-tags", "--format={{.Digest}}"])
            .arg(reference)
            .output()
            .unwrap();
        let digest = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        output.status.success().then_some(digest)
    }

    /// Every tag of the repository but those that hold signatures.
    pub(crate) fn tags(&self) -> Vec<String> {
        let reference = format!("docker://{}", self.repository());
        let text =
            run(self.command("skopeo").args(["list-tags", "--tls-verify=false", &reference]));
        let listed: Value = serde_json::from_str(&text).unwrap();
        let tags = listed["Tags"].as_array().unwrap().iter();
        let mut tags: Vec<String> = tags.map(|tag| tag.as_str().unwrap().to_owned()).collect();
        tags.retain(|tag| !tag.starts_with("sha256-"));
        tags.sort();
        tags
    }

    /// Publishes an image of the storage; the words go to the program as well.
    pub(crate) fn publish(&self, name: &str, words: &[&str]) -> Command {
        let from = format!("containers-storage:{name}");
        let mut command = self.program(&["publish", "--insecure", "--run", "7", "--date", DATE]);
        command.args(["--from", &from]).args(words);
        command
    }
}
