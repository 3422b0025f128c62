/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of the kernel as handler.c touches, so that a frame can be sent
 * through it in user space. Registration does nothing.
 */
#ifndef MACCEL_TESTS_INPUT_H
#define MACCEL_TESTS_INPUT_H

#include <string.h>
#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/types.h>

#define EV_SYN	0
#define EV_KEY	1
#define EV_REL	2
#define REL_X	0
#define REL_Y	1
#define BTN_LEFT	0x110
#define BTN_TOOL_FINGER	0x145
#define ABS_MT_POSITION_X	0x35
#define INPUT_PROP_POINTING_STICK	5
#define INPUT_CLK_MONO	1
#define INPUT_DEVICE_ID_MATCH_EVBIT	0x10
#define INPUT_DEVICE_ID_MATCH_RELBIT	0x40
#define BIT_MASK(n)	(1UL << (n))

struct device {
	int unused;
};

struct input_value {
	u16 type;
	u16 code;
	s32 value;
};

struct input_dev {
	unsigned long keybit[12];
	unsigned long propbit[1];
	unsigned long absbit[1];
	unsigned int max_vals;
	struct input_value *vals;
	ktime_t timestamp[3];
};

struct input_handler;

struct input_handle {
	void *private;
	const char *name;
	struct input_dev *dev;
	struct input_handler *handler;
	unsigned int (*handle_events)(struct input_handle *handle,
				      struct input_value *vals,
				      unsigned int count);
};

struct input_device_id {
	unsigned long flags;
	unsigned long evbit[1];
	unsigned long relbit[1];
};

struct input_handler {
	bool (*filter)(struct input_handle *handle, unsigned int type,
		       unsigned int code, int value);
	int (*connect)(struct input_handler *handler, struct input_dev *dev,
		       const struct input_device_id *id);
	void (*disconnect)(struct input_handle *handle);
	const char *name;
	const struct input_device_id *id_table;
};

static inline ktime_t *input_get_timestamp(struct input_dev *dev)
{
	return dev->timestamp;
}

static inline int input_register_handle(struct input_handle *handle)
{
	return !handle;
}

static inline int input_open_device(struct input_handle *handle)
{
	return !handle;
}

static inline void input_close_device(struct input_handle *handle) { }
static inline void input_unregister_handle(struct input_handle *handle) { }
static inline int input_register_handler(struct input_handler *handler)
{
	return !handler;
}

static inline void input_unregister_handler(struct input_handler *handler) { }

static inline bool test_bit(unsigned int bit, const unsigned long *map)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

#endif /* MACCEL_TESTS_INPUT_H */
