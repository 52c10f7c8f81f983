// Rows by their place, which is a data file and a position in it: for callers inside the house that
// keep an index of their own over a table's rows. Free functions over Engine, so that the doors'
// seam (engine.h) stays as narrow as it is. Only engines of this module; no authorisation. Lane:
// any but a loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/chunk.h"
#include "tables/catalog.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::query {

class Engine;

/// Rows of one file, at most 2,048 at once, each with its position. Positions grow.
using TakeRows = std::function<Status(const Chunk& rows, const std::vector<uint64_t>& positions)>;

/// Reads columns (by field id of the table's current schema, in that order) of the live rows of one
/// data file: those that `file.deletes` do not name. `only`: sorted positions, null for all; row
/// groups without any of them are not read. An error of `take` ends it.
Status read_placed_rows(Engine& engine, const tables::TablePtr& table, const tables::ScanTask& file,
                        const std::vector<int>& field_ids, const std::vector<uint64_t>* only,
                        const TakeRows& take);

/// The positions that a position delete file names in a data file, sorted.
Result<std::vector<uint64_t>> read_delete_positions(Engine& engine, const std::string& delete_file,
                                                    const std::string& data_file);

struct PlacedRow {
    uint32_t file = 0;  // PlacedWriter::path
    uint64_t position = 0;
};

/// A RowWriter that says where each row went. Files are durable after close(). Destroying it
/// removes those that were not handed over. One thread at a time.
class PlacedWriter {
 public:
    virtual ~PlacedWriter() = default;
    /// Writes the chosen rows, in that order; `places` gets one element each. Precondition: columns
    /// as given to open_placed_writer, of the types that the table holds them as.
    virtual Status append(const Chunk& rows, const std::vector<uint32_t>& chosen,
                          std::vector<PlacedRow>& places) = 0;
    /// Valid as long as the writer.
    virtual const std::string& path(uint32_t file) const = 0;
    /// Ends the files that are open and hands over all that are new since the last call; rows that
    /// come later go into others.
    virtual Result<std::vector<tables::DataFile>> close() = 0;
};
/// `field_ids` choose and order what append() takes; columns left out are NULL. The files are
/// compressed at little cost: they are many small ones, which compaction writes again.
Result<std::unique_ptr<PlacedWriter>> open_placed_writer(Engine& engine, tables::TablePtr table,
                                                         const std::vector<int>& field_ids);

/// Rows that go from one data file: of the change's base, as planned there, or of `append`.
struct DeletedRows {
    tables::ScanTask file;
    std::vector<uint64_t> positions;  // sorted, each once
};
/// Writes position deletes and puts them into the change: position_deletes, deletes_from,
/// remove_files. Delete files that a data file has already are taken together with the new one in
/// growing sizes, so that it never has more than kDeleteFilesMax that are its own. A file that
/// keeps no row is removed; one of `append` is taken out of it. After an error `change` names files
/// that the caller must remove.
inline constexpr size_t kDeleteFilesMax = 6;
Status delete_placed_rows(Engine& engine, const std::vector<DeletedRows>& rows,
                          tables::TableChange& change);

}  // namespace tarn::query
