//! What the configuration promises to those who write one.

use std::collections::BTreeSet;
use std::io::Write;

use super::*;
use crate::config::{LogFormat, WatchMode};

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn load(
    text: &str,
    environment: &[(&str, &str)],
    overrides: &[(&'static str, &'static str, &str)],
) -> Result<Settings, ConfigError> {
    let file = file(text);
    Settings::load(&Sources {
        file: Some(file.path().to_owned()),
        environment: environment
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect(),
        overrides: overrides
            .iter()
            .map(|(flag, key, value)| Override {
                flag,
                key,
                value: value.to_string(),
            })
            .collect(),
    })
}

fn mistakes(text: &str, environment: &[(&str, &str)]) -> Vec<(String, String)> {
    let error = load(text, environment, &[]).expect_err("mistakes are expected");
    error
        .mistakes
        .into_iter()
        .map(|mistake| (mistake.key, mistake.message))
        .collect()
}

#[test]
fn with_nothing_configured_the_defaults_hold() {
    let settings = Settings::load(&Sources::default()).unwrap();
    assert_eq!(settings.grpc.address.to_string(), "127.0.0.1:8001");
    assert_eq!(settings.grpc.max_message.bytes(), 16 << 20);
    assert_eq!(settings.limits.default_deadline, None);
    assert_eq!(settings.cores.live, None);
    assert_eq!(settings.watch.mode, WatchMode::Events);
    assert!(settings.models.required.is_empty() && settings.models.load_unload);
}

#[test]
fn the_printed_configuration_says_the_same_when_read_back() {
    let text = "repository = 'a \"b\"'\n[models]\nrequired = ['one', 'two']\n[telemetry]\notlp_endpoint = 'http://[::1]:4317'\nlog_format = 'json'\n[limits]\ndefault_deadline = '1500ms'";
    let settings = load(text, &[], &[]).unwrap();
    assert_eq!(settings.telemetry.log_format, LogFormat::Json);
    assert_eq!(load(&settings.to_toml(), &[], &[]).unwrap(), settings);
    assert_eq!(
        load(&Settings::default().to_toml(), &[], &[]).unwrap(),
        Settings::default()
    );
}

#[test]
fn flags_outrank_the_environment_and_it_outranks_the_file() {
    let text = "repository = 'file'\ndata = 'file'\n[grpc]\nmax_streams = 1";
    let environment = [
        ("VIGIE_DATA", "environment"),
        ("VIGIE_GRPC__MAX_STREAMS", "2"),
        ("VIGIE_REPOSITORY", "environment"),
    ];
    let settings = load(text, &environment, &[("--repository", "repository", "flag")]).unwrap();
    assert_eq!(settings.repository, std::path::Path::new("flag"));
    assert_eq!(settings.data, std::path::Path::new("environment"));
    assert_eq!(settings.grpc.max_streams, 2);
}

#[test]
fn all_mistakes_are_reported_at_once_with_key_and_source() {
    let text =
        "repositry = 'x'\n[grpc]\naddress = 'nowhere'\nmax_frame = '1 KiB'\n[grcp]\nx = 1\n[shadow]\nqueue = '64'";
    let error = load(
        text,
        &[("VIGIE_WATCH__MODE", "inotify"), ("VIGIE_WATCH__MOOD", "x")],
        &[("--admin", "admin.address", "8002")],
    )
    .unwrap_err();
    let keys: Vec<&str> = error.mistakes.iter().map(|mistake| mistake.key.as_str()).collect();
    let expected = [
        "grcp",
        "grpc.address",
        "repositry",
        "shadow.queue",
        "watch.mode",
        "",
        "admin.address",
        "grpc.max_frame",
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
    let text = error.to_string();
    assert!(text.contains("did you mean repository?"), "{text}");
    assert!(text.contains("--admin: admin.address: an address and port"), "{text}");
    assert!(
        text.contains("VIGIE_WATCH__MOOD: no key has this variable; did you mean VIGIE_WATCH__MODE?"),
        "{text}"
    );
}

#[test]
fn values_that_cannot_stand_together_are_refused() {
    let found = mistakes(
        "[grpc]\nmax_message = '1 MiB'\naddress = '127.0.0.1:9'\n[admin]\naddress = '127.0.0.1:9'\n[cores]\nqueue = 0\n[watch]\npoll = '0s'",
        &[],
    );
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["cores.queue", "watch.poll", "grpc.max_message", "admin.address"]);
}

#[test]
fn variables_that_kubernetes_sets_for_a_service_are_no_mistake() {
    let environment = [
        ("VIGIE_PORT", "tcp://10.0.0.1:8001"),
        ("VIGIE_SERVICE_HOST", "10.0.0.1"),
        ("VIGIE_PORT_8001_TCP", "x"),
        ("VIGIE_SERVER", "h:1"),
    ];
    assert!(load("", &environment, &[]).is_ok());
    assert_eq!(mistakes("", &[("VIGIE_REPOSITRY", "x")]).len(), 1);
}

#[test]
fn a_collector_address_never_carries_a_secret() {
    for bad in [
        "http://user:secret@host:4317",
        "https://host:4317",
        "host:4317",
        "http://",
        "not an address secret",
    ] {
        let found = mistakes(&format!("[telemetry]\notlp_endpoint = '{bad}'"), &[]);
        assert!(!found[0].1.contains("secret"), "{found:?}");
    }
}

#[test]
fn a_missing_or_broken_file_is_a_mistake_that_names_it() {
    let sources = Sources {
        file: Some("no/such/file.toml".into()),
        ..Sources::default()
    };
    assert!(
        Settings::load(&sources)
            .unwrap_err()
            .to_string()
            .contains("no/such/file.toml: the file cannot be read")
    );
    assert!(mistakes("a = = 1", &[])[0].1.contains("not TOML"));
}

proptest::proptest! {
    #[test]
    fn a_size_reads_back_what_it_shows(bytes in proptest::num::u64::ANY) {
        let size = ByteSize::from_bytes(bytes);
        proptest::prop_assert_eq!(size.to_string().parse(), Ok(size));
    }

    #[test]
    fn no_text_panics_the_configuration(text in ".{0,64}", value in ".{0,16}") {
        let _ = load(&text, &[], &[]);
        for key in KEYS {
            let _ = (key.set)(&mut Settings::default(), Given::Text(&value));
        }
    }
}
