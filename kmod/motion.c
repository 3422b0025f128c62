// SPDX-License-Identifier: GPL-2.0-only
/*
 * Motion: what happens to a movement. Runs for each report with interrupts
 * off, so everything here is bounded, and no value of any operand can fault:
 * the one divisor that is not a constant is an interval, never below
 * MACCEL_INTERVAL_MIN, or the root of a number that is not 0.
 */

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

#include "motion.h"
#include "tables.h"

/* no mouse reports more at once, counts; what exceeds it is cut off */
#define REPORT_LIMIT	0x7fff

/* distance within one interval from which on the speed does not grow, counts */
#define SUM_LIMIT	(1LL << 17)

/* the most that waits for an event to ride on, whatever its fraction bits */
#define CARRY_LIMIT	(1LL << 61)

/**
 * maccel_motion_reset - begin with a mouse at rest
 * @motion: is overwritten
 */
void maccel_motion_reset(struct maccel_motion *motion)
{
	const struct maccel_motion rest = {
		/* longer ago than any interval */
		.stamp = -(1LL << 62),
		.interval = MACCEL_INTERVAL_MAX,
		.bits = 1,
		.carry = { 1, 1 },
	};

	*motion = rest;
}

static s64 limited(s64 value, s64 limit)
{
	if (value > limit)
		return limit;
	return value < -limit ? -limit : value;
}

/**
 * maccel_motion_keep - put back an output that could not be sent
 * @motion: the mouse
 * @axis: 0 for X, 1 for Y
 * @counts: what maccel_motion_step() gave for the axis
 *
 * Context: as maccel_motion_step().
 */
void maccel_motion_keep(struct maccel_motion *motion, int axis, s32 counts)
{
	s64 one = 1LL << motion->bits;

	counts = limited(counts, CARRY_LIMIT / one);
	motion->carry[axis] = limited(motion->carry[axis] + counts * one,
				      CARRY_LIMIT);
}

/* new settings may leave another number of fraction bits */
static void rebase(struct maccel_motion *motion, u32 bits)
{
	int axis;

	for (axis = 0; axis < 2; axis++) {
		s64 carry = motion->carry[axis] - (1LL << motion->bits >> 1);

		if (bits < motion->bits)
			carry >>= motion->bits - bits;
		else
			carry = limited(carry, CARRY_LIMIT >>
					(bits - motion->bits)) *
				(1LL << (bits - motion->bits));
		motion->carry[axis] = carry + (1LL << bits >> 1);
	}
	motion->bits = bits;
}

static inline s64 mul_shift(s64 a, s64 b, int shift)
{
	/*
	 * gcc would share the extension of an operand to 128 bits between
	 * products, and then needs three multiplications for each.
	 */
	OPTIMIZER_HIDE_VAR(b);
	return (s64)(((__int128)a * b) >> shift);
}

/* adds a report to the interval it belongs to */
static inline u32 advance(struct maccel_motion *motion, s64 now, s64 dx,
			  s64 dy)
{
	s64 passed = now - motion->stamp;

	/*
	 * Reports that arrive bunched share the interval of the first, and so
	 * does one stamped a little too early.
	 */
	if (unlikely((u64)(passed + MACCEL_INTERVAL_MIN - 1) <
		     2 * MACCEL_INTERVAL_MIN - 1)) {
		motion->sum[0] = limited(motion->sum[0] + dx, SUM_LIMIT);
		motion->sum[1] = limited(motion->sum[1] + dy, SUM_LIMIT);
		return motion->interval;
	}
	/* unsigned: a clock that jumped back counts as a long rest */
	if ((u64)passed > MACCEL_INTERVAL_MAX)
		passed = MACCEL_INTERVAL_MAX;
	motion->stamp = now;
	motion->interval = passed;
	motion->sum[0] = dx;
	motion->sum[1] = dy;
	return passed;
}

/* 2 sqrt(square 2^(2 *half_shift)), between 2^32 and 2^33; square is not 0 */
static inline u64 root(u64 square, int *half_shift)
{
	int shift = (fls64(square) - 1) ^ 63;
	u64 number = square << (shift & ~1);
	u64 guess = maccel_root_guess[(number >> 56) - 64];

	/* two steps of Heron's: errors 2^-8, 2^-17, 2^-35 */
	*half_shift = shift >> 1;
	guess = (guess + number / guess) >> 1;
	return guess + number / guess;
}

/* the speed z of the current interval; sum is not (0, 0) */
static inline u64 speed_of(const struct maccel_motion *motion,
			   const struct maccel_response *response,
			   u32 interval)
{
	u64 square = motion->sum[0] * motion->sum[0] +
		     motion->sum[1] * motion->sum[1];
	int half_shift;
	u64 z;

	if (unlikely(!square))
		return 0;
	z = root(square, &half_shift);
	z = (u64)(((unsigned __int128)z * response->scale) >> 32);
	z /= interval;
	return (z << 15) >> (half_shift + response->scale_shift);
}

/*
 * Both count down from the shift that normalised a number: 63 less its octave.
 * The constant is part of the base of a response.
 */

/* octave plus mantissa, 1 to 2: log2 with straight lines in between, plus 1 */
static inline s64 float_of(u64 shift, u64 mantissa)
{
	return (s64)(mantissa >> 31) - (s64)(shift << 32);
}

/* log2 as Q32, error below 10^-7: 1024 straight lines for each octave */
static inline s64 log2_of(u64 shift, u64 mantissa)
{
	const u32 *entry = &maccel_log2_table[mantissa << 1 >> 54];
	u64 part = mantissa << 11;
	u64 step = entry[1] - entry[0];

	step = (u64)(((unsigned __int128)part * step) >> 64);
	return (s64)(entry[0] + step) - (s64)(shift << 32);
}

static inline s64 factor_at(const struct maccel_response *response, u64 z)
{
	s64 distance = z - response->offset;
	s64 position = 0, part, factor;
	const struct maccel_cell *cell;

	if (likely(distance > 0)) {
		u64 shift = (fls64(distance) - 1) ^ 63;
		u64 mantissa = (u64)distance << shift;

		if (unlikely(response->logarithmic))
			position = log2_of(shift, mantissa);
		else
			position = float_of(shift, mantissa);
		position = position * response->rate - response->base;
		if (unlikely((u64)position > (u64)response->top))
			position = position < 0 ? 0 : response->top;
	}
	/* the cell of the whole part, in one shift less than by its index */
	cell = (const void *)((const char *)response->cell +
			      ((position >> 27) & ~31LL));
	/* -1/2 to 1/2 in Q64 */
	part = (s64)(((u64)position << 32) ^ (1ULL << 63));
	factor = cell->c[2] + mul_shift(cell->c[3], part, 64);
	factor = cell->c[1] + mul_shift(factor, part, 64);
	factor = cell->c[0] + mul_shift(factor, part, 64);
	if (factor < response->low)
		factor = response->low;
	if (factor > response->high)
		factor = response->high;
	return factor;
}

/* the upper half of a product: cheaper than to ask whether the ratio is 1 */
static inline s64 factor_of_y(const struct maccel_response *response,
			      s64 factor)
{
	return mul_shift(factor << (64 - MACCEL_RATIO_BITS), response->yx, 64);
}

/*
 * What an axis puts out of an exact movement: the nearest count, the rest is
 * carried. A half is rounded away from 0, so that both directions are alike.
 * The sum fits: 2^16 counts by MACCEL_FACTOR_WIDTH bits and CARRY_LIMIT.
 */
static inline s32 emit(s64 *carry, s64 exact, s64 fraction, u32 bits)
{
	s64 owed = *carry;
	s64 down = exact >> 63;
	s64 sum;

	if (!exact) {
		/* nothing, unless whole counts were kept */
		if (likely((u64)owed <= (u64)fraction + 1))
			return 0;
		down = -(s64)(owed > 0);
	}
	sum = exact + owed + down;
	*carry = (sum & fraction) - down;
	return sum >> bits;
}

/* a movement in counts, YX_RATIO included, Q40 */
struct vector {
	s64 x;
	s64 y;
};

static inline struct vector turned(const struct maccel_response *response,
				   s64 dx, s64 dy)
{
	struct vector v = {
		dx * response->turn_x[0] + dy * response->turn_x[1],
		dx * response->turn_y[0] + dy * response->turn_y[1],
	};

	return v;
}

/* a movement that is near enough to an axis follows it, as long as before */
static struct vector snapped(const struct maccel_response *response,
			     struct vector v, s64 dx, s64 dy)
{
	s64 x = v.x < 0 ? -v.x : v.x;
	s64 y = v.y < 0 ? -v.y : v.y;
	u64 square = dx * dx + dy * dy;
	int half_shift;
	s64 length;

	if (!square)
		return v;
	length = root(square, &half_shift) << 30;
	length = (u64)length >> half_shift << (MACCEL_TURN_BITS - 31);
	if (y <= mul_shift(x, response->snap_x, 32)) {
		v.x = v.x < 0 ? -length : length;
		v.y = 0;
	} else if (x <= mul_shift(y, response->snap_y, 32)) {
		length = mul_shift(length, response->yx, MACCEL_RATIO_BITS);
		v.x = 0;
		v.y = v.y < 0 ? -length : length;
	}
	return v;
}

static inline void emit_vector(struct maccel_motion *motion,
			       const struct maccel_response *response,
			       struct vector v, s64 factor, s32 delta[2])
{
	s64 fraction = response->fraction;
	u32 bits = response->bits;

	delta[0] = emit(&motion->carry[0],
			mul_shift(v.x, factor, MACCEL_TURN_BITS),
			fraction, bits);
	delta[1] = emit(&motion->carry[1],
			mul_shift(v.y, factor, MACCEL_TURN_BITS),
			fraction, bits);
}

static noinline void emit_snapped(struct maccel_motion *motion,
				  const struct maccel_response *response,
				  s64 factor, s32 delta[2])
{
	struct vector v = turned(response, delta[0], delta[1]);

	v = snapped(response, v, delta[0], delta[1]);
	emit_vector(motion, response, v, factor, delta);
}

static noinline void emit_turned(struct maccel_motion *motion,
				 const struct maccel_response *response,
				 s64 factor, s32 delta[2])
{
	struct vector v;

	if (unlikely(response->snap)) {
		emit_snapped(motion, response, factor, delta);
		return;
	}
	v = turned(response, delta[0], delta[1]);
	emit_vector(motion, response, v, factor, delta);
}

/* what a report rarely needs, out of the way of all others */
static noinline void step_rare(struct maccel_motion *motion,
			       const struct maccel_response *response,
			       s64 now, s32 delta[2])
{
	delta[0] = limited(delta[0], REPORT_LIMIT);
	delta[1] = limited(delta[1], REPORT_LIMIT);
	if (motion->bits != response->bits)
		rebase(motion, response->bits);
	maccel_motion_step(motion, response, now, delta);
}

/**
 * maccel_motion_speed - the speed of the last report
 * @motion: the mouse
 * @response: what it was scaled by
 *
 * Return: normalised speed in counts/ms, Q32.32
 */
u64 maccel_motion_speed(const struct maccel_motion *motion,
			const struct maccel_response *response)
{
	return mul_shift(motion->speed, response->unit,
			 MACCEL_UNIT_BITS + MACCEL_SPEED_BITS - 32);
}

/**
 * maccel_motion_step - scale one report
 * @motion: the mouse
 * @response: what its settings mean
 * @now: time of the report in ns, any clock that does not jump
 * @delta: movement in counts, X and Y; becomes the output
 *
 * Context: must not run twice at once for one mouse. In the driver the
 *          event_lock of the device is held.
 */
void maccel_motion_step(struct maccel_motion *motion,
			const struct maccel_response *response,
			s64 now, s32 delta[2])
{
	s32 dx = delta[0], dy = delta[1];
	s64 factor, factor_y, fraction;
	u32 interval, bits;

	if (unlikely((((u32)dx + REPORT_LIMIT) | ((u32)dy + REPORT_LIMIT)) >
		     2 * REPORT_LIMIT + 1 || motion->bits != response->bits)) {
		step_rare(motion, response, now, delta);
		return;
	}

	interval = advance(motion, now, dx, dy);
	motion->speed = speed_of(motion, response, interval);
	factor = factor_at(response, motion->speed);
	if (unlikely(response->turned)) {
		emit_turned(motion, response, factor, delta);
		return;
	}
	factor_y = factor_of_y(response, factor);
	fraction = response->fraction;
	bits = response->bits;
	delta[0] = emit(&motion->carry[0], dx * factor, fraction, bits);
	delta[1] = emit(&motion->carry[1], dy * factor_y, fraction, bits);
}
