// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random calls in rounds: one alone, of which all is known, or many at once from several callers.
//!
//! `VESPERA_BUS_CALLS` is how many calls, `VESPERA_BUS_TOGETHER` how many at once, and
//! `VESPERA_BUS_SEED` the seed; one seed makes the same calls again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use fastrand::Rng;
use futures_util::future::join_all;
use maccel_core::changes::Changes;
use maccel_core::driver::Driver;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::Settings;
use vespera_api::access::METHODS;
use vespera_api::names::BUS_NAME;
use vespera_api::{DriverState, MaccelProxy, dict};
use zbus::{Connection, Message};

use crate::agent::Agent;
use crate::caller::{name_of, short};
use crate::random::{Call, all_properties};
use crate::sysfs::Root;
use crate::world::World;

/// Calls in `cargo xtask test`.
const CALLS: u64 = 10_000;
/// Calls at once there. More than 64 would be too many for the agent, since one user makes them all.
const TOGETHER: u64 = 8;
const CALLERS: usize = 4;
/// After so many calls a trial ends: while one runs most calls are refused for that alone, and its
/// 600 s must not run out between a call and the look at what it changed.
const TRIAL: u64 = 200;
/// After so many calls a caller leaves the bus, while a trial of its own runs.
const STAY: u64 = 2000;
/// Memory may still grow into what was allocated and freed before.
const GROWTH_KB: u64 = 512;
/// What the agent may need at most, in the build that is shipped.
const MOST_KB: u64 = 6144;
/// Files that may just be open.
const FILES: usize = 4;
/// From here on every method and property must have been reached.
const ENOUGH: u64 = 10_000;
/// Methods that change no settings when they succeed.
const HARMLESS: [&str; 7] =
    ["Get", "GetAll", "Preview", "OpenSpeed", "ListProfiles", "GetProfile", "Recheck"];

pub(crate) fn random_calls(world: &World) {
    let calls = number("VESPERA_BUS_CALLS").unwrap_or(CALLS);
    let together = number("VESPERA_BUS_TOGETHER").unwrap_or(TOGETHER).max(1);
    let seed = number("VESPERA_BUS_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("{calls} calls, up to {together} at once, VESPERA_BUS_SEED={seed}");
    let agent = Agent::start(world, Root::ours());
    let start = Instant::now();
    let mut sizes = Vec::new();
    let run = zbus::block_on(async {
        let mut run = Run::new(&agent, seed).await;
        while run.made < calls {
            let width = if run.rng.bool() { together.min(calls - run.made) } else { 1 };
            run.round(width).await;
            while run.made >= (sizes.len() as u64 + 1) * calls / 10 && sizes.len() < 10 {
                sizes.push(agent.size());
                let (kb, files) = agent.size();
                let made = run.made;
                println!("figure after {made} calls: {kb} kB resident, {files} files open");
            }
        }
        run
    });
    assert_eq!(agent.owner(), Some(agent.pid()), "the agent has died, seed {seed}");
    let rate = run.made as f64 / start.elapsed().as_secs_f64();
    println!("figure random calls a second, with all that is compared: {rate:.0}");
    run.count(seed);
    // In the first half it has grown to what the largest calls need, now and then.
    let most = |part: &[(u64, usize)]| part.iter().map(|(kb, _)| *kb).max().unwrap();
    let (first, second) = (most(&sizes[..5]), most(&sizes[5..]));
    assert!(second < first + GROWTH_KB, "memory leaks: {first} kB, then {second} kB, seed {seed}");
    let (files_at_half, files_at_end) = (sizes[4].1, sizes[9].1);
    assert!(files_at_end < files_at_half + FILES, "open files leak, seed {seed}");
    if !cfg!(debug_assertions) {
        assert!(first.max(second) <= MOST_KB, "{first} kB, then {second} kB, seed {seed}");
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The calls, and what is known after those so far.
struct Run<'a> {
    agent: &'a Agent<'a>,
    rng: Rng,
    seed: u64,
    callers: Vec<Connection>,
    made: u64,
    /// When trials were last ended, and when a caller last left, in calls.
    trials_ended: u64,
    left: u64,
    trial: Option<u32>,
    settings: Settings,
    files: Files,
    /// How often each method was done and refused.
    outcomes: BTreeMap<String, (u64, u64)>,
    properties: BTreeSet<(String, String)>,
}

impl<'a> Run<'a> {
    async fn new(agent: &'a Agent<'a>, seed: u64) -> Self {
        let callers = join_all((0..CALLERS).map(|_| agent.connect())).await;
        let settings = DriverState::read(&callers[0]).await.unwrap().settings.unwrap();
        Run {
            agent,
            rng: Rng::with_seed(seed),
            seed,
            callers,
            made: 0,
            trials_ended: 0,
            left: 0,
            trial: None,
            settings,
            files: agent.root.everything(),
            outcomes: BTreeMap::new(),
            properties: BTreeSet::new(),
        }
    }

    /// So many calls, all of them sent before the first answer is awaited.
    async fn round(&mut self, width: u64) {
        if self.made >= self.trials_ended + TRIAL {
            self.end_trial().await;
        }
        if self.made >= self.left + STAY {
            self.someone_leaves().await;
        }
        let calls: Vec<Call> =
            (0..width).map(|_| Call::random(&mut self.rng, self.trial)).collect();
        let callers = self.callers.iter().cycle();
        let replies = join_all(calls.iter().zip(callers).map(|(call, by)| send(by, call))).await;
        let done: Vec<bool> =
            calls.iter().zip(&replies).map(|(call, reply)| self.note(call, reply)).collect();
        self.made += width;
        self.compare(calls.iter().zip(done).filter(|(_, done)| *done).map(|(call, _)| call)).await;
    }

    /// Whether a call was done; anything else must be a refusal that the agent itself has sent.
    fn note(&mut self, call: &Call, reply: &zbus::Result<Message>) -> bool {
        let name = match reply {
            Ok(_) => None,
            Err(error @ (zbus::Error::MethodError(..) | zbus::Error::FDO(_))) => {
                Some(name_of(error))
            }
            Err(error) => panic!("{error}: {}", self.context(call)),
        };
        let died = matches!(name.as_deref(), Some("NoReply" | "ServiceUnknown" | "AccessDenied"));
        assert!(!died, "{name:?}: {}", self.context(call));
        let (ok, refused) = self.outcomes.entry(name_on(call.interface, call.method)).or_default();
        *if name.is_none() { ok } else { refused } += 1;
        if name.is_none() {
            self.properties.extend(call.property.clone());
        }
        name.is_none()
    }

    /// What is refused has changed nothing, what is set is what was asked for, and what is told is
    /// what the driver holds.
    async fn compare<'c>(&mut self, done: impl Iterator<Item = &'c Call>) {
        let changing: Vec<_> = done.filter(|call| !HARMLESS.contains(&call.method)).collect();
        let files = self.agent.root.everything();
        if changing.is_empty() {
            assert!(files == self.files, "changed by nothing: {}", self.place());
            return;
        }
        self.files = files;
        let state = DriverState::read(&self.callers[0]).await.unwrap();
        let told = state.settings.unwrap();
        let root = self.agent.root.path().to_str().unwrap();
        let held = Driver::open(camino::Utf8Path::new(root)).unwrap().settings().unwrap();
        assert_eq!(told, held, "told and held: {}", self.place());
        if let [call] = changing[..]
            && let Some(change) = &call.change
        {
            let right = dict::read(change).unwrap().apply(&self.settings).unwrap();
            assert_eq!(told, right, "{}", self.context(call));
        } else if changing.iter().all(|call| call.change.is_some()) {
            self.each_value_was_asked_for(&changing, &told);
        }
        self.settings = told;
        self.trial = state.trial.map(|trial| trial.id);
    }

    /// Whatever the order of the calls was.
    fn each_value_was_asked_for(&self, changing: &[&Call], told: &Settings) {
        let asked: Vec<Changes> = changing
            .iter()
            .map(|call| dict::read(call.change.as_ref().unwrap()).unwrap())
            .chain([Changes::all(&self.settings)])
            .collect();
        for parameter in parameter::all() {
            let name = parameter.name.as_str();
            let asks = |change: &Changes| match parameter.kind {
                Kind::Mode => change.mode() == Some(told.mode()),
                Kind::Table => change.lut().is_some_and(|table| {
                    let mut settings = Settings::default();
                    let _ = settings.set_lut(table);
                    settings.lut() == told.lut()
                }),
                Kind::Fixed => change.number(name).is_some_and(|value| {
                    let mut settings = Settings::default();
                    settings.set(name, value).unwrap();
                    settings.get(name) == told.get(name)
                }),
            };
            assert!(asked.iter().any(asks), "{name} in {told:?}: {}", self.place());
        }
    }

    async fn look_anew(&mut self) {
        let state = DriverState::read(&self.callers[0]).await.unwrap();
        self.settings = state.settings.unwrap();
        self.trial = state.trial.map(|trial| trial.id);
        self.files = self.agent.root.everything();
    }

    async fn end_trial(&mut self) {
        self.trials_ended = self.made;
        self.look_anew().await;
        if let Some(trial) = self.trial {
            let maccel = MaccelProxy::new(&self.callers[0]).await.unwrap();
            maccel.cancel_trial(trial).await.unwrap();
            self.look_anew().await;
        }
    }

    /// A caller goes whose trial runs, and another one comes.
    async fn someone_leaves(&mut self) {
        self.left = self.made;
        self.end_trial().await;
        let before = self.settings.clone();
        let change = dict::write(&Changes::all(&Settings::default()));
        let leaver = self.callers.pop().unwrap();
        let maccel = MaccelProxy::new(&leaver).await.unwrap();
        maccel.trial(&change, 600).await.unwrap();
        drop(maccel);
        leaver.close().await.unwrap();
        let rest = &self.callers[0];
        while DriverState::read(rest).await.unwrap().trial.is_some() {}
        self.callers.insert(0, self.agent.connect().await);
        self.look_anew().await;
        assert_eq!(self.settings, before, "the caller of a trial has left: {}", self.place());
    }

    /// Says what was reached, and that all was.
    fn count(&self, seed: u64) {
        for (method, (done, refused)) in &self.outcomes {
            println!("figure {method}: {done} done, {refused} refused");
        }
        if self.made < ENOUGH {
            return;
        }
        for (interface, method, _) in METHODS {
            let name = name_on(interface, method);
            assert!(self.outcomes[&name].0 > 0, "{name} was never done, seed {seed}");
        }
        for property in all_properties() {
            assert!(self.properties.contains(&property), "{property:?} not read, seed {seed}");
        }
    }

    fn place(&self) -> String {
        format!("call {}, seed {}", self.made, self.seed)
    }

    fn context(&self, call: &Call) -> String {
        format!("{}.{}, {}", call.interface, call.method, self.place())
    }
}

fn name_on(interface: &str, method: &str) -> String {
    format!("{}.{method}", short(interface))
}

async fn send(by: &Connection, call: &Call) -> zbus::Result<Message> {
    let (to, path) = (Some(BUS_NAME), call.path.as_str());
    let (interface, method) = (Some(call.interface), call.method);
    match &call.body {
        Some(body) => by.call_method(to, path, interface, method, body).await,
        None => by.call_method(to, path, interface, method, &()).await,
    }
}
