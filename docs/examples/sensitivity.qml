// SPDX-License-Identifier: MIT OR Apache-2.0
// Not tested. Needs the D-Bus types of Plasma 6.
import QtQml
import org.kde.plasma.workspace.dbus as DBus

QtObject {
    property DBus.Properties maccel: DBus.Properties {
        busType: DBus.BusType.System
        service: "org.vespera.Agent1"
        path: "/org/vespera/Agent1"
        iface: "org.vespera.Agent1.Maccel"
        onPropertiesChanged: console.log("SensMult", properties.SensMult)
    }
}
