/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real numbers without a floating point unit, for work done when a setting is
 * written: 64 bits of mantissa, relative error of one operation below 2^-61.
 * Nothing here can fault or loop without bound, whatever the operands.
 */
#ifndef MACCEL_REAL_H
#define MACCEL_REAL_H

#include <linux/types.h>

/**
 * struct maccel_real - a number, mantissa * 2^exponent
 * @mantissa: top bit set, or 0 for the number 0
 * @exponent: power of two of the lowest bit of @mantissa
 * @negative: sign
 */
struct maccel_real {
	u64 mantissa;
	s32 exponent;
	bool negative;
};

struct maccel_real maccel_real(s64 value, int exponent);
s64 maccel_real_fixed(struct maccel_real a, int bits, s64 limit);
int maccel_real_octave(struct maccel_real a);
bool maccel_real_less(struct maccel_real a, struct maccel_real b);

struct maccel_real maccel_real_add(struct maccel_real a, struct maccel_real b);
struct maccel_real maccel_real_sub(struct maccel_real a, struct maccel_real b);
struct maccel_real maccel_real_mul(struct maccel_real a, struct maccel_real b);
struct maccel_real maccel_real_div(struct maccel_real a, struct maccel_real b);

struct maccel_real maccel_real_exp(struct maccel_real a);
struct maccel_real maccel_real_log(struct maccel_real a);
struct maccel_real maccel_real_pow(struct maccel_real a, struct maccel_real b);
struct maccel_real maccel_real_tanh(struct maccel_real a);
struct maccel_real maccel_real_sin(s64 degrees);
struct maccel_real maccel_real_cos(s64 degrees);
struct maccel_real maccel_real_tan(s64 degrees);

#endif /* MACCEL_REAL_H */
