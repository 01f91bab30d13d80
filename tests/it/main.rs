//! What the gateway does, seen from outside: the command is started, requests go over HTTP, and a
//! ticketing system stands behind it on loopback.

mod bad_input;
mod gateway;
mod restart;
mod secrets;
mod twelve_actions;
mod upstream_faults;
