/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_LIMITS_H
#define MACCEL_TESTS_LIMITS_H

#define S64_MAX	0x7fffffffffffffffLL

#endif /* MACCEL_TESTS_LIMITS_H */
