// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mouse acceleration for the Linux input core.
 *
 * Copyright the Vespera contributors
 */

#include <linux/init.h>
#include <linux/module.h>

#include "chardev.h"
#include "class.h"
#include "handler.h"
#include "params.h"
#include "store.h"

static int __init maccel_init(void)
{
	int error;

	maccel_params_live();
	error = maccel_store_init();
	if (error)
		return error;

	error = maccel_class_register();
	if (error)
		return error;

	error = maccel_chardev_register();
	if (error)
		goto err_class;

	error = maccel_handler_register();
	if (error)
		goto err_chardev;

	return 0;

err_chardev:
	maccel_chardev_unregister();
err_class:
	maccel_class_unregister();
	return error;
}

static void __exit maccel_exit(void)
{
	maccel_handler_unregister();
	maccel_chardev_unregister();
	maccel_class_unregister();
	/* the settings go with the parameters, see params.c */
}

module_init(maccel_init);
module_exit(maccel_exit);

MODULE_AUTHOR("the Vespera contributors");
MODULE_DESCRIPTION("Mouse acceleration");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
