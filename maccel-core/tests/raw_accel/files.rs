// SPDX-License-Identifier: MIT OR Apache-2.0
//! Complete files, written to the schema of each version: every key, none at its neutral value
//! where the driver can follow.

pub(crate) const V17: &str = r####"{
  "### Accel modes ###": "classic | jump | natural | synchronous | power | lut | noaccel",
  "### Cap modes ###": "in_out | input | output",
  "version": "1.7.0",
  "defaultDeviceConfig": {
    "disable": false,
    "setExtraInfo": false,
    "Use constant time interval based on polling rate": false,
    "DPI (normalizes input speed unit: counts/ms -> in/s)": 1600,
    "Polling rate Hz (keep at 0 for automatic adjustment)": 0,
    "minimumTime": 0.0625,
    "maximumTime": 100.0
  },
  "profiles": [
    {
      "name": "games",
      "Stretches domain for horizontal vs vertical inputs": {"x": 1.0, "y": 1.0},
      "Stretches accel range for horizontal vs vertical inputs": {"x": 1.0, "y": 1.0},
      "Whole or horizontal accel parameters": {
        "mode": "natural",
        "Gain / Velocity": true,
        "inputOffset": 4.0,
        "outputOffset": 0.0,
        "acceleration": 0.01,
        "decayRate": 0.05,
        "gamma": 1.5,
        "motivity": 1.8,
        "exponentClassic": 2.5,
        "scale": 0.9,
        "exponentPower": 0.2,
        "limit": 2.0,
        "syncSpeed": 6.0,
        "smooth": 0.4,
        "Cap / Jump": {"x": 20.0, "y": 1.75},
        "Cap mode": "output",
        "data": []
      },
      "Vertical accel parameters": {
        "mode": "noaccel",
        "Gain / Velocity": true,
        "inputOffset": 0.0,
        "outputOffset": 0.0,
        "acceleration": 0.005,
        "decayRate": 0.1,
        "gamma": 1.0,
        "motivity": 1.5,
        "exponentClassic": 2.0,
        "scale": 1.0,
        "exponentPower": 0.05,
        "limit": 1.5,
        "syncSpeed": 5.0,
        "smooth": 0.5,
        "Cap / Jump": {"x": 15.0, "y": 1.5},
        "Cap mode": "output",
        "data": []
      },
      "Input speed calculation parameters": {
        "Whole/combined accel (set false for 'by component' mode)": true,
        "lpNorm": 2.0,
        "Time in ms after which an input is weighted at half its original value.": 0.0,
        "Time in ms after which scale is weighted at half its original value.": 0.0,
        "Time in ms after which an output is weighted at half its original value.": 0.0
      },
      "Output DPI": 800.0,
      "Y/X output DPI ratio (vertical sens multiplier)": 1.25,
      "L/R output DPI ratio (left sens multiplier)": 1.0,
      "U/D output DPI ratio (up sens multiplier)": 1.0,
      "Degrees of rotation": -7.5,
      "Degrees of angle snapping": 3.0,
      "Input Speed Cap": 0.0
    }
  ],
  "devices": [
    {
      "name": "a mouse",
      "profile": "games",
      "id": "HID\\VID_046D&PID_C08B&REV_2700&MI_00",
      "config": {
        "disable": true,
        "setExtraInfo": true,
        "Use constant time interval based on polling rate": false,
        "DPI (normalizes input speed unit: counts/ms -> in/s)": 3200,
        "Polling rate Hz (keep at 0 for automatic adjustment)": 0
      }
    }
  ]
}
"####;

pub(crate) const V16: &str = r####"{
  "### Accel Modes ###": "classic | jump | natural | motivity | power | lut | noaccel",
  "### Cap modes ###": "in_out | input | output",
  "version": "1.6.1",
  "defaultDeviceConfig": {
    "disable": false,
    "DPI (normalizes sens to 1000dpi and converts input speed unit: counts/ms -> in/s)": 800,
    "Polling rate Hz (keep at 0 for automatic adjustment)": 0
  },
  "profiles": [
    {
      "name": "desk",
      "Whole/combined accel (set false for 'by component' mode)": true,
      "lpNorm": 2.0,
      "Stretches domain for horizontal vs vertical inputs": {"x": 1.0, "y": 1.0},
      "Stretches accel range for horizontal vs vertical inputs": {"x": 1.0, "y": 1.0},
      "Whole or horizontal accel parameters": {
        "mode": "motivity",
        "Gain / Velocity": false,
        "inputOffset": 0.0,
        "outputOffset": 0.0,
        "acceleration": 0.005,
        "decayRate": 0.1,
        "growthRate": 0.5,
        "motivity": 1.5,
        "exponentClassic": 2.0,
        "scale": 1.0,
        "exponentPower": 0.05,
        "limit": 1.5,
        "midpoint": 8.0,
        "smooth": 0.5,
        "Cap / Jump": {"x": 15.0, "y": 1.5},
        "Cap mode": "output",
        "data": []
      },
      "Vertical accel parameters": {
        "mode": "noaccel",
        "Gain / Velocity": true,
        "inputOffset": 0.0,
        "outputOffset": 0.0,
        "acceleration": 0.005,
        "decayRate": 0.1,
        "growthRate": 1.0,
        "motivity": 1.5,
        "exponentClassic": 2.0,
        "scale": 1.0,
        "exponentPower": 0.05,
        "limit": 1.5,
        "midpoint": 5.0,
        "smooth": 0.5,
        "Cap / Jump": {"x": 15.0, "y": 1.5},
        "Cap mode": "output",
        "data": []
      },
      "Sensitivity multiplier": 0.75,
      "Y/X sensitivity ratio (vertical sens multiplier)": 1.5,
      "L/R sensitivity ratio (left sens multiplier)": 1.0,
      "U/D sensitivity ratio (up sens multiplier)": 1.0,
      "Degrees of rotation": 5.0,
      "Degrees of angle snapping": 10.0,
      "Input Speed Cap": 0.0
    }
  ],
  "devices": []
}
"####;
