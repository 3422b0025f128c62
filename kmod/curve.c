// SPDX-License-Identifier: GPL-2.0-only
/*
 * Curves: the factor of each mode and its slope, in terms of the distance d of
 * the speed from the offset (the speed itself where there is none). Formulas
 * are those of the public interface, rearranged so that nothing cancels.
 */

#include <linux/types.h>

#include "curve.h"

/* synchronous: from this exponent on the ends are cut hard */
#define HARD_POWER	16

/* natural: terms of the series of 1 - (1 - e^-y) / y for y below 1 */
#define SERIES_TERMS	20

static struct maccel_real q32(s64 value)
{
	return maccel_real(value, -32);
}

static struct maccel_real whole(s64 value)
{
	return maccel_real(value, 0);
}

static void prepare_linear(struct maccel_curve *curve, const s64 *number)
{
	s64 cap = number[MACCEL_OUTPUT_CAP];

	curve->slope = q32(number[MACCEL_ACCEL]);
	curve->offset = q32(number[MACCEL_OFFSET]);
	curve->high = maccel_real_add(whole(1), maccel_real_mul(curve->slope,
				      maccel_real(1, MACCEL_FASTEST_OCTAVE)));
	if (!number[MACCEL_ACCEL] || cap == 1LL << 32)
		curve->mode = MACCEL_MODE_NONE;
	if (cap <= 0)
		return;
	if (cap < 1LL << 32) {
		curve->slope.negative = true;
		curve->low = q32(cap);
		curve->high = whole(1);
	} else if (maccel_real_less(q32(cap), curve->high)) {
		curve->high = q32(cap);
	}
}

static void prepare_natural(struct maccel_curve *curve, const s64 *number)
{
	s64 range = number[MACCEL_LIMIT] - (1LL << 32);

	if (range <= 0) {
		curve->mode = MACCEL_MODE_NONE;
		return;
	}
	curve->offset = q32(number[MACCEL_OFFSET]);
	curve->range = q32(range);
	curve->slope = maccel_real_div(q32(number[MACCEL_DECAY_RATE]),
				       curve->range);
	curve->high = q32(number[MACCEL_LIMIT]);
}

static void prepare_synchronous(struct maccel_curve *curve, const s64 *number)
{
	struct maccel_real motivity = q32(number[MACCEL_MOTIVITY]);
	struct maccel_real hard = whole(HARD_POWER);

	curve->slope = q32(number[MACCEL_GAMMA]);
	curve->range = maccel_real_log(motivity);
	curve->sync_speed = q32(number[MACCEL_SYNC_SPEED]);
	curve->low = maccel_real_div(whole(1), motivity);
	curve->high = motivity;

	/* a smoothness of 0 divides to 0 */
	curve->power = maccel_real_div(maccel_real(1, -1),
				       q32(number[MACCEL_SMOOTH]));
	curve->hard = !curve->power.mantissa ||
		      !maccel_real_less(curve->power, hard);
	if (curve->hard)
		curve->power = whole(1);
}

/**
 * maccel_curve_prepare - work out the constants of a curve
 * @curve: is overwritten
 * @settings: settings in range, with a mode other than MACCEL_MODE_LUT
 */
void maccel_curve_prepare(struct maccel_curve *curve,
			  const struct maccel_settings *settings)
{
	const struct maccel_curve flat = { .high = whole(1) };

	*curve = flat;
	curve->mode = settings->number[MACCEL_MODE];
	switch (curve->mode) {
	case MACCEL_MODE_LINEAR:
		prepare_linear(curve, settings->number);
		break;
	case MACCEL_MODE_NATURAL:
		prepare_natural(curve, settings->number);
		break;
	case MACCEL_MODE_SYNCHRONOUS:
		prepare_synchronous(curve, settings->number);
		break;
	default:
		break;
	}
}

/* 1 + a d^2 / (d + o) */
static struct maccel_point linear(const struct maccel_curve *curve,
				  struct maccel_real d)
{
	struct maccel_real speed = maccel_real_add(d, curve->offset);
	struct maccel_real share = maccel_real_div(d, speed);
	struct maccel_real rise = maccel_real_mul(curve->slope, share);
	struct maccel_real rest;
	struct maccel_point point;

	point.factor = maccel_real_add(whole(1), maccel_real_mul(rise, d));
	/* a share (1 + o / v) */
	rest = maccel_real_div(curve->offset, speed);
	point.slope = maccel_real_mul(rise, maccel_real_add(whole(1), rest));
	return point;
}

/*
 * N(y) = 1 - (1 - e^-y) / y and its derivative, by the series
 * y/2! - y^2/3! + y^3/4! - ... where the closed form would cancel
 */
static struct maccel_point approach(struct maccel_real y)
{
	struct maccel_real term, decay, mean, minus = y;
	struct maccel_point n = { { 0 }, { 0 } };
	int i;

	if (!y.mantissa || maccel_real_octave(y) < -1) {
		term = maccel_real(1, -1);
		for (i = 1; i <= SERIES_TERMS; i++) {
			n.slope = maccel_real_add(n.slope,
				  maccel_real_mul(term, whole(i)));
			term = maccel_real_mul(term, y);
			n.factor = maccel_real_add(n.factor, term);
			term = maccel_real_div(term, whole(-(i + 2)));
		}
		return n;
	}
	minus.negative = true;
	decay = maccel_real_exp(minus);
	mean = maccel_real_div(maccel_real_sub(whole(1), decay), y);
	n.factor = maccel_real_sub(whole(1), mean);
	n.slope = maccel_real_div(maccel_real_sub(mean, decay), y);
	return n;
}

/* 1 + L N(k d) d / (d + o) */
static struct maccel_point natural(const struct maccel_curve *curve,
				   struct maccel_real d)
{
	struct maccel_real speed = maccel_real_add(d, curve->offset);
	struct maccel_real share = maccel_real_div(d, speed);
	struct maccel_point n = approach(maccel_real_mul(curve->slope, d));
	struct maccel_point point;
	struct maccel_real rise;

	rise = maccel_real_mul(curve->range, n.factor);
	point.factor = maccel_real_add(whole(1), maccel_real_mul(rise, share));

	/* L (N' k share + N o / v^2) */
	rise = maccel_real_div(maccel_real_mul(rise, curve->offset), speed);
	rise = maccel_real_div(rise, speed);
	n.slope = maccel_real_mul(maccel_real_mul(n.slope, curve->slope), share);
	point.slope = maccel_real_add(maccel_real_mul(curve->range, n.slope),
				      rise);
	return point;
}

/*
 * T(x) = tanh(x^p)^(1/p) and T'(x) = (1 - t^2) t^(1/p - 1) x^(p-1)
 * = (1 - t^2) (T / t) (x^p / x), where t = tanh(x^p)
 */
static struct maccel_point bend(struct maccel_real x, struct maccel_real p)
{
	struct maccel_point bent = { x, whole(1) };
	struct maccel_real y, t, fall;

	y = maccel_real_pow(x, p);
	if (!y.mantissa || maccel_real_octave(y) < -40)
		return bent;
	t = maccel_real_tanh(y);
	bent.factor = maccel_real_pow(t, maccel_real_div(whole(1), p));
	fall = maccel_real_sub(whole(1), maccel_real_mul(t, t));
	bent.slope = maccel_real_mul(maccel_real_div(bent.factor, t),
				     maccel_real_div(y, x));
	bent.slope = maccel_real_mul(bent.slope, fall);
	return bent;
}

/* exp(+-ln M T(g |ln(v / s)|)), g = gamma / ln M; cut hard: exp(gamma ln(v / s)) */
static struct maccel_point synchronous(const struct maccel_curve *curve,
				       struct maccel_real v)
{
	struct maccel_real way, x;
	struct maccel_point bent, point;
	bool below;

	way = maccel_real_log(maccel_real_div(v, curve->sync_speed));
	below = way.negative;
	way.negative = false;
	x = maccel_real_div(maccel_real_mul(curve->slope, way), curve->range);
	if (curve->hard) {
		bent.factor = x;
		bent.slope = whole(1);
	} else {
		bent = bend(x, curve->power);
	}
	x = maccel_real_mul(curve->range, bent.factor);
	x.negative = below;
	point.factor = maccel_real_exp(x);
	/* d ln f / d ln v = gamma T' */
	point.slope = maccel_real_mul(curve->slope, bent.slope);
	point.slope = maccel_real_mul(point.slope,
				      maccel_real_div(point.factor, v));
	return point;
}

/**
 * maccel_curve_at - the factor and its slope at a speed
 * @curve: the curve
 * @distance: the speed above the curve's offset, positive
 *
 * Return: the factor before it is cut to @curve's bounds, and its slope
 */
struct maccel_point maccel_curve_at(const struct maccel_curve *curve,
				    struct maccel_real distance)
{
	const struct maccel_point flat = { whole(1), whole(0) };

	switch (curve->mode) {
	case MACCEL_MODE_LINEAR:
		return linear(curve, distance);
	case MACCEL_MODE_NATURAL:
		return natural(curve, distance);
	case MACCEL_MODE_SYNCHRONOUS:
		return synchronous(curve, distance);
	default:
		return flat;
	}
}
