#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Instructions for each report, by mode: cost.py COST FRAME (needs valgrind).

The last two lines are for programs: max_ir_rotated, of all modes with rotation;
max_ir_per_event, of all modes without; curve_spread_percent, of the modes that have
a curve; handler_ir_per_frame, of a frame X+Y+SYN.
"""

import re
import subprocess
import sys

REPORTS = 4096


def raw(real):
    return round(real * 2**32)


def settings(mode, **values):
    return [f"MODE={mode}"] + [f"{name}={raw(value)}" for name, value in values.items()]


USUAL = {"SENS_MULT": 0.8, "INPUT_DPI": 1600}
CASES = [
    ("none", settings(3)),
    ("linear .05", settings(0, ACCEL=0.05)),
    ("linear .05 5 2", settings(0, ACCEL=0.05, OFFSET=5, OUTPUT_CAP=2, **USUAL)),
    ("natural", settings(1)),
    ("natural .03 8 1.5", settings(1, DECAY_RATE=0.03, OFFSET=8, **USUAL)),
    ("synchronous", settings(2)),
    ("synchronous .8 .5 1.5 32", settings(2, GAMMA=0.8, SYNC_SPEED=32, **USUAL)),
    ("synchronous smooth 0", settings(2, SMOOTH=0)),
    ("table", ["MODE=64", "LUT="]),
    ("table, YX_RATIO 1.5", ["MODE=64", "LUT=", f"YX_RATIO={raw(1.5)}"]),
]
ROTATION = f"ANGLE_ROTATION={raw(45)}"
# some of the movements are near enough to an axis, others are not
SNAPPING = f"ANGLE_SNAP={raw(15)}"


def cost(function, program, options):
    run = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--toggle-collect={function}",
         "--callgrind-out-file=/dev/null", program, *options],
        capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr)[1]) / REPORTS


def main():
    step, (report, frame) = "maccel_motion_step", sys.argv[1:]
    plain, turned, snapped = [], [], []
    print(f"{'mode':26}{'Ir':>8}{'rotated':>9}{'and snapped':>13}")
    for name, options in CASES:
        plain.append(cost(step, report, options))
        turned.append(cost(step, report, options + [ROTATION]))
        snapped.append(cost(step, report, options + [ROTATION, SNAPPING]))
        print(f"{name:26}{plain[-1]:8.1f}{turned[-1]:9.1f}{snapped[-1]:13.1f}")
    frames = [cost("maccel_frame", frame, [str(mode), "0"]) for mode in range(4)]
    curves = plain[1:]
    spread = 100 * (max(curves) / min(curves) - 1)
    print(f"{'most':26}{max(plain):8.1f}{max(turned):9.1f}{max(snapped):13.1f}")
    print(f"max_ir_rotated={max(turned):.1f}")
    print(f"max_ir_per_event={max(plain):.1f} "
          f"curve_spread_percent={spread:.1f} handler_ir_per_frame={max(frames):.1f}")


if __name__ == "__main__":
    main()
