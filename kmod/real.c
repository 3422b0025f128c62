// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real numbers without a floating point unit.
 *
 * Exponents of operands come from Q32.32 numbers and stay within a few
 * thousand; exp() is the only operation that could leave that range, and it
 * saturates.
 */

#include <linux/bitops.h>
#include <linux/types.h>

#include "real.h"

/* beyond 2^+-EXP_LIMIT exp() gives the limit: far outside any factor */
#define EXP_LIMIT	400

/* terms of a Taylor series whose argument is below 1: 1/22! < 2^-64 */
#define TAYLOR_TERMS	22

static const struct maccel_real one = { 1ULL << 63, -63, false };
static const struct maccel_real ln2 = { 0xb17217f7d1cf79abULL, -64, false };
static const struct maccel_real log2e = { 0xb8aa3b295c17f0bcULL, -63, false };
/* pi / 180 / 2^32: radians in one step of Q32.32 degrees */
static const struct maccel_real radian = { 0x8efa351294e9c8aeULL, -101, false };

static u64 mul_high(u64 a, u64 b)
{
	return (u64)(((unsigned __int128)a * b) >> 64);
}

static struct maccel_real normalised(u64 mantissa, int exponent, bool negative)
{
	struct maccel_real r = { 0, 0, false };
	int shift;

	if (!mantissa)
		return r;

	shift = 64 - fls64(mantissa);
	r.mantissa = mantissa << shift;
	r.exponent = exponent - shift;
	r.negative = negative;
	return r;
}

/**
 * maccel_real - make a number
 * @value: integer mantissa
 * @exponent: power of two
 *
 * Return: @value * 2^@exponent
 */
struct maccel_real maccel_real(s64 value, int exponent)
{
	u64 magnitude = value < 0 ? -(u64)value : (u64)value;

	return normalised(magnitude, exponent, value < 0);
}

/**
 * maccel_real_fixed - convert to a fixed point number
 * @a: the number
 * @bits: fraction bits of the result
 * @limit: largest magnitude of the result
 *
 * Return: @a * 2^@bits rounded to nearest, between -@limit and @limit
 */
s64 maccel_real_fixed(struct maccel_real a, int bits, s64 limit)
{
	int shift = a.exponent + bits;
	u64 magnitude;

	if (!a.mantissa || shift < -64)
		return 0;
	if (shift >= 0)
		magnitude = limit;
	else if (shift == -64)
		magnitude = a.mantissa >> 63;
	else
		magnitude = (a.mantissa >> -shift) +
			    ((a.mantissa >> (-shift - 1)) & 1);
	if (magnitude > (u64)limit)
		magnitude = limit;
	return a.negative ? -(s64)magnitude : (s64)magnitude;
}

/**
 * maccel_real_octave - the power of two at or below a number
 * @a: the number, not 0
 *
 * Return: floor(log2(|@a|))
 */
int maccel_real_octave(struct maccel_real a)
{
	return a.exponent + 63;
}

/**
 * maccel_real_less - compare two numbers
 * @a: a number
 * @b: another
 *
 * Return: @a < @b
 */
bool maccel_real_less(struct maccel_real a, struct maccel_real b)
{
	return maccel_real_sub(a, b).negative;
}

/**
 * maccel_real_add - sum
 * @a: a number
 * @b: another
 *
 * Return: @a + @b
 */
struct maccel_real maccel_real_add(struct maccel_real a, struct maccel_real b)
{
	unsigned __int128 high, low;
	int distance;

	if (!a.mantissa)
		return b;
	if (!b.mantissa)
		return a;
	if (a.exponent < b.exponent ||
	    (a.exponent == b.exponent && a.mantissa < b.mantissa)) {
		struct maccel_real swap = a;

		a = b;
		b = swap;
	}

	/* |a| >= |b|; one guard bit, so that close numbers cancel exactly */
	distance = a.exponent - b.exponent;
	if (distance > 64)
		return a;
	high = (unsigned __int128)a.mantissa << 1;
	low = distance ? b.mantissa >> (distance - 1) :
			 (unsigned __int128)b.mantissa << 1;

	if (a.negative == b.negative)
		return normalised((u64)((high + low) >> 2), a.exponent + 1,
				  a.negative);
	high -= low;
	if (high >> 64)
		return normalised((u64)(high >> 1), a.exponent, a.negative);
	return normalised((u64)high, a.exponent - 1, a.negative);
}

/**
 * maccel_real_sub - difference
 * @a: a number
 * @b: another
 *
 * Return: @a - @b
 */
struct maccel_real maccel_real_sub(struct maccel_real a, struct maccel_real b)
{
	b.negative = !b.negative;
	return maccel_real_add(a, b);
}

/**
 * maccel_real_mul - product
 * @a: a number
 * @b: another
 *
 * Return: @a * @b
 */
struct maccel_real maccel_real_mul(struct maccel_real a, struct maccel_real b)
{
	return normalised(mul_high(a.mantissa, b.mantissa),
			  a.exponent + b.exponent + 64,
			  a.negative != b.negative);
}

/**
 * maccel_real_div - quotient
 * @a: dividend
 * @b: divisor, 0 gives 0
 *
 * Return: @a / @b
 */
struct maccel_real maccel_real_div(struct maccel_real a, struct maccel_real b)
{
	unsigned __int128 rest = a.mantissa;
	u64 quotient = 0;
	int i;

	if (!b.mantissa)
		return b;

	/* long division: the kernel has none of 128 bits */
	for (i = 0; i < 64; i++) {
		quotient <<= 1;
		if (rest >= b.mantissa) {
			rest -= b.mantissa;
			quotient |= 1;
		}
		rest <<= 1;
	}
	return normalised(quotient, a.exponent - b.exponent - 63,
			  a.negative != b.negative);
}

/* a / n for a small n: exact to the last bits without the long division */
static struct maccel_real divided(struct maccel_real a, unsigned int n)
{
	return normalised(a.mantissa / n, a.exponent, a.negative);
}

/**
 * maccel_real_exp - exponential function
 * @a: the exponent
 *
 * Return: e^@a, for far out @a the value at the end of the range
 */
struct maccel_real maccel_real_exp(struct maccel_real a)
{
	struct maccel_real power = maccel_real_mul(a, log2e);
	struct maccel_real rest, sum = one;
	s64 whole = maccel_real_fixed(power, 0, EXP_LIMIT);
	int n;

	rest = maccel_real_sub(power, maccel_real(whole, 0));
	if (maccel_real_octave(rest) >= 0)
		rest = maccel_real(0, 0);
	rest = maccel_real_mul(rest, ln2);
	for (n = TAYLOR_TERMS; n > 0; n--)
		sum = maccel_real_add(one, maccel_real_mul(sum,
							   divided(rest, n)));
	sum.exponent += whole;
	return sum;
}

/**
 * maccel_real_log - natural logarithm
 * @a: a positive number
 *
 * Return: ln @a, of its magnitude if it is negative, 0 for 0
 */
struct maccel_real maccel_real_log(struct maccel_real a)
{
	u64 square = a.mantissa, bits = 0;
	struct maccel_real fraction;
	int i;

	if (!a.mantissa)
		return a;

	/* each squaring doubles the logarithm and so yields one bit of it */
	for (i = 0; i < 63; i++) {
		square = mul_high(square, square);
		bits <<= 1;
		if (square >> 63)
			bits |= 1;
		else
			square <<= 1;
	}
	fraction = normalised(bits, -63, false);
	return maccel_real_mul(ln2, maccel_real_add(fraction,
			       maccel_real(maccel_real_octave(a), 0)));
}

/**
 * maccel_real_pow - power
 * @a: a positive number, or 0
 * @b: the exponent, positive
 *
 * Return: @a^@b
 */
struct maccel_real maccel_real_pow(struct maccel_real a, struct maccel_real b)
{
	if (!a.mantissa)
		return a;
	return maccel_real_exp(maccel_real_mul(b, maccel_real_log(a)));
}

/**
 * maccel_real_tanh - hyperbolic tangent
 * @a: a number, not negative
 *
 * Return: tanh @a, with small relative error for small @a too
 */
struct maccel_real maccel_real_tanh(struct maccel_real a)
{
	struct maccel_real decay, square;

	if (!a.mantissa)
		return a;
	if (maccel_real_octave(a) < -16) {
		/* a - a^3/3, since 1 - e^-2a cancels */
		square = divided(maccel_real_mul(a, a), 3);
		return maccel_real_mul(a, maccel_real_sub(one, square));
	}
	decay = a;
	decay.exponent++;
	decay.negative = true;
	decay = maccel_real_exp(decay);
	return maccel_real_div(maccel_real_sub(one, decay),
			       maccel_real_add(one, decay));
}

/* sine (first = 1) or cosine (first = 0) of 0..90 degrees in Q32.32 */
static struct maccel_real quadrant(s64 degrees, int first)
{
	struct maccel_real x = maccel_real_mul(maccel_real(degrees, 0), radian);
	struct maccel_real square = maccel_real_mul(x, x);
	struct maccel_real sum = one;
	int n;

	for (n = TAYLOR_TERMS + first; n > 1; n -= 2)
		sum = maccel_real_sub(one, maccel_real_mul(sum,
				      divided(square, n * (n - 1))));
	return first ? maccel_real_mul(sum, x) : sum;
}

/**
 * maccel_real_sin - sine
 * @degrees: the angle in Q32.32 degrees
 *
 * Return: sin @degrees, exact at multiples of a right angle
 */
struct maccel_real maccel_real_sin(s64 degrees)
{
	const s64 right = 90LL << 32;
	s64 rest = degrees % (4 * right);
	struct maccel_real r;
	bool negative = rest < 0;

	if (negative)
		rest = -rest;
	if (rest >= 2 * right) {
		rest -= 2 * right;
		negative = !negative;
	}
	if (rest > right)
		rest = 2 * right - rest;
	/* the shorter series, and exact where the result is 0 or 1 */
	r = rest > right / 2 ? quadrant(right - rest, 0) : quadrant(rest, 1);
	r.negative = negative && r.mantissa;
	return r;
}

/**
 * maccel_real_cos - cosine
 * @degrees: the angle in Q32.32 degrees
 *
 * Return: cos @degrees, exact at multiples of a right angle
 */
struct maccel_real maccel_real_cos(s64 degrees)
{
	return maccel_real_sin(degrees % (360LL << 32) + (90LL << 32));
}

/**
 * maccel_real_tan - tangent
 * @degrees: the angle in Q32.32 degrees
 *
 * Return: tan @degrees, 0 at odd multiples of a right angle
 */
struct maccel_real maccel_real_tan(s64 degrees)
{
	return maccel_real_div(maccel_real_sin(degrees),
			       maccel_real_cos(degrees));
}
