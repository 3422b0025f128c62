#!/usr/bin/gjs -m
// SPDX-License-Identifier: MIT OR Apache-2.0
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const [NAME, PATH, MACCEL] = ['org.vespera.Agent1', '/org/vespera/Agent1', 'org.vespera.Agent1.Maccel'];
const bus = Gio.bus_get_sync(Gio.BusType.SYSTEM, null);
const call = (face, method, args) => bus.call_sync(NAME, PATH, face, method, args, null, 0, -1, null);
const get = property => call('org.freedesktop.DBus.Properties', 'Get',
    new GLib.Variant('(ss)', [MACCEL, property])).recursiveUnpack()[0];

print('before:', get('SensMult'));
call(MACCEL, 'Set', new GLib.Variant('(a{sv})', [{SensMult: new GLib.Variant('d', 1.25)}]));
print('now:', get('SensMult'));
