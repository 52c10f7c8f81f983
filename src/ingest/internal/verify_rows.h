// Rows in a form that can be compared: the bytes of the key, which can be turned back into text,
// and a digest of all values. Values are compared, never their text forms. Pure.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "ingest/spec.h"
#include "query/chunk.h"

namespace tarn::ingest {

/// What is compared of a table.
struct VerifiedColumns {
    std::vector<ColumnSpec> columns;  // names in the lake; types as stored
    std::vector<size_t> key;          // places in `columns`; empty: rows can't be told apart
};

/// Bytes of the key's values, in order; equal exactly when the values are.
std::string verify_key(const VerifiedColumns& of, const query::Chunk& rows, size_t row);
/// 16 bytes of all values.
std::string verify_digest(const query::Chunk& rows, size_t row);
/// The key's values as PostgreSQL prints them.
std::vector<std::string> key_texts(const VerifiedColumns& of, std::string_view key);
/// "store=2, day=2026-01-05", cut when it is long.
std::string shown_key(const VerifiedColumns& of, std::string_view key);

using RowDigests = std::unordered_map<std::string, std::string>;  // key to digest

}  // namespace tarn::ingest
