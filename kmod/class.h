/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_CLASS_H
#define MACCEL_CLASS_H

#include <linux/device.h>

struct maccel_mouse;

extern struct class *maccel_class;

int maccel_class_register(void);
void maccel_class_unregister(void);
struct device *maccel_class_add(struct maccel_mouse *mouse);

#endif /* MACCEL_CLASS_H */
