// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chardev: /dev/maccel, the last speed of any mouse.
 */

#include <linux/atomic.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "chardev.h"
#include "class.h"
#include "motion.h"

/*
 * Two mice may write at once, each with its own lock held: a reader may then
 * see the speed of one with the time of the other, both of the same moment.
 */
static atomic64_t last_speed;
static atomic64_t last_time;
static atomic_long_t samples;
static DECLARE_WAIT_QUEUE_HEAD(sampled);

static dev_t speed_devt;
static struct cdev speed_cdev;

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
	atomic_long_inc(&samples);
	if (wq_has_sleeper(&sampled))
		wake_up_interruptible(&sampled);
}

/* private_data is the count of samples at the last read */
static int speed_open(struct inode *inode, struct file *file)
{
	file->private_data = (void *)atomic_long_read(&samples);
	return 0;
}

static ssize_t speed_read(struct file *file, char __user *buffer, size_t count,
			  loff_t *position)
{
	__be64 speed = 0;
	s64 age;

	if (count < sizeof(speed))
		return -EINVAL;

	WRITE_ONCE(file->private_data, (void *)atomic_long_read(&samples));
	age = ktime_get() - atomic64_read(&last_time);
	if (age < MACCEL_INTERVAL_MAX)
		speed = cpu_to_be64(atomic64_read(&last_speed));
	if (copy_to_user(buffer, &speed, sizeof(speed)))
		return -EFAULT;
	return sizeof(speed);
}

static __poll_t speed_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &sampled, wait);
	if ((long)READ_ONCE(file->private_data) == atomic_long_read(&samples))
		return 0;
	return EPOLLIN | EPOLLRDNORM;
}

static const struct file_operations speed_fops = {
	.owner = THIS_MODULE,
	.open = speed_open,
	.read = speed_read,
	.poll = speed_poll,
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

	atomic64_set(&last_time, ktime_get() - MACCEL_INTERVAL_MAX);
	error = alloc_chrdev_region(&speed_devt, 0, 1, KBUILD_MODNAME);
	if (error)
		return error;

	cdev_init(&speed_cdev, &speed_fops);
	speed_cdev.owner = THIS_MODULE;
	error = cdev_add(&speed_cdev, speed_devt, 1);
	if (error)
		goto err_region;

	device = device_create(maccel_class, NULL, speed_devt, NULL,
			       KBUILD_MODNAME);
	if (IS_ERR(device)) {
		error = PTR_ERR(device);
		goto err_cdev;
	}
	return 0;

err_cdev:
	cdev_del(&speed_cdev);
err_region:
	unregister_chrdev_region(speed_devt, 1);
	return error;
}

/**
 * maccel_chardev_unregister - remove /dev/maccel
 */
void maccel_chardev_unregister(void)
{
	device_destroy(maccel_class, speed_devt);
	cdev_del(&speed_cdev);
	unregister_chrdev_region(speed_devt, 1);
}
