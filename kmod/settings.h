/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings: one value for each parameter, as text and as numbers.
 */
#ifndef MACCEL_SETTINGS_H
#define MACCEL_SETTINGS_H

#include <linux/types.h>

#include "parameters.h"

#define MACCEL_MODE_LINEAR	0
#define MACCEL_MODE_NATURAL	1
#define MACCEL_MODE_SYNCHRONOUS	2
#define MACCEL_MODE_NONE	3
#define MACCEL_MODE_LUT		64

/* enum maccel_number: MACCEL_MODE, MACCEL_SENS_MULT, ..., MACCEL_NUMBER_COUNT */
#define MACCEL_NUMBER_ENTRY(name, ...)	MACCEL_##name,
enum maccel_number {
	MACCEL_NUMBERS(MACCEL_NUMBER_ENTRY)
	MACCEL_NUMBER_COUNT
};

/**
 * struct maccel_settings - a full set of parameter values
 * @number: the single numbers, raw as in the files (Q32.32, MODE plain)
 * @lut: factors of the look-up table, Q32.32
 * @has_lut: whether @lut was set
 */
struct maccel_settings {
	s64 number[MACCEL_NUMBER_COUNT];
	s64 lut[MACCEL_LUT_LEN];
	bool has_lut;
};

/**
 * struct maccel_fault - why a text was refused
 * @reason: what is wrong, completes "... is"
 * @text: where it is wrong, in the text that was given; not terminated
 * @length: length of @text
 */
struct maccel_fault {
	const char *reason;
	const char *text;
	size_t length;
};

/* the longest line that maccel_settings_parse() takes */
#define MACCEL_SETTINGS_LENGTH	4095

void maccel_settings_default(struct maccel_settings *settings);
const char *maccel_number_name(enum maccel_number number);
int maccel_number_parse(enum maccel_number number, const char *text,
			size_t length, s64 *value, struct maccel_fault *fault);
int maccel_settings_parse(struct maccel_settings *settings, const char *text,
			  size_t length, struct maccel_fault *fault);
size_t maccel_settings_format(const struct maccel_settings *settings,
			      char *buffer, size_t size);
int maccel_settings_check(const struct maccel_settings *settings,
			  struct maccel_fault *fault);

#endif /* MACCEL_SETTINGS_H */
