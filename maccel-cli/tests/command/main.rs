// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program `maccel` as people and scripts meet it.

#[cfg(test)]
mod bus;
#[cfg(test)]
mod curves;
#[cfg(test)]
mod drop_in;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod files;
#[cfg(test)]
mod leaving;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod place;
#[cfg(test)]
mod program;
#[cfg(test)]
mod table;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod tmux;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod usage;
#[cfg(test)]
mod words;
