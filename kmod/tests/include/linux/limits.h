/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_LIMITS_H
#define MACCEL_TESTS_LIMITS_H

#define S32_MAX	0x7fffffff
#define S32_MIN	(-S32_MAX - 1)
#define S64_MAX	0x7fffffffffffffffLL

#endif /* MACCEL_TESTS_LIMITS_H */
