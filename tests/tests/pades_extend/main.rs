//! PAdES signatures that are raised to B-T, B-LT and B-LTA, and renewed. The names of tests
//! have the numbers of known traps.

mod damaged;
mod foreign;
mod judges;
mod ladder;
mod refused;
mod services;
mod store;
