// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: parsing, ranges, defaults. A value is either valid in every
 * combination with the others or refused here.
 */

#include <linux/errno.h>
#include <linux/types.h>

#include "settings.h"

struct number_range {
	const char *name;
	s64 fallback;
	s64 minimum;
	s64 maximum;
};

#define RANGE_ENTRY(name, file, fallback, minimum, maximum) \
	{ #name, fallback, minimum, maximum },

static const struct number_range ranges[MACCEL_NUMBER_COUNT] = {
	MACCEL_NUMBERS(RANGE_ENTRY)
};

/**
 * maccel_settings_default - the settings in force when nothing was set
 * @settings: is overwritten
 */
void maccel_settings_default(struct maccel_settings *settings)
{
	int i;

	for (i = 0; i < MACCEL_NUMBER_COUNT; i++)
		settings->number[i] = ranges[i].fallback;
	for (i = 0; i < MACCEL_LUT_LEN; i++)
		settings->lut[i] = 1LL << 32;
	settings->has_lut = false;
}

/**
 * maccel_number_name - the name of a parameter's file
 * @number: the parameter
 *
 * Return: for example "SENS_MULT"
 */
const char *maccel_number_name(enum maccel_number number)
{
	return ranges[number].name;
}

/* an optional minus, digits, nothing else */
static int parse_integer(const char *text, size_t length, s64 *value,
			 const char **reason)
{
	const u64 limit = 1ULL << 63;
	bool negative = length && text[0] == '-';
	size_t i = negative;
	u64 sum = 0;

	*reason = "not a whole decimal number";
	if (i == length)
		return -EINVAL;
	for (; i < length; i++) {
		unsigned int digit = (unsigned char)text[i] - '0';

		if (digit > 9)
			return -EINVAL;
		/* go on reading after an overflow: a letter is the worse fault */
		sum = sum > (limit - digit) / 10 ? limit + 1 : sum * 10 + digit;
		if (sum > limit)
			sum = limit + 1;
	}
	*reason = "too large for Q32.32";
	if (sum > limit || (sum == limit && !negative))
		return -ERANGE;
	*value = negative ? (s64)(0 - sum) : (s64)sum;
	*reason = NULL;
	return 0;
}

/**
 * maccel_number_parse - read the value of a parameter
 * @number: the parameter
 * @text: the text, need not be terminated
 * @length: its length, without a trailing newline
 * @value: is set on success
 * @reason: is set to what was wrong on failure
 *
 * Return: 0, -EINVAL if it is no number, -ERANGE if it is out of range
 */
int maccel_number_parse(enum maccel_number number, const char *text,
			size_t length, s64 *value, const char **reason)
{
	const struct number_range *range = &ranges[number];
	s64 parsed = 0;
	int error;

	error = parse_integer(text, length, &parsed, reason);
	if (error)
		return error;
	if (number == MACCEL_MODE && parsed == MACCEL_MODE_LUT) {
		*value = parsed;
		return 0;
	}
	if (parsed < range->minimum || parsed > range->maximum) {
		*reason = "out of range";
		return number == MACCEL_MODE ? -EINVAL : -ERANGE;
	}
	*value = parsed;
	return 0;
}

/**
 * maccel_settings_check - what holds between parameters
 * @settings: settings whose single values are in range
 * @reason: is set to what is wrong on failure
 *
 * Return: 0 or -EINVAL
 */
int maccel_settings_check(const struct maccel_settings *settings,
			  const char **reason)
{
	if (settings->number[MACCEL_MODE] == MACCEL_MODE_LUT &&
	    !settings->has_lut) {
		*reason = "needs a LUT";
		return -EINVAL;
	}
	return 0;
}
