//! The HTTP client underneath: one TLS stack, one root store, no proxies, no redirects, the guard's resolver.

use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::guard::GuardedResolver;

/// A connection that is not there after this time will not come; and it is known that nothing was sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Servers commonly close an idle connection after 60 s or more; a request on a closed one may be lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Builds the HTTP client.
pub(crate) fn http_client(user_agent: &str, allow_private: bool) -> Result<reqwest::Client, UpstreamError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls_config()?)
        .dns_resolver(Arc::new(GuardedResolver { allow_private }))
        .no_proxy()
        .redirect(Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(user_agent)
        .build()
        .map_err(|error| set_up(&error))
}

fn tls_config() -> Result<ClientConfig, UpstreamError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| set_up(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // HTTP/2 would only pay for many requests at once, and is 0.4 MB of code in every function.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn set_up(error: &dyn std::error::Error) -> UpstreamError {
    let message = format!("the HTTP client cannot be set up: {error}");
    UpstreamError::new(ErrorKind::Internal, Outcome::NotSent, message)
}
