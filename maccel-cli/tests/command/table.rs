// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the public command reads and writes, letter for letter. The rows are written from the
//! facts that were measured on the public program; the system tests include this file, so that
//! each row is also tried on a real driver.

const NOTE: &str = "NOTE: There are no parameters specific here except for the common ones.\n";

/// Command, standard output, standard error, exit code; on a driver with default values.
pub(crate) const READING: [(&str, &str, &str, i32); 28] = [
    ("get param sens-mult", "1.000000000\n", "", 0),
    ("get param yx-ratio", "1.000000000\n", "", 0),
    ("get param input-dpi", "1000.000000000\n", "", 0),
    ("get param angle-rotation", "0.000000000\n", "", 0),
    ("get param accel", "0.000000000\n", "", 0),
    ("get param offset-linear", "0.000000000\n", "", 0),
    ("get param output-cap", "0.000000000\n", "", 0),
    ("get param decay-rate", "0.100000000\n", "", 0),
    ("get param offset-natural", "0.000000000\n", "", 0),
    ("get param limit", "1.500000000\n", "", 0),
    ("get param gamma", "1.000000000\n", "", 0),
    ("get param smooth", "0.500000000\n", "", 0),
    ("get param motivity", "1.500000000\n", "", 0),
    ("get param sync-speed", "5.000000000\n", "", 0),
    (
        "get all linear",
        "Accel:  \t0.000000000\nOffset:  \t0.000000000\nOutput-Cap:  \t0.000000000\n",
        "",
        0,
    ),
    (
        "get all natural",
        "Decay-Rate:  \t0.100000000\nOffset:  \t0.000000000\nLimit:  \t1.500000000\n",
        "",
        0,
    ),
    (
        "get all synchronous",
        "Gamma:  \t1.000000000\nSmooth:  \t0.500000000\nMotivity:  \t1.500000000\nSync Speed:  \t5.000000000\n",
        "",
        0,
    ),
    (
        "get all common",
        "Sens-Multiplier:  \t1.000000000\nY/x Ratio:  \t1.000000000\nInput DPI:  \t1000.000000000\nAngle Rotation:  \t0.000000000\n",
        "",
        0,
    ),
    (
        "get all no-accel",
        "Sens-Multiplier:  \t1.000000000\nY/x Ratio:  \t1.000000000\nInput DPI:  \t1000.000000000\nAngle Rotation:  \t0.000000000\n",
        "NOTE: There are no parameters specific here except for the common ones.\n\n",
        0,
    ),
    (
        "get all --oneline linear",
        "Accel:  \t0.000000000 Offset:  \t0.000000000 Output-Cap:  \t0.000000000 ",
        "",
        0,
    ),
    ("get all --oneline --quiet natural", "0.100000000 0.000000000 1.500000000 ", "", 0),
    ("get all -q natural", "0.100000000\n0.000000000\n1.500000000\n", "", 0),
    ("get all --quiet common", "1.000000000\n1.000000000\n1000.000000000\n0.000000000\n", "", 0),
    ("get all -q --oneline common", "1.000000000 1.000000000 1000.000000000 0.000000000 ", "", 0),
    (
        "get mode",
        "Linear Acceleration\n\nAccel:  \t0.000000000\nOffset:  \t0.000000000\nOutput-Cap:  \t0.000000000\n",
        "",
        0,
    ),
    ("--version", concat!("maccel-cli ", env!("CARGO_PKG_VERSION"), "\n"), "", 0),
    ("-V", concat!("maccel-cli ", env!("CARGO_PKG_VERSION"), "\n"), "", 0),
    ("set all no-accel", "", NOTE, 0),
];

/// Command, file, what it holds then: on the public driver, without a newline.
pub(crate) const WRITING: [(&str, &str, &str); 24] = [
    ("set param sens-mult 0.7", "SENS_MULT", "3006477107"),
    ("set param yx-ratio 1.25", "YX_RATIO", "5368709120"),
    ("set param input-dpi 1600", "INPUT_DPI", "6871947673600"),
    ("set param angle-rotation 15", "ANGLE_ROTATION", "64424509440"),
    ("set param accel 0.055", "ACCEL", "236223201"),
    ("set param offset-linear 2.2", "OFFSET", "9448928051"),
    ("set param output-cap 2", "OUTPUT_CAP", "8589934592"),
    ("set param decay-rate 0.3", "DECAY_RATE", "1288490189"),
    ("set param offset-natural 8", "OFFSET", "34359738368"),
    ("set param limit 3", "LIMIT", "12884901888"),
    ("set param gamma 2", "GAMMA", "8589934592"),
    ("set param smooth 0.25", "SMOOTH", "1073741824"),
    ("set param motivity 2", "MOTIVITY", "8589934592"),
    ("set param sync-speed 10", "SYNC_SPEED", "42949672960"),
    ("set mode natural", "MODE", "1"),
    ("set mode synchronous", "MODE", "2"),
    ("set mode no-accel", "MODE", "3"),
    ("set mode linear", "MODE", "0"),
    ("set all common 0.5 1.25 1600 -5", "ANGLE_ROTATION", "-21474836480"),
    ("set all linear 0.3 2 2", "OUTPUT_CAP", "8589934592"),
    ("set all natural 0.03 8 1.5", "DECAY_RATE", "128849019"),
    ("set all synchronous 1 0.5 1.5 5", "SYNC_SPEED", "21474836480"),
    ("set param -- angle-rotation -5", "ANGLE_ROTATION", "-21474836480"),
    ("set all common -- 1 1 1000 -90", "ANGLE_ROTATION", "-386547056640"),
];
