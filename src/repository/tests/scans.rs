//! What a scan makes of files in every state.

use std::os::unix::fs::symlink;
use std::time::Duration;

use super::super::found::VersionFound;
use super::super::hashing::digest_of;
use super::{PICTURE, Place, manifest, onnx, reason};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_version_whose_hashes_match_is_complete_at_once_and_read_once() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let candidate = place.candidate("m", 1);
    assert!(candidate.manifest.is_some());
    place.grow_old(60 * SECOND);
    assert!(place.scan().bytes_hashed > 0, "too young to be remembered before");
    assert_eq!(place.scan().bytes_hashed, 0);
    assert_eq!(place.candidate("m", 1).revision, candidate.revision);
}

#[test]
fn new_weights_under_an_old_manifest_are_incomplete_then_rejected_and_mend_by_content() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let changed = onnx(2, None);
    place.write("m/1/model.onnx", &changed);
    let found = place.version("m", 1);
    let VersionFound::Incomplete { reason } = &found else {
        panic!("{found:?}")
    };
    for part in [
        digest_of(&changed).to_string(),
        digest_of(&onnx(1, None)).to_string(),
        "vigie add --reseal".into(),
    ] {
        assert!(reason.contains(&part), "{reason}");
    }
    place.pass(61 * SECOND);
    let VersionFound::Rejected { content, .. } = place.version("m", 1) else {
        panic!("not rejected in time")
    };
    place.pass(61 * SECOND);
    let VersionFound::Rejected { content: again, .. } = place.version("m", 1) else {
        panic!("not rejected any more")
    };
    assert_eq!(content, again);
    place.write("m/1/model.onnx", onnx(3, None));
    assert!(
        matches!(place.version("m", 1), VersionFound::Incomplete { .. }),
        "other bytes have their own time"
    );
    place.write("m/1/model.onnx", onnx(1, None));
    place.candidate("m", 1);
}

#[test]
fn a_missing_file_is_named() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    std::fs::remove_file(place.path("m/1/golden/0.jpg")).unwrap();
    assert!(reason(&place.version("m", 1)).contains("golden/0.jpg is missing"));
}

#[test]
fn a_slow_copy_is_never_complete_before_it_is_whole() {
    let model = onnx(1, Some(("weights.bin", 500)));
    let weights = [7; 500];
    for with_manifest in [true, false] {
        let mut place = Place::new();
        if with_manifest {
            let files: [(&str, &[u8]); 3] = [
                ("model.onnx", &model),
                ("weights.bin", &weights),
                ("golden/0.jpg", PICTURE),
            ];
            place.write("m/1/golden/0.jpg", PICTURE);
            place.write("m/1/version.toml", manifest(&files));
        }
        for (name, bytes) in [("m/1/model.onnx", &model[..]), ("m/1/weights.bin", &weights)] {
            for cut in (0..bytes.len()).step_by(7) {
                place.write(name, &bytes[..cut]);
                // Heard as closed after each piece, and left alone for long: still not whole.
                place.arrived(name);
                assert!(
                    !matches!(place.version("m", 1), VersionFound::Complete(_)),
                    "{name} cut at {cut}"
                );
                place.pass(2 * SECOND);
                assert!(
                    !matches!(place.version("m", 1), VersionFound::Complete(_)),
                    "{name} cut at {cut}"
                );
            }
            place.write(name, bytes);
        }
        place.settle();
        place.candidate("m", 1);
    }
}

#[test]
fn without_a_manifest_a_model_settles_unless_it_arrived_whole() {
    let mut place = Place::new();
    place.write("m/1/model.onnx", onnx(1, None));
    assert!(reason(&place.version("m", 1)).contains("may still be written"));
    let scan = place.scan();
    assert!(scan.look_again.is_some_and(|span| span <= SECOND));
    place.pass(SECOND);
    let first = place.candidate("m", 1);
    assert!(first.manifest.is_none());

    place.write("m/1/model.onnx", onnx(2, None));
    assert!(matches!(place.version("m", 1), VersionFound::Incomplete { .. }));
    place.arrived("m/1");
    let second = place.candidate("m", 1);
    assert_ne!(first.revision, second.revision);
    // It stays complete, and a mere touch makes it settle no second time.
    place.candidate("m", 1);
    place.write("m/1/model.onnx", onnx(2, None));
    place.candidate("m", 1);
}

#[test]
fn a_file_that_is_old_at_the_first_look_need_not_settle() {
    let mut place = Place::new();
    place.write("m/1/model.onnx", onnx(1, None));
    place.grow_old(60 * SECOND);
    place.candidate("m", 1);
}

#[test]
fn what_is_no_model_is_rejected_only_once_it_has_settled() {
    let mut place = Place::new();
    for bytes in [&b""[..], b"random bytes, not a protocol buffer", &onnx(1, None)[..100]] {
        place.write("m/1/model.onnx", bytes);
        place.arrived("m/1/model.onnx");
        assert!(matches!(place.version("m", 1), VersionFound::Incomplete { .. }));
        place.pass(SECOND);
        assert!(matches!(place.version("m", 1), VersionFound::Rejected { .. }));
    }
}

#[test]
fn a_judging_model_never_serves_a_version_without_its_manifest() {
    let mut place = Place::new();
    place.write("m/policy.toml", "");
    place.write("m/1/model.onnx", onnx(1, None));
    place.settle();
    assert!(reason(&place.version("m", 1)).contains("version.toml is missing"));
}

#[test]
fn a_copy_under_another_number_is_the_same_revision() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    place.write_version("m/2", 1);
    place.write_version("m/3", 3);
    let revisions = [1, 2, 3].map(|number| place.candidate("m", number).revision);
    assert_eq!(revisions[0], revisions[1]);
    assert_ne!(revisions[0], revisions[2]);
}

#[test]
fn labels_that_disagree_are_rejected() {
    let mut place = Place::new();
    let model = onnx(1, None);
    for (labels, is_right) in [
        ("firearm\nalcohol\n", true),
        ("firearm\nalcohol", true),
        ("alcohol\nfirearm\n", false),
        ("", false),
    ] {
        let files: [(&str, &[u8]); 3] = [
            ("model.onnx", &model),
            ("labels", labels.as_bytes()),
            ("golden/0.jpg", PICTURE),
        ];
        for (file, bytes) in files {
            place.write(&format!("m/1/{file}"), bytes);
        }
        place.write("m/1/version.toml", manifest(&files));
        let found = place.version("m", 1);
        assert_eq!(matches!(found, VersionFound::Complete(_)), is_right, "{found:?}");
        assert_eq!(matches!(found, VersionFound::Rejected { .. }), !is_right, "{found:?}");
    }
}

#[test]
fn weights_outside_the_folder_or_the_manifest_are_rejected() {
    for (location, words) in [
        ("../../../secret.bin", "no file inside"),
        ("/etc/passwd", "no file inside"),
        ("*/_ORT_MEM_ADDR_/*", "no file inside"),
        ("weights.bin", "does not list"),
    ] {
        let mut place = Place::new();
        let model = onnx(1, Some((location, 4)));
        let files: [(&str, &[u8]); 2] = [("model.onnx", &model), ("golden/0.jpg", PICTURE)];
        for (file, bytes) in files {
            place.write(&format!("m/1/{file}"), bytes);
        }
        place.write("m/1/weights.bin", "abcd");
        place.write("m/1/version.toml", manifest(&files));
        let found = place.version("m", 1);
        assert!(
            matches!(found, VersionFound::Rejected { .. }) && reason(&found).contains(words),
            "{found:?}"
        );
    }
}

#[test]
fn changed_weights_beside_a_model_change_the_revision() {
    let mut place = Place::new();
    place.write("m/1/model.onnx", onnx(1, Some(("weights.bin", 4))));
    place.write("m/1/weights.bin", "abcd");
    place.settle();
    let first = place.candidate("m", 1).revision;
    place.write("m/1/weights.bin", "efgh");
    place.settle();
    assert_ne!(place.candidate("m", 1).revision, first);
}

#[test]
fn escapes_and_devices_are_refused_with_a_reason() {
    let mut place = Place::new();
    std::fs::create_dir_all(place.outside().join("elsewhere/1")).unwrap();
    std::fs::write(place.outside().join("elsewhere/1/model.onnx"), onnx(1, None)).unwrap();
    symlink("../elsewhere", place.path("linked")).unwrap();
    place.write_version("m/1", 1);
    std::fs::remove_file(place.path("m/1/golden/0.jpg")).unwrap();
    symlink("/etc/hostname", place.path("m/1/golden/0.jpg")).unwrap();
    symlink("../../elsewhere/1", place.path("m/2")).unwrap();
    std::fs::create_dir(place.path("m/3")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("m/3/model.onnx"))
        .status()
        .unwrap();
    assert!(made.success());
    place.write("m/4", "a file where a version should be");
    std::fs::create_dir_all(place.path("m/05")).unwrap();
    std::fs::create_dir_all(place.path("back\\slash/1")).unwrap();
    place.pass(2 * SECOND);

    let scan = place.scan();
    let refused: Vec<_> = scan
        .refused
        .iter()
        .map(|refused| refused.path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(refused, ["back\\slash", "linked", "05", "2", "4"]);
    for (number, words) in [(1, "leads out of the repository"), (3, "pipe")] {
        let found = place.version("m", number);
        assert!(
            matches!(found, VersionFound::Rejected { .. }) && reason(&found).contains(words),
            "{found:?}"
        );
    }
}

#[test]
fn hidden_temporary_and_other_folders_are_passed_over() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    for name in [
        ".hidden/1/model.onnx",
        "tmp-upload/1/model.onnx",
        "m/.incoming-1/model.onnx",
        "m/training/train.py",
        "README.md",
    ] {
        place.write(name, "x");
    }
    std::fs::create_dir(place.path("empty")).unwrap();
    let scan = place.scan();
    assert_eq!(
        (scan.models.len(), scan.ignored.len(), scan.refused.len()),
        (1, 6, 0),
        "{scan:?}"
    );
    assert_eq!(scan.models.values().next().unwrap().versions.len(), 1);
}

#[test]
fn a_repository_out_of_reach_tells_of_no_removal() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    place.candidate("m", 1);
    std::fs::rename(place.path(""), place.outside().join("away")).unwrap();
    let error = place.repository.scan(std::time::Instant::now()).unwrap_err();
    assert!(error.to_string().contains("cannot be read"));
    std::fs::rename(place.outside().join("away"), place.path("")).unwrap();
    place.candidate("m", 1);
}

#[test]
fn a_policy_in_the_middle_of_being_written_is_not_taken() {
    let mut place = Place::new();
    place.write("m/policy.toml", "one");
    let text = |place: &mut Place| {
        place
            .scan()
            .models
            .into_values()
            .next()
            .unwrap()
            .policy
            .unwrap()
            .map(|file| file.text.to_string())
    };
    assert!(text(&mut place).is_err());
    place.pass(SECOND);
    assert_eq!(text(&mut place).unwrap(), "one");
    place.write("m/policy.toml", "on");
    assert_eq!(text(&mut place).unwrap(), "one");
    place.write("m/policy.toml", "two");
    place.arrived("m/policy.toml");
    assert_eq!(text(&mut place).unwrap(), "two");
}

#[test]
fn a_new_model_does_not_begin_before_its_settings_and_policy_are_whole() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    place.write("m/model.toml", "");
    assert!(reason(&place.version("m", 1)).contains("configuration may still be written"));
    assert!(
        reason(&place.version("m", 1)).contains("configuration may still be written"),
        "however often it is looked at"
    );
    place.pass(SECOND);
    place.candidate("m", 1);
    // One that has begun goes on while another text arrives.
    place.write("m/policy.toml", "format = 1");
    place.candidate("m", 1);
}

#[test]
fn a_policy_that_cannot_be_used_is_a_problem_and_not_an_absence() {
    let mut place = Place::new();
    place.write("m/1/model.onnx", onnx(1, None));
    symlink("/etc/hostname", place.path("m/policy.toml")).unwrap();
    std::fs::create_dir(place.path("m/config.pbtxt")).unwrap();
    place.write("m/model.toml", [0xff, 0xfe]);
    place.grow_old(60 * SECOND);
    let model = place.scan().models.into_values().next().unwrap();
    assert!(model.policy.unwrap().unwrap_err().reason.contains("leads out"));
    assert!(model.triton.unwrap().unwrap_err().reason.contains("folder"));
    assert!(model.settings.unwrap_err().reason.contains("UTF-8"));
}

#[test]
fn a_configuration_names_the_model_file_and_none_outside() {
    let mut place = Place::new();
    place.write(
        "m/config.pbtxt",
        "backend: \"onnxruntime\" default_model_filename: \"network.onnx\"",
    );
    place.write("m/1/network.onnx", onnx(1, None));
    place.write("m/2/network.onnx/model.onnx", onnx(2, None));
    place.grow_old(60 * SECOND);
    assert_ne!(place.candidate("m", 1).revision, place.candidate("m", 2).revision);
    place.write("m/config.pbtxt", "default_model_filename: \"../1/network.onnx\"");
    place.arrived("m/config.pbtxt");
    let model = place.scan().models.into_values().next().unwrap();
    assert!(
        model
            .triton
            .unwrap()
            .unwrap_err()
            .reason
            .contains("default_model_filename")
    );
}
