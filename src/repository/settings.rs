//! `model.toml`: what a model is for, which of its versions serve, and what a change does by itself.
//!
//! Every key has a default, so that a repository made for another server needs no such file. It states wishes; the record of what was released
//! outweighs it.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Aim, Version, Wish};

/// The settings of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// What the model is for, in a sentence.
    pub description: String,
    /// Which versions can be asked for by number; none: as `config.pbtxt` says, else all.
    pub serve: Option<VersionPolicy>,
    pub serving: ServingSettings,
    pub release: ReleaseSettings,
}

/// How fast the model is to be, and what of that is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServingSettings {
    pub aim: AimSetting,
    /// Pictures that are run together at most; none: as many as was measured best.
    pub batch: Option<NonZeroUsize>,
    /// Threads that a run is spread over; none: as many as was measured best.
    pub threads: Option<NonZeroUsize>,
}

/// What the best is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AimSetting {
    /// `aim = "throughput"`
    #[default]
    Throughput,
    /// `aim = { latency = "10ms" }`: as much as can be had while no run takes longer.
    Latency(#[serde(with = "span")] Duration),
}

/// Spans as people write them: `"10ms"`.
mod span {
    use super::*;

    pub fn serialize<S: serde::Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*span))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map_err(serde::de::Error::custom)
    }
}

impl ServingSettings {
    /// As a wish to whoever loads the model.
    pub fn wish(&self) -> Wish {
        Wish {
            aim: match self.aim {
                AimSetting::Throughput => Aim::Throughput,
                AimSetting::Latency(bound) => Aim::Latency(bound),
            },
            batch: self.batch.map(NonZeroUsize::get),
            threads: self.threads.map(NonZeroUsize::get),
        }
    }
}

/// Which versions of a model serve those who name them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionPolicy {
    /// `serve = "all"`
    All,
    /// `serve = { latest = 2 }`: the highest two.
    Latest(u32),
    /// `serve = { specific = [1, 3] }`
    Specific(BTreeSet<Version>),
}

impl VersionPolicy {
    /// The versions that serve, of those that exist.
    pub fn choose(&self, existing: &BTreeSet<Version>) -> BTreeSet<Version> {
        match self {
            Self::All => existing.clone(),
            Self::Latest(number) => {
                let number = usize::try_from(*number).unwrap_or(usize::MAX);
                existing.iter().rev().take(number).copied().collect()
            }
            Self::Specific(wanted) => existing.intersection(wanted).copied().collect(),
        }
    }
}

/// What is released at first, and what changes of the files do by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSettings {
    /// What serves while nothing is recorded; none: the highest complete version.
    pub first: Option<FirstStart>,
    pub on_new: OnNew,
    pub on_policy_change: OnPolicyChange,
    pub newly_allow_at_most: Share,
}

/// What serves at the first start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstStart {
    pub live: Version,
    /// Judges beside the live version without being answered from.
    pub shadow: Option<Version>,
}

/// What a new version, or changed bytes of one, do by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNew {
    /// It serves as soon as it is proved.
    #[default]
    Live,
    /// It judges in shadow.
    Shadow,
    /// It is listed and can be asked for by number.
    Nothing,
}

/// What a changed policy does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnPolicyChange {
    /// It is tried on recent decisions, and in force at once unless it would newly allow more than a share of them or anything that a severe label
    /// keeps from being shown: then a person confirms it.
    #[default]
    Guarded,
    /// It is in force at once.
    Live,
}

/// A share of a whole, 0 to 1, to a millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share {
    millionths: u32,
}

impl Share {
    /// One in a hundred.
    const HUNDREDTH: Self = Self { millionths: 10_000 };

    /// As a number from 0 to 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.millionths) / 1e6
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::HUNDREDTH
    }
}

impl TryFrom<f64> for Share {
    type Error = String;
    fn try_from(share: f64) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("{share} is no share: 0 to 1 is expected, as in 0.01"));
        }
        Ok(Self {
            millionths: (share * 1e6).round() as u32,
        })
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.as_f64()
    }
}

impl ModelSettings {
    /// Reads the text of a `model.toml`.
    ///
    /// # Errors
    /// What is wrong, with the key and where it stands.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        if settings.serve == Some(VersionPolicy::Latest(0)) {
            return Err("serve.latest: 0 versions would serve; write 1 or more".into());
        }
        if let Some(FirstStart {
            live,
            shadow: Some(shadow),
        }) = settings.release.first
            && live == shadow
        {
            return Err(format!(
                "release.first: version {live} cannot be in shadow of itself; name another or leave `shadow` out"
            ));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(number: i64) -> Version {
        Version::try_from(number).unwrap()
    }

    #[test]
    fn every_key_has_a_default() {
        let settings = ModelSettings::parse("").unwrap();
        assert_eq!(settings, ModelSettings::default());
        assert_eq!(settings.release.on_new, OnNew::Live);
    }

    #[test]
    fn settings_read_as_they_are_written() {
        let text = "serve = { latest = 2 }\n[release]\nfirst = { live = 1, shadow = 2 }\non_new = \"shadow\"\n";
        let settings = ModelSettings::parse(text).unwrap();
        assert_eq!(settings.serve, Some(VersionPolicy::Latest(2)));
        assert_eq!(
            settings.release.first,
            Some(FirstStart {
                live: version(1),
                shadow: Some(version(2))
            })
        );
        assert_eq!(settings.release.on_new, OnNew::Shadow);
        let text = "[serving]\naim = { latency = \"10ms\" }\nbatch = 4\n";
        let wish = Wish {
            aim: Aim::Latency(Duration::from_millis(10)),
            batch: Some(4),
            threads: None,
        };
        assert_eq!(ModelSettings::parse(text).unwrap().serving.wish(), wish);
        let specific = ModelSettings::parse("serve = { specific = [1, 3] }").unwrap();
        assert_eq!(
            specific.serve,
            Some(VersionPolicy::Specific([version(1), version(3)].into()))
        );
    }

    #[test]
    fn absurd_settings_are_refused() {
        for bad in [
            "serve = { latest = 0 }",
            "serve = \"newest\"",
            "unknown = 1",
            "[release]\non_new = \"maybe\"",
            "[release]\nfirst = { live = 0 }",
            "[release]\non_policy_change = \"sometimes\"",
            "[release]\nnewly_allow_at_most = 1.5",
            "[release]\nnewly_allow_at_most = nan",
            "[serving]\nbatch = 0",
            "[serving]\naim = \"speed\"",
            "[serving]\naim = { latency = \"fast\" }",
            "[release]\nfirst = { live = 1, shadow = 1 }",
        ] {
            assert!(ModelSettings::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_policy_chooses_among_what_exists() {
        let existing = BTreeSet::from([version(1), version(2), version(5)]);
        assert_eq!(VersionPolicy::All.choose(&existing), existing);
        assert_eq!(
            VersionPolicy::Latest(2).choose(&existing),
            BTreeSet::from([version(2), version(5)])
        );
        let specific = VersionPolicy::Specific(BTreeSet::from([version(2), version(7)]));
        assert_eq!(specific.choose(&existing), BTreeSet::from([version(2)]));
    }
}
