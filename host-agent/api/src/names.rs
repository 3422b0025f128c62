// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bus name, the objects and the interfaces.

/// The name that only the agent may own.
pub const BUS_NAME: &str = "org.vespera.Agent1";
/// The user that the agent runs as.
pub const USER: &str = "vespera-agent";

/// The object with [`HEALTH`], [`MACCEL`] and the ObjectManager of all others.
pub const ROOT_OBJECT: &str = "/org/vespera/Agent1";
/// The parent of the objects with [`DEVICE`].
pub const DEVICES_OBJECT: &str = "/org/vespera/Agent1/devices";

/// Whether the payload fits this system.
pub const HEALTH: &str = "org.vespera.Agent1.Health";
/// The settings of the driver.
pub const MACCEL: &str = "org.vespera.Agent1.Maccel";
/// One mouse.
pub const DEVICE: &str = "org.vespera.Agent1.Device";
/// All interfaces of ours.
pub const INTERFACES: [&str; 3] = [HEALTH, MACCEL, DEVICE];

/// The path of the object of the mouse `input` of the driver, for example `input5`; `None` for
/// a name that no input device has.
pub fn device_path(input: &str) -> Option<String> {
    let number = input.strip_prefix("input")?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("{DEVICES_OBJECT}/{input}"))
}

/// The mouse of an object, for example `input5`.
pub fn device_of_path(path: &str) -> Option<&str> {
    let input = path.strip_prefix(DEVICES_OBJECT)?.strip_prefix('/')?;
    device_path(input).is_some_and(|whole| whole == path).then_some(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_made_of_input_devices_only() {
        assert_eq!(device_path("input5").as_deref(), Some("/org/vespera/Agent1/devices/input5"));
        assert_eq!(device_of_path("/org/vespera/Agent1/devices/input5"), Some("input5"));
        for input in ["input", "mouse5", "input5/x", "input-5", "maccel", ""] {
            assert_eq!(device_path(input), None, "{input}");
            assert_eq!(device_of_path(&format!("{DEVICES_OBJECT}/{input}")), None, "{input}");
        }
    }
}
