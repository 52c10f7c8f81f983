// What is remembered of a source's files, in the batch that makes their rows visible
// (docs/formats/ingest.md): each content once per table, what became of each name, and what was
// guessed from the first file.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/internal/csv_guess.h"
#include "ingest/internal/folder_bytes.h"
#include "ingest/internal/folder_scan.h"
#include "meta/store.h"

namespace tarn::ingest {

/// What became of one file.
struct FileRecord {
    enum class Status : uint8_t { loaded, duplicate, refused };

    std::string name;
    FileIdentity identity;
    Status status = Status::loaded;
    std::string reason;  // refused: why; duplicate: the name that was loaded
    std::string sha256;  // hexadecimal; empty when it was not read
    std::string table_uuid;
    std::string object;  // where the original is: a key of the landing bucket
    std::string spec;    // refused: fingerprint of the declaration, another one may take the file
    uint64_t rows = 0, rejected = 0;
    int64_t at_micros = 0;
};

/// What the first file said, obeyed by those that follow.
struct FilePin {
    CsvLayout layout;
    char decimal = '.';
    std::optional<Encoding> encoding;            // nullopt: only ASCII so far
    std::vector<std::string> columns;            // files without a header: their columns in order
    std::map<std::string, std::string> formats;  // column: strptime's words, where not ISO

    bool operator==(const FilePin& other) const;
};

std::string encode_file_record(const FileRecord& record);
Result<FileRecord> decode_file_record(std::string_view bytes);
std::string encode_pin(const FilePin& pin);
Result<FilePin> decode_pin(std::string_view bytes);

std::string content_key(const std::string& source, const std::string& table_uuid,
                        const std::string& sha256);
std::string name_key(const std::string& source, const std::string& name);
std::string pin_key(const std::string& source, const std::string& table_uuid);

/// By name.
Result<std::map<std::string, FileRecord>> load_file_records(const meta::Reader& state,
                                                            const std::string& source);
Result<std::optional<FilePin>> load_pin(const meta::Reader& state, const std::string& source,
                                        const std::string& table_uuid);
/// The file of that content which is in the table already.
Result<std::optional<FileRecord>> find_content(const meta::Reader& state, const std::string& source,
                                               const std::string& table_uuid,
                                               const std::string& sha256);

}  // namespace tarn::ingest
