// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every method with random values, of the right and of random signatures.
//!
//! `VESPERA_BUS_CALLS` is how many calls, `VESPERA_BUS_SEED` the seed; one seed makes the same
//! calls again.

use fastrand::Rng;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::{LUT_LEN, Mode};
use vespera_api::access::METHODS;
use vespera_api::names::{BUS_NAME, DEVICE, MACCEL, ROOT_OBJECT, device_path};
use vespera_api::{Dict, DriverState, MaccelProxy, dict};
use zbus::wire::{Array, Dict as WireDict, Signature, Structure, StructureBuilder};
use zbus::{Connection, OwnedVariant, Variant};

use crate::agent::Agent;
use crate::caller::name_of;
use crate::sysfs::{MOUSE, Root};
use crate::world::World;

/// Calls in `cargo xtask test`.
const CALLS: u64 = 10_000;
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// After so many calls a trial ends: while one runs most calls are refused for that alone, and its
/// 600 s must not run out between a call and the look at what it changed.
const TRIAL: u64 = 200;
/// Memory may still grow into what was allocated and freed before.
const GROWTH_KB: u64 = 1024;
/// Files that may just be open.
const FILES: usize = 4;

pub(crate) fn random_calls(world: &World) {
    let calls = number("VESPERA_BUS_CALLS").unwrap_or(CALLS);
    let seed = number("VESPERA_BUS_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("{calls} calls, VESPERA_BUS_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let agent = Agent::start(world, Root::ours());
    let mut after_warming_up = (0, 0);
    zbus::block_on(async {
        let connection = agent.connect().await;
        for index in 0..calls {
            if index == calls / 10 {
                after_warming_up = agent.size();
            }
            if index % TRIAL == 0 {
                end_trial(&connection).await;
            }
            one(&mut rng, &agent, &connection, index, seed).await;
        }
        // A driver whose files hold what is out of range would be an error here.
        DriverState::read(&connection).await.unwrap();
    });
    assert_eq!(agent.owner(), Some(agent.pid()), "the agent has died, seed {seed}");
    let (resident, files) = agent.size();
    println!("resident {} kB, then {resident} kB; {files} open files", after_warming_up.0);
    assert!(resident < after_warming_up.0 + GROWTH_KB, "memory leaks, seed {seed}");
    assert!(files < after_warming_up.1 + FILES, "open files leak, seed {seed}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

async fn end_trial(connection: &Connection) {
    if let Some(trial) = DriverState::read(connection).await.unwrap().trial {
        let maccel = MaccelProxy::new(connection).await.unwrap();
        maccel.cancel_trial(trial.id).await.unwrap();
    }
}

/// One call: what is refused has changed nothing, and what is set is what was asked for.
async fn one(rng: &mut Rng, agent: &Agent<'_>, connection: &Connection, index: u64, seed: u64) {
    let (interface, method) = match rng.u8(..20) {
        0 => (PROPERTIES, ["Get", "Set", "GetAll"][rng.usize(..3)]),
        1 => (MACCEL, "Unheard"),
        _ => {
            let row = METHODS[rng.usize(..METHODS.len())];
            (row.0, row.1)
        }
    };
    let path =
        if interface == DEVICE { device_path(MOUSE).unwrap() } else { ROOT_OBJECT.to_owned() };
    let fitting = rng.u8(..4) > 0;
    let change = random_change(rng);
    let arguments = match fitting {
        true => fitting_arguments(rng, (interface, method), &change),
        false => (0..rng.usize(..4)).map(|_| random_value(rng, 3)).collect(),
    };
    let is_set = (interface, method, fitting) == (MACCEL, "Set", true);
    let before = agent.root.everything();
    let settings = match is_set {
        true => DriverState::read(connection).await.unwrap().settings,
        false => None,
    };
    let to = Some(BUS_NAME);
    let reply = if arguments.is_empty() {
        connection.call_method(to, path.as_str(), Some(interface), method, &()).await
    } else {
        let body = body(arguments);
        connection.call_method(to, path.as_str(), Some(interface), method, &body).await
    };
    let context = || format!("{interface}.{method}, call {index}, seed {seed}");
    match reply {
        Err(error @ (zbus::Error::MethodError(..) | zbus::Error::FDO(_))) => {
            let name = name_of(&error);
            assert!(
                !matches!(name.as_str(), "NoReply" | "ServiceUnknown"),
                "{name}: {}",
                context()
            );
            assert!(agent.root.everything() == before, "refused with {name}: {}", context());
        }
        Err(error) => panic!("{error}: {}", context()),
        Ok(_) => {
            if let Some(settings) = settings {
                let right = dict::read(&change).unwrap().apply(&settings).unwrap();
                let found = DriverState::read(connection).await.unwrap().settings;
                assert_eq!(found, Some(right), "{}", context());
            }
        }
    }
}

fn body(arguments: Vec<Variant<'static>>) -> Structure<'static> {
    let builder = StructureBuilder::new();
    arguments.into_iter().fold(builder, StructureBuilder::append_field).build().unwrap()
}

/// Values of the signature that the method has.
fn fitting_arguments(
    rng: &mut Rng,
    (interface, method): (&str, &str),
    change: &Dict,
) -> Vec<Variant<'static>> {
    let dict = || {
        let mut dict = WireDict::new(&Signature::Str, &Signature::Variant);
        for (key, value) in change {
            let value = (**value).try_clone().unwrap();
            dict.append(key.clone().into(), Variant::Variant(Box::new(value))).unwrap();
        }
        Variant::Dict(dict)
    };
    match method {
        "Set" if interface == PROPERTIES => {
            vec![MACCEL.into(), random_key(rng).into(), random_value(rng, 2)]
        }
        "Set" | "SetSettings" => vec![dict()],
        // No time that could run out while the tests compare.
        "Trial" => vec![dict(), Variant::U32([0, 600, 601, u32::MAX][rng.usize(..4)])],
        "ConfirmTrial" | "CancelTrial" => vec![Variant::U32(rng.u32(..40))],
        "Preview" => {
            let speeds: Vec<f64> = (0..rng.usize(..1100)).map(|_| random_number(rng)).collect();
            vec![dict(), speeds.into()]
        }
        "SaveProfile" | "GetProfile" | "ApplyProfile" | "DeleteProfile" => {
            vec![random_name(rng).into()]
        }
        "SetEnabled" => vec![Variant::Bool(rng.bool())],
        "Get" => vec![MACCEL.into(), random_key(rng).into()],
        "GetAll" => vec![MACCEL.into()],
        _ => Vec::new(),
    }
}

/// Often in range, often not; sometimes not even a parameter.
fn random_change(rng: &mut Rng) -> Dict {
    let mut change = Dict::new();
    for _ in 0..rng.usize(..4) {
        let key = random_key(rng);
        let value = match parameter::by_bus_name(&key) {
            Some(known) if rng.u8(..8) > 0 => match known.kind {
                Kind::Mode => Mode::ALL[rng.usize(..Mode::ALL.len())].name().into(),
                Kind::Fixed => {
                    let share = rng.f64() * 1.1 - 0.05;
                    (known.minimum + share * (known.maximum - known.minimum)).into()
                }
                Kind::Table => {
                    let length = [0, 1, LUT_LEN, LUT_LEN][rng.usize(..4)];
                    (0..length).map(|_| rng.f64() * 3.0).collect::<Vec<f64>>().into()
                }
            },
            _ => random_value(rng, 2),
        };
        change.insert(key, OwnedVariant::try_from(value).unwrap());
    }
    change
}

fn random_key(rng: &mut Rng) -> String {
    let all = parameter::all();
    match rng.u8(..10) {
        0 => random_name(rng),
        1 => ["Locked", "Features", "TrialId", "ActiveProfile"][rng.usize(..4)].to_owned(),
        _ => all[rng.usize(..all.len())].bus_name(),
    }
}

fn random_name(rng: &mut Rng) -> String {
    match rng.u8(..8) {
        0 => String::new(),
        1 => "../../etc/passwd".to_owned(),
        2 => "a".repeat(rng.usize(..100_000)),
        3 => "[profiles.x]\nmode = 1\u{1F400}\"\\".to_owned(),
        _ => ["one", "two", "three", "a-b_c"][rng.usize(..4)].to_owned(),
    }
}

fn random_number(rng: &mut Rng) -> f64 {
    match rng.u8(..8) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => -f64::MAX,
        3 => f64::MIN_POSITIVE,
        4 => f64::from_bits(rng.u64(..)),
        _ => rng.f64() * 1000.0,
    }
}

/// Any value of the bus, nested up to `depth`, but for open files.
fn random_value(rng: &mut Rng, depth: u8) -> Variant<'static> {
    let kinds = if depth == 0 { 12 } else { 16 };
    match rng.u8(..kinds) {
        0 => Variant::U8(rng.u8(..)),
        1 => Variant::Bool(rng.bool()),
        2 => Variant::I16(rng.i16(..)),
        3 => Variant::U16(rng.u16(..)),
        4 => Variant::I32(rng.i32(..)),
        5 => Variant::U32(rng.u32(1000..)),
        6 => Variant::I64(rng.i64(..)),
        7 => Variant::U64(rng.u64(..)),
        8 => Variant::F64(random_number(rng)),
        9 => random_name(rng).into(),
        10 => Variant::Signature(Signature::U32),
        11 => Variant::ObjectPath(ROOT_OBJECT.try_into().unwrap()),
        12 => Variant::Variant(Box::new(random_value(rng, depth - 1))),
        13 => {
            let first = random_value(rng, depth - 1);
            let mut array = Array::new(first.value_signature());
            for _ in 0..rng.usize(..4) {
                array.append(first.try_clone().unwrap()).unwrap();
            }
            Variant::Array(array)
        }
        14 => {
            let mut dict = WireDict::new(&Signature::Str, &Signature::Variant);
            for index in 0..rng.usize(..4) {
                let value = Variant::Variant(Box::new(random_value(rng, depth - 1)));
                dict.append(format!("{}{index}", random_key(rng)).into(), value).unwrap();
            }
            Variant::Dict(dict)
        }
        _ => Variant::Structure(body(
            (0..=rng.usize(..3)).map(|_| random_value(rng, depth - 1)).collect(),
        )),
    }
}
