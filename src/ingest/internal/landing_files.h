// What a landing file is called and what is in it. Pure, but for Parquet, which the engine writes.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ingest/spec.h"
#include "query/chunk.h"
#include "query/engine.h"

namespace tarn::ingest {

/// How far a table's files go: docs/formats/ingest.md, "Changes as files".
struct LandingPosition {
    std::string load;  // the load that was written, by its place in the log
    int64_t lsn = 0;   // of the last change that is in a file
    int64_t ordinal = 0;
    uint64_t load_files = 0;  // written so far, of all loads

    std::string encode() const;
    /// corrupted.
    static Result<LandingPosition> decode(std::string_view bytes);
};

/// "erp/sales/LOAD0000000A.csv"
std::string load_file_key(const std::string& source, const std::string& table, uint64_t number,
                          PostgresSource::Landing format);
/// "erp/sales/2026/11/21/20261121-194512123-0000000016B374D8-00000001.csv": of its first change.
std::string change_file_key(const std::string& source, const std::string& table, Timestamp at,
                            int64_t lsn, int64_t ordinal, PostgresSource::Landing format);

/// Header and rows; NULL is empty, an empty text is "".
std::string csv_file(const std::vector<query::ResultColumn>& columns, const query::Chunk& rows);
Result<std::string> parquet_file(query::Session& session,
                                 const std::vector<query::ResultColumn>& columns,
                                 const query::Chunk& rows);

}  // namespace tarn::ingest
