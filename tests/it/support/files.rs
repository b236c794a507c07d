//! What people and deployment tools do to a repository: copy, copy slowly, rename in, edit, damage.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The project's own folder of shipped models.
pub fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models")
}

/// The folder of the sample catalogue.
pub fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalogue")
}

/// Copies a file or a whole folder.
pub fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).expect("copy a file");
        return;
    }
    fs::create_dir_all(to).expect("make a folder");
    for entry in fs::read_dir(from).expect("list a folder") {
        let entry = entry.expect("list a folder");
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// A name beside `path` that the repository takes no notice of.
fn aside(path: &Path) -> PathBuf {
    let name = path.file_name().expect("a path with a name").to_string_lossy();
    path.with_file_name(format!(".{name}.incoming"))
}

/// Copies a folder aside and renames it to where it belongs: the way to publish.
pub fn publish(from: &Path, to: &Path) {
    let incoming = aside(to);
    copy(from, &incoming);
    fs::rename(&incoming, to).expect("rename a folder into place");
}

/// Writes a file aside and renames it into place, over the one that is there.
pub fn write(path: &Path, bytes: &[u8]) {
    let incoming = aside(path);
    fs::write(&incoming, bytes).expect("write a file aside");
    fs::rename(&incoming, path).expect("rename a file into place");
}

/// Changes a text file by writing it anew.
pub fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(path).expect("read a text file");
    write(path, change(text).as_bytes());
}

/// Copies a file in pieces, and tells `between` after each, with the share copied.
pub fn copy_in_pieces(from: &Path, to: &Path, pieces: usize, mut between: impl FnMut(usize)) {
    let bytes = fs::read(from).expect("read a file");
    let mut file = fs::File::create(to).expect("create a file");
    for (index, piece) in bytes.chunks(bytes.len().div_ceil(pieces).max(1)).enumerate() {
        file.write_all(piece).expect("write a piece");
        file.sync_all().expect("flush a piece");
        between(index);
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub fn digest(path: &Path) -> String {
    let bytes = fs::read(path).expect("read a file");
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The beginning of a file's SHA-256, as messages show it.
pub fn short_digest(path: &Path) -> String {
    digest(path).chars().take(12).collect()
}

/// Makes a served version another one as a careful writer does: every file renamed in, the manifest last.
pub fn change_in_place(from: &Path, version: &Path) {
    let mut names: Vec<PathBuf> = relative_files(from, Path::new(""));
    names.sort_by_key(|name| (name == Path::new("version.toml"), name.clone()));
    for name in names {
        let to = version.join(&name);
        fs::create_dir_all(to.parent().expect("a file in a folder")).expect("make a folder");
        write(&to, &fs::read(from.join(&name)).expect("read a file"));
    }
}

fn relative_files(root: &Path, within: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root.join(within)).expect("list a folder");
    let each = entries.map(|entry| within.join(entry.expect("list a folder").file_name()));
    each.flat_map(|name| {
        if root.join(&name).is_dir() {
            relative_files(root, &name)
        } else {
            vec![name]
        }
    })
    .collect()
}

/// Writes the SHA-256 that a file of a version has now into the version's manifest, which comes last, as a writer should.
pub fn reseal(version: &Path, file: &str) {
    let digest = digest(&version.join(file));
    edit_manifest(version, |manifest| manifest["files"][file] = toml_edit::value(digest));
}

/// Changes a version's manifest.
pub fn edit_manifest(version: &Path, change: impl FnOnce(&mut toml_edit::DocumentMut)) {
    edit(&version.join("version.toml"), |text| {
        let mut manifest = text.parse().expect("the manifest is TOML");
        change(&mut manifest);
        manifest.to_string()
    });
}

/// Replaces the folder `path` by a copy of `from`, in two renames.
pub fn replace(from: &Path, path: &Path) {
    let incoming = aside(path);
    let outgoing = path.with_file_name(".outgoing");
    copy(from, &incoming);
    fs::rename(path, &outgoing).expect("rename the old folder away");
    fs::rename(&incoming, path).expect("rename the new folder into place");
    fs::remove_dir_all(&outgoing).expect("remove the old folder");
}
