/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_KTIME_H
#define MACCEL_TESTS_KTIME_H

#include <linux/types.h>

typedef s64 ktime_t;

#define ktime_to_ns(time)	(time)
#define ktime_get()		0LL

#endif /* MACCEL_TESTS_KTIME_H */
