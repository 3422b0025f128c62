/* SPDX-License-Identifier: GPL-2.0-only */
/* Made from maccel-core/parameters.toml by "cargo xtask generate": do not edit. */
#ifndef MACCEL_PARAMETERS_H
#define MACCEL_PARAMETERS_H

/* X(name, file, default, minimum, maximum), raw values as in the files */
#define MACCEL_NUMBERS(X) \
	X(MODE, 1, 0LL, 0LL, 3LL) \
	X(SENS_MULT, 1, 4294967296LL, 42949673LL, 429496729600LL) \
	X(YX_RATIO, 1, 4294967296LL, 214748365LL, 85899345920LL) \
	X(INPUT_DPI, 1, 4294967296000LL, 214748364800LL, 214748364800000LL) \
	X(ANGLE_ROTATION, 1, 0LL, -1546188226560LL, 1546188226560LL) \
	X(ACCEL, 1, 0LL, 0LL, 42949672960LL) \
	X(OFFSET, 1, 0LL, 0LL, 429496729600LL) \
	X(OUTPUT_CAP, 1, 0LL, 0LL, 4294967296000LL) \
	X(DECAY_RATE, 1, 429496730LL, 42950LL, 429496729600LL) \
	X(LIMIT, 1, 6442450944LL, 4294967296LL, 429496729600LL) \
	X(GAMMA, 1, 4294967296LL, 4294967LL, 429496729600LL) \
	X(SMOOTH, 1, 2147483648LL, 0LL, 4294967296LL) \
	X(MOTIVITY, 1, 6442450944LL, 4299262263LL, 429496729600LL) \
	X(SYNC_SPEED, 1, 21474836480LL, 42949673LL, 4294967296000LL) \
	X(ANGLE_SNAP, 0, 0LL, 0LL, 193273528320LL)

#define MACCEL_LUT_LEN	121
#define MACCEL_LUT_MINIMUM	0LL
#define MACCEL_LUT_MAXIMUM	281474976710656LL

#define MACCEL_MODE_HELP \
	"0 linear, 1 natural, 2 synchronous, 3 no acceleration, 64 look-up table"
#define MACCEL_SENS_MULT_HELP \
	"final multiplier of both axes"
#define MACCEL_YX_RATIO_HELP \
	"extra multiplier of the Y axis"
#define MACCEL_INPUT_DPI_HELP \
	"resolution of the mouse; movement is scaled by 1000/INPUT_DPI [counts/inch]"
#define MACCEL_ANGLE_ROTATION_HELP \
	"rotation of the movement, clockwise on the screen [degrees]"
#define MACCEL_ACCEL_HELP \
	"linear: slope [ms/count]"
#define MACCEL_OFFSET_HELP \
	"linear and natural: speed up to which the factor is 1 [counts/ms]"
#define MACCEL_OUTPUT_CAP_HELP \
	"linear: factor that is not exceeded (below 1: decelerates to it), 0 for none"
#define MACCEL_DECAY_RATE_HELP \
	"natural: how fast the limit is approached [ms/count]"
#define MACCEL_LIMIT_HELP \
	"natural: factor at very high speed"
#define MACCEL_GAMMA_HELP \
	"synchronous: steepness at the sync speed"
#define MACCEL_SMOOTH_HELP \
	"synchronous: softness of the approach to both ends, 0 for none"
#define MACCEL_MOTIVITY_HELP \
	"synchronous: largest factor; the smallest is its reciprocal"
#define MACCEL_SYNC_SPEED_HELP \
	"synchronous: speed at which the factor is 1 [counts/ms]"

#endif /* MACCEL_PARAMETERS_H */
