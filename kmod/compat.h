/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernel versions, 6.1 to 7.x. The only file that asks.
 *
 * The handler must see a frame before evdev does, and must be able to change
 * it. A handler with a filter is put at the head of a device's list by the
 * input core; what the filter itself does is different in each version.
 */
#ifndef MACCEL_COMPAT_H
#define MACCEL_COMPAT_H

#include <linux/device/class.h>
#include <linux/input.h>
#include <linux/version.h>

#include "handler.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 7)
#error "Linux 6.11.0 to 6.11.6 cannot be supported: use 6.11.7 or later"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 7)

/* Events can be added and removed. */
#define MACCEL_FRAMES_RESIZE	true

/* handle_events, set below, takes the place of the filter. */
#define MACCEL_HANDLER_CALLBACKS .filter = maccel_compat_pass

static inline void maccel_compat_take_over(struct input_handle *handle)
{
	handle->handle_events = maccel_frame;
}

#else /* before 6.11 */

/* Events can only be changed in place. */
#define MACCEL_FRAMES_RESIZE	false

#define MACCEL_HANDLER_CALLBACKS \
	.filter = maccel_compat_pass, \
	.events = maccel_compat_events

static inline void maccel_compat_events(struct input_handle *handle,
					const struct input_value *vals,
					unsigned int count)
{
	/* The array belongs to the core, which declares it const only here. */
	maccel_frame(handle, (struct input_value *)vals, count);
}

static inline void maccel_compat_take_over(struct input_handle *handle)
{
}

#endif

static inline bool maccel_compat_pass(struct input_handle *handle,
				      unsigned int type, unsigned int code,
				      int value)
{
	return false;
}

static inline struct class *maccel_compat_class_create(const char *name)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	return class_create(name);
#else
	return class_create(THIS_MODULE, name);
#endif
}

#endif /* MACCEL_COMPAT_H */
