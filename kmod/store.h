/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Store: settings in force, and their compiled form for the event path.
 */
#ifndef MACCEL_STORE_H
#define MACCEL_STORE_H

#include <linux/rcupdate.h>

#include "response.h"

/**
 * struct maccel_published - settings in force; never modified, freed by RCU
 * @rcu: for freeing
 * @settings: the settings
 * @response: the same, compiled
 */
struct maccel_published {
	struct rcu_head rcu;
	struct maccel_settings settings;
	struct maccel_response response;
};

/* what all mice follow that have no settings of their own */
extern struct maccel_published __rcu *maccel_shared;

int maccel_store_set_number(enum maccel_number number, const char *text);
int maccel_store_set_line(const char *text, size_t length);
s64 maccel_store_number(enum maccel_number number);
ssize_t maccel_store_line(struct maccel_published __rcu **own, char *buffer);
int maccel_store_set_own(struct maccel_published __rcu **own, const char *text,
			 size_t length);
void maccel_store_inherit(struct maccel_published __rcu **own);
void maccel_store_log_fault(const char *what, const struct maccel_fault *fault);
int maccel_store_init(void);
void maccel_store_free(void);

#endif /* MACCEL_STORE_H */
