// How far a database's log is in the lake: docs/formats/ingest.md, "How far a database's log is".
// One record for the log, because a transaction is in all its tables or in none; and one for each
// table, which says from where on the log is meant for it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/internal/change_events.h"
#include "meta/store.h"

namespace tarn::ingest {

/// Of a source.
struct CapturePosition {
    std::string slot;
    std::string system;     // the database cluster's own number: another one is another database
    Lsn lsn = 0;            // all transactions that ended up to here are in the lake
    uint32_t timeline = 0;  // that `lsn` is a place of; 0: not known
    std::vector<uint32_t> publications;  // their OIDs, sorted: one made anew lacks log of before

    std::string encode() const;
    static Result<CapturePosition> decode(std::string_view bytes);
};
Result<std::optional<CapturePosition>> load_capture_position(const meta::Reader& state,
                                                             const std::string& source);
/// The batch fails with conflict, reason "position_moved", when the record is not `expected`.
void stage_capture_position(meta::Batch& batch, const std::string& source,
                            const std::optional<CapturePosition>& expected,
                            const CapturePosition& next);
/// The log is followed no more, or begins anew.
void stage_forget_capture(meta::Batch& batch, const std::string& source);

/// Where the log described a table, in its order; the same whenever it is read.
struct DescriptionPlace {
    Lsn commit = 0;  // of the transaction; 0: nowhere that we know of
    int nth = 0;     // of the table's descriptions in it that have rows

    explicit operator bool() const { return commit != 0; }
    auto operator<=>(const DescriptionPlace&) const = default;
    std::string text() const;  // "16/B374D848", "16/B374D848 2"
    static DescriptionPlace of(std::string_view text);
};

/// A column of the database's table and where its values are here.
struct KnownColumn {
    int number = 0;                   // attnum: survives a rename
    std::string outside;              // its name in the log
    int field_id = 0;                 // 0: not kept
    std::vector<std::string> before;  // names that it had
    bool gone = false;                // dropped there; the field stays here
    uint32_t type = 0;                // OID, as last seen; 0: not known
    /// Text of the value that rows have which were there before it; nullopt: NULL.
    std::optional<std::string> initial;
    bool unfilled = false;       // rows here lack that value still
    DescriptionPlace told;       // the first description that had it
    DescriptionPlace told_gone;  // the first that had it no more

    bool operator==(const KnownColumn&) const = default;
};

/// Of a table: the value of its tables::SourcePosition. It says of itself `"by": ""`, so that a
/// source that is followed in another way from now on takes the table as read in full.
struct CaptureTable {
    enum class Pause : uint8_t {
        none,
        reload,  // loaded again as soon as possible, and followed from there
        person,  // `why` says what to do
    };
    Lsn lsn = 0;  // transactions committed before are in its load
    Pause pause = Pause::none;
    std::string why;  // of the pause
    std::vector<KnownColumn> columns;
    /// The source's columns up to this number are known, or known not to be kept; 0: not recorded.
    int numbers = 0;
    std::string storage;     // PostgresTable::storage when that was so; empty: not recorded
    std::string touched;     // PostgresTable::touched then; empty: not recorded
    uint32_t published = 0;  // OID of its row in pg_publication_rel; 0: not recorded
    /// Of a partitioned table, by OID: where each one's rows lie.
    std::map<uint32_t, std::string> partitions;
    int fills = 0;  // times since its load that rows got a column's first value

    std::string encode() const;
    /// nullopt: the position of a table that was read in another way.
    static std::optional<CaptureTable> decode(std::string_view bytes);
};

}  // namespace tarn::ingest
