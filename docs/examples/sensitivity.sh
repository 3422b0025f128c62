#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
set -eu
where='org.vespera.Agent1 /org/vespera/Agent1'

get() {
    busctl get-property $where org.vespera.Agent1.Maccel "$1" | cut -d ' ' -f 2
}

echo "before: $(get SensMult)"
busctl call $where org.vespera.Agent1.Maccel Set 'a{sv}' 1 SensMult d 1.25
echo "now: $(get SensMult)"
