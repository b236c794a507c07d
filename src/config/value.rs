//! How one value is written: sizes, durations, addresses and choices, with the sentence that says what was expected.
//!
//! The environment and flags give text; a TOML file gives typed values, and there a number must be a number.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::Value;

use crate::base::ModelName;

/// A value as its source gave it.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Toml(&'a Value),
}

impl Given<'_> {
    /// Reads it as what the setting is.
    pub fn read<T: Setting>(self) -> Result<T, String> {
        match self {
            Self::Text(text) => T::from_text(text),
            Self::Toml(value) => T::from_toml(value),
        }
    }
}

/// A type that a setting may have. Errors are sentences that say what is expected.
pub(super) trait Setting: Sized {
    fn from_text(text: &str) -> Result<Self, String>;

    /// Text in a TOML file, unless the type has a form of its own there.
    fn from_toml(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Self::from_text(text),
            other => Err(format!(
                "a text in quotes is expected, not {} {other}",
                other.type_str()
            )),
        }
    }

    /// The value as a TOML literal.
    fn to_toml(&self) -> String;
}

fn quoted(text: impl fmt::Display) -> String {
    Value::String(text.to_string()).to_string()
}

macro_rules! whole_number {
    ($($type:ty),+) => { $(
        impl Setting for $type {
            fn from_text(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| format!("a whole number from 0 to {} is expected, not {text:?}", <$type>::MAX))
            }
            fn from_toml(value: &Value) -> Result<Self, String> {
                value.as_integer().and_then(|number| number.try_into().ok())
                    .ok_or_else(|| format!("a whole number from 0 to {} without quotes is expected, not {value}", <$type>::MAX))
            }
            fn to_toml(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}
whole_number!(u32, u64, usize);

impl Setting for Option<NonZeroUsize> {
    fn from_text(text: &str) -> Result<Self, String> {
        usize::from_text(text).map(NonZeroUsize::new)
    }
    fn from_toml(value: &Value) -> Result<Self, String> {
        usize::from_toml(value).map(NonZeroUsize::new)
    }
    fn to_toml(&self) -> String {
        self.map_or(0, NonZeroUsize::get).to_string()
    }
}

impl Setting for bool {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim()
            .parse()
            .map_err(|_| format!("true or false is expected, not {text:?}"))
    }
    fn from_toml(value: &Value) -> Result<Self, String> {
        value
            .as_bool()
            .ok_or_else(|| format!("true or false without quotes is expected, not {value}"))
    }
    fn to_toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    fn from_text(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    fn from_text(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("a folder is expected, not an empty text".into()),
            path => Ok(path.into()),
        }
    }
    fn to_toml(&self) -> String {
        quoted(self.display())
    }
}

impl Setting for SocketAddr {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|_| {
            format!("an address and port such as \"127.0.0.1:8001\" or \"[::]:8001\" is expected, not {text:?}")
        })
    }
    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Setting for Duration {
    fn from_text(text: &str) -> Result<Self, String> {
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
        humantime::parse_duration(text.trim())
            .ok()
            .filter(|duration| *duration <= LONGEST)
            .ok_or_else(|| {
                format!("a time such as \"250ms\", \"30s\" or \"5m\", a year at most, is expected, not {text:?}")
            })
    }
    fn to_toml(&self) -> String {
        quoted(humantime::format_duration(*self))
    }
}

impl Setting for Option<Duration> {
    fn from_text(text: &str) -> Result<Self, String> {
        Duration::from_text(text).map(|duration| (!duration.is_zero()).then_some(duration))
    }
    fn to_toml(&self) -> String {
        self.unwrap_or_default().to_toml()
    }
}

/// Types whose absence is written as an empty text.
macro_rules! absent_when_empty {
    ($($type:ty),+) => { $(
        impl Setting for Option<$type> {
            fn from_text(text: &str) -> Result<Self, String> {
                match text.trim() {
                    "" => Ok(None),
                    present => <$type>::from_text(present).map(Some),
                }
            }
            fn to_toml(&self) -> String {
                self.as_ref().map_or_else(|| quoted(""), Setting::to_toml)
            }
        }
    )+ };
}
absent_when_empty!(PathBuf, ModelName, Endpoint, ByteSize, DatabaseUrl);

impl Setting for ModelName {
    fn from_text(text: &str) -> Result<Self, String> {
        text.trim().parse().map_err(|error| format!("{error}"))
    }
    fn to_toml(&self) -> String {
        quoted(self)
    }
}

impl Setting for Vec<ModelName> {
    /// Names separated by commas.
    fn from_text(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(ModelName::from_text)
            .collect()
    }
    fn from_toml(value: &Value) -> Result<Self, String> {
        let names = value
            .as_array()
            .ok_or_else(|| format!("a list such as [\"adsafety\"] is expected, not {value}"))?;
        names.iter().map(ModelName::from_toml).collect()
    }
    fn to_toml(&self) -> String {
        let names: Vec<String> = self.iter().map(Setting::to_toml).collect();
        format!("[{}]", names.join(", "))
    }
}

/// A number of bytes, written with a unit: `16 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// Units that may be written; the binary ones also serve for printing, largest first.
    const UNITS: [(&'static str, u64); 7] = [
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
        ("B", 1),
    ];

    /// So many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let unit = match unit.trim() {
            "" => Some(1),
            name => Self::UNITS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, size)| *size),
        };
        let number = number.parse::<u64>().ok();
        number
            .zip(unit)
            .and_then(|(number, unit)| number.checked_mul(unit))
            .map(Self)
            .ok_or_else(|| format!("a size such as \"16 MiB\" or \"512 KiB\" is expected, not {text:?}"))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = &Self::UNITS[..3];
        let whole = binary
            .iter()
            .find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size));
        let (unit, size) = whole.copied().unwrap_or(("B", 1));
        write!(f, "{} {unit}", self.0 / size)
    }
}

impl Setting for ByteSize {
    fn from_text(text: &str) -> Result<Self, String> {
        text.parse()
    }
    fn to_toml(&self) -> String {
        quoted(self)
    }
}

/// The address of a collector: `http://host:port`, without credentials, so that it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(String);

impl Endpoint {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address of a database, maybe with a password: it is never shown whole.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address with everything in it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Without the password.
    fn shown(&self) -> String {
        if let Some((scheme, rest)) = self.0.split_once("://") {
            return match rest.split_once('@') {
                Some((who, place)) => {
                    let name = who.split(':').next().unwrap_or_default();
                    format!("{scheme}://{name}:***@{place}")
                }
                None => self.0.clone(),
            };
        }
        let words = self.0.split_whitespace();
        let shown = words.map(|word| {
            if word.starts_with("password=") {
                "password=***"
            } else {
                word
            }
        });
        shown.collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Setting for DatabaseUrl {
    fn from_text(text: &str) -> Result<Self, String> {
        // Not repeated in the message: it may hold a password.
        let is_one = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        if is_one || text.contains("host=") {
            Ok(Self(text.to_owned()))
        } else {
            Err("an address such as \"postgres://vigie@db.internal/vigie\" or \"host=db.internal user=vigie\" is expected".into())
        }
    }
    /// Without the password, whoever asks.
    fn to_toml(&self) -> String {
        quoted(self.shown())
    }
}

impl Setting for Endpoint {
    fn from_text(text: &str) -> Result<Self, String> {
        // Not repeated in the message: what was written may be a secret.
        let uri: http::Uri = text
            .parse()
            .map_err(|_| "an address such as \"http://127.0.0.1:4317\" is expected".to_owned())?;
        let authority = uri.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        if uri.scheme_str() != Some("http") || authority.is_empty() {
            return Err(
                "an address such as \"http://127.0.0.1:4317\" is expected; for TLS put a collector beside the server"
                    .into(),
            );
        }
        if authority.contains('@') {
            return Err("credentials have no place in the address; put a collector beside the server".into());
        }
        Ok(Self(text.to_owned()))
    }
    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

macro_rules! choice {
    ($(#[doc = $doc:literal])+ $type:ident { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $text:literal ),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $( $(#[doc = $variant_doc])+ $variant ),+ }

        impl $type {
            /// The name as it is written.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }

        impl Setting for $type {
            fn from_text(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $( $text => Ok(Self::$variant), )+
                    other => Err(format!("one of {} is expected, not {other:?}", [$(concat!('"', $text, '"')),+].join(", "))),
                }
            }
            fn to_toml(&self) -> String {
                quoted(self.as_str())
            }
        }
    };
}

choice! {
    /// How changes of files are noticed.
    WatchMode {
        /// The file system tells.
        Events = "events",
        /// Looking again and again.
        Poll = "poll",
    }
}

choice! {
    /// How log lines are written.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// What happens when decisions come faster than they can be written.
    WhenBehind {
        /// They are answered, and their record is lost and counted.
        Shed = "shed",
        /// They are refused.
        Must = "must",
    }
}
