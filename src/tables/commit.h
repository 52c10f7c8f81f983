// Changing tables. One commit changes any number of tables, and whatever else is in `extra` (source
// positions, audit, outbox, staged catalog changes), in one meta batch: all or nothing. Appends are
// rebased on what others committed and never fail for it; a change to rows fails with `conflict`
// when someone else changed the same files first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "meta/store.h"
#include "security/caller.h"
#include "tables/catalog.h"

namespace tarn::tables {

/// One step of ALTER TABLE. Columns are named by field id; steps apply in order to the schema as it
/// is at the commit.
struct SchemaStep {
    enum class Kind { add, drop, rename, widen, make_optional, set_doc, move_first, move_after };
    Kind kind = Kind::add;
    int field_id = 0;     // what is changed; not for add
    int parent_id = 0;    // add: the struct, or 0 for a column
    int expected_id = 0;  // add: the field id that files were written with; conflict when it would
                          // be another. 0: any
    std::string name;     // add, rename
    Type type;            // add, widen
    std::optional<std::string> doc;  // add, set_doc (nullopt removes it)
    bool required = false;  // add: only in a change that writes all rows anew, with expected_id
    int after_id = 0;       // move_after

    static SchemaStep add(std::string name, Type type, std::optional<std::string> doc = {},
                          int parent_id = 0);
    static SchemaStep drop(int field_id);
    static SchemaStep rename(int field_id, std::string name);
    static SchemaStep widen(int field_id, Type type);
    static SchemaStep make_optional(int field_id);
    static SchemaStep set_doc(int field_id, std::optional<std::string> doc);
    static SchemaStep move_first(int field_id);
    static SchemaStep move_after(int field_id, int after_id);
};

/// What happens to one table. `table` is the state that the caller read: it names the table, and
/// for changes to rows its current snapshot is the base that must not have been overtaken.
struct TableChange {
    TablePtr table;
    bool create = false;  // `table` came from Catalog::stage_create_table

    std::vector<DataFile> append;            // content data; spec_id and partition as written
    std::vector<DataFile> position_deletes;  // rows of files of the base, or of `append`
    std::vector<std::string> deletes_from;   // every data file that position_deletes name
    std::vector<std::string>
        remove_files;  // data or delete files of the base; deletes that only refer to them go too
    bool replace = false;  // the same rows in other files (compaction)
    /// What is written hangs on which rows there were (a row is added because its key was not
    /// there): conflicts with every other change of rows since `table` was read, appends too.
    bool decided_by_base = false;

    std::vector<SchemaStep> schema;
    std::optional<std::vector<PartitionField>>
        partition;  // a new default spec; field_id 0 is assigned
    Properties set_properties;
    std::vector<std::string> remove_properties;
    std::vector<int64_t> expire_snapshots;  // neither current nor named by a ref
    std::vector<std::string> purge;         // files that nothing refers to after the change
    Properties summary;                     // more of it for the snapshot's

    static TableChange append_to(TablePtr table, std::vector<DataFile> files);
    bool changes_rows_of_base() const { return !position_deletes.empty() || !remove_files.empty(); }
    bool makes_snapshot() const { return !append.empty() || changes_rows_of_base(); }
    bool only_appends() const;
};

/// The table as the steps will leave it: for writing rows that are committed together with them.
Result<TablePtr> with_schema_steps(const TablePtr& table, const std::vector<SchemaStep>& steps);

struct CommitResult {
    std::vector<TablePtr> tables;   // as they are after it, in the order of the changes
    std::vector<uint64_t> offsets;  // of `extra`'s appends, in order
    meta::Version version = 0;
};

struct CommitterOptions {
    int attempts_max = 50;           // against other servers on the same store
    size_t group_appends_max = 256;  // commits that share one snapshot
    size_t group_files_max = 4096;
    int manifests_merge_count =
        100;  // more manifests than that are merged (commit.manifest.min-count-to-merge)
    int64_t manifest_target_bytes = 8 << 20;  // commit.manifest.target-size-bytes
    int metadata_log_max = 100;               // write.metadata.previous-versions-max
};

/// Owned by wiring, one per Catalog. Lane: any but a loop; the call returns when the change is
/// durable and visible.
class Committer {
 public:
    Committer(Catalog& catalog, Metrics& metrics, CommitterOptions options = {});
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    /// `extra` must be decided by conditions on keys that are not the catalog's; when one of them
    /// fails, its error is the answer. Errors: conflict (reason "rows_changed": begin the
    /// transaction again), not_found (the table was dropped), invalid_argument, unavailable (other
    /// servers kept winning), whatever the store says.
    Result<CommitResult> commit(const security::Caller& caller, std::vector<TableChange> changes,
                                meta::Batch extra = {});

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// How far a source has been read into a table: one record per (source, its partition, table),
/// compared for equality in the same batch as the rows, so that a writer that lost its place fails
/// instead of writing rows twice.
struct SourcePosition {
    std::string source;     // "mqtt", the lakefile's name of the source
    std::string partition;  // topic partition, source table, file
    std::string table_uuid;
};
Result<std::optional<std::string>> load_position(const meta::Reader& state,
                                                 const SourcePosition& of);
/// `expected` nullopt: nothing read so far. The batch fails with conflict, reason "position_moved",
/// otherwise.
void stage_position(meta::Batch& batch, const SourcePosition& of,
                    std::optional<std::string> expected, std::string next);

}  // namespace tarn::tables
