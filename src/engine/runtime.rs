//! The ONNX Runtime library: found, loaded once, and refused with the next step when it cannot be used.
//!
//! ONNX Runtime is a shared library that is fetched, not linked, so that a missing or an old one is an error at
//! start-up and not a crash at the first picture. Its official builds report to their makers unless told otherwise in
//! the environment before they are loaded; a process that was not told so is refused.

use std::env;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::logging::LogLevel;

/// Where set-up leaves the library, under the project's folder.
const SHIPPED_LIBRARY: &str = ".runtime/onnxruntime/1.31.1/libonnxruntime.so.1.31.1";
/// The oldest release whose interface this program speaks.
const OLDEST_MINOR: u32 = ort::MINOR_VERSION;

/// Why ONNX Runtime cannot be used. Each says what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    #[error("ONNX Runtime is not at {}: run `make setup`, or set runtime.library to the library's path", path.display())]
    Missing { path: PathBuf },
    #[error("ONNX Runtime was not found ({looked}): run `make setup`, or set runtime.library to the library's path")]
    NotFound { looked: String },
    #[error("{} is not a library that can be loaded: {reason}; run `make setup`, or set runtime.library to ONNX Runtime's path", path.display())]
    NotALibrary { path: PathBuf, reason: String },
    #[error("{} is a library, but not ONNX Runtime: run `make setup`, or set runtime.library to ONNX Runtime's path", path.display())]
    NotOnnxRuntime { path: PathBuf },
    #[error(
        "{} is ONNX Runtime {found}, too old: at least 1.{OLDEST_MINOR} is needed; run `make setup`, or set runtime.library to a newer one's path",
        path.display()
    )]
    TooOld { path: PathBuf, found: String },
    #[error("ONNX Runtime would report to its makers: set ORT_DISABLE_TELEMETRY=1 in the environment before starting")]
    TelemetryOn,
    #[error("ORT_LOAD_CONFIG_FROM_MODEL lets a model file configure its own session: unset it before starting")]
    ModelMayConfigure,
    #[error("ONNX Runtime is already loaded from {}: a process can load one only; restart to change runtime.library", path.display())]
    LoadedFromElsewhere { path: PathBuf },
    #[error("ONNX Runtime at {} cannot start: {reason}", path.display())]
    CannotStart { path: PathBuf, reason: String },
}

/// The loaded library. Cheap to clone; sessions hold it by themselves.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
    version: String,
}

/// The library can be loaded once per process, whatever we would like: this remembers from where.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// Loads the library at `library`. Loading the same one again gives the one that is there.
    ///
    /// # Errors
    /// When the environment does not forbid telemetry, or there is no ONNX Runtime of a usable version at the path.
    pub fn load(library: &Path) -> Result<Self, RuntimeError> {
        if env::var_os("ORT_DISABLE_TELEMETRY").is_none_or(|value| value != "1") {
            return Err(RuntimeError::TelemetryOn);
        }
        if env::var_os("ORT_LOAD_CONFIG_FROM_MODEL").is_some() {
            return Err(RuntimeError::ModelMayConfigure);
        }
        let path = std::path::absolute(library).unwrap_or_else(|_| library.to_path_buf());
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        match &*loaded {
            Some(runtime) if runtime.path == path => return Ok(runtime.clone()),
            Some(runtime) => {
                return Err(RuntimeError::LoadedFromElsewhere {
                    path: runtime.path.clone(),
                });
            }
            None => {}
        }
        if !path.is_file() {
            return Err(RuntimeError::Missing { path });
        }
        let builder = ort::init_from(&path).map_err(|error| from_load_error(error, &path))?;
        let environment = builder
            .with_name("vigie")
            .with_telemetry(false)
            .with_logger(Arc::new(log))
            .build()
            .map_err(|error| RuntimeError::CannotStart {
                path: path.clone(),
                reason: error.to_string(),
            })?;
        environment.set_log_level(LogLevel::Error);
        let version = version_of(&path).unwrap_or_else(|| "unknown".into());
        let runtime = Self {
            environment,
            path,
            version,
        };
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The path of the library: the configured one, else `ORT_DYLIB_PATH`, else where set-up leaves it, beside the
    /// current directory or beside any directory above this program. Always absolute.
    ///
    /// # Errors
    /// When the path that is named does not exist, or none is named and none is found.
    pub fn find_library(configured: Option<&Path>) -> Result<PathBuf, RuntimeError> {
        let named = configured.map(Path::to_path_buf).or_else(|| {
            env::var_os("ORT_DYLIB_PATH")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from)
        });
        let program = env::current_exe().unwrap_or_default();
        let here = env::current_dir().unwrap_or_default();
        find(named, &here, &program)
    }

    /// The version of the library, as in `1.31.1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How the library was built, by its own account: its commit and flags.
    pub fn build_info(&self) -> &'static str {
        ort::info()
    }

    /// Where the library was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}

fn find(named: Option<PathBuf>, here: &Path, program: &Path) -> Result<PathBuf, RuntimeError> {
    if let Some(path) = named {
        let path = here.join(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(RuntimeError::Missing { path })
        };
    }
    let mut folders = [here].into_iter().chain(program.ancestors().skip(1));
    let found = folders.find_map(|folder| Some(folder.join(SHIPPED_LIBRARY)).filter(|path| path.is_file()));
    found.ok_or_else(|| RuntimeError::NotFound {
        looked: format!(
            "looked for {SHIPPED_LIBRARY} in {} and in each folder above {}",
            here.display(),
            program.display()
        ),
    })
}

/// The library's own messages. Whatever matters comes back as an error value too, so that they are for whoever looks
/// closely.
fn log(level: LogLevel, _category: &str, _session: &str, place: &str, message: &str) {
    tracing::debug!(target: "onnxruntime", ?level, place, "{message}");
}

/// Asks the loaded library for its version, which the binding reads but does not tell.
fn version_of(path: &Path) -> Option<String> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: the path ends with a zero byte. The library is loaded already and never unloaded, so that this runs none
    // of its code and the handle's functions stay where they are.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD) };
    if library.is_null() {
        return None;
    }
    // SAFETY: the handle is one of a loaded library, and the name ends with a zero byte.
    let symbol = unsafe { libc::dlsym(library, c"OrtGetApiBase".as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: ONNX Runtime's header declares this symbol with this type; that the library is ONNX Runtime was found
    // when it was loaded.
    let base = unsafe {
        let get: unsafe extern "C" fn() -> *const ort::sys::OrtApiBase = std::mem::transmute(symbol);
        get().as_ref()?
    };
    // SAFETY: the function takes nothing and gives a text that lives as long as the library.
    let version = unsafe { CStr::from_ptr((base.GetVersionString)()) };
    Some(version.to_str().ok()?.to_owned())
}

fn from_load_error(error: LoadDynamicError, path: &Path) -> RuntimeError {
    let path = path.to_path_buf();
    match error {
        LoadDynamicError::Dlopen { error, path } => RuntimeError::NotALibrary {
            path,
            reason: error.to_string(),
        },
        LoadDynamicError::MissingApi { .. } | LoadDynamicError::InvalidVersionString => {
            RuntimeError::NotOnnxRuntime { path }
        }
        LoadDynamicError::BadVersion { version_str, path } => RuntimeError::TooOld {
            path,
            found: version_str,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_beside_the_project_from_anywhere_in_it() {
        let project = tempfile::tempdir().unwrap();
        let library = project.path().join(SHIPPED_LIBRARY);
        let program = project.path().join("target/release/vigie");
        let elsewhere = tempfile::tempdir().unwrap();
        let absent = find(None, elsewhere.path(), &program).unwrap_err();
        assert!(absent.to_string().contains("make setup"), "{absent}");

        std::fs::create_dir_all(library.parent().unwrap()).unwrap();
        std::fs::write(&library, "").unwrap();
        assert_eq!(find(None, elsewhere.path(), &program), Ok(library.clone()));
        assert_eq!(find(None, project.path(), Path::new("")), Ok(library));
    }

    #[test]
    fn a_named_library_is_the_only_one_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let refused = find(Some("lib/absent.so".into()), folder.path(), Path::new("")).unwrap_err();
        assert_eq!(
            refused,
            RuntimeError::Missing {
                path: folder.path().join("lib/absent.so")
            }
        );
        std::fs::write(folder.path().join("there.so"), "").unwrap();
        assert_eq!(
            find(Some("there.so".into()), folder.path(), Path::new("")),
            Ok(folder.path().join("there.so"))
        );
    }
}
