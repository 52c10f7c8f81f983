// A followed table's columns: which column of the log is which field here, and what has to happen
// to the lake's table when the database's became another. The log names columns but does not
// number them, so what was renamed and what is new is told by the catalog, where it agrees with
// the log; the catalog is of now, the log may be of before. Pure.
#pragma once

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
    std::vector<ShapeStep> steps;
    /// Not empty: only a new load can tell what became of the table, and this is why.
    std::string reload;
};

/// `now`: the table in the catalog; null: it is gone, or may not be read.
ShapePlan plan_shape(const Relation& relation, const std::vector<KnownColumn>& known,
                     const PostgresTable* now);
/// The known columns of a table that was loaded just now. `fields`: name in the lake to field id.
std::vector<KnownColumn> known_columns(const PostgresTable& table, const tables::Schema& schema);

}  // namespace tarn::ingest
