// Where each key's row lies: (table, key) -> (data file, position), in a RocksDB of its own that
// can always be made again from the tables and is never the only place of anything. It knows which
// snapshot of a table it describes; a snapshot by others (SQL, compaction, a restore) is caught up
// with by reading the key columns of the files that came; what compaction wrote again is computed
// instead (tables/rewrites.h). Cost of a lookup does not depend on the table's size. Memory is
// bounded (block cache, Bloom filters, memtables).
//
// Crash: it has no log. After a kill it stands at some earlier snapshot of each table, or knows
// that it was cut in the middle of a change, and catches up or is made anew. One thread a table;
// several tables at once. Lane of all calls: any but a loop.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
    auto operator<=>(const RowPlace&) const = default;
};

/// A key of at most 16 bytes: itself, or a 128-bit hash of what is longer.
struct RowKey {
    static constexpr size_t kBytesMax = 16;
    std::array<char, kBytesMax> bytes{};
    uint8_t size = 0;

    std::string_view view() const { return {bytes.data(), size}; }
    auto operator<=>(const RowKey& other) const {
        const int order = std::memcmp(bytes.data(), other.bytes.data(), kBytesMax);
        return order != 0 ? order <=> 0 : size <=> other.size;
    }
    bool operator==(const RowKey& other) const {
        return size == other.size && bytes == other.bytes;
    }
};

/// Makes keys of rows. Equal values give equal keys; columns are of stored types. One thread.
class KeyMaker {
 public:
    /// `seed`: of the hash, KeyIndex::seed(). `nulls`: NULL is a value like others.
    explicit KeyMaker(std::string seed, bool nulls = false);
    ~KeyMaker();
    KeyMaker(KeyMaker&&) noexcept;
    KeyMaker(const KeyMaker&) = delete;
    /// nullopt: a part of the key is NULL, and NULL is no value.
    std::optional<RowKey> make(const query::Chunk& rows, const std::vector<size_t>& key,
                               size_t row);

 private:
    std::string seed_;
    bool nulls_;
    std::string scratch_;
};

class KeyIndex {
 public:
    /// Of entries whose files are gone (key_index_renewal.cc).
    struct Renewal {
        double begin_at = 0.5;                 // of what may come together of such files
        std::chrono::milliseconds slice{100};  // that the commit behind it may have to wait
    };
    struct Parts {
        std::string
            folder;  // made when absent; thrown away when it is damaged or of another version
        tables::Catalog& catalog;
        query::Engine& engine;  // reads key columns
        uint64_t memory_max = 96ull << 20;
        /// Compaction's new files of fewer rows are read; of larger ones places are computed.
        uint64_t moved_rows_min = 20'000;
        Renewal renewal = {};
    };
    static Result<std::unique_ptr<KeyIndex>> open(Parts parts);
    virtual ~KeyIndex() = default;
    virtual const std::string& seed() const = 0;

    /// What happened to the row of a key. Of a table with one row a key `from` is not looked at.
    struct Move {
        RowKey key;
        std::optional<RowPlace> from, to;  // `to` nullopt: gone
    };
    struct KeyOf {
        std::vector<int> field_ids;
        bool many = false;  // several rows may have one key; NULL is a value
    };

    /// One table's part of it. A table whose key changes is made anew.
    class Table {
     public:
        virtual ~Table() = default;
        /// Catches up with `state`; cheap when it is the last one seen. May take minutes for a
        /// table that is new here.
        virtual Status sync(const tables::TablePtr& state) = 0;
        /// In the order of `keys`. Precondition: sync() with the state that the caller will change.
        virtual Result<std::vector<std::optional<RowPlace>>> find(
            const std::vector<RowKey>& keys) = 0;
        /// At most `count` rows of a key, of a table where several rows may have one.
        virtual Result<std::vector<RowPlace>> find_many(const RowKey& key, size_t count) = 0;
        virtual Result<std::string> path_of(uint32_t file) const = 0;
        /// Numbers a file that the caller is writing.
        virtual Result<uint32_t> file_of(const std::string& path) = 0;
        /// What a commit that succeeded did, and the state after it.
        virtual Status moved(const std::vector<Move>& moves, const tables::TablePtr& after) = 0;
        /// The same before the commit, for changes too large for memory: a crash or forget() before
        /// `moved` makes the table's part anew.
        virtual Status moving(const std::vector<Move>& moves) = 0;
        /// No row of before will be left: from now on find() knows only what is moving.
        virtual Status clear() = 0;
        /// The commit did not come to be.
        virtual void forget() = 0;
    };
    /// Owned by the caller, outlived by the index. One at a time for each table.
    virtual Result<std::unique_ptr<Table>> open_table(const std::string& uuid, KeyOf key) = 0;
    /// Parts of tables that are gone.
    virtual Status remove(const std::string& uuid) = 0;
};

}  // namespace tarn::ingest
