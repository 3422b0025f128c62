// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handler: takes mice from the input core and scales their frames, before
 * evdev sees them.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/input.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "chardev.h"
#include "class.h"
#include "compat.h"
#include "handler.h"
#include "store.h"

/* where the axes of a frame are, X and Y */
struct frame_axes {
	struct input_value *at[2];
	s32 delta[2];
	bool repeated;
};

static bool is_movement(const struct input_value *value)
{
	return value->type == EV_REL && value->code <= REL_Y;
}

static s32 saturated_sum(s32 a, s32 b)
{
	s32 sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? S32_MIN : S32_MAX;
}

/* the movement of a frame; of an axis that comes twice the first holds it */
static inline void collect(struct frame_axes *axes, struct input_value *vals,
			   unsigned int count)
{
	struct input_value *value;

	for (value = vals; value < vals + count; value++) {
		/* REL_X is 0, REL_Y is 1 */
		unsigned int axis = value->code;

		if (!is_movement(value))
			continue;
		if (likely(!axes->at[axis])) {
			axes->at[axis] = value;
			axes->delta[axis] = value->value;
			continue;
		}
		axes->delta[axis] = saturated_sum(axes->delta[axis],
						  value->value);
		value->value = 0;
		axes->repeated = true;
	}
}

/* makes room for the axis that the frame lacks, next to the other one */
static unsigned int insert_axis(struct input_dev *dev, struct frame_axes *axes,
				int axis, struct input_value *vals,
				unsigned int count)
{
	struct input_value *slot;

	if (!MACCEL_FRAMES_RESIZE || vals != dev->vals ||
	    count >= dev->max_vals)
		return count;

	slot = axes->at[!axis] + axis;
	memmove(slot + 1, slot, (vals + count - slot) * sizeof(*slot));
	slot->type = EV_REL;
	slot->code = axis ? REL_Y : REL_X;
	slot->value = 0;
	axes->at[axis] = slot;
	if (!axis)
		axes->at[1]++;
	return count + 1;
}

/* takes out axes that are 0 */
static unsigned int drop_still(struct input_value *vals, unsigned int count)
{
	struct input_value *value, *end = vals;

	if (!MACCEL_FRAMES_RESIZE)
		return count;
	for (value = vals; value < vals + count; value++) {
		if (is_movement(value) && !value->value)
			continue;
		if (end != value)
			*end = *value;
		end++;
	}
	return end - vals;
}

/* puts what came out back into the frame */
static inline unsigned int replace(struct maccel_mouse *mouse,
				   struct frame_axes *axes,
				   struct input_value *vals, unsigned int count)
{
	bool still = axes->repeated;
	int axis;

	for (axis = 0; axis < 2; axis++) {
		if (unlikely(!axes->at[axis])) {
			if (!axes->delta[axis])
				continue;
			count = insert_axis(mouse->handle.dev, axes, axis,
					    vals, count);
		}
		if (likely(axes->at[axis]))
			axes->at[axis]->value = axes->delta[axis];
		else
			maccel_motion_keep(&mouse->motion, axis,
					   axes->delta[axis]);
		if (!axes->delta[axis])
			still = true;
	}
	return still ? drop_still(vals, count) : count;
}

/**
 * maccel_frame - scale the movement of one frame in place
 * @handle: our handle on the device
 * @vals: the events of the frame
 * @count: their number
 *
 * Context: event_lock of the device held, interrupts off, inside an RCU read
 *          side section.
 * Return: the number of events after it
 */
unsigned int maccel_frame(struct input_handle *handle,
			  struct input_value *vals, unsigned int count)
{
	struct maccel_mouse *mouse = handle->private;
	const struct maccel_published *published;
	struct frame_axes axes = { };
	ktime_t now;
	u64 speed;

	if (!READ_ONCE(mouse->enabled))
		return count;
	collect(&axes, vals, count);
	if (!axes.delta[0] && !axes.delta[1])
		return axes.repeated ? replace(mouse, &axes, vals, count) :
				       count;

	now = input_get_timestamp(handle->dev)[INPUT_CLK_MONO];
	published = rcu_dereference(mouse->own);
	if (!published)
		published = rcu_dereference(maccel_shared);
	maccel_motion_step(&mouse->motion, &published->response,
			   ktime_to_ns(now), axes.delta);
	speed = maccel_motion_speed(&mouse->motion, &published->response);
	WRITE_ONCE(mouse->speed, speed);
	WRITE_ONCE(mouse->moved_at, now);
	maccel_chardev_sample(speed, now);

	return replace(mouse, &axes, vals, count);
}

/* mice, but no pointing sticks and touchpads */
static bool is_mouse(const struct input_dev *dev)
{
	return test_bit(BTN_LEFT, dev->keybit) &&
	       !test_bit(INPUT_PROP_POINTING_STICK, dev->propbit) &&
	       !test_bit(BTN_TOOL_FINGER, dev->keybit) &&
	       !test_bit(ABS_MT_POSITION_X, dev->absbit);
}

static int maccel_connect(struct input_handler *handler, struct input_dev *dev,
			  const struct input_device_id *id)
{
	struct maccel_mouse *mouse;
	int error;

	mouse = kzalloc(sizeof(*mouse), GFP_KERNEL);
	if (!mouse)
		return -ENOMEM;

	maccel_motion_reset(&mouse->motion);
	mouse->enabled = is_mouse(dev);
	mouse->moved_at = ktime_get() - MACCEL_INTERVAL_MAX;
	mouse->handle.dev = dev;
	mouse->handle.handler = handler;
	mouse->handle.name = KBUILD_MODNAME;
	mouse->handle.private = mouse;

	error = input_register_handle(&mouse->handle);
	if (error)
		goto err_free;
	maccel_compat_take_over(&mouse->handle);

	error = input_open_device(&mouse->handle);
	if (error)
		goto err_unregister;

	mouse->entry = maccel_class_add(mouse);
	if (IS_ERR(mouse->entry)) {
		error = PTR_ERR(mouse->entry);
		goto err_close;
	}
	return 0;

err_close:
	input_close_device(&mouse->handle);
err_unregister:
	input_unregister_handle(&mouse->handle);
	/* an entry that failed late may have been written to before */
	maccel_store_inherit(&mouse->own);
err_free:
	kfree(mouse);
	return error;
}

static void maccel_disconnect(struct input_handle *handle)
{
	struct maccel_mouse *mouse = handle->private;

	device_unregister(mouse->entry);
	input_close_device(handle);
	input_unregister_handle(handle);
	maccel_store_inherit(&mouse->own);
	kfree(mouse);
}

static const struct input_device_id maccel_ids[] = {
	{
		.flags = INPUT_DEVICE_ID_MATCH_EVBIT |
			 INPUT_DEVICE_ID_MATCH_RELBIT,
		.evbit = { BIT_MASK(EV_REL) },
		.relbit = { BIT_MASK(REL_X) | BIT_MASK(REL_Y) },
	},
	{ }
};
MODULE_DEVICE_TABLE(input, maccel_ids);

static struct input_handler maccel_handler = {
	MACCEL_HANDLER_CALLBACKS,
	.connect = maccel_connect,
	.disconnect = maccel_disconnect,
	.name = KBUILD_MODNAME,
	.id_table = maccel_ids,
};

/**
 * maccel_handler_register - begin to take mice
 *
 * Return: 0 or a negative errno
 */
int maccel_handler_register(void)
{
	return input_register_handler(&maccel_handler);
}

/**
 * maccel_handler_unregister - let all mice go
 */
void maccel_handler_unregister(void)
{
	input_unregister_handler(&maccel_handler);
}
