// SPDX-License-Identifier: GPL-2.0-only
/*
 * Store: the settings in force. A change is checked and compiled first, then
 * published in one step; whatever fails changes nothing.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "store.h"

/* as much of a refused value as the log shows */
#define SHOWN_LENGTH	32

/* a longer value is no number: 20 digits and a sign would be the longest */
#define NUMBER_LENGTH	64

struct maccel_published __rcu *maccel_shared;

/* protects everything below, and writes to maccel_shared */
static DEFINE_MUTEX(store_lock);
static struct maccel_settings settings;
static struct maccel_settings candidate;
static bool settings_valid;

static struct maccel_published *compile(const struct maccel_settings *from)
{
	struct maccel_published *published;
	struct maccel_layout layout;
	size_t size;

	maccel_layout(from, &layout);
	size = offsetof(struct maccel_published, response) +
	       maccel_response_size(&layout);
	published = kvzalloc(size, GFP_KERNEL);
	if (published)
		maccel_response_compile(&published->response, from, &layout);
	return published;
}

static int publish(const struct maccel_settings *from)
{
	struct maccel_published *fresh, *old;

	fresh = compile(from);
	if (!fresh)
		return -ENOMEM;

	old = rcu_dereference_protected(maccel_shared,
					lockdep_is_held(&store_lock));
	rcu_assign_pointer(maccel_shared, fresh);
	if (old)
		kvfree_rcu(old, rcu);
	if (from != &settings)
		settings = *from;
	return 0;
}

/* options are set before the module is initialised */
static void require_settings(void)
{
	if (!settings_valid)
		maccel_settings_default(&settings);
	settings_valid = true;
}

/**
 * maccel_store_set_number - change one parameter of the shared settings
 * @number: the parameter
 * @text: what was written, with or without a newline at its end
 *
 * Return: 0 or a negative errno; the reason is in the log then
 */
int maccel_store_set_number(enum maccel_number number, const char *text)
{
	size_t length = strnlen(text, NUMBER_LENGTH + 1);
	const char *reason = NULL;
	s64 value;
	int error;

	if (length && text[length - 1] == '\n')
		length--;
	if (length > NUMBER_LENGTH) {
		reason = "too long";
		error = -EINVAL;
	} else {
		error = maccel_number_parse(number, text, length, &value,
					    &reason);
	}
	if (error)
		goto err_log;

	mutex_lock(&store_lock);
	require_settings();
	candidate = settings;
	candidate.number[number] = value;
	error = maccel_settings_check(&candidate, &reason);
	if (!error)
		error = publish(&candidate);
	mutex_unlock(&store_lock);
	if (error)
		goto err_log;
	return 0;

err_log:
	pr_warn_ratelimited("%s refused: \"%.*s\" is %s\n",
			    maccel_number_name(number),
			    (int)min_t(size_t, length, SHOWN_LENGTH), text,
			    reason ? reason : "more than memory holds");
	return error;
}

/**
 * maccel_store_number - read one parameter of the shared settings
 * @number: the parameter
 *
 * Return: its raw value
 */
s64 maccel_store_number(enum maccel_number number)
{
	s64 value;

	mutex_lock(&store_lock);
	require_settings();
	value = settings.number[number];
	mutex_unlock(&store_lock);
	return value;
}

/**
 * maccel_store_init - make sure that settings are published
 *
 * Return: 0 or -ENOMEM
 */
int maccel_store_init(void)
{
	int error = 0;

	mutex_lock(&store_lock);
	require_settings();
	if (!rcu_access_pointer(maccel_shared))
		error = publish(&settings);
	mutex_unlock(&store_lock);
	return error;
}

/**
 * maccel_store_free - release the published settings
 *
 * Context: nobody reads them any more.
 */
void maccel_store_free(void)
{
	struct maccel_published *old;

	mutex_lock(&store_lock);
	old = rcu_replace_pointer(maccel_shared, NULL,
				  lockdep_is_held(&store_lock));
	mutex_unlock(&store_lock);
	kvfree(old);
}
