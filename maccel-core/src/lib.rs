// SPDX-License-Identifier: MIT OR Apache-2.0
//! The model of maccel: parameters, Q32.32 numbers, curves.
