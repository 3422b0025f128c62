// SPDX-License-Identifier: GPL-2.0-only
/*
 * Params: /sys/module/maccel/parameters and the module's options.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "params.h"
#include "store.h"

static bool live;

/**
 * maccel_params_live - from now on a bad value is an error of its writer
 *
 * Before the module's init values are its options: an error would keep it from
 * loading, and a mouse setting must not do that.
 */
void maccel_params_live(void)
{
	WRITE_ONCE(live, true);
}

static int number_set(const char *text, const struct kernel_param *kp)
{
	const enum maccel_number *number = kp->arg;
	int error;

	error = maccel_store_set_number(*number, text ? text : "");
	if (error && !READ_ONCE(live)) {
		pr_warn("option %s is ignored\n", maccel_number_name(*number));
		return 0;
	}
	return error;
}

static int number_get(char *buffer, const struct kernel_param *kp)
{
	const enum maccel_number *number = kp->arg;

	return sysfs_emit(buffer, "%lld\n", maccel_store_number(*number));
}

static int line_set(const char *text, const struct kernel_param *kp)
{
	int error;

	error = maccel_store_set_line(text ? text : "",
				      text ? strnlen(text, PAGE_SIZE) : 0);
	if (error && !READ_ONCE(live)) {
		pr_warn("option SETTINGS is ignored\n");
		return 0;
	}
	return error;
}

static int line_get(char *buffer, const struct kernel_param *kp)
{
	return maccel_store_line(&maccel_shared, buffer);
}

/* also when options were taken but the module failed to load */
static void params_free(void *arg)
{
	maccel_store_free();
}

static const struct kernel_param_ops number_ops = {
	/* an option without value is a bad one, too */
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = number_set,
	.get = number_get,
};

#define MACCEL_NUMBER_FILE(name) \
	static enum maccel_number number_##name = MACCEL_##name; \
	module_param_cb(name, &number_ops, &number_##name, 0664); \
	MODULE_PARM_DESC(name, MACCEL_##name##_HELP)

MACCEL_NUMBER_FILE(MODE);
MACCEL_NUMBER_FILE(SENS_MULT);
MACCEL_NUMBER_FILE(YX_RATIO);
MACCEL_NUMBER_FILE(INPUT_DPI);
MACCEL_NUMBER_FILE(ANGLE_ROTATION);
MACCEL_NUMBER_FILE(ACCEL);
MACCEL_NUMBER_FILE(OFFSET);
MACCEL_NUMBER_FILE(OUTPUT_CAP);
MACCEL_NUMBER_FILE(DECAY_RATE);
MACCEL_NUMBER_FILE(LIMIT);
MACCEL_NUMBER_FILE(GAMMA);
MACCEL_NUMBER_FILE(SMOOTH);
MACCEL_NUMBER_FILE(MOTIVITY);
MACCEL_NUMBER_FILE(SYNC_SPEED);

static const struct kernel_param_ops line_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = line_set,
	.get = line_get,
	.free = params_free,
};

module_param_cb(SETTINGS, &line_ops, NULL, 0664);
MODULE_PARM_DESC(SETTINGS, "all of the above, ANGLE_SNAP and LUT at once: KEY=VALUE ...");
