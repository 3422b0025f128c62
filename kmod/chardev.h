/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_CHARDEV_H
#define MACCEL_CHARDEV_H

#include <linux/ktime.h>
#include <linux/types.h>

void maccel_chardev_sample(u64 speed, ktime_t when);
int maccel_chardev_register(void);
void maccel_chardev_unregister(void);

#endif /* MACCEL_CHARDEV_H */
