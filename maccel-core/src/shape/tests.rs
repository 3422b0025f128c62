// SPDX-License-Identifier: MIT OR Apache-2.0
//! Shapes against closed forms, numeric integrals and each other.

use proptest::prelude::*;

use super::*;

fn curve(text: &str) -> Curve {
    text.parse::<Shape>().unwrap_or_else(|e| panic!("{text}: {e}")).curve().unwrap()
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1.0)
}

/// The mean of `f` over 0..v by the midpoint rule, from pieces that are fine near 0.
fn mean(f: &Curve, v: f64) -> f64 {
    let pieces = 200_000;
    let step = v / f64::from(pieces);
    (0..pieces).map(|i| f.factor((f64::from(i) + 0.5) * step)).sum::<f64>() * step / v
}

const SPEEDS: [f64; 8] = [0.02, 0.5, 3.0, 4.9, 5.1, 12.0, 40.0, 300.0];

#[test]
fn factor_shapes_follow_their_closed_forms() {
    for v in SPEEDS {
        let beyond = (v - 5.0f64).max(0.0);
        let linear = 1.0 + (0.02 * beyond.powi(2) / v).min(1.0);
        let classic = curve("classic acceleration=0.02 offset=5 cap-output=2");
        assert!(close(classic.factor(v), linear, 1e-12), "classic {v}");
        let cubic = 1.0 + 0.02f64.powi(2) * beyond.powi(3) / v;
        let classic = curve("classic acceleration=0.02 exponent=3 offset=5");
        assert!(close(classic.factor(v), cubic, 1e-12), "cubic {v}");
        let power = curve("power scale=0.1 exponent=0.5");
        assert!(close(power.factor(v), (0.1 * v).sqrt(), 1e-12), "power {v}");
        let soft = 1.0 + 0.5 / (1.0 + (std::f64::consts::TAU / 5.0 * (10.0 - v)).exp());
        let jump = curve("jump input=10 output=1.5 smooth=0.5");
        assert!(close(jump.factor(v), soft, 1e-12), "jump {v}");
        let rest = 1.0 - (-0.2 * beyond).exp();
        let natural = curve("natural decay-rate=0.1 offset=5 limit=1.5");
        assert!(close(natural.factor(v), 1.0 + 0.5 * beyond / v * rest, 1e-12), "natural {v}");
    }
}

#[test]
fn gain_shapes_are_the_means_of_their_slopes() {
    // The slope of a gain shape, as a factor shape or as straight lines.
    for (gain, slope) in [
        ("classic acceleration=0.02 gain", "points 0.001:1.00004 1000:41"),
        ("classic acceleration=0.02 cap-output=2 gain", "points 0.001:1.00004 25:2 26:2"),
        ("classic acceleration=0.02 cap-input=25 gain", "points 0.001:1.00004 25:2 26:2"),
        ("classic cap-input=25 cap-output=2 gain", "points 0.001:1.00004 25:2 26:2"),
        ("classic cap-input=25 cap-output=0.5 gain", "points 0.001:0.99998 25:0.5 26:0.5"),
        ("jump input=10 output=2 smooth=0.4 gain", "jump input=10 output=2 smooth=0.4"),
        ("jump input=10 output=2 smooth=0 gain", "jump input=10 output=2 smooth=0"),
        ("synchronous gamma=2 gain", "synchronous gamma=2"),
        ("synchronous smooth=0 sync-speed=12 gain", "synchronous smooth=0 sync-speed=12"),
        ("power scale=0.1 exponent=1 gain", "points 0.001:0.0002 1000:200"),
        ("power scale=0.1 exponent=1 cap-output=2 gain", "points 0.001:0.0002 10:2 11:2"),
        ("power scale=0.1 exponent=1 output-offset=1 gain", "points 1:1 5:1 6:1.2"),
        ("power exponent=1 cap-input=10 cap-output=2 gain", "points 0.001:0.0002 10:2 11:2"),
    ] {
        let (gain, slope) = (curve(gain), curve(slope));
        for v in SPEEDS {
            let (ours, exact) = (gain.factor(v), mean(&slope, v));
            assert!(close(ours, exact, 2e-4), "{gain:?} {v}: {ours} for {exact}");
        }
    }
    let natural = curve("natural decay-rate=0.1 offset=5 limit=0.5 gain");
    let slope = |v: f64| 1.0 - 0.5 * (1.0 - (-0.2 * (v - 5.0).max(0.0)).exp());
    for v in SPEEDS {
        let exact = (0..100_000).map(|i| slope((f64::from(i) + 0.5) * v / 1e5)).sum::<f64>() / 1e5;
        assert!(close(natural.factor(v), exact, 1e-6), "natural {v}");
    }
}

#[test]
fn a_cap_of_both_coordinates_is_met() {
    for text in [
        "classic cap-input=20 cap-output=2.5 offset=2",
        "classic cap-input=20 cap-output=2.5 exponent=3",
        "power cap-input=20 cap-output=2.5 output-offset=0.5 exponent=0.3",
    ] {
        let curve = curve(text);
        assert!(close(curve.factor(20.0), 2.5, 1e-9), "{text}: {}", curve.factor(20.0));
        assert!(curve.factor(10.0) < 2.4 && close(curve.factor(200.0), 2.5, 1e-9), "{text}");
    }
}

#[test]
fn lines_and_drawn_curves_go_through_their_points() {
    let points = "1:1 4:1.2 9:3 20:2.5 60:2.5";
    for kind in ["points", "drawn"] {
        let curve = curve(&format!("{kind} {points}"));
        for (v, f) in [(0.1, 1.0), (1.0, 1.0), (4.0, 1.2), (9.0, 3.0), (20.0, 2.5), (600.0, 2.5)] {
            assert!(close(curve.factor(v), f, 1e-12), "{kind} {v}: {}", curve.factor(v));
        }
        let highest = (1..600).map(|i| curve.factor(f64::from(i) / 10.0)).fold(0.0, f64::max);
        assert!(highest <= 3.0 + 1e-9, "{kind} overshoots to {highest}");
    }
    let velocity = curve("points velocity 2:1 10:20");
    assert!(close(velocity.factor(10.0), 2.0, 1e-12) && close(velocity.factor(0.1), 0.5, 1e-12));
    assert!(close(curve("points 1:1 2:2").factor(3.0), 3.0, 1e-12), "the last line goes on");
}

#[test]
fn what_is_wrong_is_named_with_what_would_be_right() {
    for (text, message) in [
        (
            "clasic",
            "there is no curve 'clasic'; there are none, classic, power, jump, natural, synchronous, points, drawn",
        ),
        (
            "classic gamma=1",
            "a classic curve has no 'gamma'; it has acceleration, exponent, offset, cap-input, cap-output, gain",
        ),
        ("classic exponent=1", "classic curve: exponent is 1, it must be above 1"),
        ("classic exponent=nan", "'nan' is not a value of exponent: a finite number is"),
        (
            "classic offset=5 cap-input=4",
            "classic curve: cap-input is 4, it must be above the offset",
        ),
        ("classic gain=maybe", "'maybe' is not a value of gain: yes or no is"),
        ("classic offset=1 offset=2", "'offset' is given twice"),
        ("jump smooth=2", "jump curve: smooth is 2, it must be from 0 to 1"),
        ("points 1:1", "1 points: a curve takes 2 to 257"),
        ("points 1:1 1:2", "point 1:2: the speed must be above that of the last point"),
        ("points 1:1 2", "'2' is not a value of a point: speed:factor is, as 10:1.5"),
        ("synchronous motivity=1", "synchronous curve: motivity is 1, it must be above 1"),
    ] {
        assert_eq!(text.parse::<Shape>().unwrap_err().to_string(), message);
    }
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1.0), 0.0..2.0, 0.0..500.0, 1e-9..1e-3, 0.0..1e9]
}

fn shapes() -> impl Strategy<Value = Shape> {
    let points = prop::collection::vec((0.01..5.0, 0.0..50.0), 2..9).prop_map(|steps| {
        let mut speed = 0.0;
        steps
            .into_iter()
            .map(|(step, factor): (f64, f64)| {
                speed += step;
                (speed, factor)
            })
            .collect::<Vec<_>>()
    });
    let modes = prop_oneof![Just(CapMode::InOut), Just(CapMode::Input), Just(CapMode::Output)];
    (0..8usize, any::<bool>(), modes, prop::collection::vec(numbers(), 12), points).prop_map(
        |(kind, gain, cap_mode, n, points)| Shape {
            kind: Kind::ALL[kind],
            gain,
            input_offset: n[0],
            output_offset: n[1],
            acceleration: n[2],
            decay_rate: n[3],
            gamma: n[4],
            motivity: n[5],
            exponent: n[6],
            scale: n[7],
            power: n[8],
            limit: n[9],
            sync_speed: n[10],
            smooth: n[11].min(1.0),
            cap_input: n[3],
            cap_output: n[7],
            cap_mode,
            points,
        },
    )
}

proptest! {
    #[test]
    fn no_shape_gives_a_negative_factor_or_nan(shape in shapes(), v in 1e-6..1e5f64) {
        if let Ok(curve) = shape.curve() {
            let factor = curve.factor(v);
            prop_assert!(factor >= 0.0, "{shape:?} at {v}: {factor}");
        }
    }

    #[test]
    fn text_gives_the_same_curve_again(shape in shapes(), v in 1e-3..1e3f64) {
        if let Ok(curve) = shape.curve() {
            let text = shape.to_string();
            let again: Shape = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            let (a, b) = (curve.factor(v), again.curve().unwrap().factor(v));
            prop_assert!(a == b || close(a, b, 1e-12), "{text} at {v}: {a} and {b}");
        }
    }

    #[test]
    fn any_text_is_a_shape_or_an_error(text in "(classic|points|jump|\\PC{0,6})[ =:a-z0-9.-]{0,40}") {
        if let Ok(shape) = text.parse::<Shape>() {
            prop_assert!(shape.check().is_ok());
        }
    }

    #[test]
    fn compiling_never_fails_for_curves_in_range(shape in shapes()) {
        if let Ok(curve) = shape.curve() {
            let most = (0..crate::settings::LUT_LEN)
                .map(|i| curve.factor(crate::curve::lut_speed(i)))
                .fold(0.0, f64::max);
            if most < 65_536.0 {
                crate::compile::compile(&shape).unwrap();
            }
        }
    }
}
