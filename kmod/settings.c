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

static int refuse(struct maccel_fault *fault, int error, const char *reason,
		  const char *text, size_t length)
{
	fault->reason = reason;
	fault->text = text;
	fault->length = length;
	return error;
}

/* an optional minus, digits, nothing else */
static int parse_integer(const char *text, size_t length, s64 *value,
			 struct maccel_fault *fault)
{
	const u64 limit = 1ULL << 63;
	bool negative = length && text[0] == '-';
	bool overflow = false;
	size_t i = negative;
	u64 sum = 0;

	if (i == length)
		return refuse(fault, -EINVAL, "not a whole decimal number",
			      text, length);
	for (; i < length; i++) {
		unsigned int digit = (unsigned char)text[i] - '0';

		if (digit > 9)
			return refuse(fault, -EINVAL,
				      "not a whole decimal number",
				      text, length);
		if (sum > (limit - digit) / 10)
			overflow = true;
		else
			sum = sum * 10 + digit;
	}
	if (overflow || (sum == limit && !negative))
		return refuse(fault, -ERANGE, "too large for Q32.32",
			      text, length);
	*value = negative ? (s64)(0 - sum) : (s64)sum;
	return 0;
}

/**
 * maccel_number_parse - read the value of a parameter
 * @number: the parameter
 * @text: the text, need not be terminated
 * @length: its length, without a trailing newline
 * @value: is set on success
 * @fault: is set on failure
 *
 * Return: 0, -EINVAL if it is no number, -ERANGE if it is out of range
 */
int maccel_number_parse(enum maccel_number number, const char *text,
			size_t length, s64 *value, struct maccel_fault *fault)
{
	const struct number_range *range = &ranges[number];
	s64 parsed = 0;
	int error;

	error = parse_integer(text, length, &parsed, fault);
	if (error)
		return error;
	if (number == MACCEL_MODE && parsed == MACCEL_MODE_LUT) {
		*value = parsed;
		return 0;
	}
	if (parsed < range->minimum || parsed > range->maximum)
		return refuse(fault, number == MACCEL_MODE ? -EINVAL : -ERANGE,
			      "out of range", text, length);
	*value = parsed;
	return 0;
}

/* nothing, or exactly MACCEL_LUT_LEN numbers with commas between */
static int parse_lut(struct maccel_settings *settings, const char *text,
		     size_t length, struct maccel_fault *fault)
{
	const char *end = text + length;
	const char *comma;
	s64 value = 0;
	int error, i;
	bool last;

	settings->has_lut = length;
	if (!length)
		return 0;
	for (i = 0; i < MACCEL_LUT_LEN; i++) {
		for (comma = text; comma < end && *comma != ','; comma++)
			;
		last = i == MACCEL_LUT_LEN - 1;
		if (last ? comma != end : comma == end)
			return refuse(fault, -EINVAL,
				      "not a list of 121 numbers", "LUT", 3);
		error = parse_integer(text, comma - text, &value, fault);
		if (error)
			return error;
		if (value < MACCEL_LUT_MINIMUM || value > MACCEL_LUT_MAXIMUM)
			return refuse(fault, -ERANGE, "out of range in LUT",
				      text, comma - text);
		settings->lut[i] = value;
		text = comma + 1;
	}
	return 0;
}

static bool same(const char *name, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (name[i] != text[i] || !name[i])
			return false;
	return !name[i];
}

/* the parameter of this name, MACCEL_NUMBER_COUNT for LUT, or -1 */
static int key_of(const char *text, size_t length)
{
	int i;

	for (i = 0; i < MACCEL_NUMBER_COUNT; i++)
		if (same(ranges[i].name, text, length))
			return i;
	return same("LUT", text, length) ? MACCEL_NUMBER_COUNT : -1;
}

/* one KEY=VALUE */
static int parse_entry(struct maccel_settings *settings, const char *text,
		       size_t length, u32 *seen, struct maccel_fault *fault)
{
	size_t name = 0;
	int key;

	while (name < length && text[name] != '=')
		name++;
	if (name == length)
		return refuse(fault, -EINVAL, "not of the form KEY=VALUE",
			      text, length);
	key = key_of(text, name);
	if (key < 0)
		return refuse(fault, -EINVAL, "not the name of a parameter",
			      text, name);
	if (*seen & (1U << key))
		return refuse(fault, -EINVAL, "given twice", text, name);
	*seen |= 1U << key;

	text += name + 1;
	length -= name + 1;
	if (key == MACCEL_NUMBER_COUNT)
		return parse_lut(settings, text, length, fault);
	return maccel_number_parse(key, text, length, &settings->number[key],
				   fault);
}

/**
 * maccel_settings_parse - change settings by a line KEY=VALUE ...
 * @settings: settings in range; of undefined content after a failure
 * @text: the line, need not be terminated
 * @length: its length; newlines at its end are left out
 * @fault: is set on failure
 *
 * Parameters that the line does not name keep their value.
 *
 * Return: 0, -EINVAL or -ERANGE
 */
int maccel_settings_parse(struct maccel_settings *settings, const char *text,
			  size_t length, struct maccel_fault *fault)
{
	const char *end = text + length;
	u32 seen = 0;
	int error;

	if (length > MACCEL_SETTINGS_LENGTH)
		return refuse(fault, -EINVAL, "too long", "SETTINGS", 8);
	while (end > text && end[-1] == '\n')
		end--;
	while (text < end) {
		const char *space = text;

		while (space < end && *space != ' ')
			space++;
		if (space > text) {
			error = parse_entry(settings, text, space - text, &seen,
					    fault);
			if (error)
				return error;
		}
		text = space + 1;
	}
	if (!seen)
		return refuse(fault, -EINVAL, "empty", "SETTINGS", 8);
	return maccel_settings_check(settings, fault);
}

struct line {
	char *buffer;
	size_t size;
	size_t length;
};

static void put(struct line *line, char c)
{
	if (line->length < line->size)
		line->buffer[line->length] = c;
	line->length++;
}

static void put_text(struct line *line, const char *text)
{
	while (*text)
		put(line, *text++);
}

static void put_number(struct line *line, s64 value)
{
	u64 rest = value < 0 ? 0 - (u64)value : (u64)value;
	char digits[20];
	int i = 0;

	if (value < 0)
		put(line, '-');
	do {
		digits[i++] = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	while (i)
		put(line, digits[--i]);
}

/**
 * maccel_settings_format - write settings as maccel_settings_parse() reads them
 * @settings: the settings
 * @buffer: is filled, not terminated
 * @size: size of @buffer, MACCEL_SETTINGS_LENGTH is always enough
 *
 * Return: length of the line, all keys in table order, without a newline
 */
size_t maccel_settings_format(const struct maccel_settings *settings,
			      char *buffer, size_t size)
{
	struct line line = { buffer, size, 0 };
	int i;

	for (i = 0; i < MACCEL_NUMBER_COUNT; i++) {
		put_text(&line, ranges[i].name);
		put(&line, '=');
		put_number(&line, settings->number[i]);
		put(&line, ' ');
	}
	put_text(&line, "LUT=");
	for (i = 0; settings->has_lut && i < MACCEL_LUT_LEN; i++) {
		if (i)
			put(&line, ',');
		put_number(&line, settings->lut[i]);
	}
	return line.length;
}

/**
 * maccel_settings_check - what holds between parameters
 * @settings: settings whose single values are in range
 * @fault: is set on failure
 *
 * Return: 0 or -EINVAL
 */
int maccel_settings_check(const struct maccel_settings *settings,
			  struct maccel_fault *fault)
{
	if (settings->number[MACCEL_MODE] == MACCEL_MODE_LUT &&
	    !settings->has_lut)
		return refuse(fault, -EINVAL, "without a LUT", "MODE=64", 7);
	return 0;
}
