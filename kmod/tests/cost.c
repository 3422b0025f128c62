// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one report costs, for callgrind: 4096 pseudo-random reports of -40..40
 * counts on both axes, 1 ms apart.
 *
 *   cost SETTINGS...    as NAME=RAW, for example MODE=2 GAMMA=4294967296
 *
 * valgrind --tool=callgrind --toggle-collect=maccel_motion_step cost MODE=2
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../motion.h"

#define REPORTS	4096

static void set(struct maccel_settings *settings, const char *text)
{
	const char *equals = strchr(text, '=');
	int i;

	if (equals && !strncmp(text, "LUT", 3)) {
		for (i = 0; i < MACCEL_LUT_LEN; i++)
			settings->lut[i] = (1LL << 32) + i * 20000000LL;
		settings->has_lut = true;
		return;
	}
	for (i = 0; equals && i < MACCEL_NUMBER_COUNT; i++) {
		if (strncmp(maccel_number_name(i), text, equals - text) ||
		    maccel_number_name(i)[equals - text])
			continue;
		settings->number[i] = strtoll(equals + 1, NULL, 10);
		return;
	}
	fprintf(stderr, "cost: unknown setting %s\n", text);
	exit(2);
}

int main(int argc, char **argv)
{
	struct maccel_settings settings;
	struct maccel_response *response;
	struct maccel_layout layout;
	struct maccel_motion motion;
	s64 sum[2] = { 0, 0 };
	u32 random = 1;
	int i;

	maccel_settings_default(&settings);
	for (i = 1; i < argc; i++)
		set(&settings, argv[i]);
	maccel_layout(&settings, &layout);
	response = malloc(maccel_response_size(&layout));
	if (!response)
		return 1;
	maccel_response_compile(response, &settings, &layout);
	maccel_motion_reset(&motion);
	for (i = 0; i < REPORTS; i++) {
		s32 delta[2];

		random = random * 1664525 + 1013904223;
		delta[0] = (s32)((random >> 16) % 81) - 40;
		delta[1] = (s32)((random >> 8) % 81) - 40;
		if (!delta[0] && !delta[1])
			delta[0] = 1;
		maccel_motion_step(&motion, response, i * 1000000LL, delta);
		sum[0] += delta[0];
		sum[1] += delta[1];
	}
	printf("%u cells, moved %lld %lld\n", layout.cells, sum[0], sum[1]);
	free(response);
	return 0;
}
