//! Encrypted connections: what `sslmode` and `sslrootcert` of an address ask for, as PostgreSQL's own programs take them.

use super::DatabaseProblem;
use postgres::Config;
use postgres::config::{Host, SslMode};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Parameters of an address that are taken out of it before the library reads the rest.
const MODE: &str = "sslmode";
const ROOTS: &str = "sslrootcert";
/// Stands for the certificates that the system trusts.
const SYSTEM: &str = "system";

/// Whom a connection trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Whoever answers.
    Anybody,
    /// Who is certified, under whatever name.
    Certified,
    /// Who is certified under the name in the address.
    Named,
}

/// How a connection is kept from being read on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secure {
    mode: SslMode,
    trust: Trust,
    /// A file of certificates; those of the system without it.
    roots: Option<PathBuf>,
}

impl Secure {
    /// Takes `sslmode` and `sslrootcert` out of an address. `None` = they are not understood.
    pub(super) fn take(url: &str) -> Option<(Secure, String)> {
        let (address, parameters) = url.rsplit_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut others) = ("prefer", None, Vec::new());
        for pair in parameters.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some((MODE, value)) => mode = value,
                Some((ROOTS, value)) => roots = Some(value),
                _ => others.push(pair),
            }
        }
        let certified = if roots.is_some() { Trust::Certified } else { Trust::Anybody };
        let (mode, trust) = match mode {
            "disable" => (SslMode::Disable, Trust::Anybody),
            "allow" | "prefer" => (SslMode::Prefer, Trust::Anybody),
            // As in libpq: whoever names certificates wants them to be looked at.
            "require" => (SslMode::Require, certified),
            "verify-ca" => (SslMode::Require, Trust::Certified),
            "verify-full" => (SslMode::Require, Trust::Named),
            _ => return None,
        };
        let roots = roots.filter(|roots| *roots != SYSTEM).map(PathBuf::from);
        let rest = if others.is_empty() { address.to_owned() } else { format!("{address}?{}", others.join("&")) };
        Some((Secure { mode, trust, roots }, rest))
    }

    /// Asks for it. What stays on this machine (a socket in a folder) is not encrypted, as in libpq.
    pub(super) fn ask(&self, config: &mut Config) {
        let stays = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
        config.ssl_mode(if stays { SslMode::Disable } else { self.mode });
    }

    /// What makes the encryption.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, DatabaseProblem> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = match self.trust {
            Trust::Anybody => Verifier { provider: provider.clone(), chain: None, pinned: Vec::new(), named: false },
            Trust::Certified | Trust::Named => {
                let roots = self.certificates()?;
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(roots.iter().cloned());
                let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider.clone()).build();
                let chain = chain.map_err(|error| self.no_certificates(&error.to_string()))?;
                Verifier {
                    provider: provider.clone(),
                    chain: Some(chain),
                    pinned: roots,
                    named: self.trust == Trust::Named,
                }
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| DatabaseProblem::Untrusted { reason: error.to_string() })?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, DatabaseProblem> {
        let Some(file) = &self.roots else { return Ok(rustls_native_certs::load_native_certs().certs) };
        let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        let certificates: Vec<CertificateDer<'static>> =
            read.map_err(|error| self.no_certificates(&error.to_string()))?;
        if certificates.is_empty() {
            return Err(self.no_certificates("it holds none in PEM"));
        }
        Ok(certificates)
    }

    fn no_certificates(&self, reason: &str) -> DatabaseProblem {
        let whose = self.roots.as_ref().map_or("of the system".to_owned(), |file| format!("in {}", file.display()));
        DatabaseProblem::NoCertificates { reason: format!("the certificates {whose} cannot be used: {reason}") }
    }
}

/// Looks at the certificate of a server.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// `None` = anybody is trusted.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The trusted certificates themselves: a server may show one of them, which it has signed itself.
    pinned: Vec<CertificateDer<'static>>,
    named: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(shown, others, name, stapled, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.named => Ok(ServerCertVerified::assertion()),
            // One that has signed itself: no server's to webpki, which has looked at its dates before it says so.
            Err(Error::InvalidCertificate(CertificateError::Other(why)))
                if why.to_string().contains("CaUsedAsEndEntity") =>
            {
                if !self.pinned.contains(shown) {
                    return Err(CertificateError::UnknownIssuer.into());
                }
                if self.named {
                    verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
