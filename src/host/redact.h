// Takes out of a command line what looks like a secret, before it goes into a recording.
//
// A guess from names and shapes: it errs to the side of taking out too much, and cannot promise to
// find everything (a password given as a bare word to a program that is not known here stays).
#pragma once

#include "base/bytes.h"

namespace hark::host {

/// `cmdline` as /proc/PID/cmdline has it. Become "[redacted]":
///   values of options, variables and headers whose names speak of passwords, tokens, keys or
///   secrets: --password=x, --token x, PGPASSWORD=x, "api_key":"x", Authorization: Bearer x,
///   ?access_token=x; but not --key-file=/path, --key /path, --token-ttl 5, --allow-x-password=yes
///   values of short options of programs that take secrets: mysql -pX, sshpass -p X, redis-cli -a X
///   passwords in URLs (user:x@host) and in `curl -u user:x`: the user stays
///   known token shapes (AKIA…, ghp_…, xoxb-…, JWT, PEM private keys), and words of 32 and more
///   random-looking characters; but not paths, UUIDs, digests (sha256:…), ids of containers in the
///   command lines of container runtimes, ssh public keys
/// Everything else stays as it is, byte for byte; the number of arguments stays. Redacting twice is
/// redacting once. Time and memory are linear.
[[nodiscard]] Bytes redact_command_line(ByteView cmdline);

}  // namespace hark::host
