// SPDX-License-Identifier: MIT OR Apache-2.0
//! Does a maccel.ko fit a kernel, and would it load?.
