// SPDX-License-Identifier: GPL-2.0-only
/*
 * Class: /sys/class/maccel, with an entry for each mouse.
 *
 * An entry is removed while the input core holds its mutex, and the removal
 * waits for attributes in use: no attribute may take a lock that is held then.
 */

#include <linux/device.h>
#include <linux/input.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "class.h"
#include "compat.h"
#include "handler.h"
#include "store.h"

struct class *maccel_class;

static const struct input_dev *input_of(struct device *dev)
{
	const struct maccel_mouse *mouse = dev_get_drvdata(dev);

	return mouse->handle.dev;
}

static ssize_t name_show(struct device *dev, struct device_attribute *attr,
			 char *buffer)
{
	return sysfs_emit(buffer, "%s\n", input_of(dev)->name ?: "");
}
static DEVICE_ATTR_RO(name);

static ssize_t id_show(struct device *dev, struct device_attribute *attr,
		       char *buffer)
{
	const struct input_id *id = &input_of(dev)->id;

	return sysfs_emit(buffer, "%04x:%04x\n", id->vendor, id->product);
}
static DEVICE_ATTR_RO(id);

static ssize_t uniq_show(struct device *dev, struct device_attribute *attr,
			 char *buffer)
{
	return sysfs_emit(buffer, "%s\n", input_of(dev)->uniq ?: "");
}
static DEVICE_ATTR_RO(uniq);

static ssize_t phys_show(struct device *dev, struct device_attribute *attr,
			 char *buffer)
{
	return sysfs_emit(buffer, "%s\n", input_of(dev)->phys ?: "");
}
static DEVICE_ATTR_RO(phys);

static ssize_t enabled_show(struct device *dev, struct device_attribute *attr,
			    char *buffer)
{
	const struct maccel_mouse *mouse = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%d\n", READ_ONCE(mouse->enabled));
}

static ssize_t enabled_store(struct device *dev, struct device_attribute *attr,
			     const char *text, size_t length)
{
	struct maccel_mouse *mouse = dev_get_drvdata(dev);
	bool enabled;
	int error;

	error = kstrtobool(text, &enabled);
	if (error) {
		maccel_store_log_fault("enabled", &(struct maccel_fault) {
			"neither 0 nor 1", text, length });
		return error;
	}
	WRITE_ONCE(mouse->enabled, enabled);
	return length;
}
static DEVICE_ATTR(enabled, 0664, enabled_show, enabled_store);

static ssize_t settings_show(struct device *dev, struct device_attribute *attr,
			     char *buffer)
{
	struct maccel_mouse *mouse = dev_get_drvdata(dev);
	ssize_t length = maccel_store_line(&mouse->own, buffer);

	return length ? length : sysfs_emit(buffer, "inherit\n");
}

static ssize_t settings_store(struct device *dev,
			      struct device_attribute *attr,
			      const char *text, size_t length)
{
	struct maccel_mouse *mouse = dev_get_drvdata(dev);
	int error;

	if (sysfs_streq(text, "inherit")) {
		maccel_store_inherit(&mouse->own);
		return length;
	}
	error = maccel_store_set_own(&mouse->own, text, length);
	return error ? error : length;
}
static DEVICE_ATTR(settings, 0664, settings_show, settings_store);

static ssize_t speed_show(struct device *dev, struct device_attribute *attr,
			  char *buffer)
{
	const struct maccel_mouse *mouse = dev_get_drvdata(dev);
	s64 age = ktime_get() - READ_ONCE(mouse->moved_at);

	return sysfs_emit(buffer, "%llu\n", age < MACCEL_INTERVAL_MAX ?
			  READ_ONCE(mouse->speed) : 0ULL);
}
static DEVICE_ATTR_RO(speed);

static struct attribute *maccel_mouse_attrs[] = {
	&dev_attr_name.attr,
	&dev_attr_id.attr,
	&dev_attr_uniq.attr,
	&dev_attr_phys.attr,
	&dev_attr_enabled.attr,
	&dev_attr_settings.attr,
	&dev_attr_speed.attr,
	NULL
};
ATTRIBUTE_GROUPS(maccel_mouse);

/**
 * maccel_class_add - add the entry of a mouse, with the name of its input device
 * @mouse: the mouse, its handle is registered
 *
 * Return: the entry, for device_unregister(), or an error pointer
 */
struct device *maccel_class_add(struct maccel_mouse *mouse)
{
	return device_create_with_groups(maccel_class, NULL, MKDEV(0, 0), mouse,
					 maccel_mouse_groups, "%s",
					 dev_name(&mouse->handle.dev->dev));
}

/**
 * maccel_class_register - create /sys/class/maccel
 *
 * Return: 0 or a negative errno
 */
int maccel_class_register(void)
{
	maccel_class = maccel_compat_class_create(KBUILD_MODNAME);
	return PTR_ERR_OR_ZERO(maccel_class);
}

/**
 * maccel_class_unregister - remove /sys/class/maccel
 */
void maccel_class_unregister(void)
{
	class_destroy(maccel_class);
}
