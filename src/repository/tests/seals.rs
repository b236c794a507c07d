//! What is sealed is what was inspected, and stays so.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::super::found::Candidate;
use super::super::names::FileName;
use super::super::seal::{SealError, seal};
use super::super::sealed::{OpenSealedError, open_sealed, prune};
use super::{PICTURE, Place, onnx};

fn place_with_candidate() -> (Place, PathBuf, Candidate) {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let candidate = place.candidate("m", 1);
    let data = place.outside().join("data");
    (place, data, candidate)
}

/// Writes although the folder and the file are read-only.
fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_sealed_revision_has_every_byte_and_cannot_be_written() {
    let (_place, data, candidate) = place_with_candidate();
    let sealed = seal(&candidate, &data).unwrap();
    assert_eq!(
        (sealed.revision, sealed.content),
        (candidate.revision, candidate.content)
    );
    assert_eq!(std::fs::read(&sealed.onnx).unwrap(), onnx(1, None));
    let golden: FileName = "golden/0.jpg".parse().unwrap();
    assert_eq!(std::fs::read(golden.under(&sealed.directory)).unwrap(), PICTURE);
    let mode = std::fs::metadata(&sealed.onnx).unwrap().permissions().mode();
    assert_eq!(mode & 0o222, 0);
    assert_eq!(sealed.manifest.as_deref(), candidate.manifest.as_deref());
    // Doing it again changes nothing, and opening it finds the same.
    seal(&candidate, &data).unwrap();
    assert_eq!(
        open_sealed(&data, &candidate.revision).unwrap().content,
        candidate.content
    );
}

#[test]
fn bytes_that_changed_after_the_scan_are_not_sealed() {
    for bytes in [onnx(2, None), Vec::new(), [onnx(1, None), vec![0]].concat()] {
        let (place, data, candidate) = place_with_candidate();
        place.write("m/1/model.onnx", bytes);
        assert!(matches!(seal(&candidate, &data), Err(SealError::Changed(_))));
        assert!(matches!(
            open_sealed(&data, &candidate.revision),
            Err(OpenSealedError::Missing(_))
        ));
        assert_eq!(
            std::fs::read_dir(data.join("revisions")).unwrap().count(),
            0,
            "nothing is left behind"
        );
    }
}

#[test]
fn a_flipped_bit_in_a_sealed_file_is_found_and_sealing_again_mends_it() {
    let (_place, data, candidate) = place_with_candidate();
    let sealed = seal(&candidate, &data).unwrap();
    let mut bytes = std::fs::read(&sealed.onnx).unwrap();
    bytes[20] ^= 1;
    overwrite(&sealed.onnx, &bytes);
    assert!(matches!(
        open_sealed(&data, &candidate.revision),
        Err(OpenSealedError::Damaged { .. })
    ));
    seal(&candidate, &data).unwrap();
    open_sealed(&data, &candidate.revision).unwrap();
}

#[test]
fn a_manifest_changed_in_the_data_directory_is_found() {
    let (_place, data, candidate) = place_with_candidate();
    let sealed = seal(&candidate, &data).unwrap();
    let path = sealed.directory.join("version.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("bilinear", "bicubic");
    overwrite(&path, text.as_bytes());
    assert!(matches!(
        open_sealed(&data, &candidate.revision),
        Err(OpenSealedError::Damaged { .. })
    ));
}

#[test]
fn other_golden_scores_for_the_same_revision_take_the_place_of_the_first() {
    let (mut place, data, candidate) = place_with_candidate();
    seal(&candidate, &data).unwrap();
    let text = std::fs::read_to_string(place.path("m/1/version.toml")).unwrap();
    place.write("m/1/version.toml", text.replace("0.75", "0.5"));
    let corrected = place.candidate("m", 1);
    assert_eq!(corrected.revision, candidate.revision);
    let sealed = seal(&corrected, &data).unwrap();
    assert_eq!(sealed.content, corrected.content);
    assert_eq!(sealed.manifest.unwrap().golden.cases[0].scores, [0.25, 0.5]);
    assert_eq!(std::fs::read_dir(data.join("revisions")).unwrap().count(), 1);
}

#[test]
fn pruning_keeps_what_is_to_be_kept_and_nothing_else() {
    let (mut place, data, first) = place_with_candidate();
    place.write_version("m/2", 2);
    let second = place.candidate("m", 2);
    seal(&first, &data).unwrap();
    seal(&second, &data).unwrap();
    std::fs::create_dir(data.join("revisions/.incoming-crashed")).unwrap();
    let removed = prune(&data, &BTreeSet::from([second.revision])).unwrap();
    assert_eq!(removed, [first.revision]);
    open_sealed(&data, &second.revision).unwrap();
    assert_eq!(std::fs::read_dir(data.join("revisions")).unwrap().count(), 1);
}
