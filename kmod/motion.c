// SPDX-License-Identifier: GPL-2.0-only
/*
 * Motion: what happens to a movement. Runs for each report with interrupts
 * off, so everything here is bounded, and no value of any operand can fault:
 * the one divisor that is not a constant is an interval, never below
 * MACCEL_INTERVAL_MIN, or the root of a number that is not 0.
 */

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "motion.h"
#include "tables.h"

#define CARRY_HALF	(1LL << (MACCEL_FACTOR_BITS - 1))
#define CARRY_ONE	(1LL << MACCEL_FACTOR_BITS)

/* the most counts that wait for an event to ride on */
#define CARRY_LIMIT	((s64)1 << 18)

/* distance within one interval from which on the speed does not grow, counts */
#define SUM_LIMIT	((s64)1 << 17)

/* log2(e) in Q32 */
#define LOG2E		0x171547653LL

/**
 * maccel_motion_reset - begin with a mouse at rest
 * @motion: is overwritten
 */
void maccel_motion_reset(struct maccel_motion *motion)
{
	const struct maccel_motion rest = {
		.carry = { CARRY_HALF, CARRY_HALF },
	};

	*motion = rest;
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
	s64 kept = motion->carry[axis] >> MACCEL_FACTOR_BITS;

	kept += counts;
	if (kept > CARRY_LIMIT)
		counts -= kept - CARRY_LIMIT;
	if (kept < -CARRY_LIMIT)
		counts -= kept + CARRY_LIMIT;
	motion->carry[axis] += counts * CARRY_ONE;
}

static s64 mul_shift(s64 a, s64 b, int shift)
{
	return (s64)(((__int128)a * b) >> shift);
}

static s64 limited_sum(s64 sum)
{
	if (sum > SUM_LIMIT)
		return SUM_LIMIT;
	return sum < -SUM_LIMIT ? -SUM_LIMIT : sum;
}

/* adds a report to the interval it belongs to */
static void advance(struct maccel_motion *motion, s64 now, s32 dx, s32 dy)
{
	s64 passed = now - motion->stamp;

	/*
	 * Reports that arrive bunched share the interval of the first, and so
	 * does one stamped a little too early.
	 */
	if (likely(passed >= MACCEL_INTERVAL_MIN ||
		   passed < -MACCEL_INTERVAL_MIN || !motion->started)) {
		if (passed > MACCEL_INTERVAL_MAX || passed < 0 ||
		    !motion->started)
			passed = MACCEL_INTERVAL_MAX;
		motion->started = true;
		motion->stamp = now;
		motion->interval = passed;
		motion->sum[0] = 0;
		motion->sum[1] = 0;
	}
	motion->sum[0] += dx;
	motion->sum[1] += dy;
	if (unlikely((u64)(motion->sum[0] + SUM_LIMIT) > 2 * SUM_LIMIT ||
		     (u64)(motion->sum[1] + SUM_LIMIT) > 2 * SUM_LIMIT)) {
		motion->sum[0] = limited_sum(motion->sum[0]);
		motion->sum[1] = limited_sum(motion->sum[1]);
	}
}

/* 2 sqrt(square 2^(2 *half_shift)), between 2^32 and 2^33; square is not 0 */
static u64 root(u64 square, int *half_shift)
{
	int shift = (64 - fls64(square)) & ~1;
	u64 number = square << shift;
	u64 guess = (u64)maccel_root_guess[(number >> 56) - 64] << 16;

	/* two steps of Heron's: errors 2^-8, 2^-17, 2^-35 */
	*half_shift = shift / 2;
	guess = (guess + number / guess) >> 1;
	return guess + number / guess;
}

/* the speed z of the current interval; sum is not (0, 0) */
static u64 speed_of(const struct maccel_motion *motion,
		    const struct maccel_response *response)
{
	u64 square = motion->sum[0] * motion->sum[0] +
		     motion->sum[1] * motion->sum[1];
	int half_shift;
	u64 z;

	if (unlikely(!square))
		return 0;
	z = root(square, &half_shift);
	z = (u64)(((unsigned __int128)z * response->scale) >> 32);
	z /= motion->interval;
	return (z << 15) >> (half_shift + response->scale_shift);
}

/* log2 of a number as Q32, error below 3 10^-8 */
static s64 log2_of(u64 number)
{
	int shift = 64 - fls64(number);
	u64 mantissa = number << shift;
	const struct maccel_log2_entry *entry;
	s64 rest;

	entry = &maccel_log2_table[(mantissa >> 56) & 127];
	/* log2(m) = log2(1 / inverse) + log2(1 + rest), |rest| < 2^-7 */
	rest = (s64)((mantissa >> 31) * entry->inverse - (1ULL << 63)) >> 31;
	rest -= (rest * rest) >> 33;
	return ((s64)(63 - shift) << 32) + entry->log2 + ((rest * LOG2E) >> 32);
}

/* exponent and mantissa in one number: log2 with straight lines in between */
static s64 float_of(u64 number)
{
	int shift = 64 - fls64(number);

	return ((s64)(62 - shift) << 32) + (s64)((number << shift) >> 31);
}

static s64 factor_at(const struct maccel_response *response, u64 z)
{
	s64 position = 0, part, factor;
	const s64 *c;

	if (likely(z > response->offset)) {
		z -= response->offset;
		position = response->logarithmic ? log2_of(z) : float_of(z);
		position = position * response->rate - response->base;
		if (position < 0)
			position = 0;
		if (position > response->top)
			position = response->top;
	}
	c = response->cell[position >> 32].c;
	part = (u32)position;
	factor = c[2] + mul_shift(c[3], part, 32);
	factor = c[1] + mul_shift(factor, part, 32);
	factor = c[0] + mul_shift(factor, part, 32);
	if (factor < response->low)
		factor = response->low;
	if (factor > response->high)
		factor = response->high;
	return factor;
}

/*
 * What an axis puts out: to the nearest count, the rest is carried. A half is
 * rounded away from 0, so that both directions are treated alike.
 */
static s32 emit(s64 *carry, s64 delta, s64 factor, int shift)
{
	s64 down, whole;
	__int128 exact;

	if (!delta && (u64)*carry <= CARRY_ONE)
		return 0;
	exact = ((__int128)delta * factor) >> shift;
	down = delta ? delta >> 63 : -(s64)(*carry > 0);
	exact += *carry;
	exact += down;
	whole = (s64)(exact >> MACCEL_FACTOR_BITS);
	*carry = ((s64)exact & (CARRY_ONE - 1)) - down;
	if (unlikely(whole != (s32)whole))
		whole = whole < 0 ? S32_MIN : S32_MAX;
	return whole;
}

/* rotates a movement and snaps it to an axis, Q0 to Q31 */
static void turn(const struct maccel_response *response, const s32 delta[2],
		 s64 turned[2])
{
	s64 x = delta[0] * response->cosine - delta[1] * response->sine;
	s64 y = delta[0] * response->sine + delta[1] * response->cosine;
	u64 along = x < 0 ? -x : x;
	u64 across = y < 0 ? -y : y;
	int half_shift, axis = 0;
	u64 square, length;

	turned[0] = x;
	turned[1] = y;
	if (!response->snap)
		return;

	if (across > along) {
		u64 swap = along;

		along = across;
		across = swap;
		axis = 1;
	}
	if (across > (u64)mul_shift(along, response->snap, 32))
		return;
	square = (s64)delta[0] * delta[0] + (s64)delta[1] * delta[1];
	if (!square)
		return;
	length = root(square, &half_shift);
	length = (length << (MACCEL_UNIT_BITS - 1)) >> half_shift;
	turned[axis] = turned[axis] < 0 ? -(s64)length : (s64)length;
	turned[!axis] = 0;
}

/**
 * maccel_motion_step - scale one report
 * @motion: the mouse
 * @response: what its settings mean
 * @now: time of the report in ns, any clock that does not jump
 * @delta: movement in counts, X and Y, not both 0; becomes the output
 *
 * Context: must not run twice at once for one mouse. In the driver the
 *          event_lock of the device is held.
 */
void maccel_motion_step(struct maccel_motion *motion,
			const struct maccel_response *response,
			s64 now, s32 delta[2])
{
	s64 factor, factor_y;
	u64 z;

	advance(motion, now, delta[0], delta[1]);
	z = speed_of(motion, response);
	WRITE_ONCE(motion->speed,
		   mul_shift(z, response->unit, MACCEL_UNIT_BITS +
			     MACCEL_SPEED_BITS - 32));

	factor = factor_at(response, z);
	factor_y = mul_shift(factor, response->yx, 32);
	if (response->turned) {
		s64 turned[2];

		turn(response, delta, turned);
		delta[0] = emit(&motion->carry[0], turned[0], factor,
				MACCEL_UNIT_BITS);
		delta[1] = emit(&motion->carry[1], turned[1], factor_y,
				MACCEL_UNIT_BITS);
	} else {
		delta[0] = emit(&motion->carry[0], delta[0], factor, 0);
		delta[1] = emit(&motion->carry[1], delta[1], factor_y, 0);
	}
}
