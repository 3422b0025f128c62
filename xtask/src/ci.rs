// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask ci`: the steps of the build workflow, run here one by one, against a
//! registry on loopback that stands for the real one.
//!
//! Commands of `vespera-image` are those of the workflow to the letter. Steps that only get
//! tools or credentials have nothing to do here, and are shown as such.

use std::collections::BTreeMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::cache::Cache;
use crate::dock::Dock;
use crate::enter::Room;
use crate::image;
use crate::images;
use crate::kernels::{Kernel, Series};
use crate::privilege;
use crate::process;
use crate::progress::Steps;
use crate::setup;
use crate::source;
use crate::standin::Standin;
use crate::workflow::{Job, Known, Step, Workflow};
use crate::workshop::Workshop;

const WORKFLOW: &str = ".github/workflows/build-vespera.yml";
/// The job that says what is built.
const DETECT: &str = "detect";
/// The jobs that run for each image.
const JOBS_OF_AN_IMAGE: [&str; 2] = ["build", "publish"];
/// The job that does not run here.
const LEFT_OUT: &str = "scan";
/// The folder of the run, inside.
const INSIDE: &str = "/w/ci";
/// Where the containers' tools look for a person's own files.
const CONTAINERS: &str = ".config/containers";
const OWNER: &str = "someone";
const RUN: &str = "1";
const UP: Duration = Duration::from_millis(50);
const TRIES: u32 = 200;

/// Entry point of `cargo xtask ci`.
pub(crate) fn main(args: setup::Args) -> Result<()> {
    setup::ensure(args)?;
    let cache = Cache::open()?;
    let steps = Steps::new(&cache)?;
    run(&cache, &steps)?;
    steps.summary();
    Ok(())
}

/// The jobs of the workflow, in their order, and once more when nothing has changed.
pub(crate) fn run(cache: &Cache, steps: &Steps) -> Result<()> {
    privilege::prepare()?;
    let workshop = Workshop::make(cache, steps)?;
    let kernel = Kernel::fetch(cache, steps, &workshop, Series::Image)?;
    let standin = Standin::make(cache, steps, &workshop, &kernel)?;
    let dock = Dock::make(cache, steps)?;
    let program = steps.run("program vespera-image", |step| image::program(cache, step))?;
    let crates = image::vendor(cache, steps)?;

    let folder = cache.folder("scratch")?.join("ci");
    privilege::remove_tree(&folder)?;
    fs::create_dir_all(&folder)?;
    let room = dock
        .room(cache)?
        .bind(&folder, INSIDE)
        .bind_read_only(program.parent().context("the program has no folder")?, "/w/bin")
        .bind_read_only(&crates, "/w/crates")
        .workdir(&format!("{INSIDE}/source"));
    let registry = Registry::start(&room, &folder)?;
    let runner = Runner { room, folder, host: registry.host.clone(), standin };
    steps.run("repository and base of the run", |_| runner.prepare())?;
    let text = fs::read_to_string(source::root()?.join(WORKFLOW))?;
    let workflow = Workflow::parse(&text)?;
    let known = runner.known(cache)?;

    let mut outputs = runner.job(steps, DETECT, workflow.job(DETECT)?, &known)?;
    let matrix: Value = serde_json::from_str(outputs.get("matrix").context("no matrix")?)?;
    if outputs.get("should_build").map(String::as_str) != Some("true") {
        bail!("`detect` wants no build of an image that was never published");
    }
    for entry in matrix["include"].as_array().context("no images in the matrix")? {
        let known = with_entry(&known, entry, &outputs);
        for name in JOBS_OF_AN_IMAGE {
            runner.job(steps, name, workflow.job(name)?, &known)?;
        }
    }
    // The same again, a day later: nothing has changed.
    outputs = runner.job(steps, DETECT, workflow.job(DETECT)?, &known)?;
    if outputs.get("should_build").map(String::as_str) != Some("false") {
        bail!("`detect` wants another build though nothing has changed");
    }
    println!("left out: the job `{LEFT_OUT}`, whose programs come from the network only");
    println!("\n{}", fs::read_to_string(runner.folder.join("summary"))?);
    Ok(())
}

/// What a job with this entry of the matrix knows.
fn with_entry(known: &Known, entry: &Value, outputs: &BTreeMap<String, String>) -> Known {
    let mut known = known.clone();
    for (key, value) in entry.as_object().into_iter().flatten() {
        known.set(format!("matrix.{key}"), value.as_str().unwrap_or_default());
    }
    for (key, value) in outputs {
        known.set(format!("needs.detect.outputs.{key}"), value);
    }
    known
}

/// The registry, as long as this lives.
struct Registry {
    child: Child,
    host: String,
}

impl Registry {
    fn start(room: &Room, folder: &Utf8Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let host = format!("127.0.0.1:{port}");
        let settings = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {INSIDE}/registry}}, \
             delete: {{enabled: true}}}}\nhttp: {{addr: \"{host}\"}}\n"
        );
        fs::create_dir_all(folder.join("source"))?;
        fs::write(folder.join("registry.yml"), settings)?;
        let child = room
            .command("docker-registry")?
            .args(["serve", &format!("{INSIDE}/registry.yml")])
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("registry.log"))?)
            .spawn()
            .context("cannot start the registry")?;
        let registry = Self { child, host };
        for _ in 0..TRIES {
            if TcpStream::connect(&registry.host).is_ok() {
                return Ok(registry);
            }
            sleep(UP);
        }
        bail!("the registry does not come up; see {folder}/registry.log")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It also ends with this process's terminal; nothing is kept that could be damaged.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Runner {
    room: Room,
    folder: Utf8PathBuf,
    host: String,
    standin: Standin,
}

impl Runner {
    /// A clone of the repository whose configuration names the registry here, with the base at it
    /// and with a key pair.
    fn prepare(&self) -> Result<()> {
        let root = source::root()?;
        let clone = self.folder.join("source");
        process::read(Command::new("git").args([
            "clone",
            "--quiet",
            "--no-hardlinks",
            root.as_str(),
            clone.as_str(),
        ]))?;
        let mut copy = Command::new("cp");
        copy.current_dir(&root).args(["--archive", "--parents"]).args(source::files(&["."])?);
        process::read(copy.arg(&clone))?;
        let path = clone.join("vespera-config.yaml");
        let text = fs::read_to_string(&path)?
            .replace("\nbase:\n", &format!("\nbase:\n  registry: {}/base\n", self.host))
            .replace("\n  registry: ghcr.io\n", &format!("\n  registry: {}\n", self.host))
            + "\nsigning:\n  module: true\n  image: true\n";
        fs::write(&path, text)?;
        let insecure = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", self.host);
        fs::create_dir_all(self.folder.join(CONTAINERS))?;
        fs::write(self.folder.join(CONTAINERS).join("registries.conf"), insecure)?;
        let base = format!("docker://{}/base/aurora:stable", self.host);
        let from = format!("containers-storage:{}", self.standin.base);
        self.inside(&format!("skopeo copy --quiet {from} {base}"), &BTreeMap::new())?;
        self.inside("cosign generate-key-pair && mv cosign.key ..", &BTreeMap::new())
    }

    /// What the workflow's expressions mean here.
    fn known(&self, cache: &Cache) -> Result<Known> {
        let mut known = Known::default();
        let revision = process::read(Command::new("git").args([
            "-C",
            source::root()?.as_str(),
            "rev-parse",
            "HEAD",
        ]))?;
        let module_key = fs::read_to_string(images::module_key(cache)?)?;
        let signing = fs::read_to_string(self.folder.join("cosign.key"))?;
        for (expression, value) in [
            ("github.repository_owner", OWNER),
            ("github.repository", "someone/vespera"),
            ("github.server_url", "https://example.org"),
            ("github.sha", &revision),
            ("github.run_id", RUN),
            ("github.event_name == 'push'", "false"),
            ("inputs.force || false", "false"),
            ("secrets.MODULE_SIGNING_KEY", &module_key),
            ("secrets.SIGNING_SECRET", &signing),
            ("secrets.COSIGN_PASSWORD", ""),
            ("secrets.GITHUB_TOKEN", ""),
        ] {
            known.set(expression, value);
        }
        Ok(known)
    }

    /// Runs the steps of a job; returns the outputs of its steps.
    fn job(
        &self,
        steps: &Steps,
        name: &str,
        job: &Job,
        known: &Known,
    ) -> Result<BTreeMap<String, String>> {
        let mut outputs = BTreeMap::new();
        for step in &job.steps {
            match &step.run {
                Some(run) if run.starts_with("vespera-image ") => {
                    let title = format!("{name}: {}", step.name);
                    steps.show(&title, || self.step(step, run, known))?;
                    if step.id.is_some() {
                        outputs.extend(self.outputs()?);
                    }
                }
                _ => {
                    let what = step.uses.as_deref().or(step.run.as_deref()).unwrap_or_default();
                    println!("   {name}: {}: nothing to do here ({})", step.name, what.trim());
                }
            }
        }
        Ok(outputs)
    }

    fn step(&self, step: &Step, run: &str, known: &Known) -> Result<()> {
        let mut environment = BTreeMap::new();
        for (key, value) in &step.env {
            environment.insert(key.clone(), known.evaluate(value)?);
        }
        fs::write(self.folder.join("outputs"), "")?;
        let more =
            if run.starts_with("vespera-image build ") { self.build_here() } else { String::new() };
        self.inside(&format!("{}{more}", run.trim()), &environment)
    }

    /// What a build without a network needs besides the workflow's own words.
    fn build_here(&self) -> String {
        format!(
            " --build-arg=BUILDER_IMAGE={} -- --network=host --force-rm \
             --build-context=crates=/w/crates",
            self.standin.builder
        )
    }

    fn outputs(&self) -> Result<BTreeMap<String, String>> {
        let text = fs::read_to_string(self.folder.join("outputs"))?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
    }

    /// Runs a line of shell in the dock, as a runner does.
    fn inside(&self, line: &str, environment: &BTreeMap<String, String>) -> Result<()> {
        let mut command = self.room.command("env")?;
        let at = |name: &str| format!("{INSIDE}/{name}");
        for (key, value) in [
            ("PATH", "/w/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            // skopeo knows no variable that names the list of registries; all look here.
            ("HOME", INSIDE.to_owned()),
            ("GITHUB_OUTPUT", at("outputs")),
            ("GITHUB_STEP_SUMMARY", at("summary")),
            ("COSIGN_PASSWORD", String::new()),
            // The clone belongs to whoever started this, who need not be root.
            ("GIT_CONFIG_COUNT", "1".to_owned()),
            ("GIT_CONFIG_KEY_0", "safe.directory".to_owned()),
            ("GIT_CONFIG_VALUE_0", "*".to_owned()),
        ] {
            command.arg(format!("{key}={value}"));
        }
        for (key, value) in environment {
            command.arg(format!("{key}={value}"));
        }
        let status = command
            .args(["bash", "-euo", "pipefail", "-c", line])
            .status()
            .context("cannot enter the dock")?;
        if !status.success() {
            bail!("`{line}` ended with {status}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_of_the_workflow_is_run_or_named_as_left_out() {
        let text = fs::read_to_string(source::root().unwrap().join(WORKFLOW)).unwrap();
        let workflow = Workflow::parse(&text).unwrap();
        let mut known = vec![DETECT, LEFT_OUT];
        known.extend(JOBS_OF_AN_IMAGE);
        known.sort_unstable();
        assert_eq!(workflow.jobs.keys().collect::<Vec<_>>(), known);
    }
}
