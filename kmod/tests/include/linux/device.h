/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_DEVICE_H
#define MACCEL_TESTS_DEVICE_H

#include <linux/input.h>

struct class;

#define device_unregister(device)	((void)(device))

#endif /* MACCEL_TESTS_DEVICE_H */
