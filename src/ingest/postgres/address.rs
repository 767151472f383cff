//! The address of a database: `postgresql://user@host:port/database`. Its password is never shown.

use super::secure::Secure;
use postgres::Config;
use postgres::config::Host;
use std::fmt;
use std::time::Duration;

/// Stands for a password.
const MASKED: &str = "***";
/// A server that does not answer is given up after this long, unless the address says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const SCHEMES: [&str; 2] = ["postgresql", "postgres"];

/// A database, as an address names it.
#[derive(Clone)]
pub struct Database {
    pub(super) config: Config,
    pub(super) secure: Secure,
    /// As it was written, to tell two addresses apart.
    url: String,
    name: String,
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl PartialEq for Database {
    fn eq(&self, other: &Database) -> bool {
        self.url == other.url
    }
}

impl Eq for Database {}

/// Why an address cannot be used. None of these quotes it: what could not be understood may be a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another kind of address.
    #[error("`{scheme}://` addresses cannot be read")]
    Scheme {
        /// Its scheme.
        scheme: String,
    },
    /// Not of the form that it should have.
    #[error("the address of the database cannot be understood")]
    Malformed,
    /// No user is named.
    #[error("the address of the database names no user")]
    NoUser,
    /// A parameter behind `?` that is not known. It is not quoted: it may be a part of a password.
    #[error("the address has a parameter behind its ? that is not known{}", near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default())]
    Parameter {
        /// The known one that is like it.
        near: Option<&'static str>,
    },
    /// A way to encrypt that is not known.
    #[error("the address asks for an sslmode that is not known")]
    Mode,
}

impl AddressError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            AddressError::Scheme { .. } => "name files, folders, or a postgresql:// address",
            AddressError::Malformed | AddressError::NoUser | AddressError::Parameter { .. } => {
                "write it as postgresql://user@host:5432/database, with the password in PGPASSWORD (within the \
                 address its own @ : / ? # % must be written as %40 %3A %2F %3F %23 %25)"
            }
            AddressError::Mode => {
                "sslmode is disable, prefer (encrypted if the server can; so it is without sslmode), require, verify-ca or \
                 verify-full"
            }
        }
    }
}

impl Database {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is no PostgreSQL address, names no user, or asks for an unknown `sslmode`.
    ///
    /// ```
    /// use stipple::ingest::Database;
    /// let database = Database::parse("postgresql://ana:secret@localhost:5433/clinic").unwrap();
    /// assert_eq!(database.name(), "postgresql://ana:***@localhost:5433/clinic");
    /// ```
    pub fn parse(url: &str) -> Result<Database, AddressError> {
        let (scheme, _) = url.split_once("://").ok_or(AddressError::Malformed)?;
        if !SCHEMES.contains(&scheme) {
            return Err(AddressError::Scheme { scheme: scheme.to_owned() });
        }
        let (secure, rest) = Secure::take(url).ok_or(AddressError::Mode)?;
        // The library's own words may quote a part of a password that it took for something else.
        let mut config: Config = rest.parse().map_err(|_| misunderstood(&rest))?;
        if config.get_user().is_none_or(str::is_empty) {
            return Err(AddressError::NoUser);
        }
        if config.get_hosts().is_empty() {
            // A certificate is for a name, so every address has one.
            let named = config.get_hostaddrs().iter().map(ToString::to_string).collect::<Vec<_>>();
            let hosts = if named.is_empty() { vec!["localhost".to_owned()] } else { named };
            for host in &hosts {
                config.host(host);
            }
        }
        secure.ask(&mut config);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config.application_name("stipple");
        let name = name(&config);
        Ok(Database { config, secure, url: url.to_owned(), name })
    }

    /// How it is called in messages and in the manifest: with `***` for a password that the address holds.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sets the password, where the address holds none.
    pub fn give_password(&mut self, password: &str) {
        if self.config.get_password().is_none() {
            self.config.password(password);
        }
    }
}

/// What an address may have behind its `?`, beside what [`Secure::take`] takes.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "user",
    "password",
    "dbname",
    "options",
    "application_name",
    "sslnegotiation",
    "host",
    "hostaddr",
    "port",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "target_session_attrs",
    "channel_binding",
    "load_balance_hosts",
];

/// Why an address is not understood.
fn misunderstood(address: &str) -> AddressError {
    let parameters = address.rsplit_once('?').map_or("", |(_, parameters)| parameters);
    let names = parameters.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name);
    let Some(unknown) = names.into_iter().find(|name| !PARAMETERS.contains(name)) else {
        return AddressError::Malformed;
    };
    let distance = |known: &&&str| strsim::damerau_levenshtein(unknown, known);
    let near = PARAMETERS.iter().min_by_key(distance).filter(|near| distance(near) <= 2);
    AddressError::Parameter { near: near.copied() }
}

/// Made from what was understood, so that nothing else can slip through.
fn name(config: &Config) -> String {
    let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
    let ports = config.get_ports();
    let with_port = hosts.iter().enumerate().map(|(at, host)| match ports.get(at).or(ports.first()) {
        Some(port) => format!("{host}:{port}"),
        None => host.clone(),
    });
    let password = config.get_password().map(|_| format!(":{MASKED}")).unwrap_or_default();
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().map(|database| format!("/{database}")).unwrap_or_default();
    format!("postgresql://{user}{password}@{}{database}", with_port.collect::<Vec<_>>().join(","))
}

fn host(host: &Host) -> String {
    match host {
        Host::Tcp(name) if name.contains(':') => format!("[{name}]"),
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string().replace('/', "%2F"),
    }
}

/// Whether a text is an address rather than a path: it holds `://`.
#[must_use]
pub fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// A text (a pipeline file, a message) with `***` for every password of an address in it.
///
/// ```
/// use stipple::ingest::without_passwords;
/// assert_eq!(without_passwords("logs = [\"postgres://ana:secret@db/x\"]"), "logs = [\"postgres://ana:***@db/x\"]");
/// ```
#[must_use]
pub fn without_passwords(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        // An address ends where its text does: a password with a bare space or quotation mark is no address.
        let end = behind.find(|letter: char| letter.is_whitespace() || "\"'`«»<>".contains(letter));
        let (address, behind) = behind.split_at(end.unwrap_or(behind.len()));
        shown.push_str(before);
        shown.push_str(&masked(address));
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// What stands behind `://`, masked: from the first `:` to the last `@`, and any parameter that is a password.
fn masked(address: &str) -> String {
    let masked = match (address.find(':'), address.rfind('@')) {
        (Some(from), Some(to)) if from < to => format!("{}:{MASKED}{}", &address[..from], &address[to..]),
        _ => address.to_owned(),
    };
    let pieces = masked.split_inclusive(['?', '&']).map(|piece| match piece.split_once('=') {
        Some((key, value)) if key.to_ascii_lowercase().contains("pass") || key.contains('%') => {
            format!("{key}={MASKED}{}", if value.ends_with('&') { "&" } else { "" })
        }
        _ => piece.to_owned(),
    });
    pieces.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn named(url: &str) -> String {
        Database::parse(url).map_or_else(|error| error.to_string(), |database| database.name().to_owned())
    }

    #[test]
    fn an_address_is_named_without_its_password() {
        assert_eq!(named("postgres://ana@db.example/clinic"), "postgresql://ana@db.example:5432/clinic");
        assert_eq!(
            named("postgresql://ana:p%40ss@db:5433/clinic?application_name=x"),
            "postgresql://ana:***@db:5433/clinic"
        );
        assert_eq!(
            named("postgresql://ana@/clinic?host=/run/pg&password=geheim"),
            "postgresql://ana:***@%2Frun%2Fpg/clinic"
        );
        assert_eq!(named("postgresql://ana@%2Frun%2Fpg:5433/clinic"), "postgresql://ana@%2Frun%2Fpg:5433/clinic");
        assert_eq!(named("postgresql://ana@[::1]:5433/clinic"), "postgresql://ana@[::1]:5433/clinic");
        assert_eq!(named("postgresql://ana@/clinic"), "postgresql://ana@localhost/clinic");
        assert_eq!(named("postgresql://ana@/clinic?hostaddr=10.0.0.7"), "postgresql://ana@10.0.0.7/clinic");
    }

    #[test]
    fn what_cannot_be_used_is_told_without_quoting_it() {
        for url in
            ["mysql://ana:geheim@db/x", "postgresql://ana:g%h:eim@db/x?heim", "postgresql://ana:geheim@db:port/x"]
        {
            let error = Database::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?} {}", error.remedy()).contains("heim"), "{error}");
        }
        assert_eq!(Database::parse("postgresql://db/x").unwrap_err(), AddressError::NoUser);
        assert_eq!(Database::parse("postgresql://ana@db/x?sslmode=maybe").unwrap_err(), AddressError::Mode);
        let near = Database::parse("postgresql://ana@db/x?sslmod=require").unwrap_err();
        assert_eq!(near, AddressError::Parameter { near: Some("sslmode") });
        assert!(near.to_string().contains("did you mean sslmode?"));
        let secret = Database::parse("postgresql://ana@db/x?pa:s3cret=1").unwrap_err().to_string();
        assert!(!secret.contains("cret"), "{secret}");
        for mode in ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] {
            let url = format!("postgresql://ana@db/x?sslmode={mode}&sslrootcert=ca.pem&connect_timeout=3");
            assert_eq!(named(&url), "postgresql://ana@db:5432/x");
        }
    }

    #[test]
    fn a_password_from_elsewhere_does_not_replace_that_of_the_address() {
        let mut with = Database::parse("postgresql://ana:one@db/x").unwrap();
        let mut without = Database::parse("postgresql://ana@db/x").unwrap();
        with.give_password("two");
        without.give_password("two");
        assert_eq!((with.config.get_password(), without.config.get_password()), (Some(&b"one"[..]), Some(&b"two"[..])));
        assert_eq!(without.name(), "postgresql://ana@db:5432/x");
        assert!(!format!("{with:?}{without:?}").contains("two"));
    }

    #[test]
    fn a_text_is_shown_without_passwords() {
        let cases = [
            (
                "a postgresql://u:p@h/d and postgres://v:q/@:r@h:1/d.",
                "a postgresql://u:***@h/d and postgres://v:***@h:1/d.",
            ),
            (
                "postgresql://u@h:1/d?sslmode=disable&password=x&a=b",
                "postgresql://u@h:1/d?sslmode=disable&password=***&a=b",
            ),
            ("https://example.org:80/a", "https://example.org:80/a"),
            ("no address", "no address"),
        ];
        for (text, shown) in cases {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
