//! Trace and log settings: reported as they are, changed in the server's configuration alone.

use std::collections::BTreeMap;

use crate::base::Refusal;
use crate::wire::inference::log_settings_response::SettingValue as LogValue;
use crate::wire::inference::log_settings_response::setting_value::ParameterChoice;
use crate::wire::inference::trace_setting_response::SettingValue as TraceValue;
use crate::wire::inference::{LogSettingsRequest, LogSettingsResponse, TraceSettingRequest, TraceSettingResponse};

/// How this server logs, as its configuration has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// `text` or `json`.
    pub format: String,
    /// A level, or levels by module.
    pub filter: String,
}

/// Every call is traced by OpenTelemetry; nothing is written to a file.
const TRACE: [(&str, &str); 4] = [
    ("trace_level", "TIMESTAMPS"),
    ("trace_mode", "opentelemetry"),
    ("trace_rate", "1"),
    ("trace_count", "-1"),
];

/// Answers `TraceSetting`. A setting without values asks for its default, which is in force.
pub fn trace(request: &TraceSettingRequest) -> Result<TraceSettingResponse, Refusal> {
    if let Some((name, _)) = request.settings.iter().find(|(_, setting)| !setting.value.is_empty()) {
        return Err(not_here(name, "[telemetry]"));
    }
    let value = |text: &str| TraceValue {
        value: vec![text.to_owned()],
    };
    Ok(TraceSettingResponse {
        settings: TRACE.map(|(name, text)| (name.to_owned(), value(text))).into(),
    })
}

/// Answers `LogSettings`.
pub fn log(report: &LogReport, request: &LogSettingsRequest) -> Result<LogSettingsResponse, Refusal> {
    if let Some((name, _)) = request
        .settings
        .iter()
        .find(|(_, setting)| setting.parameter_choice.is_some())
    {
        return Err(not_here(name, "telemetry.log_filter and telemetry.log_format"));
    }
    let text = |text: &str| LogValue {
        parameter_choice: Some(ParameterChoice::StringParam(text.to_owned())),
    };
    let settings = BTreeMap::from([
        // Empty: standard error.
        ("log_file".to_owned(), text("")),
        ("log_format".to_owned(), text(&report.format)),
        ("log_filter".to_owned(), text(&report.filter)),
    ]);
    Ok(LogSettingsResponse { settings })
}

fn not_here(name: &str, place: &str) -> Refusal {
    let name: String = name.chars().take(64).collect();
    Refusal::unsupported(format!(
        "{name:?} cannot be changed by a call: set {place} in the configuration and start again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RefusalKind;
    use crate::wire::inference::trace_setting_request;

    #[test]
    fn settings_are_reported_and_changes_refused() {
        let report = trace(&TraceSettingRequest::default()).unwrap();
        assert_eq!(report.settings["trace_mode"].value, ["opentelemetry"]);
        let change = trace_setting_request::SettingValue {
            value: vec!["OFF".into()],
        };
        let asked = TraceSettingRequest {
            settings: [("trace_level".to_owned(), change)].into(),
            ..Default::default()
        };
        assert_eq!(trace(&asked).unwrap_err().kind, RefusalKind::Unsupported);
    }
}
