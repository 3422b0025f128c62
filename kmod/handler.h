/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_HANDLER_H
#define MACCEL_HANDLER_H

#include <linux/input.h>

#include "motion.h"

struct device;
struct maccel_published;

/**
 * struct maccel_mouse - an attached device
 * @handle: our handle on it, private points back here
 * @entry: its entry in /sys/class/maccel
 * @own: its own settings, NULL if it follows the shared ones
 * @enabled: whether its movement is scaled
 * @speed: normalised speed of the last report, counts/ms as Q32.32
 * @moved_at: time of the last report, monotonic
 * @motion: protected by the event_lock of the device
 */
struct maccel_mouse {
	struct input_handle handle;
	struct device *entry;
	struct maccel_published __rcu *own;
	bool enabled;
	u64 speed;
	ktime_t moved_at;
	struct maccel_motion motion;
};

unsigned int maccel_frame(struct input_handle *handle,
			  struct input_value *vals, unsigned int count);
int maccel_handler_register(void);
void maccel_handler_unregister(void);

#endif /* MACCEL_HANDLER_H */
