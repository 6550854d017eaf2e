//! TLS by rustls: certificate and key as PEM bytes, exchanged while the server runs.

use axum_server::tls_rustls::RustlsConfig;

/// Certificate chain and private key.
#[derive(Clone)]
pub struct TlsPem {
    /// The chain, PEM.
    pub cert: Vec<u8>,
    /// The key, PEM.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for TlsPem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsPem(..)")
    }
}

pub(crate) async fn config(pem: TlsPem) -> std::io::Result<RustlsConfig> {
    // A second installation is refused, which is as good.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    RustlsConfig::from_pem(pem.cert, pem.key).await
}
