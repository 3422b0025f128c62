/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Curves: the factor of each mode as a function of speed, exact, for set time.
 */
#ifndef MACCEL_CURVE_H
#define MACCEL_CURVE_H

#include "real.h"
#include "settings.h"

/* powers of two of the speeds, in counts/ms, between which curves are followed */
#define MACCEL_SLOWEST_OCTAVE	(-10)
#define MACCEL_FASTEST_OCTAVE	10

/**
 * struct maccel_curve - a curve with its constants worked out
 * @mode: MACCEL_MODE_*, with one that is flat given as MACCEL_MODE_NONE
 * @offset: speed up to which the factor is 1
 * @slope: linear: signed slope; natural: decay / range; synchronous: gamma
 * @range: natural: limit - 1; synchronous: ln motivity
 * @power: synchronous: exponent p
 * @hard: synchronous: ends are cut, not approached
 * @sync_speed: synchronous: speed at which the factor is 1
 * @low: smallest factor
 * @high: largest factor
 */
struct maccel_curve {
	s64 mode;
	struct maccel_real offset;
	struct maccel_real slope;
	struct maccel_real range;
	struct maccel_real power;
	bool hard;
	struct maccel_real sync_speed;
	struct maccel_real low;
	struct maccel_real high;
};

/**
 * struct maccel_point - a curve at one speed
 * @factor: the factor
 * @slope: its derivative by the speed
 */
struct maccel_point {
	struct maccel_real factor;
	struct maccel_real slope;
};

void maccel_curve_prepare(struct maccel_curve *curve,
			  const struct maccel_settings *settings);
struct maccel_point maccel_curve_at(const struct maccel_curve *curve,
				    struct maccel_real distance);

#endif /* MACCEL_CURVE_H */
