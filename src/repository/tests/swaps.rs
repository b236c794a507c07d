//! Every way to change a model leads to the same scan.

use std::os::unix::fs::symlink;
use std::time::Duration;

use super::Place;

#[test]
fn the_swapped_link_of_mounted_configuration_is_followed() {
    let mut place = Place::new();
    place.write_version("..2026_a/m/1", 1);
    symlink("..2026_a", place.path("..data")).unwrap();
    symlink("..data/m", place.path("m")).unwrap();
    let before = place.candidate("m", 1).revision;

    place.write_version("..2026_b/m/1", 2);
    symlink("..2026_b", place.path("..data_tmp")).unwrap();
    std::fs::rename(place.path("..data_tmp"), place.path("..data")).unwrap();
    std::fs::remove_dir_all(place.path("..2026_a")).unwrap();
    assert_ne!(place.candidate("m", 1).revision, before);
}

#[test]
fn a_replaced_folder_is_found_with_all_that_is_in_it() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let before = place.candidate("m", 1).revision;
    place.write_version("tmp-m/1", 2);
    std::fs::rename(place.path("m"), place.path(".old")).unwrap();
    std::fs::rename(place.path("tmp-m"), place.path("m")).unwrap();
    let after = place.candidate("m", 1).revision;
    assert_ne!(after, before);
}

#[test]
fn a_removed_version_is_gone_at_the_next_scan() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    place.write_version("m/2", 2);
    assert_eq!(place.scan().models.values().next().unwrap().versions.len(), 2);
    std::fs::remove_dir_all(place.path("m/2")).unwrap();
    assert_eq!(place.scan().models.values().next().unwrap().versions.len(), 1);
}

#[test]
fn a_replaced_root_is_the_repository() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let before = place.candidate("m", 1).revision;
    std::fs::rename(place.path(""), place.outside().join("old")).unwrap();
    place.write_version("m/1", 2);
    place.pass(Duration::from_secs(2));
    assert_ne!(place.candidate("m", 1).revision, before);
}

#[test]
fn an_old_file_moved_over_a_new_one_is_noticed() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    place.write_version("m/2", 1);
    let old = place.candidate("m", 1).content;
    place.grow_old(Duration::from_secs(60));
    place.scan();
    place.scan();
    // As `mv` keeps it: an older modification time than that of the file it replaces.
    std::fs::rename(place.path("m/2/golden/0.jpg"), place.path("m/1/model.onnx")).unwrap();
    assert_ne!(super::reason(&place.version("m", 1)), "");
    std::fs::rename(place.path("m/2/model.onnx"), place.path("m/1/model.onnx")).unwrap();
    assert_eq!(place.candidate("m", 1).content, old);
}
