// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a device of each kind says of itself.

use std::io;

use evdev::uinput::VirtualDeviceBuilder;
use evdev::{
    AbsInfo, AbsoluteAxisCode, AttributeSet, KeyCode, PropType, RelativeAxisCode, UinputAbsSetup,
};
use vespera_guest::mouse::Kind;

/// The buttons of a mouse, in the order of their codes.
const BUTTONS: [KeyCode; 3] = [KeyCode::BTN_LEFT, KeyCode::BTN_RIGHT, KeyCode::BTN_MIDDLE];

/// Gives a device the capabilities of its kind.
pub(crate) fn give(
    builder: VirtualDeviceBuilder<'_>,
    kind: Kind,
) -> io::Result<VirtualDeviceBuilder<'_>> {
    use RelativeAxisCode as Axis;

    let builder = match kind {
        Kind::Mouse => builder,
        Kind::PointingStick => {
            builder.with_properties(&AttributeSet::from_iter([PropType::POINTING_STICK]))?
        }
        Kind::Touchpad => touchpad(builder)?,
        Kind::Dial => {
            let keys = AttributeSet::from_iter([KeyCode::BTN_LEFT]);
            let axes = AttributeSet::from_iter([Axis::REL_DIAL]);
            return builder.with_keys(&keys)?.with_relative_axes(&axes);
        }
        Kind::Wheel => {
            let keys = AttributeSet::from_iter([KeyCode::BTN_LEFT]);
            let axes = AttributeSet::from_iter([Axis::REL_Y, Axis::REL_WHEEL]);
            return builder.with_keys(&keys)?.with_relative_axes(&axes);
        }
        Kind::Buttonless => {
            return builder
                .with_relative_axes(&AttributeSet::from_iter([Axis::REL_X, Axis::REL_Y]));
        }
    };
    let mut keys = AttributeSet::from_iter(BUTTONS);
    if kind == Kind::Touchpad {
        keys.insert(KeyCode::BTN_TOUCH);
        keys.insert(KeyCode::BTN_TOOL_FINGER);
    }
    let axes = AttributeSet::from_iter([Axis::REL_X, Axis::REL_Y, Axis::REL_WHEEL]);
    builder.with_keys(&keys)?.with_relative_axes(&axes)
}

fn touchpad(builder: VirtualDeviceBuilder<'_>) -> io::Result<VirtualDeviceBuilder<'_>> {
    let pad = AbsInfo::new(0, 0, 1000, 0, 0, 10);
    [AbsoluteAxisCode::ABS_X, AbsoluteAxisCode::ABS_Y].into_iter().try_fold(
        builder.with_properties(&AttributeSet::from_iter([PropType::POINTER]))?,
        |builder, axis| builder.with_absolute_axis(&UinputAbsSetup::new(axis, pad)),
    )
}
