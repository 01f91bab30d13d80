//! Local stand-ins for ticketing systems: for the demo, for trying out an integration, and for tests.
//!
//! [`teamswork`] and [`gorgias`] are written from the vendors' own references and share no code with the gateway, so
//! that a mistake in the gateway's reading of a reference shows up as a disagreement. [`hostile`] is nobody's: it
//! does what makes pollers lose and repeat changes, and tells afterwards what was true.

mod connection;
mod faults;
pub mod gorgias;
pub mod hostile;
pub mod teamswork;
