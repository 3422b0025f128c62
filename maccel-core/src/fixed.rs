// SPDX-License-Identifier: MIT OR Apache-2.0
//! Q32.32: the number format of the driver's files.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Number of raw steps in 1.0.
const ONE: f64 = 4_294_967_296.0;

/// A signed number of 32 integer and 32 fraction bits.
///
/// Its text form is the one of the driver's parameter files: the raw value, real x 2^32, as a
/// decimal integer.
///
/// ```
/// use maccel_core::fixed::Fixed;
/// let half: Fixed = "2147483648".parse()?;
/// assert_eq!(half.to_f64(), 0.5);
/// assert_eq!(Fixed::from_f64(1600.0)?.to_string(), "6871947673600");
/// # Ok::<(), maccel_core::fixed::FixedError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fixed(i64);

/// Why something is not a Q32.32 number.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FixedError {
    /// NaN or an infinity.
    #[error("not a finite number")]
    NotFinite,
    /// At or beyond +-2^31.
    #[error("out of the range of Q32.32 (-2147483648 to 2147483648)")]
    TooLarge,
    /// Text that is not a decimal integer.
    #[error("'{0}' is not a whole decimal number")]
    NotANumber(String),
}

impl Fixed {
    /// The number 1.
    pub const ONE: Fixed = Fixed(1 << 32);

    /// Takes the raw value, real x 2^32.
    pub const fn from_raw(raw: i64) -> Self {
        Fixed(raw)
    }

    /// The raw value, real x 2^32.
    pub const fn raw(self) -> i64 {
        self.0
    }

    /// Rounds to the nearest Q32.32 number, halves away from zero.
    ///
    /// # Errors
    /// [`FixedError::NotFinite`] and [`FixedError::TooLarge`].
    pub fn from_f64(real: f64) -> Result<Self, FixedError> {
        if !real.is_finite() {
            return Err(FixedError::NotFinite);
        }
        let scaled = (real * ONE).round();
        if scaled.abs() >= -(i64::MIN as f64) {
            return Err(FixedError::TooLarge);
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        Ok(Fixed(scaled as i64))
    }

    /// The nearest float64.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / ONE
    }

    /// The decimal number with the fewest decimals that is stored as this value: what a person
    /// wrote, not what the rounding made of it.
    ///
    /// ```
    /// # use maccel_core::fixed::Fixed;
    /// assert_eq!(Fixed::from_f64(0.1)?.to_short(), 0.1);
    /// assert_ne!(Fixed::from_f64(0.1)?.to_f64(), 0.1);
    /// # Ok::<(), maccel_core::fixed::FixedError>(())
    /// ```
    pub fn to_short(self) -> f64 {
        let exact = self.to_f64();
        // Ten decimals tell any two neighbours apart: a step is 2.3e-10.
        (0..=10)
            .filter_map(|decimals| format!("{exact:.decimals$}").parse().ok())
            .find(|&short| Fixed::from_f64(short) == Ok(self))
            .unwrap_or(exact)
    }

    /// The value with nine decimals, the rest cut off, as the public command line tool prints it.
    ///
    /// ```
    /// # use maccel_core::fixed::Fixed;
    /// assert_eq!(Fixed::from_f64(0.055)?.to_decimal9(), "0.054999999");
    /// # Ok::<(), maccel_core::fixed::FixedError>(())
    /// ```
    pub fn to_decimal9(self) -> String {
        let magnitude = self.0.unsigned_abs();
        let whole = magnitude >> 32;
        let decimals = ((magnitude & 0xffff_ffff) * 1_000_000_000) >> 32;
        let sign = if self.0 < 0 && (whole, decimals) != (0, 0) { "-" } else { "" };
        format!("{sign}{whole}.{decimals:09}")
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Fixed {
    type Err = FixedError;

    /// Parses the form of the driver's files: an optional minus, digits, nothing else.
    fn from_str(text: &str) -> Result<Self, FixedError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(FixedError::NotANumber(text.to_owned()));
        }
        text.parse().map(Fixed).map_err(|_| FixedError::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_round_trips_and_refuses_anything_else() {
        for text in ["0", "-1", "4294967296", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(text.parse::<Fixed>().unwrap().to_string(), text);
        }
        for text in ["", "-", "+1", "1.0", "abc", " 1", "1\n", "0x10", "1e3"] {
            let error = text.parse::<Fixed>().unwrap_err();
            assert_eq!(error, FixedError::NotANumber(text.to_owned()));
        }
        assert_eq!("18446744073709551616".parse::<Fixed>(), Err(FixedError::TooLarge));
    }

    #[test]
    fn reals_are_rounded_half_away_from_zero() {
        let step = 1.0 / ONE;
        for (real, raw) in [
            (0.1, 429_496_730),
            (1.5, 6_442_450_944),
            (1000.0, 4_294_967_296_000),
            (step / 2.0, 1),
            (-step / 2.0, -1),
            (step * 0.49, 0),
        ] {
            assert_eq!(Fixed::from_f64(real).unwrap().raw(), raw, "{real}");
        }
        assert_eq!(Fixed::from_f64(f64::NAN), Err(FixedError::NotFinite));
        assert_eq!(Fixed::from_f64(f64::INFINITY), Err(FixedError::NotFinite));
        assert_eq!(Fixed::from_f64(2_147_483_648.0), Err(FixedError::TooLarge));
        assert_eq!(Fixed::from_f64(1e300), Err(FixedError::TooLarge));
    }

    #[test]
    fn nine_decimals_are_cut_as_the_public_tool_does() {
        for (real, text) in [
            (0.7, "0.699999999"),
            (0.1, "0.100000000"),
            (1.5, "1.500000000"),
            (-5.0, "-5.000000000"),
        ] {
            assert_eq!(Fixed::from_f64(real).unwrap().to_decimal9(), text);
        }
        assert_eq!(Fixed::from_raw(-1).to_decimal9(), "0.000000000");
    }

    proptest! {
        #[test]
        fn every_number_is_read_back_from_its_text_and_from_its_short_form(raw in any::<i64>()) {
            let number = Fixed::from_raw(raw);
            prop_assert_eq!(number.to_string().parse::<Fixed>(), Ok(number));
            // A double has 53 bits; what it can tell apart comes back.
            let near = Fixed::from_f64(number.to_f64());
            let same = near.map(Fixed::to_f64);
            prop_assert!(same == Ok(number.to_f64()) || number.to_f64() >= 2_147_483_648.0);
        }

        #[test]
        fn reals_of_the_ranges_are_off_by_half_a_step_at_most(real in -100_000.0..100_000.0_f64) {
            let fixed = Fixed::from_f64(real).unwrap();
            prop_assert!((fixed.to_f64() - real).abs() <= 0.5 / ONE);
            prop_assert_eq!(Fixed::from_f64(fixed.to_short()), Ok(fixed));
        }

        #[test]
        fn nine_decimals_never_say_more_than_the_number_has(raw in any::<i64>()) {
            let text = Fixed::from_raw(raw).to_decimal9();
            let (whole, decimals) = text.trim_start_matches('-').split_once('.').unwrap();
            prop_assert_eq!(decimals.len(), 9);
            let cut = whole.parse::<u128>().unwrap() * 1_000_000_000
                + decimals.parse::<u128>().unwrap();
            let exact = u128::from(raw.unsigned_abs()) * 1_000_000_000;
            prop_assert!(cut << 32 <= exact && exact < (cut + 1) << 32);
        }

        #[test]
        fn text_that_is_read_is_a_decimal_number(text in "[-+0-9a-f. \\n]{0,24}") {
            match text.parse::<Fixed>() {
                Ok(number) => prop_assert_eq!(text.parse::<i64>(), Ok(number.raw())),
                Err(FixedError::NotANumber(said)) => prop_assert_eq!(said, text),
                Err(error) => prop_assert_eq!(error, FixedError::TooLarge),
            }
        }
    }
}
