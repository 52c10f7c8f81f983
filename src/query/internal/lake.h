// The lake as a DuckDB catalog: databases are schemas, tables and views entries. Every entry
// belongs to one transaction, which sees one state of the lake and its own changes. Names are
// resolved for the session's principal: what it may not see is not there.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <roaring/roaring64map.hh>

#include "query/declared_type.h"
#include "query/internal/services.h"
#include "query/internal/statement.h"
#include "tables/table_turns.h"

namespace tarn::query {

class LakeCatalog;
class LakeSchema;
class LakeTransaction;

using Positions = Roaring64Map;
using PositionsPtr = std::shared_ptr<const Positions>;
inline std::vector<uint64_t> in_order(const Positions& positions) {
    std::vector<uint64_t> rows(positions.cardinality());
    positions.toUint64Array(rows.data());
    return rows;
}

/// What a transaction has done to one table and not committed yet.
struct PendingTable {
    tables::TablePtr table;
    bool created = false;
    bool cleared = false;          // every row of the base is gone
    bool decided_by_base = false;  // tables::TableChange
    bool locked = false;  // what else the transaction changes hangs on the rows of this one
    std::vector<tables::DataFilePtr> appended;
    std::map<std::string, Positions> deleted;  // data file -> rows, of the base and of `appended`
    std::vector<tables::SchemaStep> steps;     // ALTER TABLE; `table` is as they leave it
    tables::Properties set_properties;         // of ALTER TABLE, too
    std::vector<std::string> remove_properties;
    size_t keys_checked = 0;  // how many of `appended` have been
};

/// A table as one transaction and principal sees it.
class LakeTable final : public duck::TableCatalogEntry {
 public:
    struct View {
        tables::TablePtr state;
        tables::Schema schema;        // of the snapshot, when time travelling
        std::vector<size_t> columns;  // shown ones, as positions in schema.fields
        tables::ScanOptions scan;
        TableAccess access;
        bool governed = false;  // scans are replaced by the policy's plan
        std::vector<DeclaredType> declared;  // of `columns`; none where the policy masks
        std::optional<std::vector<tables::ScanTask>> only;  // these files instead of a plan
    };
    LakeTable(duck::Catalog& owner, LakeSchema& in, duck::CreateTableInfo& info,
              LakeTransaction& transaction, View view);

    duck::unique_ptr<duck::BaseStatistics> GetStatistics(duck::ClientContext&,
                                                         duck::column_t) override {
        return nullptr;
    }
    duck::TableFunction GetScanFunction(duck::ClientContext& context,
                                        duck::unique_ptr<duck::FunctionData>& bind_data) override;
    /// The identifier fields are a unique index to ON CONFLICT; nothing else looks.
    duck::TableStorageInfo GetStorageInfo(duck::ClientContext&) override;
    duck::virtual_column_map_t GetVirtualColumns() const override;
    duck::vector<duck::column_t> GetRowIdColumns() const override;
    void BindUpdateConstraints(duck::Binder& binder, duck::LogicalGet& get,
                               duck::LogicalProjection& projection, duck::LogicalUpdate& update,
                               duck::ClientContext& context) override;

    LakeTransaction& transaction() const { return transaction_; }
    const View& view() const { return view_; }
    const tables::TablePtr& state() const { return view_.state; }
    /// The files to read, pruned by `filter`: the snapshot's and the transaction's own.
    std::vector<tables::ScanTask> plan(const std::vector<tables::Predicate>& filter) const;

 private:
    LakeTransaction& transaction_;
    const View view_;
};

class LakeSchema final : public duck::SchemaCatalogEntry {
 public:
    LakeSchema(duck::Catalog& owner, duck::CreateSchemaInfo& info, LakeTransaction& transaction)
        : SchemaCatalogEntry(owner, info), transaction_(transaction) {}

    void Scan(duck::ClientContext& context, duck::CatalogType type,
              const std::function<void(duck::CatalogEntry&)>& callback) override;
    void Scan(duck::CatalogType, const std::function<void(duck::CatalogEntry&)>&) override {}
    duck::optional_ptr<duck::CatalogEntry> CreateTable(duck::CatalogTransaction transaction,
                                                       duck::BoundCreateTableInfo& info) override;
    duck::optional_ptr<duck::CatalogEntry> CreateView(duck::CatalogTransaction transaction,
                                                      duck::CreateViewInfo& info) override;
    duck::optional_ptr<duck::CatalogEntry> LookupEntry(
        duck::CatalogTransaction transaction, const duck::EntryLookupInfo& lookup) override;
    duck::SimilarCatalogEntry GetSimilarEntry(duck::CatalogTransaction,
                                              const duck::EntryLookupInfo&) override {
        return {};
    }
    void DropEntry(duck::ClientContext& context, duck::DropInfo& info) override;
    void Alter(duck::CatalogTransaction transaction, duck::AlterInfo& info) override;

    duck::optional_ptr<duck::CatalogEntry> CreateIndex(duck::CatalogTransaction,
                                                       duck::CreateIndexInfo&,
                                                       duck::TableCatalogEntry&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateFunction(duck::CatalogTransaction,
                                                          duck::CreateFunctionInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateSequence(duck::CatalogTransaction,
                                                          duck::CreateSequenceInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateTableFunction(
        duck::CatalogTransaction, duck::CreateTableFunctionInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateCopyFunction(
        duck::CatalogTransaction, duck::CreateCopyFunctionInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreatePragmaFunction(
        duck::CatalogTransaction, duck::CreatePragmaFunctionInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateCollation(duck::CatalogTransaction,
                                                           duck::CreateCollationInfo&) override;
    duck::optional_ptr<duck::CatalogEntry> CreateType(duck::CatalogTransaction,
                                                      duck::CreateTypeInfo&) override;

 private:
    LakeTransaction& transaction_;
};

/// One state of the lake and the changes made on it, until COMMIT makes one batch of them.
class LakeTransaction final : public duck::Transaction {
 public:
    LakeTransaction(duck::TransactionManager& owner, duck::ClientContext& client,
                    LakeCatalog& catalog);
    /// Rolls back: files of an uncommitted transaction are removed.
    ~LakeTransaction() override;

    static LakeTransaction& of(duck::ClientContext& context, duck::Catalog& catalog) {
        return duck::Transaction::Get(context, catalog).Cast<LakeTransaction>();
    }

    Services& services() const { return services_; }
    const tables::CatalogSnapshot& snapshot();
    /// Reads this state. Before anything was looked up.
    void read_at(tables::CatalogSnapshot state) { snapshot_.emplace(std::move(state)); }
    /// From now on the table is these files; nullopt: itself again.
    void read_only(const tables::TablePtr& table,
                   std::optional<std::vector<tables::ScanTask>> files);
    const SessionState& session() const { return session_; }

    // Names, as the principal may see them; null when there is no such thing.
    LakeSchema* find_schema(const std::string& database);
    duck::CatalogEntry* find_relation(LakeSchema& schema, const duck::EntryLookupInfo& lookup);
    std::vector<std::string> databases();
    std::vector<tables::RelationInfo> relations(const std::string& database);
    TableAccess access(const std::string& database, const std::string& name) const;

    /// An entry that reads just these files, with their deletes: for compaction.
    LakeTable& make_scan(const tables::TablePtr& table, std::vector<tables::ScanTask> files);

    // Changes.
    void create_schema(const std::string& database, bool if_absent);
    void drop_schema(const std::string& database, bool if_present, bool cascade);
    void create_table(LakeSchema& schema, duck::BoundCreateTableInfo& info);
    void create_view(LakeSchema& schema, duck::CreateViewInfo& info);
    void drop(const std::string& database, duck::DropInfo& info);
    void alter(const std::string& database, duck::AlterInfo& info);
    /// Throws unless the user may give the table other rules: he alters it and sees all of it.
    void require_rules(const LakeTable& table) const;
    /// Other rules of the table (table_rules.h); that the rows there are keep them is the caller's
    /// to check.
    void change_rules(const LakeTable& table, const tables::Properties& set,
                      const std::vector<std::string>& remove);
    /// The numbers of its columns begin again when the transaction commits.
    void restart_numbers(const LakeTable& table);
    void append(const tables::TablePtr& table, std::vector<tables::DataFile> files);
    /// Marks rows as deleted: file -> positions.
    void remove_rows(const tables::TablePtr& table, const std::map<std::string, Positions>& rows);
    /// Rows of the table are about to change: until the end of the transaction compaction leaves
    /// its files alone, if it is patient enough.
    void work_on(const tables::TablePtr& table);
    /// What the transaction does to the table hangs on which rows it has.
    void decide_by_base(const tables::TablePtr& table);
    /// Files that it has added since the last call: their rows' keys are to be checked.
    std::vector<tables::DataFilePtr> take_unchecked(const tables::TablePtr& table);
    /// With what it has set and not committed.
    tables::Properties properties_of(const tables::TablePtr& table) const;
    /// The transaction's changes, to whatever table, hang on which rows this one has: FOR UPDATE,
    /// LOCK TABLE.
    void lock_rows(const tables::TablePtr& table);
    /// All rows of the table, without reading them.
    void clear(const tables::TablePtr& table);
    /// Takes some of its own files back.
    void forget(const tables::TablePtr& table, const std::set<std::string>& paths);
    bool cleared(const tables::TablePtr& table) const;
    /// Files that this transaction has added to a table.
    std::vector<tables::DataFilePtr> pending_files(const tables::TablePtr& table) const;
    /// Own deletions in one file, as a copy; null when there are none.
    PositionsPtr pending_deletes(const tables::TablePtr& table, const std::string& file) const;

    bool has_changes() const;
    /// What commit() would do to the tables; writes position deletes. For callers that commit it
    /// themselves.
    Result<std::vector<tables::TableChange>> take_changes(duck::ClientContext& client);
    /// The rest of what commit() would do.
    meta::Batch take_extra() { return std::exchange(extra_, {}); }
    /// One batch of everything. Throws nothing.
    Status commit(duck::ClientContext& client);

    /// What was changed so far, for SAVEPOINT. Files that it names stay until the transaction ends.
    struct Changes {
        std::map<std::string, PendingTable> pending;
        std::map<std::pair<std::string, std::string>, tables::RelationInfo> created;
        std::set<std::pair<std::string, std::string>> dropped;
        std::set<std::string> created_databases, dropped_databases;
        meta::Batch extra;
    };
    Changes save();
    /// Where a transaction of DuckDB's ends and ours goes on in the next one.
    struct Remains {
        Changes changes;
        std::optional<tables::CatalogSnapshot> snapshot;
        std::map<std::string, tables::TableTurn> turns;
        std::vector<tables::DataFile> left;
    };
    /// Takes back what was done since save() gave `changes`. This transaction has no changes then.
    Remains leave(Changes changes);
    /// Before anything was looked up.
    void go_on(Remains remains);

    /// While it lives, names resolve to whole tables: for binding the policy's own SQL.
    class Unguarded {
     public:
        explicit Unguarded(LakeTransaction& transaction) : transaction_(transaction) {
            ++transaction_.unguarded_;
        }
        ~Unguarded() { --transaction_.unguarded_; }

     private:
        LakeTransaction& transaction_;
    };
    bool unguarded() const { return unguarded_ > 0; }

 private:
    using Name = std::pair<std::string, std::string>;
    std::optional<tables::RelationInfo> find_info(const std::string& database,
                                                  const std::string& name);
    bool database_exists(const std::string& database);
    PendingTable& pending_of(const tables::TablePtr& table) /* mutex_ held */;
    /// Own files that are not needed any more, unless a savepoint names them.
    void discard(const std::vector<tables::DataFilePtr>& files) /* mutex_ held */;
    Result<tables::TableChange> change_of(duck::ClientContext& context, PendingTable& pending);
    duck::CatalogEntry* make_table(LakeSchema& schema, const tables::RelationInfo& info,
                                   const duck::EntryLookupInfo& lookup);
    duck::CatalogEntry* make_view(LakeSchema& schema, const tables::RelationInfo& info);
    /// SELECT FROM a sequence; null: there is none of that name.
    duck::CatalogEntry* make_sequence(LakeSchema& schema, const std::string& name);
    void drop_relation(const tables::RelationInfo& info);
    bool comment(const tables::RelationInfo& relation, duck::AlterInfo& info);
    void stage_rules(const tables::TablePtr& table, const tables::Properties& set,
                     const std::vector<std::string>& remove);
    void rename(const tables::RelationInfo& relation, const std::string& name);
    bool is_new_table(const std::string& uuid) const;
    /// Puts a record of the change into its batch. `what`: the resource, behind the lake's prefix.
    void audit(const char* action, const std::string& what);
    void audit(const char* action, const tables::RelationInfo& relation);
    tables::TablePtr load(const tables::RelationInfo& info);
    void require_create(const std::string& database);
    security::Caller caller_now() const;

    Services& services_;
    LakeCatalog& catalog_;
    SessionState& session_;
    std::optional<tables::CatalogSnapshot> snapshot_;
    int unguarded_ = 0;

    // Names: the snapshot, the entries, and what was created and dropped. Parts of one query look
    // them up at the same time (a scan of the catalog begins on whichever thread is free);
    // recursive, because finding a name finds others. Taken before mutex_.
    mutable std::recursive_mutex names_mutex_;

    mutable std::mutex mutex_;  // pending_: sinks of one statement run on several threads
    std::map<std::string, PendingTable> pending_;                // by table uuid
    std::map<std::string, std::vector<tables::ScanTask>> only_;  // by table uuid
    std::map<Name, tables::RelationInfo> created_;               // tables and views
    std::set<Name> dropped_;
    std::set<std::string> created_databases_;
    std::set<std::string> dropped_databases_;
    meta::Batch extra_;                               // staged catalog changes
    std::map<std::string, tables::TableTurn> turns_;  // by table uuid
    std::vector<std::pair<std::string, int>>
        restarted_;                       // numbered columns, by table uuid and field id
    bool saved_ = false;                  // there is, or was, a savepoint
    std::vector<tables::DataFile> left_;  // own files that only savepoints may name

    std::map<std::string, std::unique_ptr<LakeSchema>> schemas_;
    std::vector<std::unique_ptr<duck::CatalogEntry>>
        entries_;  // all that were handed out; plans point to them
};

class LakeCatalog final : public duck::Catalog {
 public:
    LakeCatalog(duck::AttachedDatabase& attached, Services& services)
        : Catalog(attached), services_(services) {}

    Services& services() const { return services_; }

    void Initialize(bool) override {}
    duck::string GetCatalogType() override { return "tarn"; }
    bool SupportsTimeTravel() const override { return true; }
    duck::optional_ptr<duck::CatalogEntry> CreateSchema(duck::CatalogTransaction transaction,
                                                        duck::CreateSchemaInfo& info) override;
    void ScanSchemas(duck::ClientContext& context,
                     std::function<void(duck::SchemaCatalogEntry&)> callback) override;
    duck::optional_ptr<duck::SchemaCatalogEntry> LookupSchema(
        duck::CatalogTransaction transaction, const duck::EntryLookupInfo& lookup,
        duck::OnEntryNotFound if_not_found) override;
    void DropSchema(duck::ClientContext& context, duck::DropInfo& info) override;
    duck::DatabaseSize GetDatabaseSize(duck::ClientContext&) override { return {}; }
    bool InMemory() override { return false; }
    duck::string GetDBPath() override { return kLake; }

    duck::PhysicalOperator& PlanCreateTableAs(duck::ClientContext& context,
                                              duck::PhysicalPlanGenerator& planner,
                                              duck::LogicalCreateTable& op,
                                              duck::PhysicalOperator& plan) override;
    duck::PhysicalOperator& PlanInsert(duck::ClientContext& context,
                                       duck::PhysicalPlanGenerator& planner,
                                       duck::LogicalInsert& op,
                                       duck::optional_ptr<duck::PhysicalOperator> plan) override;
    duck::PhysicalOperator& PlanDelete(duck::ClientContext& context,
                                       duck::PhysicalPlanGenerator& planner,
                                       duck::LogicalDelete& op,
                                       duck::PhysicalOperator& plan) override;
    duck::PhysicalOperator& PlanUpdate(duck::ClientContext& context,
                                       duck::PhysicalPlanGenerator& planner,
                                       duck::LogicalUpdate& op,
                                       duck::PhysicalOperator& plan) override;
    duck::PhysicalOperator& PlanMergeInto(duck::ClientContext& context,
                                          duck::PhysicalPlanGenerator& planner,
                                          duck::LogicalMergeInto& op,
                                          duck::PhysicalOperator& plan) override;
    duck::ErrorData SupportsCreateTable(duck::BoundCreateTableInfo& info) override;
    duck::unique_ptr<duck::LogicalOperator> BindCreateIndex(
        duck::Binder&, duck::CreateStatement&, duck::TableCatalogEntry&,
        duck::unique_ptr<duck::LogicalOperator>) override;

 private:
    Services& services_;
};

/// Registers the catalog as a storage type that ATTACH '' (TYPE tarn) takes: only the engine itself
/// can say ATTACH.
void register_lake(duck::DBConfig& config, Services& services);

/// The name of scans that must have been replaced by the policy's plan.
inline constexpr const char* kGovernedScan = "lake_governed_scan";
inline constexpr const char* kLakeScan = "lake_scan";

}  // namespace tarn::query
