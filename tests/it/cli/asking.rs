//! Commands that ask a server, with a real one to ask.

use std::path::PathBuf;

use serde_json::Value;

use super::{Ended, end, vigie};
use crate::support::{Launch, Place, Server, client, files};

fn ask(server: &Server, words: &[&str]) -> Ended {
    let mut command = vigie(words);
    command.env("VIGIE_SERVER", server.grpc.to_string());
    end(command)
}

/// A picture of the catalogue with nothing unsafe on it, and one with a firearm.
fn pictures() -> (PathBuf, PathBuf) {
    let file = |wanted: &dyn Fn(&[String]) -> bool| {
        let entry = client::catalogue()
            .iter()
            .find(|entry| wanted(&entry.truth))
            .expect("the catalogue has one");
        files::catalogue().join(&entry.picture)
    };
    (file(&|truth| truth.is_empty()), file(&|truth| truth == ["firearm"]))
}

#[test]
fn a_picture_gets_a_verdict_that_people_and_scripts_can_read() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let (_, firearm) = pictures();
    let picture = firearm.to_str().unwrap();
    let table = ask(
        &server,
        &["classify", picture, "--country", "FR,DE", "--product-id", "p1"],
    );
    assert!([0, 1].contains(&table.code), "{}", table.err);
    for said in ["COUNTRY", "FR", "DE", "firearm", "adsafety version 1"] {
        assert!(table.out.contains(said), "{said} is not in\n{}", table.out);
    }
    let json = ask(
        &server,
        &["classify", picture, "--country", "FR", "--country", "DE", "--json"],
    );
    let decision: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(decision["verdicts"].as_array().unwrap().len(), 2);
    assert_eq!(decision["picture"], picture);
    let allowed = decision["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .all(|verdict| verdict["verdict"] == "ALLOW");
    assert_eq!(json.code, i32::from(!allowed), "{}", json.out);
    assert_eq!(table.code, json.code);
    assert_eq!(decision["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn what_cannot_be_judged_is_trouble_and_the_rest_is_judged_all_the_same() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let (safe, _) = pictures();
    let some = ask(&server, &["classify", "no-such.jpg", safe.to_str().unwrap()]);
    assert_eq!(some.code, 2);
    assert!(
        some.err.contains("no-such.jpg") && some.out.contains("adsafety version 1"),
        "{}{}",
        some.out,
        some.err
    );
    let version = ask(&server, &["classify", safe.to_str().unwrap(), "--version", "99"]);
    assert_eq!(version.code, 2);
    assert!(
        version.err.contains("NOT_FOUND") && version.err.contains("99"),
        "{}",
        version.err
    );
    let country = ask(&server, &["classify", safe.to_str().unwrap(), "--country", "XX"]);
    assert!(
        country.code == 2 && country.err.contains("INVALID_ARGUMENT") && country.err.contains("XX"),
        "{}",
        country.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_is_judged_whole_and_summed_up() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    server.version_in(2, "READY").await;
    let catalogue = files::catalogue().join("products.jsonl");
    let catalogue = catalogue.to_str().unwrap();
    let summed = ask(&server, &["classify", "--catalogue", catalogue, "--country", "FR"]);
    assert_eq!(summed.code, 1, "{}", summed.err);
    for said in ["PRODUCT", "CAUSE", "ALLOWED", "200 products in"] {
        assert!(summed.out.contains(said), "{said} is not in\n{}", summed.out);
    }
    let json = ask(
        &server,
        &["classify", "--catalogue", catalogue, "--country", "FR", "--json"],
    );
    let products: Vec<Value> = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(products.len(), 200);
    assert!(products.iter().all(|product| product["verdicts"][0]["country"] == "FR"));
    let models = ask(&server, &["models"]);
    for said in ["live", "shadow", "READY", "adsafety"] {
        assert!(models.out.contains(said), "{said} is not in\n{}", models.out);
    }
    let listed: Value = serde_json::from_str(&ask(&server, &["models", "--json"]).out).unwrap();
    assert_eq!(listed["models"].as_array().unwrap().len(), 2);
    let flips = ask(&server, &["models", "flips", "--json"]);
    assert_eq!(flips.code, 0, "{}", flips.err);
    for flip in flips
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        assert_ne!(flip["stable"]["verdict"], flip["candidate"]["verdict"]);
    }
}
