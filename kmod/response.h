/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Response: settings, compiled into what the event path needs.
 *
 * The speed z of the event path is the normalised speed in counts/ms divided
 * by the unit of the response (1 up to 2, so that the sync speed falls on a
 * power of two), as Q36. The curve is a table of cubics over the exponent and
 * mantissa of z - offset: constant beyond its ends, clamped to low..high.
 */
#ifndef MACCEL_RESPONSE_H
#define MACCEL_RESPONSE_H

#include <linux/types.h>

#include "settings.h"

/* fraction bits */
#define MACCEL_SPEED_BITS	36	/* z */
#define MACCEL_UNIT_BITS	31	/* unit */
#define MACCEL_TURN_BITS	40	/* rotation */
#define MACCEL_RATIO_BITS	56	/* yx */

/* a factor takes no more bits than this, fraction bits included */
#define MACCEL_FACTOR_WIDTH	47

/* the most fraction bits of a factor */
#define MACCEL_FACTOR_BITS	44

/*
 * No factor exceeds this, SENS_MULT, YX_RATIO and 1000/INPUT_DPI included. A
 * diagonal of two reports of 2^15 counts, turned into one axis, then is below
 * 2^30.5 counts, and with all that can be carried fits into an event's value.
 */
#define MACCEL_FACTOR_LIMIT	32767

/**
 * struct maccel_cell - a cubic c[0] + c[1] s + c[2] s^2 + c[3] s^3
 * @c: coefficients, factors; s is -1/2 at the start, 1/2 at the end of a cell
 */
struct maccel_cell {
	s64 c[4];
};

/**
 * struct maccel_response - what a movement is multiplied by; never modified
 * @scale: 10^9 / INPUT_DPI / unit, normalised to bit 62
 * @scale_shift: what is added to the shift that makes z of it
 * @offset: speed at which the table begins, as z
 * @base: position of the first cell, in cells, Q32
 * @rate: cells per power of two of the speed
 * @top: number of cells, Q32; cell[] has one more, the constant end
 * @low: smallest factor
 * @high: largest factor
 * @bits: fraction bits of all factors
 * @fraction: mask of the fraction bits
 * @yx: factor of Y over factor of X, Q56
 * @unit: unit of z in counts/ms, Q31
 * @turn_x: what X and Y of a movement contribute to X, Q40
 * @turn_y: what X and Y of a movement contribute to Y, @yx included, Q40
 * @snap: whether movements are snapped to an axis
 * @snap_x: largest Y over X, after the rotation, that is snapped to X, Q32
 * @snap_y: largest X over Y, after the rotation, that is snapped to Y, Q32
 * @turned: whether @turn_x, @turn_y or @snap do anything
 * @logarithmic: whether cells are equal in log2(speed), not in the mantissa
 * @cell: the table
 */
struct maccel_response {
	u64 scale;
	s32 scale_shift;
	u32 rate;
	s64 offset;
	s64 base;
	s64 top;
	s64 low;
	s64 high;
	u32 bits;
	s64 fraction;
	s64 yx;
	u64 unit;
	s64 turn_x[2];
	s64 turn_y[2];
	s64 snap_x;
	s64 snap_y;
	bool snap;
	bool turned;
	bool logarithmic;
	struct maccel_cell cell[];
};

/**
 * struct maccel_layout - where the table of a response lies
 * @base: see struct maccel_response
 * @rate: see struct maccel_response
 * @cells: number of cells, without the constant end
 */
struct maccel_layout {
	s64 base;
	u32 rate;
	u32 cells;
};

void maccel_layout(const struct maccel_settings *settings,
		   struct maccel_layout *layout);
size_t maccel_response_size(const struct maccel_layout *layout);
void maccel_response_compile(struct maccel_response *response,
			     const struct maccel_settings *settings,
			     const struct maccel_layout *layout);

#endif /* MACCEL_RESPONSE_H */
