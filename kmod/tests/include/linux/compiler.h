/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_COMPILER_H
#define MACCEL_TESTS_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define OPTIMIZER_HIDE_VAR(x)	__asm__("" : "=r" (x) : "0" (x))
#define noinline	__attribute__((noinline))
#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif
#define WRITE_ONCE(x, value)	(*(volatile __typeof__(x) *)&(x) = (value))
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))

#endif /* MACCEL_TESTS_COMPILER_H */
