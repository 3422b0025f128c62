// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target of the driver's arithmetic (libFuzzer).
 *
 * An input is a SETTINGS line, a 0, another line, a 0, and reports of eight
 * bytes: 16 bits of time in units of 1, 64, 4096 or 262144 us, X and Y. The
 * first half of the reports is scaled by the first line, the rest by the second.
 * FUZZ_REPORTS=n lets n random ones follow each input: most of a run's time goes
 * into settings, and a carry goes wrong, if it does, after many reports.
 *
 * Held against every report: what came out plus what is carried is exactly what
 * went in by the factor, never more than half a count is owed, the factor stays
 * within its bounds, and a line that is taken reads back as the same settings.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../motion.c"

static void require(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fuzz: %s\n", what);
	abort();
}

static bool same_settings(const struct maccel_settings *a,
			  const struct maccel_settings *b)
{
	return !memcmp(a->number, b->number, sizeof(a->number)) &&
	       a->has_lut == b->has_lut &&
	       (!a->has_lut || !memcmp(a->lut, b->lut, sizeof(a->lut)));
}

static struct maccel_response *response_of(const char *text, size_t length)
{
	struct maccel_settings settings, again;
	struct maccel_response *response;
	struct maccel_layout layout;
	struct maccel_fault fault;
	char line[MACCEL_SETTINGS_LENGTH];
	size_t written;

	maccel_settings_default(&settings);
	if (maccel_settings_parse(&settings, text, length, &fault)) {
		require(fault.reason && fault.text, "no reason for a refusal");
		maccel_settings_default(&settings);
	}
	written = maccel_settings_format(&settings, line, sizeof(line));
	require(written <= sizeof(line), "settings too long to read");
	maccel_settings_default(&again);
	require(!maccel_settings_parse(&again, line, written, &fault),
		"own line refused");
	require(same_settings(&settings, &again), "read back differently");

	maccel_layout(&settings, &layout);
	require(layout.cells <= 8192, "table too large");
	response = malloc(maccel_response_size(&layout));
	require(response, "no memory");
	maccel_response_compile(response, &settings, &layout);
	require(response->low >= 0 && response->low <= response->high &&
		response->high < 1LL << MACCEL_FACTOR_WIDTH, "bad bounds");
	return response;
}

static void report(struct maccel_motion *motion,
		   const struct maccel_response *response, s64 now, s32 dx,
		   s32 dy)
{
	s32 delta[2] = { dx, dy };
	s64 before[2], factor;
	struct vector exact;
	int axis;

	if (motion->bits != response->bits)
		rebase(motion, response->bits);
	memcpy(before, motion->carry, sizeof(before));
	maccel_motion_step(motion, response, now, delta);

	dx = limited(dx, REPORT_LIMIT);
	dy = limited(dy, REPORT_LIMIT);
	factor = factor_at(response, motion->speed);
	require(factor >= response->low && factor <= response->high,
		"factor out of bounds");
	if (response->snap) {
		exact = snapped(response, turned(response, dx, dy),
				root_of(dx || dy ? (s64)dx * dx + (s64)dy * dy :
					1), factor);
	} else if (response->turned) {
		exact = scaled(turned(response, dx, dy), factor);
	} else {
		exact.x = dx * factor;
		exact.y = dy * factor_of_y(response, factor);
	}
	for (axis = 0; axis < 2; axis++) {
		s64 one = 1LL << response->bits;

		require(before[axis] + (axis ? exact.y : exact.x) ==
			motion->carry[axis] + delta[axis] * one,
			"movement lost or made up");
		require(motion->carry[axis] >= 0 && motion->carry[axis] <= one,
			"more than half a count owed");
	}
}

static unsigned long long reports_done;

__attribute__((destructor)) static void say_reports(void)
{
	fprintf(stderr, "reports=%llu\n", reports_done);
}

/* xorshift64 */
static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* any 16 bits of movement at any interval, mostly ones that mice have */
static void random_reports(struct maccel_motion *motion,
			   struct maccel_response **response, s64 now, u64 seed)
{
	const char *wanted = getenv("FUZZ_REPORTS");
	unsigned long i, count = wanted ? strtoul(wanted, NULL, 10) : 0;
	u64 state = seed | 1;

	for (i = 0; i < count; i++) {
		u64 bits = next_random(&state);
		int shift = (bits >> 32) % 16;

		now += (bits >> 40) % (1000000 << (bits >> 62 << 1));
		report(motion, response[i >= count / 2], now,
		       (s16)bits >> shift, (s16)(bits >> 16) >> shift);
	}
	reports_done += count;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const u8 scale[4] = { 0, 6, 12, 18 };
	struct maccel_response *response[2];
	struct maccel_motion motion;
	u64 seed = 14695981039346656037ULL;
	s64 now = 0;
	size_t i, reports;
	int n;

	for (i = 0; i < size; i++)
		seed = (seed ^ data[i]) * 1099511628211ULL;
	for (n = 0; n < 2; n++) {
		const u8 *end = size ? memchr(data, 0, size) : NULL;
		size_t length = end ? (size_t)(end - data) : size;

		response[n] = response_of((const char *)data, length);
		data += length + !!end;
		size -= length + !!end;
	}

	maccel_motion_reset(&motion);
	reports = size / 8;
	for (i = 0; i < reports; i++, data += 8) {
		s64 step = (s16)(data[0] | data[1] << 8);

		now += step * 1000 * (1LL << scale[data[6] & 3]);
		report(&motion, response[i >= reports / 2], now,
		       (s16)(data[2] | data[3] << 8) * (data[6] & 4 ? 60000 : 1),
		       (s16)(data[4] | data[5] << 8) * (data[6] & 8 ? 60000 : 1));
	}
	reports_done += reports;
	random_reports(&motion, response, now, seed);
	free(response[0]);
	free(response[1]);
	return 0;
}
