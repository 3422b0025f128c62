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

/* protects candidate, and writes to maccel_shared and to mice's own settings */
static DEFINE_MUTEX(store_lock);

/* the settings that are being made up, too large for the stack */
static struct maccel_settings candidate;

static struct maccel_published *locked(struct maccel_published __rcu *from)
{
	return rcu_dereference_protected(from, lockdep_is_held(&store_lock));
}

/* settings a change starts from: options come before anything is published */
static void start_from(struct maccel_published __rcu *from)
{
	struct maccel_published *published = locked(from);

	if (published)
		candidate = published->settings;
	else
		maccel_settings_default(&candidate);
}

static int publish(struct maccel_published __rcu **to)
{
	struct maccel_published *fresh, *old = locked(*to);
	struct maccel_layout layout;

	maccel_layout(&candidate, &layout);
	fresh = kvzalloc(offsetof(struct maccel_published, response) +
			 maccel_response_size(&layout), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	fresh->settings = candidate;
	maccel_response_compile(&fresh->response, &candidate, &layout);

	rcu_assign_pointer(*to, fresh);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/**
 * maccel_store_log_fault - say why a value was refused, but not too often
 * @what: the file it was written to
 * @fault: what is wrong with it; its text comes from any user and is escaped,
 *         a newline at its end is left out
 */
void maccel_store_log_fault(const char *what, const struct maccel_fault *fault)
{
	size_t length = fault->length;

	if (length && fault->text[length - 1] == '\n')
		length--;
	pr_warn_ratelimited("%s refused: \"%*pE\" is %s\n", what,
			    (int)min_t(size_t, length, SHOWN_LENGTH),
			    fault->text, fault->reason);
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
	/* room for a newline, and to see that something follows it */
	size_t length = strnlen(text, NUMBER_LENGTH + 2);
	struct maccel_fault fault = { "too long", text, length };
	int error = -EINVAL;

	if (length && text[length - 1] == '\n')
		length--;
	if (length > NUMBER_LENGTH)
		goto err_log;

	mutex_lock(&store_lock);
	start_from(maccel_shared);
	error = maccel_number_parse(number, text, length,
				    &candidate.number[number], &fault);
	if (!error)
		error = maccel_settings_check(&candidate, &fault);
	if (!error) {
		fault.reason = "more than memory holds";
		error = publish(&maccel_shared);
	}
	mutex_unlock(&store_lock);
	if (error)
		goto err_log;
	return 0;

err_log:
	maccel_store_log_fault(maccel_number_name(number), &fault);
	return error;
}

static int set_line(struct maccel_published __rcu **to,
		    struct maccel_published __rcu **from, const char *text,
		    size_t length)
{
	struct maccel_fault fault = { "more than memory holds", text, length };
	int error;

	mutex_lock(&store_lock);
	start_from(locked(*from) ? *from : maccel_shared);
	error = maccel_settings_parse(&candidate, text, length, &fault);
	if (!error)
		error = publish(to);
	mutex_unlock(&store_lock);
	if (error)
		maccel_store_log_fault("SETTINGS", &fault);
	return error;
}

/**
 * maccel_store_set_line - change the shared settings by a line KEY=VALUE ...
 * @text: the line
 * @length: its length
 *
 * Return: 0 or a negative errno; the reason is in the log then
 */
int maccel_store_set_line(const char *text, size_t length)
{
	return set_line(&maccel_shared, &maccel_shared, text, length);
}

/**
 * maccel_store_set_own - change the settings of one mouse
 * @own: where the mouse has its settings; without any, it starts from the
 *       shared ones
 * @text: a line KEY=VALUE ...
 * @length: its length
 *
 * Return: 0 or a negative errno; the reason is in the log then
 */
int maccel_store_set_own(struct maccel_published __rcu **own, const char *text,
			 size_t length)
{
	return set_line(own, own, text, length);
}

static void withdraw(struct maccel_published __rcu **from)
{
	struct maccel_published *old;

	mutex_lock(&store_lock);
	old = rcu_replace_pointer(*from, NULL, lockdep_is_held(&store_lock));
	mutex_unlock(&store_lock);
	if (old)
		kvfree_rcu(old, rcu);
}

/**
 * maccel_store_inherit - let a mouse follow the shared settings
 * @own: where the mouse has its settings
 */
void maccel_store_inherit(struct maccel_published __rcu **own)
{
	withdraw(own);
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
	start_from(maccel_shared);
	value = candidate.number[number];
	mutex_unlock(&store_lock);
	return value;
}

/**
 * maccel_store_line - read settings as a line
 * @own: where a mouse has its settings, or the shared ones
 * @buffer: of PAGE_SIZE
 *
 * Return: length of the line with its newline, 0 if @own has no settings
 */
ssize_t maccel_store_line(struct maccel_published __rcu **own, char *buffer)
{
	struct maccel_published *published;
	size_t length = 0;

	mutex_lock(&store_lock);
	published = locked(*own);
	if (published) {
		length = maccel_settings_format(&published->settings, buffer,
						MACCEL_SETTINGS_LENGTH);
		buffer[length++] = '\n';
	}
	mutex_unlock(&store_lock);
	return length;
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
	if (!locked(maccel_shared)) {
		start_from(maccel_shared);
		error = publish(&maccel_shared);
	}
	mutex_unlock(&store_lock);
	return error;
}

/**
 * maccel_store_free - release the shared settings
 *
 * Context: nobody reads them any more.
 */
void maccel_store_free(void)
{
	withdraw(&maccel_shared);
}
