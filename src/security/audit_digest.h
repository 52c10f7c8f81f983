// A signed statement about a run of audit records: which they are, and the hash that they chain up
// to. Pure: no store, no clock; a client checks a digest with nothing but the public key. Bytes:
// docs/formats/audit.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tarn::security {

struct AuditDigest {
    std::string account_id;
    uint64_t number = 0;    // 0, 1, 2 ...: none is ever removed
    uint64_t first = 0;     // offset of the first record that it covers
    uint64_t next = 0;      // one past the last one
    uint64_t oldest = 0;    // records below were removed by retention when it was signed
    Timestamp at;           // when it was signed
    std::string chain;      // 32 bytes: chain_next() over every record up to `next`
    std::string previous;   // 32 bytes: hash() of the digest before; zeros for the first
    std::string signature;  // 64 bytes, Ed25519 over text()

    /// What is signed: one member a line.
    std::string text() const;
    /// SHA-256 of the text and the signature: what the next digest names as `previous`.
    std::string hash() const;
    /// As the store, the API and the anchor's files have it; binary members in hexadecimal.
    std::string to_json() const;
    /// corrupted.
    static Result<AuditDigest> from_json(std::string_view json);
};

/// The chain before the first record: 32 zero bytes.
std::string chain_start();
/// SHA-256 of the chain so far, the record's offset (8 bytes, big endian) and the SHA-256 of its
/// line.
std::string chain_next(std::string_view chain, uint64_t offset, std::string_view line_sha256);

struct SigningKey {
    std::string public_key;   // 32 bytes
    std::string private_key;  // 32 bytes; a secret
};
/// Ed25519 (RFC 8032), from the kernel's randomness.
SigningKey make_signing_key();
/// 64 bytes.
std::string sign_text(std::string_view private_key, std::string_view text);
bool is_signed_by(std::string_view public_key, std::string_view text, std::string_view signature);

}  // namespace tarn::security
