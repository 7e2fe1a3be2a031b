//! Secrets of the user: `secrets write NAME WORD` stores a credential and makes a
//! container of private keys, `secrets read NAME` tells what is there, `secrets
//! delete NAME` takes both away. Prints one JSON object.

use pinion_test_programs::{arguments, last_error, say, wide};
use serde_json::{Value, json};
use std::ptr::{null, null_mut};
use windows_sys::Win32::Security::Credentials::{
    CRED_PERSIST_LOCAL_MACHINE, CRED_TYPE_GENERIC, CREDENTIALW, CredDeleteW, CredEnumerateW,
    CredFree, CredReadW, CredWriteW,
};
use windows_sys::Win32::Security::Cryptography::{
    CRYPT_DELETEKEYSET, CRYPT_NEWKEYSET, CryptAcquireContextW, CryptReleaseContext, PROV_RSA_FULL,
};

/// The error of opening the container, made or deleted as the flags say.
fn container(name: &str, flags: u32) -> u32 {
    let (name, mut provider) = (wide(name), 0);
    // SAFETY: the name ends in a zero; a local.
    unsafe {
        let (at, none) = (name.as_ptr(), null());
        if CryptAcquireContextW(&raw mut provider, at, none, PROV_RSA_FULL, flags) == 0 {
            return last_error();
        }
        if flags != CRYPT_DELETEKEYSET {
            CryptReleaseContext(provider, 0);
        }
    }
    0
}

fn write(name: &str, word: &str) -> Value {
    let (mut target, mut user, mut word) = (wide(name), wide("tester"), word.as_bytes().to_vec());
    let credential = CREDENTIALW {
        Type: CRED_TYPE_GENERIC,
        TargetName: target.as_mut_ptr(),
        CredentialBlobSize: word.len() as u32,
        CredentialBlob: word.as_mut_ptr(),
        Persist: CRED_PERSIST_LOCAL_MACHINE,
        UserName: user.as_mut_ptr(),
        ..Default::default()
    };
    // SAFETY: the structure and what it names are locals.
    let written = unsafe { CredWriteW(&raw const credential, 0) };
    let error = if written == 0 { last_error() } else { 0 };
    json!({ "error": error, "container": container(name, CRYPT_NEWKEYSET) })
}

fn read(name: &str) -> Value {
    let (target, mut told, mut count, mut all) = (wide(name), null_mut(), 0, null_mut());
    // SAFETY: the names end in zeros; what is told is given back once.
    let (word, listed) = unsafe {
        let word = if CredReadW(target.as_ptr(), CRED_TYPE_GENERIC, 0, &raw mut told) == 0 {
            json!(last_error())
        } else {
            let (at, size) = ((*told).CredentialBlob, (*told).CredentialBlobSize as usize);
            let word = String::from_utf8_lossy(std::slice::from_raw_parts(at, size)).into_owned();
            CredFree(told.cast());
            json!(word)
        };
        let listed = CredEnumerateW(target.as_ptr(), 0, &raw mut count, &raw mut all) != 0;
        if listed {
            CredFree(all.cast());
        }
        (word, listed)
    };
    json!({ "word": word, "listed": listed, "container": container(name, 0) })
}

fn main() {
    let arguments = arguments();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    say(&match words.as_slice() {
        ["write", name, word] => write(name, word),
        ["read", name] => read(name),
        ["delete", name] => {
            let target = wide(name);
            // SAFETY: the name ends in a zero.
            let deleted = unsafe { CredDeleteW(target.as_ptr(), CRED_TYPE_GENERIC, 0) } != 0;
            json!({ "deleted": deleted, "container": container(name, CRYPT_DELETEKEYSET) })
        }
        _ => panic!("secrets write NAME WORD | read NAME | delete NAME"),
    });
}
