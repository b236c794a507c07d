//! Work on a repository without a server.
