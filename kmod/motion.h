/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Motion: the state of one mouse between reports.
 */
#ifndef MACCEL_MOTION_H
#define MACCEL_MOTION_H

#include <linux/types.h>

#include "response.h"

/* nanoseconds */
#define MACCEL_INTERVAL_MIN	62500
#define MACCEL_INTERVAL_MAX	100000000

/**
 * struct maccel_motion - what one mouse remembers
 * @stamp: time of the last report that began an interval, ns
 * @interval: length of that interval, ns
 * @bits: fraction bits of @carry
 * @sum: distance moved in @interval so far, counts
 * @carry: what the output still owes each axis, plus one half
 * @speed: speed of the last report in units of its response, see response.h
 */
struct maccel_motion {
	s64 stamp;
	u32 interval;
	u32 bits;
	s64 sum[2];
	s64 carry[2];
	u64 speed;
};

void maccel_motion_reset(struct maccel_motion *motion);
void maccel_motion_step(struct maccel_motion *motion,
			const struct maccel_response *response,
			s64 now, s32 delta[2]);
u64 maccel_motion_speed(const struct maccel_motion *motion,
			const struct maccel_response *response);
void maccel_motion_keep(struct maccel_motion *motion, int axis, s32 counts);

#endif /* MACCEL_MOTION_H */
