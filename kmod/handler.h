/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_HANDLER_H
#define MACCEL_HANDLER_H

#include <linux/input.h>
#include <linux/list.h>

#include "motion.h"

/**
 * struct maccel_mouse - an attached device
 * @handle: our handle on it, private points back here
 * @node: in the list of mice, under maccel_mice_lock
 * @enabled: whether its movement is scaled
 * @motion: protected by the event_lock of the device
 */
struct maccel_mouse {
	struct input_handle handle;
	struct list_head node;
	bool enabled;
	struct maccel_motion motion;
};

unsigned int maccel_frame(struct input_handle *handle,
			  struct input_value *vals, unsigned int count);
int maccel_handler_register(void);
void maccel_handler_unregister(void);

#endif /* MACCEL_HANDLER_H */
