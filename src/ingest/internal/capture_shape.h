// A followed table's columns: which column of the log is which field here, and what has to happen
// to the lake's table when the database's became another. The log names columns in the order of
// their numbers, but does not number them; the catalog does, and knows which are gone, but is of
// now, while the log may be of before. What fits both in one way only is certain; the rest is
// loaded again. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ingest/internal/capture_position.h"
#include "ingest/internal/postgres_tables.h"

namespace tarn::ingest {

/// What to do before rows of this description can be taken.
struct ShapeStep {
    enum class Kind : uint8_t {
        add,     // `column` of the catalog is new
        rename,  // of `known`, to the name of `column`
        drop,    // `known` is gone: its field stays and takes NULLs
    };
    Kind kind = Kind::add;
    size_t known = 0;                        // place in CaptureTable::columns
    const PostgresColumn* column = nullptr;  // of the catalog's table
};

struct ShapePlan {
    /// For each column of the relation its place in CaptureTable::columns; nullopt: an add step
    /// brings it, or the user may not read it and it is not kept.
    std::vector<std::optional<size_t>> places;
    std::vector<int> numbers;  // of these columns; empty: found by their names
    /// Known columns that came after this description: its rows have KnownColumn::initial there.
    std::vector<size_t> later;
    std::vector<ShapeStep> steps;
    /// Not empty: only a new load can tell what became of the table, and this is why.
    std::string reload;
};

struct ShapeQuestion {
    const Relation& relation;
    const CaptureTable& known;
    const PostgresTable* now = nullptr;  // in the catalog; null: it is gone, or may not be read
    uint32_t xid = 0;                    // of the transaction that has rows of this description
    DescriptionPlace at;                 // where the log has it
    bool some_columns = false;           // the log tells some of the table's columns only
};
ShapePlan plan_shape(const ShapeQuestion& question);
/// The places once the plan's steps are done and `known` has them.
void place_again(const CaptureTable& known, const PostgresTable* now, ShapePlan& plan);
/// Notes what a description whose columns' `numbers` are known says of all columns. False: nothing
/// that was not known.
bool note_told(CaptureTable& known, const ShapeQuestion& question, const std::vector<int>& numbers);

/// The record of a table that was loaded just now, at `lsn`.
CaptureTable loaded_table(const PostgresTable& table, const tables::Schema& schema, Lsn lsn);
/// The highest number that a column of it ever had.
int highest_number(const PostgresTable& table);
/// Of a partitioned table: why rows came or went with its partitions, which the log does not tell;
/// empty: they did not.
std::string partitions_moved(const CaptureTable& known, const PostgresTable& now);
/// As they are recorded.
std::map<uint32_t, std::string> partitions_of(const PostgresTable& table);
/// A statement touched columns that stayed of their types, and wrote all rows anew: USING computed
/// values, which the log does not tell. VACUUM FULL and TRUNCATE touch no column.
bool computed_anew(const CaptureTable& known, const PostgresTable& now);
/// Notes where the rows lie, as far as nothing of the columns is still to come in the log: of those
/// that come later nobody could tell then what the rows of before have. False: nothing is new.
bool note_place(CaptureTable& known, const PostgresTable& now);

}  // namespace tarn::ingest
