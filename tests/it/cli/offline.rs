//! What needs no server: help, the configuration, and complaints that say what to do next.

use super::{end, vigie};

#[test]
fn the_printed_configuration_is_what_the_sources_say_and_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vigie.toml");
    std::fs::write(
        &file,
        "repository = \"from-file\"\ndata = \"from-file\"\n[shadow]\nqueue = 7\n",
    )
    .unwrap();
    let mut command = vigie(&["serve", "--print-config", "--data", "from-flag", "--config"]);
    command
        .arg(&file)
        .env("VIGIE_DATA", "from-environment")
        .env("VIGIE_LIMITS__IN_FLIGHT", "9");
    let printed = end(command);
    assert_eq!(printed.code, 0, "{}", printed.err);
    for line in [
        "repository = \"from-file\"",
        "data = \"from-flag\"",
        "queue = 7",
        "in_flight = 9",
        "address = \"127.0.0.1:8001\"",
    ] {
        assert!(
            printed.out.lines().any(|found| found == line),
            "{line} is not in\n{}",
            printed.out
        );
    }
    std::fs::write(&file, &printed.out).unwrap();
    let mut again = vigie(&["serve", "--print-config", "--config"]);
    again.arg(&file);
    assert_eq!(end(again).out, printed.out);
}

#[test]
fn every_mistake_of_the_configuration_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vigie.toml");
    std::fs::write(&file, "[grpc]\nadress = \"x\"\nmax_streams = \"many\"\n").unwrap();
    let mut command = vigie(&["serve", "--admin", "8002", "--config"]);
    command.arg(&file).env("VIGIE_WATCH__MODE", "sometimes");
    let refused = end(command);
    assert_eq!(refused.code, 2);
    for said in [
        "did you mean grpc.address?",
        "grpc.max_streams: a whole number",
        "VIGIE_WATCH__MODE",
        "--admin: admin.address",
        "--print-config",
    ] {
        assert!(refused.err.contains(said), "{said} is not in\n{}", refused.err);
    }
}

#[test]
fn a_server_that_is_not_there_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("lamp.jpg");
    std::fs::write(&picture, b"not looked at").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for words in [
        &["models"] as &[&str],
        &["models", "flips"],
        &["classify", picture.to_str().unwrap()],
    ] {
        let mut command = vigie(words);
        command.env("VIGIE_SERVER", free.to_string());
        let refused = end(command);
        assert_eq!(refused.code, 2, "{words:?}");
        assert!(
            refused.err.contains("start it with `vigie serve`") && refused.err.contains("--server"),
            "{}",
            refused.err
        );
        assert_eq!(refused.out, "");
    }
}

#[test]
fn a_catalogue_with_mistakes_is_refused_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let catalogue = folder.path().join("products.jsonl");
    std::fs::write(&catalogue, "{\"product_id\": \"a\"}\nnot json\n{\"title\": 3}\n").unwrap();
    let mut command = vigie(&["classify", "--catalogue"]);
    command.arg(&catalogue);
    let refused = end(command);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("line 2:") && refused.err.contains("line 3:") && !refused.err.contains("line 1:"),
        "{}",
        refused.err
    );
}

#[test]
fn help_comes_with_examples_and_unknown_words_with_a_hint() {
    for words in [
        &["--help"] as &[&str],
        &["serve", "--help"],
        &["classify", "--help"],
        &["models", "--help"],
        &["models", "flips", "--help"],
    ] {
        let help = end(vigie(words));
        assert_eq!(help.code, 0);
        assert!(
            help.out.contains("vigie ") && help.out.contains("xample") | help.out.contains("First steps"),
            "{}",
            help.out
        );
        assert!(!help.out.contains('\u{1b}'), "colours are for terminals");
    }
    let refused = end(vigie(&["clasify"]));
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("classify"), "{}", refused.err);
}
