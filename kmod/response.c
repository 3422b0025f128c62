// SPDX-License-Identifier: GPL-2.0-only
/*
 * Response: compiling settings into a table of cubics.
 *
 * Each cell is the cubic that has the curve's value and slope at both ends.
 * How many cells there are follows from the fourth derivative of the curve, so
 * that the relative error stays below 10^-5 (10^-8 for linear).
 */

#include <linux/limits.h>
#include <linux/types.h>

#include "curve.h"
#include "response.h"

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

/* beyond the largest factor, so that no cell in use is bent by the limit */
#define NODE_LIMIT		(1LL << (MACCEL_FACTOR_WIDTH + 3))

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

	for (octave = -MACCEL_SPEED_BITS; octave < MACCEL_FASTEST_OCTAVE; octave++) {
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

	if (octave < MACCEL_SLOWEST_OCTAVE) {
		octave = MACCEL_SLOWEST_OCTAVE;
		fraction = 0;
	}
	if (octave >= MACCEL_FASTEST_OCTAVE) {
		octave = MACCEL_FASTEST_OCTAVE;
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
			     MACCEL_FASTEST_OCTAVE, LINEAR_RATE);
		else
			span(layout, MACCEL_SLOWEST_OCTAVE, MACCEL_FASTEST_OCTAVE, 1);
		break;
	case MACCEL_MODE_NATURAL:
		span(layout, curve.offset.mantissa ?
		     start_octave(&curve, NATURAL_START) : MACCEL_SLOWEST_OCTAVE,
		     MACCEL_FASTEST_OCTAVE, NATURAL_RATE);
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

/* the cubic from y0 with slope m0 to y1 with slope m1, around its middle */
static void set_cell(struct maccel_cell *cell, s64 y0, s64 m0, s64 y1, s64 m1)
{
	s64 rise = y1 - y0;

	cell->c[0] = (4 * (y0 + y1) + m0 - m1 + 4) >> 3;
	cell->c[1] = (6 * rise - m0 - m1 + 2) >> 2;
	cell->c[2] = (m1 - m0) >> 1;
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

static s64 factor_fixed(const struct maccel_response *response,
			struct maccel_real factor, struct maccel_real scale)
{
	return maccel_real_fixed(maccel_real_mul(factor, scale),
				 response->bits, NODE_LIMIT);
}

/* a derivative by the speed, as change over one cell */
static s64 slope_fixed(const struct maccel_response *response,
		       struct maccel_real slope, struct maccel_real scale,
		       s64 index)
{
	struct maccel_real width, change;

	width = maccel_real(1, (int)(index / response->rate) -
			    MACCEL_SPEED_BITS);
	width = maccel_real_div(width, maccel_real(response->rate, 0));
	change = maccel_real_mul(maccel_real_mul(slope, scale), width);
	return maccel_real_fixed(change, response->bits, NODE_LIMIT);
}

static void fill_curve(struct maccel_response *response,
		       const struct maccel_curve *curve,
		       const struct maccel_layout *layout,
		       struct maccel_real unit, struct maccel_real scale)
{
	struct maccel_real per_z = maccel_real_mul(scale, unit);
	struct maccel_point from, to;
	s64 end;
	u32 i;

	to = maccel_curve_at(curve, maccel_real_mul(unit,
			     cell_start(layout->base, layout->rate)));
	for (i = 0; i < layout->cells; i++) {
		s64 index = layout->base + i;

		from = to;
		to = maccel_curve_at(curve, maccel_real_mul(unit,
				     cell_start(index + 1, layout->rate)));
		set_cell(&response->cell[i],
			 factor_fixed(response, from.factor, scale),
			 slope_fixed(response, from.slope, per_z, index),
			 factor_fixed(response, to.factor, scale),
			 slope_fixed(response, to.slope, per_z, index));
	}
	end = factor_fixed(response, to.factor, scale);
	set_cell(&response->cell[i], end, 0, end, 0);
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

	y1 = factor_fixed(response, q32(lut[0]), scale);
	m1 = factor_fixed(response, lut_slope(lut, 0), scale);
	for (i = 0; i + 1 < MACCEL_LUT_LEN; i++) {
		y0 = y1;
		m0 = m1;
		y1 = factor_fixed(response, q32(lut[i + 1]), scale);
		m1 = factor_fixed(response, lut_slope(lut, i + 1), scale);
		set_cell(&response->cell[i], y0, m0, y1, m1);
	}
	set_cell(&response->cell[i], y1, 0, y1, 0);
}

/* the largest factor of a mode, SENS_MULT and 1000/INPUT_DPI left out */
static struct maccel_real largest(const struct maccel_curve *curve,
				  const struct maccel_settings *settings)
{
	s64 most = 0;
	int i;

	if (curve->mode != MACCEL_MODE_LUT)
		return curve->high;
	for (i = 0; i < MACCEL_LUT_LEN; i++)
		if (settings->lut[i] > most)
			most = settings->lut[i];
	return q32(most);
}

/* bounds of the factor, and as many fraction bits as they leave */
static void set_bounds(struct maccel_response *response,
		       const struct maccel_settings *settings,
		       const struct maccel_curve *curve,
		       struct maccel_real scale)
{
	struct maccel_real high = maccel_real_mul(largest(curve, settings),
						  scale);
	struct maccel_real limit = maccel_real(MACCEL_FACTOR_LIMIT, 0);
	struct maccel_real yx = q32(settings->number[MACCEL_YX_RATIO]);
	struct maccel_real most = high;
	int bits = MACCEL_FACTOR_BITS;

	/* of the axis that is scaled more */
	if (settings->number[MACCEL_YX_RATIO] > 1LL << 32) {
		limit = maccel_real_div(limit, yx);
		most = maccel_real_mul(most, yx);
	}
	if (maccel_real_less(limit, high)) {
		high = limit;
		most = maccel_real(MACCEL_FACTOR_LIMIT, 0);
	}
	if (most.mantissa && maccel_real_octave(most) >= 0)
		bits = MACCEL_FACTOR_WIDTH - 1 - maccel_real_octave(most);
	if (bits > MACCEL_FACTOR_BITS)
		bits = MACCEL_FACTOR_BITS;

	response->bits = bits;
	response->fraction = (1LL << bits) - 1;
	response->high = maccel_real_fixed(high, bits, NODE_LIMIT);
	response->low = factor_fixed(response, curve->low, scale);
	if (response->low > response->high)
		response->low = response->high;
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

static s64 turn_fixed(struct maccel_real a)
{
	return maccel_real_fixed(a, MACCEL_TURN_BITS, 1LL << 62);
}

static void set_turn(struct maccel_response *response,
		     const struct maccel_settings *settings)
{
	s64 angle = settings->number[MACCEL_ANGLE_ROTATION];
	s64 snap = settings->number[MACCEL_ANGLE_SNAP];
	struct maccel_real cosine = maccel_real_cos(angle);
	struct maccel_real sine = maccel_real_sin(angle);
	struct maccel_real tangent = maccel_real_tan(snap);
	struct maccel_real yx = q32(settings->number[MACCEL_YX_RATIO]);

	response->turn_x[0] = turn_fixed(cosine);
	response->turn_x[1] = -turn_fixed(sine);
	response->turn_y[0] = turn_fixed(maccel_real_mul(sine, yx));
	response->turn_y[1] = turn_fixed(maccel_real_mul(cosine, yx));
	response->snap = snap;
	/* a little more: what lies on the very edge is snapped, all signs alike */
	response->snap_x = maccel_real_fixed(maccel_real_mul(tangent, yx), 32,
					     1LL << 62) + 1;
	response->snap_y = maccel_real_fixed(maccel_real_div(tangent, yx), 32,
					     1LL << 62) + 1;
	/* the cosine of a tiny angle is rounded to 1, its sine is not to 0 */
	response->turned = snap || turn_fixed(sine) ||
			   turn_fixed(cosine) != 1LL << MACCEL_TURN_BITS;
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
	/* the event path counts octaves down from 63 */
	response->base = (layout->base - 63 * (s64)layout->rate) * (1LL << 32);
	/* the leading one of the mantissa counts as an octave */
	if (!response->logarithmic)
		response->base += (s64)layout->rate << 32;
	response->top = (s64)layout->cells << 32;
	response->yx = settings->number[MACCEL_YX_RATIO] << (MACCEL_RATIO_BITS - 32);
	/* a table without cells is all before the offset: no need to look */
	response->offset = layout->cells ?
			   maccel_real_fixed(curve.offset, MACCEL_SPEED_BITS,
					     1LL << 62) : S64_MAX;
	set_bounds(response, settings, &curve, scale);
	set_scale(response, settings, unit);
	set_turn(response, settings);
	if (response->logarithmic)
		fill_lut(response, settings->lut, scale);
	else
		fill_curve(response, &curve, layout, unit, scale);
}
