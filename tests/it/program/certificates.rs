//! Certificates of one test, made by OpenSSL.

use std::path::{Path, PathBuf};

use super::child::{Folder, Program};

const EXTENSIONS: &str = "[req]\ndistinguished_name = name\n[name]\n\
    [ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign\n\
    [server]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:localhost, IP:127.0.0.1\n\
    [elsewhere]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:elsewhere.example, IP:192.0.2.1\n\
    [client]\nbasicConstraints = CA:FALSE\nextendedKeyUsage = clientAuth\nsubjectAltName = DNS:sender\n";

/// An authority, and what it signs, in a folder.
pub(crate) struct Authority<'a> {
    folder: &'a Folder,
    name: &'a str,
}

impl<'a> Authority<'a> {
    /// `NAME.pem` and `NAME.key`.
    pub(crate) fn new(folder: &'a Folder, name: &'a str) -> Self {
        let authority = Self { folder, name };
        authority.make(name, "ca", &[]);
        authority
    }

    /// `NAME.pem` and `NAME.key` of a `server` here, one `elsewhere`, or a `client`. Returns both paths.
    pub(crate) fn signs(&self, name: &str, what: &str) -> (PathBuf, PathBuf) {
        let (ca, key) = (self.file("pem", self.name), self.file("key", self.name));
        self.make(name, what, &["-CA".as_ref(), ca.as_ref(), "-CAkey".as_ref(), key.as_ref()]);
        (self.file("pem", name), self.file("key", name))
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> PathBuf {
        self.file("pem", self.name)
    }

    fn file(&self, extension: &str, name: &str) -> PathBuf {
        self.folder.path().join(name).with_extension(extension)
    }

    fn make(&self, name: &str, extensions: &str, more: &[&Path]) {
        let there =
            Program::other("sh", ["-c", "command -v openssl || { echo openssl is missing: install it >&2; exit 1; }"]);
        let there = there.run();
        assert_eq!(there.code, Some(0), "{}", there.stderr);
        let config = self.folder.write("openssl.cnf", EXTENSIONS);
        let (pem, key, subject) = (self.file("pem", name), self.file("key", name), format!("/CN={name}"));
        let fixed = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj";
        let mut arguments: Vec<PathBuf> = fixed.split(' ').map(PathBuf::from).collect();
        arguments.extend([subject.into(), "-extensions".into(), extensions.into(), "-config".into(), config]);
        arguments.extend(["-out".into(), pem, "-keyout".into(), key]);
        arguments.extend(more.iter().map(|path| path.to_path_buf()));
        let done = Program::other("openssl", arguments).run();
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}
