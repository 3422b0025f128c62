// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random calls: every method and property, with values of the right and of random signatures.

use fastrand::Rng;
use maccel_core::parameter::{self, Kind};
use maccel_core::settings::{LUT_LEN, Mode};
use vespera_api::Dict;
use vespera_api::access::METHODS;
use vespera_api::names::{DEVICE, HEALTH, INTERFACES, MACCEL, ROOT_OBJECT, device_path};
use zbus::wire::{Array, Dict as WireDict, Signature, Structure, StructureBuilder};
use zbus::{OwnedVariant, Variant};

use crate::sysfs::MOUSE;

const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
/// Properties of each interface that are not parameters.
const OTHERS: [(&str, &[&str]); 3] = [
    (HEALTH, &["State", "Kernel", "Checks", "Deployments", "History", "Version"]),
    (MACCEL, &["Loaded", "Features", "Locked", "ActiveProfile", "TrialId", "TrialEnd"]),
    (DEVICE, &["Name", "Id", "Enabled", "Settings"]),
];

/// One call.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) interface: &'static str,
    pub(crate) method: &'static str,
    /// Its arguments; `None` for none.
    pub(crate) body: Option<Structure<'static>>,
    /// The settings that `Set` and `Trial` ask for, if that is what the arguments are.
    pub(crate) change: Option<Dict>,
    /// The property that `Get` asks for.
    pub(crate) property: Option<(String, String)>,
}

impl Call {
    /// Any; `trial` is the one that runs, if one does.
    pub(crate) fn random(rng: &mut Rng, trial: Option<u32>) -> Self {
        let (interface, method) = match rng.u8(..20) {
            0..4 => (PROPERTIES, ["Get", "Get", "Set", "GetAll"][rng.usize(..4)]),
            4 => (MACCEL, "Unheard"),
            _ => {
                let row = METHODS[rng.usize(..METHODS.len())];
                (row.0, row.1)
            }
        };
        // Whose properties.
        let of = INTERFACES[rng.usize(..INTERFACES.len())];
        let on_mouse = interface == DEVICE || (interface == PROPERTIES && of == DEVICE);
        let path = if on_mouse { device_path(MOUSE).unwrap() } else { ROOT_OBJECT.to_owned() };
        let fitting = rng.u8(..4) > 0;
        let mut call = Call { path, interface, method, body: None, change: None, property: None };
        let arguments = if fitting {
            call.fitting(rng, of, trial)
        } else {
            (0..rng.usize(..4)).map(|_| random_value(rng, 3)).collect()
        };
        call.body = (!arguments.is_empty()).then(|| body(arguments));
        call
    }

    /// Arguments of the signature that the method has.
    fn fitting(
        &mut self,
        rng: &mut Rng,
        of: &'static str,
        trial: Option<u32>,
    ) -> Vec<Variant<'static>> {
        if self.interface == PROPERTIES {
            let property = random_property(rng, of);
            return match self.method {
                "Get" => {
                    self.property = Some((of.to_owned(), property.clone()));
                    vec![of.into(), property.into()]
                }
                "Set" => {
                    let value = Variant::Variant(Box::new(random_value(rng, 2)));
                    vec![of.into(), property.into(), value]
                }
                _ => vec![of.into()],
            };
        }
        let change = random_change(rng);
        let asked = dict(&change);
        match self.method {
            "Set" => {
                self.change = Some(change);
                vec![asked]
            }
            "SetSettings" => vec![asked],
            "Trial" => {
                // That of one mouse leaves the shared settings as they are.
                self.change = (self.interface == MACCEL).then_some(change);
                // No time that could run out while the tests compare.
                vec![asked, Variant::U32([0, 600, 601, u32::MAX][rng.usize(..4)])]
            }
            "ConfirmTrial" | "CancelTrial" => {
                let id = trial.filter(|_| rng.bool()).unwrap_or_else(|| rng.u32(..40));
                vec![Variant::U32(id)]
            }
            "Preview" => {
                let speeds: Vec<f64> = match rng.bool() {
                    true => (0..rng.usize(..100)).map(|_| rng.f64() * 100.0).collect(),
                    false => (0..rng.usize(..1100)).map(|_| random_number(rng)).collect(),
                };
                vec![asked, speeds.into()]
            }
            "SaveProfile" | "GetProfile" | "ApplyProfile" | "DeleteProfile" => {
                vec![random_name(rng).into()]
            }
            "SetEnabled" => vec![Variant::Bool(rng.bool())],
            _ => Vec::new(),
        }
    }
}

/// Every property that there is, with its interface.
pub(crate) fn all_properties() -> Vec<(String, String)> {
    let parameters = parameter::all().iter().map(|one| (MACCEL, one.bus_name()));
    let others = OTHERS
        .iter()
        .flat_map(|(interface, names)| names.iter().map(|name| (*interface, (*name).to_owned())));
    parameters.chain(others).map(|(interface, name)| (interface.to_owned(), name)).collect()
}

fn random_property(rng: &mut Rng, interface: &str) -> String {
    let own: Vec<String> = all_properties()
        .into_iter()
        .filter(|(of, _)| of == interface)
        .map(|(_, name)| name)
        .collect();
    if rng.u8(..8) == 0 { random_key(rng) } else { own[rng.usize(..own.len())].clone() }
}

fn dict(change: &Dict) -> Variant<'static> {
    let mut dict = WireDict::new(&Signature::Str, &Signature::Variant);
    for (key, value) in change {
        let value = (**value).try_clone().unwrap();
        dict.append(key.clone().into(), Variant::Variant(Box::new(value))).unwrap();
    }
    Variant::Dict(dict)
}

fn body(arguments: Vec<Variant<'static>>) -> Structure<'static> {
    let builder = StructureBuilder::new();
    arguments.into_iter().fold(builder, StructureBuilder::append_field).build().unwrap()
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
