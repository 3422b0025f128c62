#!/usr/bin/python3
# SPDX-License-Identifier: MIT OR Apache-2.0
from gi.repository import Gio, GLib

NAME, PATH, MACCEL = "org.vespera.Agent1", "/org/vespera/Agent1", "org.vespera.Agent1.Maccel"

def proxy(interface):
    return Gio.DBusProxy.new_for_bus_sync(Gio.BusType.SYSTEM, 0, None, NAME, PATH, interface)

properties = proxy("org.freedesktop.DBus.Properties")
print("before:", properties.Get("(ss)", MACCEL, "SensMult"))
proxy(MACCEL).Set("(a{sv})", {"SensMult": GLib.Variant("d", 1.25)})
print("now:", properties.Get("(ss)", MACCEL, "SensMult"))
