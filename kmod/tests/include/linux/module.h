/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_MODULE_H
#define MACCEL_TESTS_MODULE_H

#include <linux/errno.h>

#define KBUILD_MODNAME	"maccel"
#define MODULE_DEVICE_TABLE(type, name) struct unused_##name

#define IS_ERR(pointer)		(!(pointer))
#define PTR_ERR(pointer)	((pointer) ? 0 : -ENODEV)

#endif /* MACCEL_TESTS_MODULE_H */
