// SPDX-License-Identifier: GPL-2.0-only
/*
 * Response: compiling settings into a table of cubics.
 *
 * Each cell is the cubic that has the curve's value and slope at both ends.
 * How many cells there are follows from the fourth derivative of the curve, so
 * that the relative error stays below 10^-5 (10^-8 for linear).
 */

#include <linux/errno.h>
#include <linux/types.h>

#include "curve.h"
#include "response.h"

/* powers of two of the speeds, in counts/ms, between which curves are followed */
#define SLOWEST_OCTAVE		(-10)
#define FASTEST_OCTAVE		14

/* cells per power of two; a linear curve without offset is exact in any cell */
#define LINEAR_RATE		32
#define NATURAL_RATE		16
#define SYNCHRONOUS_RATE	16
#define LUT_RATE		8

/* the look-up table begins at 2^-5 counts/ms */
#define LUT_OCTAVE		(-5)

/* a curve with offset begins where it leaves 1 by this power of two */
#define LINEAR_START		(-31)
#define NATURAL_START		(-25)

/* synchronous: tanh(8.5) differs from 1 by less than 10^-7 */
#define FULL_BEND		17	/* halves */

/* values that keep four coefficients within 63 bits */
#define NODE_LIMIT		(1LL << 59)
#define SLOPE_LIMIT		(1LL << 60)

static struct maccel_real q32(s64 value)
{
	return maccel_real(value, -32);
}

/* sync speed = unit * 2^n; all other curves count in counts/ms */
static struct maccel_real speed_unit(const struct maccel_settings *settings)
{
	struct maccel_real unit = maccel_real(1, 0);

	if (settings->number[MACCEL_MODE] == MACCEL_MODE_SYNCHRONOUS) {
		unit = q32(settings->number[MACCEL_SYNC_SPEED]);
		unit.exponent = -63;
	}
	return unit;
}

static struct maccel_real sensitivity(const struct maccel_settings *settings)
{
	struct maccel_real scale = maccel_real(1000, 0);

	scale = maccel_real_div(scale, q32(settings->number[MACCEL_INPUT_DPI]));
	return maccel_real_mul(scale, q32(settings->number[MACCEL_SENS_MULT]));
}

/* cells from one power of two of the speed to another */
static void span(struct maccel_layout *layout, int from, int to, u32 rate)
{
	if (from > to)
		from = to;
	layout->rate = rate;
	layout->cells = (to - from) * rate;
	layout->base = (s64)(from + MACCEL_SPEED_BITS) * rate;
}

/* the power of two of the distance below which the factor is 1 */
static int start_octave(const struct maccel_curve *curve, int threshold)
{
	struct maccel_real excess;
	int octave;

	for (octave = -MACCEL_SPEED_BITS; octave < FASTEST_OCTAVE; octave++) {
		excess = maccel_curve_at(curve, maccel_real(1, octave)).factor;
		excess = maccel_real_sub(excess, maccel_real(1, 0));
		if (excess.mantissa && maccel_real_octave(excess) >= threshold)
			break;
	}
	return octave > -MACCEL_SPEED_BITS ? octave - 1 : octave;
}

/* which cell a speed z falls into, counted from z = 2^-MACCEL_SPEED_BITS */
static s64 cell_index(struct maccel_real z, u32 rate)
{
	int octave = maccel_real_octave(z);
	u64 fraction = (z.mantissa << 1) >> 32;

	if (octave < SLOWEST_OCTAVE) {
		octave = SLOWEST_OCTAVE;
		fraction = 0;
	}
	if (octave >= FASTEST_OCTAVE) {
		octave = FASTEST_OCTAVE;
		fraction = 0;
	}
	return (s64)(octave + MACCEL_SPEED_BITS) * rate +
	       (s64)((fraction * rate) >> 32);
}

static void synchronous_span(struct maccel_layout *layout,
			     const struct maccel_curve *curve)
{
	struct maccel_real steepness, density, side, unit, centre;
	s64 rate;

	/* g, and the cells it takes for each unit of x = g ln(v / s) */
	steepness = maccel_real_div(curve->slope, curve->range);
	density = maccel_real_mul(curve->range, maccel_real(6, 0));
	density = maccel_real_add(density, maccel_real_mul(curve->power,
							   maccel_real(8, 0)));
	density = maccel_real_add(density, maccel_real(4, 0));
	rate = maccel_real_fixed(maccel_real_mul(density, steepness), 0,
				 (1 << 24) - 1) + 1;
	if (rate < SYNCHRONOUS_RATE)
		rate = SYNCHRONOUS_RATE;

	/* the curve is flat from |x| = side on */
	if (curve->hard)
		side = maccel_real(17, -4);
	else
		side = maccel_real_pow(maccel_real(FULL_BEND, -1),
				       maccel_real_div(maccel_real(1, 0),
						       curve->power));
	side = maccel_real_div(side, steepness);
	unit = curve->sync_speed;
	unit.exponent = -63;
	centre = maccel_real_div(curve->sync_speed, unit);

	layout->rate = rate;
	layout->cells = cell_index(maccel_real_mul(centre,
						   maccel_real_exp(side)),
				   rate) + 1;
	side.negative = true;
	layout->base = cell_index(maccel_real_mul(centre,
						  maccel_real_exp(side)),
				  rate);
	layout->cells -= layout->base;
}

/**
 * maccel_layout - work out the table that settings need
 * @settings: settings in range
 * @layout: is overwritten
 */
void maccel_layout(const struct maccel_settings *settings,
		   struct maccel_layout *layout)
{
	struct maccel_curve curve;

	if (settings->number[MACCEL_MODE] == MACCEL_MODE_LUT) {
		span(layout, LUT_OCTAVE,
		     LUT_OCTAVE + (MACCEL_LUT_LEN - 1) / LUT_RATE, LUT_RATE);
		return;
	}

	maccel_curve_prepare(&curve, settings);
	switch (curve.mode) {
	case MACCEL_MODE_LINEAR:
		if (curve.offset.mantissa)
			span(layout, start_octave(&curve, LINEAR_START),
			     FASTEST_OCTAVE, LINEAR_RATE);
		else
			span(layout, SLOWEST_OCTAVE, FASTEST_OCTAVE, 1);
		break;
	case MACCEL_MODE_NATURAL:
		span(layout, curve.offset.mantissa ?
		     start_octave(&curve, NATURAL_START) : SLOWEST_OCTAVE,
		     FASTEST_OCTAVE, NATURAL_RATE);
		break;
	case MACCEL_MODE_SYNCHRONOUS:
		synchronous_span(layout, &curve);
		break;
	default:
		span(layout, 0, 0, 1);
		break;
	}
}

/**
 * maccel_response_size - memory a response takes
 * @layout: its table
 *
 * Return: bytes
 */
size_t maccel_response_size(const struct maccel_layout *layout)
{
	return sizeof(struct maccel_response) +
	       ((size_t)layout->cells + 1) * sizeof(struct maccel_cell);
}

/* the cubic from y0 with slope m0 to y1 with slope m1 */
static void set_cell(struct maccel_cell *cell, s64 y0, s64 m0, s64 y1, s64 m1)
{
	s64 rise = y1 - y0;

	cell->c[0] = y0;
	cell->c[1] = m0;
	cell->c[2] = 3 * rise - 2 * m0 - m1;
	cell->c[3] = m0 + m1 - 2 * rise;
}

/* start of a cell, as z */
static struct maccel_real cell_start(s64 index, u32 rate)
{
	struct maccel_real z = maccel_real(rate + index % rate,
					   (int)(index / rate) -
					   MACCEL_SPEED_BITS);

	return maccel_real_div(z, maccel_real(rate, 0));
}

static s64 factor_fixed(struct maccel_real factor, struct maccel_real scale)
{
	return maccel_real_fixed(maccel_real_mul(factor, scale),
				 MACCEL_FACTOR_BITS, NODE_LIMIT);
}

/* a derivative by the speed, as change over one cell */
static s64 slope_fixed(struct maccel_real slope, struct maccel_real scale,
		       s64 index, u32 rate)
{
	struct maccel_real width = maccel_real(1, (int)(index / rate) -
					       MACCEL_SPEED_BITS);

	width = maccel_real_div(width, maccel_real(rate, 0));
	slope = maccel_real_mul(maccel_real_mul(slope, scale), width);
	return maccel_real_fixed(slope, MACCEL_FACTOR_BITS, SLOPE_LIMIT);
}

static void fill_curve(struct maccel_response *response,
		       const struct maccel_curve *curve,
		       const struct maccel_layout *layout,
		       struct maccel_real unit, struct maccel_real scale)
{
	struct maccel_real per_z = maccel_real_mul(scale, unit);
	struct maccel_point from, to;
	u32 i;

	to = maccel_curve_at(curve, maccel_real_mul(unit,
			     cell_start(layout->base, layout->rate)));
	for (i = 0; i < layout->cells; i++) {
		s64 index = layout->base + i;

		from = to;
		to = maccel_curve_at(curve, maccel_real_mul(unit,
				     cell_start(index + 1, layout->rate)));
		set_cell(&response->cell[i], factor_fixed(from.factor, scale),
			 slope_fixed(from.slope, per_z, index, layout->rate),
			 factor_fixed(to.factor, scale),
			 slope_fixed(to.slope, per_z, index, layout->rate));
	}
	set_cell(&response->cell[i], factor_fixed(to.factor, scale), 0,
		 factor_fixed(to.factor, scale), 0);
}

/*
 * Slope at an entry: the harmonic mean of the differences on both sides, 0 if
 * they differ in sign and at the ends. Keeps the interpolation monotone.
 */
static struct maccel_real lut_slope(const s64 *lut, u32 i)
{
	struct maccel_real left, right, sum;

	if (i == 0 || i == MACCEL_LUT_LEN - 1)
		return maccel_real(0, 0);
	left = q32(lut[i] - lut[i - 1]);
	right = q32(lut[i + 1] - lut[i]);
	if (!left.mantissa || !right.mantissa || left.negative != right.negative)
		return maccel_real(0, 0);
	sum = maccel_real_add(left, right);
	left.exponent++;
	return maccel_real_div(maccel_real_mul(left, right), sum);
}

static void fill_lut(struct maccel_response *response, const s64 *lut,
		     struct maccel_real scale)
{
	s64 y0, m0, y1, m1;
	u32 i;

	y1 = factor_fixed(q32(lut[0]), scale);
	m1 = factor_fixed(lut_slope(lut, 0), scale);
	for (i = 0; i + 1 < MACCEL_LUT_LEN; i++) {
		y0 = y1;
		m0 = m1;
		y1 = factor_fixed(q32(lut[i + 1]), scale);
		m1 = factor_fixed(lut_slope(lut, i + 1), scale);
		set_cell(&response->cell[i], y0, m0, y1, m1);
	}
	set_cell(&response->cell[i], y1, 0, y1, 0);
}

static void set_scale(struct maccel_response *response,
		      const struct maccel_settings *settings,
		      struct maccel_real unit)
{
	struct maccel_real scale = maccel_real(1000000000, 0);

	scale = maccel_real_div(scale, q32(settings->number[MACCEL_INPUT_DPI]));
	scale = maccel_real_div(scale, unit);
	response->scale = scale.mantissa >> 1;
	response->scale_shift = -53 - scale.exponent;
	response->unit = unit.mantissa >> (63 - MACCEL_UNIT_BITS);
}

static void set_turn(struct maccel_response *response,
		     const struct maccel_settings *settings)
{
	s64 angle = settings->number[MACCEL_ANGLE_ROTATION];
	s64 snap = settings->number[MACCEL_ANGLE_SNAP];
	s64 limit = 1LL << MACCEL_UNIT_BITS;

	response->cosine = maccel_real_fixed(maccel_real_cos(angle),
					     MACCEL_UNIT_BITS, limit);
	response->sine = maccel_real_fixed(maccel_real_sin(angle),
					   MACCEL_UNIT_BITS, limit);
	response->snap = maccel_real_fixed(maccel_real_tan(snap), 32, 1LL << 32);
	response->turned = response->cosine != limit || response->snap;
}

/**
 * maccel_response_compile - compile settings
 * @response: memory of maccel_response_size() bytes, is overwritten
 * @settings: settings in range and checked
 * @layout: what maccel_layout() gave for @settings
 */
void maccel_response_compile(struct maccel_response *response,
			     const struct maccel_settings *settings,
			     const struct maccel_layout *layout)
{
	struct maccel_real scale = sensitivity(settings);
	struct maccel_real unit = speed_unit(settings);
	struct maccel_curve curve;

	maccel_curve_prepare(&curve, settings);
	response->logarithmic = curve.mode == MACCEL_MODE_LUT;
	response->rate = layout->rate;
	response->base = layout->base << 32;
	response->top = (s64)layout->cells << 32;
	response->yx = settings->number[MACCEL_YX_RATIO];
	response->offset = maccel_real_fixed(curve.offset, MACCEL_SPEED_BITS,
					     1LL << 62);
	response->low = factor_fixed(curve.low, scale);
	response->high = MACCEL_FACTOR_LIMIT;
	if (curve.bounded) {
		s64 high = factor_fixed(curve.high, scale);

		if (high < response->high)
			response->high = high;
	}
	set_scale(response, settings, unit);
	set_turn(response, settings);
	if (response->logarithmic)
		fill_lut(response, settings->lut, scale);
	else
		fill_curve(response, &curve, layout, unit, scale);
}
