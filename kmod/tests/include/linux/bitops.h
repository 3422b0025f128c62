/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_BITOPS_H
#define MACCEL_TESTS_BITOPS_H

#include <linux/types.h>

static inline int fls64(u64 x)
{
	return x ? (63 ^ __builtin_clzll(x)) + 1 : 0;
}

#endif /* MACCEL_TESTS_BITOPS_H */
