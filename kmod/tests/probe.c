// SPDX-License-Identifier: GPL-2.0-only
/*
 * The driver's arithmetic as a filter: commands in, numbers out, one a line.
 *
 *   number INDEX RAW          sets a parameter, by its place in the table
 *   lut RAW...                sets the look-up table
 *   compile                   prints cells and cells per octave
 *   factor DX DY NS           prints speed (Q32), the factors of X and Y of one
 *                             movement in one interval, their fraction bits
 *   turn DX DY                prints the rotated and snapped movement, Q40;
 *                             not of 0 0
 *   reset                     puts the mouse to rest
 *   move NS DX DY             prints the output of one report at this time
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../motion.c"

static struct maccel_settings settings;
static struct maccel_response *response;
static struct maccel_motion motion;

static void compile(void)
{
	struct maccel_layout layout;
	struct maccel_fault fault;

	if (maccel_settings_check(&settings, &fault)) {
		printf("refused: %s\n", fault.reason);
		return;
	}
	maccel_layout(&settings, &layout);
	free(response);
	response = malloc(maccel_response_size(&layout));
	if (!response)
		exit(1);
	maccel_response_compile(response, &settings, &layout);
	printf("%u %u\n", layout.cells, layout.rate);
}

static void print_factor(s32 dx, s32 dy, u32 interval)
{
	struct maccel_motion once = { .interval = interval, .sum = { dx, dy } };
	struct distance length;
	s64 factor;

	once.speed = speed_of(&once, response, interval, &length);
	factor = factor_at(response, once.speed);
	printf("%lld %lld %lld %u\n", maccel_motion_speed(&once, response),
	       factor, factor_of_y(response, factor), response->bits);
}

static void set_lut(char *text)
{
	int i;

	for (i = 0; i < MACCEL_LUT_LEN; i++)
		settings.lut[i] = strtoll(text, &text, 10);
	settings.has_lut = true;
}

int main(void)
{
	static char line[8192];

	maccel_settings_default(&settings);
	maccel_motion_reset(&motion);
	while (fgets(line, sizeof(line), stdin)) {
		long long a = 0, b = 0, c = 0;
		char word[16] = "";
		s32 delta[2];
		struct vector v;

		sscanf(line, "%15s %lld %lld %lld", word, &a, &b, &c);
		if (!strcmp(word, "number") && a >= 0 &&
		    a < MACCEL_NUMBER_COUNT) {
			settings.number[a] = b;
		} else if (!strcmp(word, "lut")) {
			set_lut(line + strlen("lut"));
		} else if (!strcmp(word, "compile")) {
			compile();
		} else if (!strcmp(word, "factor")) {
			print_factor(a, b, c);
		} else if (!strcmp(word, "turn")) {
			v = turned(response, a, b);
			if (response->snap)
				v = snapped(response, v, root_of(a * a + b * b),
					    1LL << MACCEL_TURN_BITS);
			printf("%lld %lld\n", v.x, v.y);
		} else if (!strcmp(word, "reset")) {
			maccel_motion_reset(&motion);
		} else if (!strcmp(word, "move")) {
			delta[0] = b;
			delta[1] = c;
			maccel_motion_step(&motion, response, a, delta);
			printf("%d %d\n", delta[0], delta[1]);
		} else {
			fprintf(stderr, "unknown: %s", line);
			return 1;
		}
	}
	return 0;
}
