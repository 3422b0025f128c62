/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_PARAMS_H
#define MACCEL_PARAMS_H

void maccel_params_live(void);

#endif /* MACCEL_PARAMS_H */
