// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole frames through the handler: what they look like afterwards, and, under
 * callgrind, what one costs. As cost.c, with frames of X, Y and SYN.
 *
 * valgrind --tool=callgrind --toggle-collect=maccel_frame frame
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../handler.c"

#define FRAMES	4096

struct maccel_published __rcu *maccel_shared;
struct class *maccel_class;

/* stands for the atomic stores of chardev.c */
static volatile u64 sampled[2];

void maccel_chardev_sample(u64 speed, ktime_t when)
{
	sampled[0] = speed;
	sampled[1] = when;
}

struct device *maccel_class_add(struct maccel_mouse *mouse)
{
	static struct device entry;

	return mouse ? &entry : NULL;
}

void maccel_store_inherit(struct maccel_published __rcu **own)
{
	*own = NULL;
}

static struct maccel_published *publish(s64 mode, s64 degrees)
{
	struct maccel_published *published;
	struct maccel_settings settings;
	struct maccel_layout layout;

	maccel_settings_default(&settings);
	settings.number[MACCEL_MODE] = mode;
	settings.number[MACCEL_ANGLE_ROTATION] = degrees * (1LL << 32);
	maccel_layout(&settings, &layout);
	published = calloc(1, sizeof(*published) +
			   maccel_response_size(&layout));
	if (!published)
		exit(1);
	maccel_response_compile(&published->response, &settings, &layout);
	return published;
}

/* sends a frame and compares what comes out */
static void expect(struct input_handle *handle, const char *what,
		   const struct input_value *in, unsigned int count,
		   const struct input_value *out, unsigned int left)
{
	struct input_value *vals = handle->dev->vals;
	unsigned int got;

	handle->dev->timestamp[INPUT_CLK_MONO] += 1000000;
	memcpy(vals, in, count * sizeof(*vals));
	got = maccel_frame(handle, vals, count);
	if (got == left && !memcmp(vals, out, left * sizeof(*vals)))
		return;
	fprintf(stderr, "frame: %s went wrong, %u events\n", what, got);
	exit(1);
}

#define X(n)	{ EV_REL, REL_X, n }
#define Y(n)	{ EV_REL, REL_Y, n }
#define WHEEL	{ EV_REL, 8, 1 }
#define BUTTON	{ EV_KEY, BTN_LEFT, 1 }
#define SYN	{ EV_SYN, 0, 0 }
#define FRAME(...)	(const struct input_value[]){ __VA_ARGS__ }, \
			sizeof((struct input_value[]){ __VA_ARGS__ }) / \
			sizeof(struct input_value)

static void check(struct input_handle *handle)
{
	struct maccel_published *plain = publish(MACCEL_MODE_NONE, 0);
	struct maccel_published *turned = publish(MACCEL_MODE_NONE, 90);

	maccel_shared = plain;
	expect(handle, "plain", FRAME(X(5), Y(-3), SYN),
	       FRAME(X(5), Y(-3), SYN));
	expect(handle, "other events", FRAME(BUTTON, X(5), WHEEL, SYN),
	       FRAME(BUTTON, X(5), WHEEL, SYN));
	expect(handle, "no movement", FRAME(WHEEL, SYN), FRAME(WHEEL, SYN));
	expect(handle, "an axis twice", FRAME(X(5), X(6), SYN),
	       FRAME(X(11), SYN));
	expect(handle, "an axis that cancels", FRAME(X(5), X(-5), WHEEL, SYN),
	       FRAME(WHEEL, SYN));
	maccel_shared = turned;
	expect(handle, "X turned", FRAME(BUTTON, X(5), WHEEL, SYN),
	       FRAME(BUTTON, Y(5), WHEEL, SYN));
	expect(handle, "Y turned", FRAME(WHEEL, Y(5), SYN),
	       FRAME(WHEEL, X(-5), SYN));
	handle->dev->max_vals = 2;
	expect(handle, "no room", FRAME(X(5), SYN), FRAME(SYN));
	handle->dev->max_vals = 16;
	expect(handle, "what waited", FRAME(X(1), Y(1), SYN),
	       FRAME(X(-1), Y(6), SYN));
	free(plain);
	free(turned);
}

static void run(struct input_handle *handle)
{
	struct input_value vals[4] = { X(0), Y(0), SYN };
	u32 random = 1;
	int i;

	for (i = 0; i < FRAMES; i++) {
		random = random * 1664525 + 1013904223;
		vals[0].value = (s32)((random >> 16) % 81) - 40;
		vals[1].value = (s32)((random >> 8) % 81) - 40;
		vals[0].value += !vals[0].value;
		vals[1].value += !vals[1].value;
		memcpy(handle->dev->vals, vals, sizeof(vals));
		handle->dev->timestamp[INPUT_CLK_MONO] += 1000000;
		maccel_frame(handle, handle->dev->vals, 3);
	}
}

/* frame check, or frame MODE DEGREES */
int main(int argc, char **argv)
{
	static struct input_value vals[16];
	static struct input_dev dev = { .max_vals = 16, .vals = vals };
	static struct maccel_mouse mouse = { .enabled = true };

	mouse.handle.dev = &dev;
	mouse.handle.private = &mouse;
	maccel_motion_reset(&mouse.motion);
	if (argc < 3) {
		check(&mouse.handle);
		return 0;
	}
	maccel_shared = publish(atoi(argv[1]), atoi(argv[2]));
	run(&mouse.handle);
	return 0;
}
