//! Local stand-ins for ticketing systems: for the demo, for trying out an integration, and for tests.
//!
//! Each stand-in is written from the vendor's own reference and shares no code with the gateway, so
//! that a mistake in the gateway's reading of that reference shows up as a disagreement.

pub mod teamswork;
