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
static inline u64 advance(struct maccel_motion *motion, s64 now, s64 dx,
			  s64 dy)
{
	s64 passed = now - motion->stamp;
	u64 interval;

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
	interval = passed;
	if (interval > MACCEL_INTERVAL_MAX)
		interval = MACCEL_INTERVAL_MAX;
	motion->stamp = now;
	motion->interval = interval;
	motion->sum[0] = dx;
	motion->sum[1] = dy;
	return interval;
}

/* a distance of root * 2^(-1 - half_shift) counts */
struct distance {
	u64 root;
	int half_shift;
};

/* the root of a square that is not 0; from 2^32 to 2^33 */
static __always_inline struct distance root_of(u64 square)
{
	int shift = (fls64(square) - 1) ^ 63;
	u64 number = square << (shift & ~1);
	u64 guess = maccel_root_guess[(number >> 56) - 64];
	struct distance length;

	/* two steps of Heron's: errors 2^-8, 2^-17, 2^-35 */
	length.half_shift = shift >> 1;
	guess = (guess + number / guess) >> 1;
	length.root = guess + number / guess;
	return length;
}

/* the speed z of the current interval; length becomes the distance in it */
static __always_inline u64 speed_of(const struct maccel_motion *motion,
				    const struct maccel_response *response,
				    u64 interval, struct distance *length)
{
	u64 square = motion->sum[0] * motion->sum[0] +
		     motion->sum[1] * motion->sum[1];
	u64 z;

	length->root = 0;
	length->half_shift = 0;
	if (unlikely(!square))
		return 0;
	*length = root_of(square);
	z = (u64)(((unsigned __int128)length->root * response->scale) >> 32);
	z /= interval;
	return (z << 15) >> (length->half_shift + response->scale_shift);
}

/*
 * @shift is what normalised the number: 63 less its octave. Both functions give
 * 63 less than they say; the base of a response has that in it.
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

static __always_inline s64 factor_at(const struct maccel_response *response,
				     u64 z)
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
 * The sum fits, in counts too: see MACCEL_FACTOR_LIMIT and CARRY_LIMIT.
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

/* a movement: in counts, YX_RATIO included, Q40; or exact as for emit() */
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

static inline struct vector scaled(struct vector v, s64 factor)
{
	v.x = mul_shift(v.x, factor, MACCEL_TURN_BITS);
	v.y = mul_shift(v.y, factor, MACCEL_TURN_BITS);
	return v;
}

/* a length with the sign of a coordinate; it is below 2^18 counts */
static inline s64 scaled_along(s64 sign, struct distance length, s64 factor)
{
	s64 counts = length.root << (MACCEL_TURN_BITS - 1 - length.half_shift);
	s64 minus = sign >> 63;

	return (mul_shift(counts, factor, MACCEL_TURN_BITS) ^ minus) - minus;
}

/* whether a movement is no steeper than slope, Q32, against an axis */
static inline bool is_along(s64 along, s64 across, s64 slope)
{
	s64 most = (s64)(((__int128)along * slope) >> 32);

	return ((across - most) ^ (across + most)) < 0;
}

/* scaled, but what is near enough to an axis follows it, as long as before */
static inline struct vector snapped(const struct maccel_response *response,
				    struct vector v, struct distance length,
				    s64 factor)
{
	if (is_along(v.x, v.y, response->snap_x)) {
		v.x = scaled_along(v.x, length, factor);
		v.y = 0;
		return v;
	}
	if (is_along(v.y, v.x, response->snap_y)) {
		factor = factor_of_y(response, factor);
		v.x = 0;
		v.y = scaled_along(v.y, length, factor);
		return v;
	}
	return scaled(v, factor);
}

static __always_inline void emit_vector(struct maccel_motion *motion,
					const struct maccel_response *response,
					struct vector exact, s32 delta[2])
{
	s64 fraction;
	u32 bits;

	/* gcc would load all of this before snapping, and save registers for it */
	OPTIMIZER_HIDE_VAR(response);
	OPTIMIZER_HIDE_VAR(motion);
	fraction = response->fraction;
	bits = response->bits;
	delta[0] = emit(&motion->carry[0], exact.x, fraction, bits);
	delta[1] = emit(&motion->carry[1], exact.y, fraction, bits);
}

/* the factor of a report; length becomes the distance of its interval */
static __always_inline s64
factor_of_report(struct maccel_motion *motion,
		 const struct maccel_response *response, s64 now, s64 dx,
		 s64 dy, struct distance *length)
{
	u64 interval = advance(motion, now, dx, dy);

	motion->speed = speed_of(motion, response, interval, length);
	return factor_at(response, motion->speed);
}

/* maccel_motion_step() where there is a rotation and no snapping */
static noinline void step_turned(struct maccel_motion *motion,
				 const struct maccel_response *response,
				 s64 now, s32 delta[2])
{
	s64 dx = delta[0], dy = delta[1];
	struct distance length;
	struct vector exact;
	s64 factor;

	factor = factor_of_report(motion, response, now, dx, dy, &length);
	exact = scaled(turned(response, dx, dy), factor);
	emit_vector(motion, response, exact, delta);
}

/* maccel_motion_step() where there is snapping */
static noinline void step_snapped(struct maccel_motion *motion,
				  const struct maccel_response *response,
				  s64 now, s32 delta[2])
{
	s64 dx = delta[0], dy = delta[1];
	struct distance length;
	struct vector exact;
	s64 factor;

	factor = factor_of_report(motion, response, now, dx, dy, &length);
	/* reports that arrive bunched have a distance of their own */
	if (unlikely(motion->sum[0] != dx || motion->sum[1] != dy))
		length = root_of((u64)(dx * dx + dy * dy) ?: 1);
	exact = snapped(response, turned(response, dx, dy), length, factor);
	emit_vector(motion, response, exact, delta);
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
	struct distance length;
	struct vector exact;
	s64 factor;

	if (unlikely((((u32)dx + REPORT_LIMIT) | ((u32)dy + REPORT_LIMIT)) >
		     2 * REPORT_LIMIT + 1 || motion->bits != response->bits)) {
		step_rare(motion, response, now, delta);
		return;
	}
	if (unlikely(response->turned)) {
		if (response->snap)
			step_snapped(motion, response, now, delta);
		else
			step_turned(motion, response, now, delta);
		return;
	}

	factor = factor_of_report(motion, response, now, dx, dy, &length);
	exact.x = dx * factor;
	exact.y = dy * factor_of_y(response, factor);
	emit_vector(motion, response, exact, delta);
}
