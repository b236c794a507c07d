//! What people corrected goes out in the form that training reads, and decisions as lines of JSON.

use std::collections::BTreeMap;
use std::path::Path;

use vigie::wire::vigie::Verdict;

use super::{launch, vigie, word};
use crate::corrections::asking::{Asking, allow, block, key, of_partner, plain, shows, wrong_label};
use crate::support::{Place, files};

/// The rows of a table with their cells by column.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text
        .lines()
        .map(|line| line.split(',').map(ToOwned::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

/// Corrections of every kind on two judged products, and the pictures of those by product.
async fn correct_all(asking: &Asking) -> BTreeMap<String, String> {
    let (armed, tame) = (shows("firearm"), plain());
    let mut pictures = BTreeMap::new();
    for entry in [armed, tame] {
        let decision = asking.decide(entry).await;
        asking.known(entry).await;
        asking.on_record(entry).await;
        pictures.insert(entry.product_id.clone(), decision.image_sha256);
    }
    // Two words on one label: the later holds. One that is revoked, exceptions, and one for a whole partner say nothing of a picture.
    asking.correct(wrong_label(armed, "firearm", true)).await.unwrap();
    asking.correct(wrong_label(armed, "firearm", false)).await.unwrap();
    asking.correct(wrong_label(tame, "alcohol", true)).await.unwrap();
    let revoked = asking.correct(wrong_label(tame, "gambling", true)).await.unwrap();
    asking.revoke(&revoked.correction_id).await.unwrap();
    for exception in [allow(armed), block(tame), of_partner(Verdict::Review)] {
        asking.correct(exception).await.unwrap();
    }
    pictures
}

/// The one cell that is filled in each row, and the file: whose bytes are those of the product, under their SHA-256.
fn assert_labels(out: &Path, pictures: &BTreeMap<String, String>) {
    let labels = rows(&out.join("labels.csv"));
    assert_eq!(labels.len(), 2);
    for (entry, label, present) in [(shows("firearm"), "firearm", "0"), (plain(), "alcohol", "1")] {
        let sha256 = &pictures[&entry.product_id];
        let row = labels.iter().find(|row| row["file"].contains(sha256)).unwrap();
        let known: Vec<_> = row
            .iter()
            .filter(|(name, cell)| *name != "file" && !cell.is_empty())
            .collect();
        assert_eq!(known, [(&label.to_owned(), &present.to_owned())]);
        let file = out.join(&row["file"]);
        assert_eq!(&files::digest(&file), sha256);
        assert_eq!(file.file_stem().unwrap().to_str(), Some(sha256.as_str()));
        assert_eq!(std::fs::read(&file).unwrap(), entry.bytes());
    }
}

#[tokio::test]
async fn corrected_labels_go_out_as_training_reads_them() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let pictures = correct_all(&Asking::begin(&server).await).await;
    let export = |out: &Path, more: &[&str]| {
        let words = ["decisions", "export", "--corrections", "--out", word(out)];
        vigie(&server, &[&words[..], more].concat())
    };
    let out = place.root().join("corrected");
    let told = export(&out, &["--json"]).expect(0).json();
    assert_eq!(
        (&told["pictures"], &told["labels"], &told["contested"]),
        (&2.into(), &2.into(), &1.into())
    );
    assert_eq!(
        (&told["left_out"]["exceptions"], &told["left_out"]["revoked"]),
        (&3.into(), &1.into())
    );
    assert_labels(&out, &pictures);
    let said = rows(&out.join("corrections.csv"));
    assert_eq!(said.len(), 2);
    for row in &said {
        let by = (row["corrected_by"].as_str(), row["sampled"].as_str());
        assert_eq!(by, ("local", "as people looked"));
        assert!(row["corrected_at"].starts_with("20"), "{row:?}");
    }
    assert!(
        said.iter().any(|row| row["note"].contains("outranks 1 earlier")),
        "{said:?}"
    );
    let readme = std::fs::read_to_string(out.join("README.md")).unwrap();
    assert!(
        said[0].keys().all(|column| readme.contains(column.as_str())),
        "{readme}"
    );

    // Never over what is there.
    let again = export(&out, &[]).expect(2);
    assert!(again.err.contains("not empty"), "{}", again.err);
    let narrow = place.root().join("alcohol");
    let told = export(&narrow, &["--label", "alcohol", "--since", "1h"]).expect(0);
    assert!(told.out.contains("PICTURES"), "{}", told.out);
    assert_eq!(rows(&narrow.join("labels.csv")).len(), 1);
}

#[tokio::test]
async fn a_picture_that_is_gone_is_told_and_left_out() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).set("RECORDS__PICTURES", "0 B").start_ready();
    let asking = Asking::begin(&server).await;
    let entry = shows("firearm");
    let decision = asking.decide(entry).await;
    asking.known(entry).await;
    asking.on_record(entry).await;
    asking.correct(wrong_label(entry, "firearm", false)).await.unwrap();
    asking.correct(wrong_label(plain(), "firearm", true)).await.unwrap();
    let out = place.root().join("corrected");
    let told = vigie(
        &server,
        &["decisions", "export", "--corrections", "--out", word(&out), "--json"],
    )
    .expect(0)
    .json();
    assert_eq!(told["pictures"], 0);
    assert_eq!(told["left_out"]["pictures_gone"][0], decision.image_sha256);
    assert_eq!(
        told["left_out"]["no_picture_known"][0],
        format!("acme/{}", plain().product_id)
    );
    assert_eq!(std::fs::read_to_string(out.join("labels.csv")).unwrap(), "file\n");
}

#[tokio::test]
async fn decisions_go_out_as_lines_of_json() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    for entry in [shows("firearm"), plain()] {
        asking.classify(entry).await;
        asking.on_record(entry).await;
    }
    let out = place.root().join("decisions.jsonl");
    let words = ["decisions", "export", "--out", word(&out), "--verdict", "BLOCK"];
    let told = vigie(&server, &words).expect(0);
    assert!(told.out.starts_with("1 decisions"), "{}", told.out);
    let text = std::fs::read_to_string(&out).unwrap();
    let decision: serde_json::Value = serde_json::from_str(text.trim()).unwrap();
    assert_eq!(decision["product"]["product_id"], key(shows("firearm")).product_id);
    assert_eq!(vigie(&server, &words).code, 2, "a file that is there is left as it is");
    let all = vigie(&server, &["decisions", "export", "--out", "-"]).expect(0);
    assert_eq!(all.out.lines().count(), 2);
}
