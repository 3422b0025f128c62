// SPDX-License-Identifier: MIT OR Apache-2.0
//! Virtual mice: creates them, plays a plan, reads what comes out of their event nodes.
//!
//! A frame carries its own time. From 6.8 on uinput takes over the time of an injected event if
//! it is neither in the future nor more than 10 s past (`is_valid_timestamp()` in
//! drivers/input/misc/uinput.c), so the interval a driver sees is exact however busy the host is:
//! the whole plan is placed in the past and played at once. Older kernels stamp on arrival; there
//! the frames are sent in real time. Which of the two holds is found out by trying.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use evdev::raw_stream::RawDevice;
use evdev::uinput::VirtualDevice;
use evdev::{AttributeSet, BusType, InputEvent, InputId, KeyCode};
use rustix::time::{ClockId, clock_gettime};
use vespera_guest::mouse::{Event, Frame, Mouse, MouseRecord, Plan, Record, SeenEvent, code};

use crate::{capabilities, entry};

/// The longest plan that can be stamped: uinput refuses what is more than 10 s past, and playing
/// takes time too.
const LONGEST_STAMPED: i64 = 8_000_000;

/// Reads a plan from the standard input, plays it, prints the record.
pub(crate) fn play_standard_input() -> Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("reading the plan")?;
    let plan: Plan = serde_json::from_str(&text).context("reading the plan")?;
    ensure_uinput()?;
    let record = play(&plan)?;
    println!("{}", serde_json::to_string(&record)?);
    Ok(())
}

/// A system guest loads uinput when somebody asks for it.
pub(crate) fn ensure_uinput() -> Result<()> {
    if File::options().write(true).open("/dev/uinput").is_ok() {
        return Ok(());
    }
    let status = Command::new("modprobe").args(["-a", "uinput", "evdev"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        other => bail!("/dev/uinput cannot be opened, and modprobe does not help: {other:?}"),
    }
}

fn play(plan: &Plan) -> Result<Record> {
    let clock = EventClock::find_out()?;
    let mut mice =
        plan.mice.iter().map(VirtualMouse::create).collect::<Result<Vec<VirtualMouse>>>()?;
    let span = i64::try_from(plan.frames.iter().map(|frame| frame.at_us).max().unwrap_or(0))?;
    let stamped = clock.stamped && span <= LONGEST_STAMPED;
    let start = if stamped { monotonic_us() - span } else { monotonic_us() + 20_000 };
    // How much later than planned, in real time: when the host took the processor away, the rest
    // of the plan moves with it, since reports sent to catch up would have other intervals.
    let mut late = 0;
    for frame in &plan.frames {
        let mouse = mice
            .get_mut(frame.mouse)
            .with_context(|| format!("the plan has no mouse {}", frame.mouse))?;
        let at = start + i64::try_from(frame.at_us)?;
        if stamped {
            mouse.send(frame, Some(at))?;
        } else {
            wait_until(at + late);
            late = late.max(monotonic_us() - at);
            mouse.send(frame, None)?;
        }
        // Handlers run inside the write, so what will ever arrive has arrived. Reading now keeps
        // the reader's ring (64 events at least) from running over.
        mouse.read(&clock, start)?;
    }
    let mice = mice.into_iter().map(VirtualMouse::into_record).collect();
    Ok(Record { stamped, mice })
}

fn wait_until(monotonic: i64) {
    let left = monotonic - monotonic_us();
    if let Ok(left) = u64::try_from(left) {
        sleep(Duration::from_micros(left));
    }
}

fn monotonic_us() -> i64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}

fn wall_us(time: SystemTime) -> Result<i64> {
    let since = time.duration_since(UNIX_EPOCH).context("the guest's clock is before 1970")?;
    Ok(i64::try_from(since.as_micros())?)
}

/// How event times relate to the monotonic clock.
///
/// An evdev reader gets wall clock times unless it asks for others by an ioctl which the library
/// does not offer. Both clocks run alike, so their difference is one constant; where stamps are
/// honoured it is measured exactly, by a stamped event.
struct EventClock {
    stamped: bool,
    wall_minus_monotonic: i64,
}

impl EventClock {
    fn find_out() -> Result<Self> {
        let wall_minus_monotonic = wall_us(SystemTime::now())? - monotonic_us();
        // A device without movement: pointer drivers take no notice of it.
        let keys = AttributeSet::from_iter([KeyCode::KEY_A]);
        let device = VirtualDevice::builder()
            .context("opening /dev/uinput")?
            .name("vespera clock probe")
            .with_keys(&keys)?
            .build()
            .context("creating the clock probe")?;
        let mut probe = VirtualMouse::open(device)?;
        let asked = monotonic_us() - 1_000_000;
        let press = Event { kind: code::EV_KEY, code: KeyCode::KEY_A.0, value: 1 };
        probe.send(&Frame { mouse: 0, at_us: 0, events: vec![press] }, Some(asked))?;
        let unshifted = Self { stamped: false, wall_minus_monotonic: 0 };
        probe.read(&unshifted, 0)?;
        let seen = probe.seen.first().context("the clock probe gave no event")?.at_us;
        let exact = seen - asked;
        // Half of the second by which the stamp lies in the past.
        let stamped = (exact - wall_minus_monotonic).abs() < 500_000;
        Ok(Self {
            stamped,
            wall_minus_monotonic: if stamped { exact } else { wall_minus_monotonic },
        })
    }
}

/// A mouse and its reader.
pub(crate) struct VirtualMouse {
    device: VirtualDevice,
    reader: RawDevice,
    node: PathBuf,
    /// The input device, `inputN`.
    pub(crate) input: String,
    enabled: Option<bool>,
    seen: Vec<SeenEvent>,
}

impl VirtualMouse {
    pub(crate) fn create(mouse: &Mouse) -> Result<Self> {
        let device = capabilities::give(VirtualDevice::builder()?, mouse.kind)
            .context("opening /dev/uinput")?
            .name(&mouse.name)
            .input_id(InputId::new(BusType::BUS_USB, mouse.vendor, mouse.product, 1))
            .build()
            .with_context(|| format!("creating the mouse {}", mouse.name))?;
        let mut virtual_mouse = Self::open(device)?;
        virtual_mouse.enabled = entry::enable(&virtual_mouse.input, mouse.enabled)?;
        Ok(virtual_mouse)
    }

    /// Opens the event node of a new device.
    fn open(mut device: VirtualDevice) -> Result<Self> {
        let path = device.get_syspath().context("finding the new device in sysfs")?;
        let input = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let node = event_node(&path)?;
        let file = open_node(&node)?;
        let reader = RawDevice::from_fd(file.into())
            .with_context(|| format!("asking {}", node.display()))?;
        Ok(Self { device, reader, node, input, enabled: None, seen: Vec::new() })
    }

    /// Injects a frame, stamped with a time of the monotonic clock.
    pub(crate) fn send(&mut self, frame: &Frame, stamp: Option<i64>) -> Result<()> {
        let micros = stamp.unwrap_or(0);
        let time = libc::timeval { tv_sec: micros / 1_000_000, tv_usec: micros % 1_000_000 };
        let events: Vec<InputEvent> = frame
            .events
            .iter()
            .map(|event| {
                InputEvent::from(libc::input_event {
                    time,
                    type_: event.kind,
                    code: event.code,
                    value: event.value,
                })
            })
            .collect();
        // The library ends the frame with a SYN_REPORT of time 0; the device keeps the stamp of
        // the events before it until the frame is flushed.
        self.device.emit(&events).with_context(|| format!("writing a frame to {}", self.input))
    }

    fn read(&mut self, clock: &EventClock, start: i64) -> Result<()> {
        loop {
            match self.reader.fetch_events() {
                Ok(events) => {
                    for event in events {
                        let wall = wall_us(event.timestamp())?;
                        let at_us = wall - clock.wall_minus_monotonic - start;
                        let event = Event {
                            kind: event.event_type().0,
                            code: event.code(),
                            value: event.value(),
                        };
                        self.seen.push(SeenEvent { at_us, event });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    return Err(error).with_context(|| format!("reading {}", self.node.display()));
                }
            }
        }
    }

    /// What has arrived, without its times.
    pub(crate) fn drain(&mut self) -> Result<Vec<Event>> {
        let mut seen = Vec::new();
        loop {
            match self.reader.fetch_events() {
                Ok(events) => seen.extend(events.map(|event| Event {
                    kind: event.event_type().0,
                    code: event.code(),
                    value: event.value(),
                })),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(seen),
                Err(error) => {
                    return Err(error).with_context(|| format!("reading {}", self.node.display()));
                }
            }
        }
    }

    /// Makes this reader the only one: the kernel then asks no other handler.
    pub(crate) fn grab(&mut self) -> Result<()> {
        self.reader.grab().with_context(|| format!("grabbing {}", self.node.display()))
    }

    fn into_record(self) -> MouseRecord {
        MouseRecord {
            node: self.node.to_string_lossy().into_owned(),
            device: self.input,
            enabled: self.enabled,
            events: self.seen,
        }
    }
}

/// The event node of an input device. evdev attaches while the device is created, and devtmpfs
/// makes the node at once; udevd only adds links and rights.
pub(crate) fn event_node(device: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(device).with_context(|| format!("{}", device.display()))? {
        let name = entry.with_context(|| format!("{}", device.display()))?.file_name();
        if name.to_string_lossy().starts_with("event") {
            return Ok(Path::new("/dev/input").join(name));
        }
    }
    bail!("{} has no event node: is evdev loaded?", device.display())
}

pub(crate) fn open_node(node: &Path) -> Result<File> {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(node);
        match opened {
            Ok(file) => return Ok(file),
            Err(error) if Instant::now() > deadline => {
                return Err(error).with_context(|| format!("opening {}", node.display()));
            }
            Err(_) => sleep(Duration::from_millis(2)),
        }
    }
}
