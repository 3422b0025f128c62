// SPDX-License-Identifier: MIT OR Apache-2.0
//! The checks of a Vespera host, over any root folder.
