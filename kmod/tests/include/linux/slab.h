/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_SLAB_H
#define MACCEL_TESTS_SLAB_H

#include <stdlib.h>

#define GFP_KERNEL	0
#define kzalloc(size, flags)	calloc(1, size)
#define kfree(memory)		free(memory)

#endif /* MACCEL_TESTS_SLAB_H */
