// SPDX-License-Identifier: MIT OR Apache-2.0
//! The interfaces over a line of their own, without a bus: a socket pair, the real keeper over a
//! folder, and in place of polkit somebody who answers as told.

use std::collections::HashMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::stream::FuturesUnordered;
use maccel_core::changes::Changes;
use maccel_core::driver::devices::CLASS;
use maccel_core::driver::{MODULE, PARAMETERS, line as settings_line};
use maccel_core::settings::Settings;
use tokio_stream::StreamExt;
use vespera_api::access::{Access, Action, METHODS};
use vespera_api::dict::{self, Dict};
use vespera_api::names::{BUS_NAME, DEVICE, HEALTH, MACCEL};
use vespera_api::{DeviceProxy, DriverState, Error, MaccelProxy};
use zbus::connection::Builder;
use zbus::fdo::{ObjectManagerProxy, PropertiesProxy};
use zbus::message::Header;
use zbus::names::InterfaceName;
use zbus::{Guid, OwnedVariant, Variant};

use super::crowd::{OF_USER, PASSWORDS_OF_USER};
use super::gate::{Answer, Verdict};
use super::*;
use crate::actor;
use crate::keeper::Keeper;
use crate::message::Event;
use crate::store::Store;

const ALLOW: u8 = 0;
const REFUSE: u8 = 1;
const FAIL: u8 = 2;
const NEVER_ANSWER: u8 = 3;
/// Asks for a password, which nobody gives.
const ASK: u8 = 4;

/// Stands in for polkit.
#[derive(Clone)]
struct Told(Arc<AtomicU8>);

impl Authority for Told {
    fn user_of<'a>(&'a self, _: &'a Header<'a>) -> Answer<'a, Option<u32>> {
        Box::pin(async { Ok(None) })
    }

    fn allows<'a>(&'a self, _: &'a Header<'a>, _: Action, ask: bool) -> Answer<'a, Verdict> {
        let told = self.0.load(Ordering::SeqCst);
        Box::pin(async move {
            match told {
                ALLOW => Ok(Verdict::Granted),
                REFUSE => Ok(Verdict::Refused),
                ASK if !ask => Ok(Verdict::WithPassword),
                FAIL => Err(zbus::Error::Failure("there is no polkit".to_owned())),
                _ => std::future::pending().await,
            }
        })
    }
}

struct Peers {
    folder: tempfile::TempDir,
    client: Connection,
    told: Told,
    keeper: mpsc::Sender<Message>,
    _server: Connection,
}

impl Peers {
    async fn new(with_driver: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |inside: &str| folder.path().join(inside);
        for inside in ["var/lib/vespera", "run/vespera/request"] {
            fs::create_dir_all(at(inside)).unwrap();
        }
        if with_driver {
            fs::create_dir_all(at(PARAMETERS)).unwrap();
            fs::write(at(MODULE).join("version"), "0.1.0\n").unwrap();
            let text = settings_line::format(&Changes::all(&Settings::default()));
            fs::write(at(PARAMETERS).join("SETTINGS"), text).unwrap();
        }
        let root = Root::new(camino::Utf8Path::from_path(folder.path()).unwrap());
        let told = Told(Arc::new(AtomicU8::new(ALLOW)));
        let keeper = Keeper::start(root.clone(), Store::new(&root));
        let (messages, inbox) = mpsc::channel();
        let (publish, view) = watch::channel(Arc::new(keeper.snapshot().clone()));
        std::thread::spawn(move || actor::run(keeper, &inbox, &publish));
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = Builder::unix_stream(ours).server(Guid::generate()).p2p().build();
        let client = Builder::unix_stream(theirs).p2p().build();
        let (server, client) = tokio::try_join!(server, client).unwrap();
        let authority = Box::new(told.clone());
        let (_, announcer) =
            serve(&server, authority, &root, messages.clone(), view).await.unwrap();
        tokio::spawn(announcer.run());
        Self { folder, client, told, keeper: messages, _server: server }
    }

    fn tell(&self, answer: u8) {
        self.told.0.store(answer, Ordering::SeqCst);
    }

    /// A mouse whose event is still on its way.
    fn silent_mouse(&self, input: &str) {
        let folder = self.folder.path().join(CLASS).join(input);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in [
            ("name", "Mouse"),
            ("id", "046d:c088"),
            ("uniq", ""),
            ("phys", "usb"),
            ("enabled", "1"),
            ("settings", "inherit"),
        ] {
            fs::write(folder.join(name), format!("{text}\n")).unwrap();
        }
    }

    fn mouse(&self, input: &str) {
        self.silent_mouse(input);
        self.event(Event::DeviceAdded(input.to_owned()));
    }

    fn event(&self, event: Event) {
        self.keeper.send(Message::Event(event)).unwrap();
    }

    async fn maccel(&self) -> MaccelProxy<'static> {
        MaccelProxy::builder(&self.client)
            .cache_properties(zbus::proxy::CacheProperties::No)
            .build()
            .await
            .unwrap()
    }

    async fn properties(&self) -> PropertiesProxy<'static> {
        PropertiesProxy::new(&self.client, BUS_NAME, ROOT_OBJECT).await.unwrap()
    }

    /// Calls a method with the arguments it wants.
    async fn call(&self, interface: &str, method: &str) -> zbus::Result<()> {
        let path = match interface {
            DEVICE => "/org/vespera/Agent1/devices/input5",
            _ => ROOT_OBJECT,
        };
        let (to, of) = (Some(BUS_NAME), Some(interface));
        let (change, client) = (sens(2.0), &self.client);
        match method {
            "Set" | "SetSettings" => client.call_method(to, path, of, method, &(change,)).await,
            "Trial" => client.call_method(to, path, of, method, &(change, 10_u32)).await,
            "Preview" => client.call_method(to, path, of, method, &(change, vec![1.0])).await,
            "ConfirmTrial" | "CancelTrial" => {
                client.call_method(to, path, of, method, &(1_u32,)).await
            }
            "SetEnabled" => client.call_method(to, path, of, method, &(false,)).await,
            name if name.ends_with("Profile") => {
                client.call_method(to, path, of, method, &("slow",)).await
            }
            _ => client.call_method(to, path, of, method, &()).await,
        }
        .map(drop)
    }
}

fn sens(value: f64) -> Dict {
    HashMap::from([("SensMult".to_owned(), OwnedVariant::try_from(Variant::F64(value)).unwrap())])
}

fn is_refusal(error: zbus::Error) -> bool {
    matches!(Error::from(error), Error::AccessDenied(_))
}

#[tokio::test]
async fn every_listed_method_is_refused_unless_it_is_open_or_allowed() {
    let peers = Peers::new(true).await;
    peers.mouse("input5");
    // The first call after the event is answered after it.
    peers.maccel().await.set(&Dict::new()).await.unwrap();
    for answer in [REFUSE, FAIL] {
        peers.tell(answer);
        for (interface, method, access) in METHODS {
            let refused = peers.call(interface, method).await.is_err_and(is_refusal);
            assert_eq!(refused, *access != Access::Open, "{interface}.{method}");
        }
    }
    let state = DriverState::from_properties(
        &peers.properties().await.get_all(InterfaceName::try_from(MACCEL).unwrap()).await.unwrap(),
    )
    .unwrap();
    assert_eq!(state.settings, Some(Settings::default()), "a refused call changes nothing");
    peers.tell(ALLOW);
    for (interface, method, _) in METHODS {
        let refused = peers.call(interface, method).await.is_err_and(is_refusal);
        assert!(!refused, "{interface}.{method}");
    }
}

#[tokio::test]
async fn a_change_is_emitted_in_one_signal_before_the_call_returns() {
    let peers = Peers::new(true).await;
    let properties = peers.properties().await;
    let mut changes = properties.receive_properties_changed().await.unwrap();
    let mut change = sens(2.0);
    let limit = OwnedVariant::try_from(Variant::F64(0.1 + 2.0)).unwrap();
    change.insert("Limit".to_owned(), limit);
    peers.maccel().await.set(&change).await.unwrap();
    let signal = changes.next().await.unwrap();
    let args = signal.args().unwrap();
    assert_eq!(args.interface_name.as_str(), MACCEL);
    let mut changed: Vec<_> = args.changed_properties.iter().collect();
    changed.sort_by_key(|(name, _)| **name);
    assert_eq!(changed, [(&"Limit", &Variant::F64(2.1)), (&"SensMult", &Variant::F64(2.0))]);
}

#[tokio::test]
async fn reads_go_on_while_a_password_is_waited_for() {
    let peers = Peers::new(true).await;
    peers.tell(NEVER_ANSWER);
    let maccel = peers.maccel().await;
    let change = sens(2.0);
    tokio::select! {
        outcome = maccel.set(&change) => panic!("nobody has answered: {outcome:?}"),
        loaded = maccel.loaded() => assert!(loaded.unwrap()),
    }
}

#[tokio::test]
async fn of_too_many_calls_that_nobody_has_decided_on_the_last_are_refused_at_once() {
    const TOO_MANY: usize = 5;
    let peers = Peers::new(true).await;
    peers.tell(NEVER_ANSWER);
    let calls: FuturesUnordered<_> =
        (0..OF_USER + TOO_MANY).map(|_| peers.call(MACCEL, "Set")).collect();
    let mut calls = std::pin::pin!(calls);
    for _ in 0..TOO_MANY {
        let error = Error::from(calls.next().await.unwrap().unwrap_err());
        assert!(matches!(error, Error::AccessDenied(_)), "{error}");
        assert!(error.to_string().contains("not decided on yet"), "{error}");
    }
    let maccel = peers.maccel().await;
    tokio::select! {
        biased;
        outcome = calls.next() => panic!("nobody has answered: {outcome:?}"),
        loaded = maccel.loaded() => assert!(loaded.unwrap(), "reads go on"),
    }
}

#[tokio::test]
async fn calls_that_were_decided_on_leave_room_for_others() {
    let peers = Peers::new(true).await;
    for answer in [REFUSE, FAIL, ALLOW] {
        peers.tell(answer);
        for _ in 0..2 * OF_USER {
            let outcome = peers.call(MACCEL, "Set").await;
            assert_eq!(outcome.is_ok(), answer == ALLOW, "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn calls_that_wait_for_a_password_keep_no_other_from_being_decided_on() {
    let peers = Peers::new(true).await;
    peers.tell(ASK);
    let error = peers.call(MACCEL, "Set").await.unwrap_err();
    assert!(error.to_string().contains("is not granted"), "it may not ask: {error}");
    // The proxy lets it ask.
    let (maccel, change) = (peers.maccel().await, sens(2.0));
    let calls: FuturesUnordered<_> = (0..=PASSWORDS_OF_USER).map(|_| maccel.set(&change)).collect();
    let mut calls = std::pin::pin!(calls);
    let error = calls.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("too many calls wait for a password"), "{error}");
    peers.tell(ALLOW);
    tokio::select! {
        biased;
        outcome = calls.next() => panic!("nobody has given a password: {outcome:?}"),
        () = async {
            for _ in 0..2 * OF_USER {
                maccel.set(&sens(2.0)).await.unwrap();
            }
        } => {}
    }
}

#[tokio::test]
async fn a_call_that_would_be_kept_is_no_longer_than_it_needs_to_be() {
    let peers = Peers::new(true).await;
    let maccel = peers.maccel().await;
    for answer in [ALLOW, REFUSE, NEVER_ANSWER] {
        peers.tell(answer);
        let error = maccel.save_profile(&"a".repeat(20_000)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidValue(_)), "{error:?}");
        assert!(error.to_string().contains("at most 4096"), "{error}");
    }
    peers.tell(ALLOW);
    let mut all = dict::write(&Changes::all(&Settings::default()));
    let table: Vec<Variant<'_>> = vec![Variant::F64(1.0); 121];
    all.insert("Lut".to_owned(), OwnedVariant::try_from(Variant::from(table)).unwrap());
    maccel.set(&all).await.unwrap();
}

#[tokio::test]
async fn without_the_driver_there_are_no_parameters() {
    let peers = Peers::new(false).await;
    let properties = peers.properties().await;
    let interface = InterfaceName::try_from(MACCEL).unwrap();
    let all = properties.get_all(interface.clone()).await.unwrap();
    assert_eq!(DriverState::from_properties(&all).unwrap().settings, None);
    let error: Error = properties.get(interface, "SensMult").await.unwrap_err().into();
    assert!(matches!(error, Error::ModuleNotLoaded(_)), "{error:?}");
    let error = peers.maccel().await.set(&sens(2.0)).await.unwrap_err();
    assert!(matches!(error, Error::ModuleNotLoaded(_)), "{error:?}");
    let error = peers.maccel().await.open_speed().await.unwrap_err();
    assert!(matches!(error, Error::ModuleNotLoaded(_)), "{error:?}");
}

#[tokio::test]
async fn mice_come_go_and_are_changed_as_objects() {
    let peers = Peers::new(true).await;
    let objects = ObjectManagerProxy::new(&peers.client, BUS_NAME, ROOT_OBJECT).await.unwrap();
    let mut added = objects.receive_interfaces_added().await.unwrap();
    let mut removed = objects.receive_interfaces_removed().await.unwrap();
    peers.mouse("input5");
    let signal = added.next().await.unwrap();
    let path = signal.args().unwrap().object_path.to_owned();
    assert_eq!(path.as_str(), "/org/vespera/Agent1/devices/input5");
    let mouse = DeviceProxy::builder(&peers.client)
        .destination(BUS_NAME)
        .path(path.clone())
        .build()
        .await
        .unwrap();
    assert_eq!(
        (mouse.name().await.unwrap().as_str(), mouse.enabled().await.unwrap()),
        ("Mouse", true)
    );
    mouse.set_settings(&sens(0.5)).await.unwrap();
    assert_eq!(mouse.settings().await.unwrap()["SensMult"], sens(0.5)["SensMult"]);
    mouse.inherit().await.unwrap();
    assert!(mouse.settings().await.unwrap().is_empty());
    let managed = objects.get_managed_objects().await.unwrap();
    assert!(managed.keys().any(|object| object.as_str() == path.as_str()));
    peers.event(Event::DeviceRemoved("input5".to_owned()));
    let signal = removed.next().await.unwrap();
    assert_eq!(signal.args().unwrap().object_path.as_str(), path.as_str());
}

#[tokio::test]
async fn a_mouse_that_is_found_during_a_call_does_not_hold_it_up() {
    let peers = Peers::new(true).await;
    peers.silent_mouse("input5");
    peers.maccel().await.set(&sens(2.0)).await.unwrap();
    let objects = ObjectManagerProxy::new(&peers.client, BUS_NAME, ROOT_OBJECT).await.unwrap();
    let managed = objects.get_managed_objects().await.unwrap();
    assert!(managed.keys().any(|object| object.as_str().ends_with("/input5")));
}

#[tokio::test]
async fn a_preview_changes_nothing_and_refuses_what_is_no_speed() {
    let peers = Peers::new(true).await;
    let maccel = peers.maccel().await;
    let mut change = Dict::new();
    change.insert("Accel".to_owned(), OwnedVariant::try_from(Variant::F64(0.5)).unwrap());
    let curve = maccel.preview(&change, &[0.0, 10.0]).await.unwrap();
    assert_eq!(curve, [(0.0, 1.0), (10.0, 6.0)]);
    for speeds in [vec![-1.0], vec![f64::NAN], vec![f64::INFINITY], vec![1.0; 1001]] {
        let error = maccel.preview(&change, &speeds).await.unwrap_err();
        assert!(matches!(error, Error::InvalidValue(_)), "{error:?}");
    }
    assert_eq!(maccel.preview(&change, &vec![1.0; 1000]).await.unwrap().len(), 1000);
    let interface = InterfaceName::try_from(MACCEL).unwrap();
    let accel = peers.properties().await.get(interface, "Accel").await.unwrap();
    assert_eq!(*accel, Variant::F64(0.0));
}

#[test]
fn the_interfaces_are_those_of_the_contract() {
    use zbus::object_server::Interface;
    assert_eq!(Maccel::name().as_str(), MACCEL);
    assert_eq!(Health::name().as_str(), HEALTH);
    assert_eq!(device::Device::name().as_str(), DEVICE);
}
