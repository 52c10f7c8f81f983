// The catalog: databases, and in them tables and views, with stable numbers for pg_catalog. Names
// are records in meta/; a table's state is one pointer record that names its current metadata.json.
// Reads go through a CatalogSnapshot (one consistent state of all of it), changes through Catalog;
// changes to a table's contents are commit.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/audit.h"
#include "security/caller.h"
#include "tables/files.h"
#include "tables/metadata.h"

namespace tarn::tables {

/// As PostgreSQL's: unique among databases, tables and views, never given twice, from 16384 up.
/// A table's columns are numbered (attnum) by their Iceberg field id, a view's by position from 1.
using Oid = uint32_t;

struct DatabaseInfo {
    std::string name;
    Oid oid = 0;
    std::string comment;
    std::string owner;  // principal's name
    Properties properties;
    Timestamp created;
};

enum class RelationKind : uint8_t { table, view };

struct ViewColumn {
    std::string name;
    Type type;  // nested field ids are 0
    std::string comment;
};

struct RelationInfo {
    RelationKind kind = RelationKind::table;
    std::string database;
    std::string name;
    Oid oid = 0;
    std::string uuid;  // survives renaming
    std::string comment;
    std::string owner;
    Timestamp created;
    // Views only:
    std::string sql;
    std::string definer;  // whose grants the text runs with; empty: the caller's
    std::vector<ViewColumn> columns;

    std::string full_name() const { return database + "." + name; }
};

/// One state of one table. Immutable; hold it for as long as the statement runs.
struct TableState {
    RelationInfo info;
    std::string metadata_location;
    std::shared_ptr<const TableMetadata> metadata;

    const Schema& schema() const { return metadata->schema(); }
    SnapshotPtr current_snapshot() const { return metadata->current_snapshot(); }
};
using TablePtr = std::shared_ptr<const TableState>;

/// A manifest in memory, shared and immutable.
struct Manifest {
    ManifestFile info;
    std::vector<ManifestEntry> entries;
};
using ManifestPtr = std::shared_ptr<const Manifest>;
using ManifestListPtr = std::shared_ptr<const std::vector<ManifestFile>>;

class CatalogCache;

/// Everything that can be looked up, as of one moment. Lane: any but a loop; several threads at
/// once.
class CatalogSnapshot {
 public:
    CatalogSnapshot(std::shared_ptr<CatalogCache> cache,
                    std::shared_ptr<const meta::Snapshot> state);

    Result<std::optional<DatabaseInfo>> find_database(std::string_view name) const;
    Result<std::vector<DatabaseInfo>> databases() const;  // by name
    Result<std::optional<RelationInfo>> find_relation(std::string_view database,
                                                      std::string_view name) const;
    Result<std::vector<RelationInfo>> relations(std::string_view database) const;  // by name

    /// not_found: no such table (reason "no_such_table", also for a view's name).
    Result<TablePtr> load_table(std::string_view database, std::string_view name) const;
    Result<TablePtr> load_table(const RelationInfo& info) const;

    const meta::Snapshot& state() const { return *state_; }

 private:
    std::shared_ptr<CatalogCache> cache_;
    std::shared_ptr<const meta::Snapshot> state_;
};

struct CreateDatabase {
    std::string name;
    std::string comment;
    Properties properties;
    bool if_absent = false;  // fine when it exists
};
struct CreateTable {
    std::string database;
    std::string name;
    Schema schema;  // ids are assigned here; what the caller put there only links spec and order
    std::vector<PartitionField> partition;  // source_id as in `schema`
    std::vector<SortField> sort;            // source_id as in `schema`
    Properties properties;
    std::string comment;
};
struct CreateView {
    std::string database;
    std::string name;
    std::string sql;
    std::vector<ViewColumn> columns;
    std::string definer;
    std::string comment;
    bool replace = false;  // keeps the view's oid
};

struct CatalogOptions {
    size_t manifest_cache_bytes = 64u << 20;  // parsed manifests and lists
    size_t metadata_cache_bytes = 32u << 20;  // parsed metadata.json
    std::chrono::seconds file_grace{600};   // files no longer referenced stay this long for readers
    security::AuditTrail* audit = nullptr;  // records catalog changes that commit at once
};

/// A stage_ function only writes conditions and operations into a batch (for transactions); its
/// twin without the prefix commits at once. Errors of both: not_found (reasons "no_such_database",
/// "no_such_table", "no_such_view"), already_exists ("database_exists", "relation_exists"),
/// invalid_argument, conflict ("database_not_empty"). Lane: any but a loop. `store`, `files` and
/// `clock` outlive the catalog.
class Catalog {
 public:
    Catalog(meta::Store& store, Files& files, const Clock& clock, CatalogOptions options = {});
    ~Catalog();
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    CatalogSnapshot snapshot() const;
    /// The same view over a state that the caller holds, e.g. for a transaction.
    CatalogSnapshot at(std::shared_ptr<const meta::Snapshot> state) const;

    Result<DatabaseInfo> create_database(const security::Caller& caller,
                                         const CreateDatabase& spec);
    Status drop_database(const security::Caller& caller, const std::string& name);  // must be empty
    Status set_database(const security::Caller& caller,
                        const DatabaseInfo& changed);  // comment, owner, properties
    Result<DatabaseInfo> stage_create_database(const security::Caller& caller,
                                               const CreateDatabase& spec, meta::Batch& batch);
    /// `removed`: the tables and views in it that the same batch drops; others must not be there.
    Status stage_drop_database(const std::string& name, meta::Batch& batch,
                               const std::set<std::string>& removed = {});

    Result<TablePtr> create_table(const security::Caller& caller, const CreateTable& spec);
    /// An empty table that only the caller knows, with its ids, uuid, oid and location. It comes to
    /// be by a commit whose TableChange has `create` set; rows may be appended in the same change.
    Result<TablePtr> stage_create_table(const security::Caller& caller, const CreateTable& spec);
    Status drop_table(const security::Caller& caller, const RelationInfo& table);
    /// The files go later, in purge(): a record in the same batch remembers them.
    Status stage_drop_table(const RelationInfo& table, meta::Batch& batch);

    Result<RelationInfo> create_view(const security::Caller& caller, const CreateView& spec);
    Result<RelationInfo> stage_create_view(const security::Caller& caller, const CreateView& spec,
                                           meta::Batch& batch);
    Status drop_view(const security::Caller& caller, const RelationInfo& view);
    Status stage_drop_view(const RelationInfo& view, meta::Batch& batch);

    /// Tables and views; also into another database.
    Status rename(const security::Caller& caller, const RelationInfo& from,
                  const std::string& database, const std::string& name);
    Status stage_rename(const RelationInfo& from, const std::string& database,
                        const std::string& name, meta::Batch& batch);
    Status set_comment(const security::Caller& caller, const RelationInfo& relation,
                       const std::string& comment);
    Status stage_comment(const RelationInfo& relation, const std::string& comment,
                         meta::Batch& batch);

    /// The manifests of a snapshot, from the cache or the files. Empty for a null snapshot.
    Result<ManifestListPtr> load_manifest_list(const SnapshotPtr& snapshot) const;
    Result<ManifestPtr> load_manifest(const ManifestFile& info) const;

    /// Removes files that nothing refers to any more and whose grace is over, dropped tables first.
    /// Returns files removed. Lane: background.
    Result<uint64_t> purge(uint64_t files_max = 10'000);

    meta::Store& store() { return store_; }
    Files& files() const { return files_; }
    const Clock& clock() const { return clock_; }
    const CatalogOptions& options() const { return options_; }
    CatalogCache& cache() { return *cache_; }

 private:
    Result<Oid> next_oid();
    Status commit(const security::Caller& caller, meta::Batch batch);

    meta::Store& store_;
    Files& files_;
    const Clock& clock_;
    const CatalogOptions options_;
    std::shared_ptr<CatalogCache> cache_;
    Mutex mutex_;
    Oid next_oid_ TARN_GUARDED_BY(mutex_) = 0;
    Oid reserved_oids_end_ TARN_GUARDED_BY(mutex_) = 0;
};

/// Lower-case letters, digits and _, not beginning with a digit, 1 to 63 bytes.
Status check_name(std::string_view what, std::string_view name);

}  // namespace tarn::tables
