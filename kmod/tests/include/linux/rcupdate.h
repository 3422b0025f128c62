/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACCEL_TESTS_RCUPDATE_H
#define MACCEL_TESTS_RCUPDATE_H

#include <sys/types.h>
#include <linux/compiler.h>

#define __rcu
#define rcu_dereference(pointer)	READ_ONCE(pointer)

struct rcu_head {
	void *unused[2];
};

#endif /* MACCEL_TESTS_RCUPDATE_H */
