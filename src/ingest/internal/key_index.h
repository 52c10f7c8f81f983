// Where each key's row lies: (table, key) -> (data file, position), in a RocksDB of its own that
// can always be made again from the tables and is never the only place of anything. It knows which
// snapshot of a table it describes; a snapshot by others (SQL, compaction, a restore) is caught up
// with by reading the key columns of the files that came. Cost of a lookup does not depend on the
// table's size. Memory is bounded (block cache, Bloom filters, memtables).
//
// Crash: it has no log. After a kill it stands at some earlier snapshot of each table, or knows
// that it was cut in the middle of a change, and catches up or is made anew. One thread a table;
// several tables at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/chunk.h"
#include "tables/catalog.h"

namespace tarn::query {
class Engine;
}

namespace tarn::ingest {

/// A row of a data file. `file` numbers the table's files in the index.
struct RowPlace {
    uint32_t file = 0;
    uint64_t position = 0;
};

/// The bytes of a key: order is irrelevant, equality is the values' equality. Short keys are
/// themselves, long ones a 128-bit hash. Columns are of stored types. nullopt: a part of the key is
/// NULL.
std::optional<std::string> key_bytes(const query::Chunk& rows, const std::vector<size_t>& key,
                                     size_t row);

class KeyIndex {
 public:
    struct Parts {
        std::string
            folder;  // made when absent; thrown away when it is damaged or of another version
        tables::Catalog& catalog;
        query::Engine& engine;  // reads key columns
        uint64_t memory_max = 96ull << 20;
    };
    static Result<std::unique_ptr<KeyIndex>> open(Parts parts);
    virtual ~KeyIndex() = default;

    /// One table's part of it. `key`: field ids. A table whose key changes is made anew.
    class Table {
     public:
        virtual ~Table() = default;
        /// Catches up with `state`; cheap when it is the last one seen. May take minutes for a
        /// table that is new here.
        virtual Status sync(const tables::TablePtr& state) = 0;
        /// In the order of `keys`. Precondition: sync() with the state that the caller will change.
        virtual Result<std::vector<std::optional<RowPlace>>> find(
            const std::vector<std::string>& keys) = 0;
        virtual Result<std::string> path_of(uint32_t file) const = 0;
        /// Numbers a file that the caller is writing.
        virtual Result<uint32_t> file_of(const std::string& path) = 0;
        /// What a commit that succeeded did: keys that are elsewhere now or gone (nullopt), and the
        /// state after it.
        virtual Status moved(
            const std::vector<std::pair<std::string, std::optional<RowPlace>>>& keys,
            const tables::TablePtr& after) = 0;
        /// The same before the commit, for changes too large for memory: a crash or forget() before
        /// `moved` makes the table's part anew.
        virtual Status moving(
            const std::vector<std::pair<std::string, std::optional<RowPlace>>>& keys) = 0;
        virtual void forget() = 0;
    };
    /// Owned by the caller, outlived by the index.
    virtual Result<std::unique_ptr<Table>> open_table(const std::string& uuid,
                                                      const std::vector<int>& key) = 0;
    /// Parts of tables that are gone.
    virtual Status remove(const std::string& uuid) = 0;
};

}  // namespace tarn::ingest
