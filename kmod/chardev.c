// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chardev: /dev/maccel, the last speed of any mouse.
 */

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "compat.h"

/* a mouse that sent nothing for so long is at rest */
#define REST_NS		(100 * NSEC_PER_MSEC)

/*
 * Two mice may write at once, each with its own lock held: a reader may then
 * see the speed of one with the time of the other, both of the same moment.
 */
static atomic64_t last_speed;
static atomic64_t last_time;

static dev_t number;
static struct cdev cdev;
static struct class *class;

/**
 * maccel_chardev_sample - note the speed of a report
 * @speed: normalised speed, Q32.32 counts/ms
 * @when: time of the report, monotonic
 *
 * Context: any.
 */
void maccel_chardev_sample(u64 speed, ktime_t when)
{
	atomic64_set(&last_speed, speed);
	atomic64_set(&last_time, when);
}

static ssize_t speed_read(struct file *file, char __user *buffer, size_t count,
			  loff_t *position)
{
	s64 age = ktime_get() - atomic64_read(&last_time);
	__be64 speed = 0;

	if (count < sizeof(speed))
		return -EINVAL;
	if (age < REST_NS)
		speed = cpu_to_be64(atomic64_read(&last_speed));
	if (copy_to_user(buffer, &speed, sizeof(speed)))
		return -EFAULT;
	return sizeof(speed);
}

static const struct file_operations speed_fops = {
	.owner = THIS_MODULE,
	.read = speed_read,
	.llseek = noop_llseek,
};

/**
 * maccel_chardev_register - create /dev/maccel
 *
 * Return: 0 or a negative errno
 */
int maccel_chardev_register(void)
{
	struct device *device;
	int error;

	atomic64_set(&last_time, ktime_get() - REST_NS);
	error = alloc_chrdev_region(&number, 0, 1, KBUILD_MODNAME);
	if (error)
		return error;

	cdev_init(&cdev, &speed_fops);
	cdev.owner = THIS_MODULE;
	error = cdev_add(&cdev, number, 1);
	if (error)
		goto err_region;

	class = maccel_compat_class_create(KBUILD_MODNAME);
	if (IS_ERR(class)) {
		error = PTR_ERR(class);
		goto err_cdev;
	}

	device = device_create(class, NULL, number, NULL, KBUILD_MODNAME);
	if (IS_ERR(device)) {
		error = PTR_ERR(device);
		goto err_class;
	}
	return 0;

err_class:
	class_destroy(class);
err_cdev:
	cdev_del(&cdev);
err_region:
	unregister_chrdev_region(number, 1);
	return error;
}

/**
 * maccel_chardev_unregister - remove /dev/maccel
 */
void maccel_chardev_unregister(void)
{
	device_destroy(class, number);
	class_destroy(class);
	cdev_del(&cdev);
	unregister_chrdev_region(number, 1);
}
