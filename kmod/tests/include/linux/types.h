/* SPDX-License-Identifier: GPL-2.0-only */
/* What the arithmetic of the driver takes from the kernel, in user space. */
#ifndef MACCEL_TESTS_TYPES_H
#define MACCEL_TESTS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* long long as in the kernel, not the long of <stdint.h> */
typedef unsigned char u8;
typedef unsigned short u16;
typedef short s16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#endif /* MACCEL_TESTS_TYPES_H */
