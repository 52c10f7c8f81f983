// Databases, tables and views: their records, changed under conditions so that two servers or
// sessions can't disagree.
#include "tables/catalog.h"

#include <algorithm>
#include <charconv>

#include "base/random.h"
#include "fmt/format.h"
#include "meta/keys.h"
#include "tables/internal/catalog_cache.h"
#include "tables/internal/records.h"
#include "tables/internal/stage.h"
#include "tables/internal/table_builder.h"

namespace tarn::tables {

namespace {

constexpr size_t kNameBytesMax = 63;
constexpr Oid kFirstOid = 16384;
constexpr Oid kOidsReserved = 32;
constexpr int kOidAttemptsMax = 100;

Error changed_meanwhile(std::string_view what) {
    return Error(Code::conflict,
                 fmt::format("{} was changed by someone else at the same time: try again", what),
                 "catalog_changed");
}

/// The record of a relation as it is now, with the version to require of it.
struct Found {
    RelationInfo info;
    meta::Version version = 0;
};
Result<Found> find_again(const meta::Reader& state, const RelationInfo& relation) {
    TARN_TRY(record, state.get(relation_key(relation.database, relation.name)));
    if (!record) return no_such_relation(relation.kind, relation.database, relation.name);
    TARN_TRY(info, decode_relation(record->value));
    if (info.uuid != relation.uuid)
        return no_such_relation(relation.kind, relation.database, relation.name);
    return Found{std::move(info), record->version};
}

}  // namespace

Status check_name(std::string_view what, std::string_view name) {
    bool good =
        !name.empty() && name.size() <= kNameBytesMax && !(name[0] >= '0' && name[0] <= '9');
    for (const char c : name)
        good = good && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
    if (good) return {};
    return Error(Code::invalid_argument,
                 fmt::format("\"{}\" can't be the name of a {}: lower-case letters, digits and _, "
                             "not a digit first, "
                             "at most {} bytes",
                             name.substr(0, 100), what, kNameBytesMax),
                 "invalid_name");
}

/// Conditions are decided before the batch: what the batch itself makes or removes can't be asked
/// for.
static bool does(const meta::Batch& batch, meta::Batch::Operation::Kind kind,
                 const std::string& key) {
    return std::any_of(
        batch.operations().begin(), batch.operations().end(),
        [&](const auto& operation) { return operation.kind == kind && operation.key == key; });
}

/// Where the batch itself makes the record.
static std::vector<meta::Batch::Operation>::iterator staged_put(meta::Batch& batch, const std::string& key) {
    return std::find_if(batch.operations().begin(), batch.operations().end(), [&](const auto& operation) {
        return operation.kind == meta::Batch::Operation::Kind::put && operation.key == key;
    });
}

void stage_name(meta::Batch& batch, const RelationInfo& info) {
    using Kind = meta::Batch::Operation::Kind;
    const std::string key = relation_key(info.database, info.name);
    if (!does(batch, Kind::put, database_key(info.database)))
        batch.require_present(database_key(info.database), no_such_database(info.database));
    if (!does(batch, Kind::erase, key))
        batch.require_absent(key, relation_exists(info.database, info.name));
    batch.put(key, encode(info));
}

void stage_new_table(meta::Batch& batch, const RelationInfo& info,
                     const std::string& metadata_location, const std::string& table_location) {
    stage_name(batch, info);
    batch.put(pointer_key(info.uuid), encode(Pointer{metadata_location, table_location}));
}

void stage_purge(meta::Batch& batch, Timestamp due, std::vector<std::string> paths) {
    if (paths.empty()) return;
    batch.put(purge_key(due, random_uuid()), encode(Purge{std::move(paths), {}}));
}

Catalog::Catalog(meta::Store& store, Files& files, const Clock& clock, CatalogOptions options)
    : store_(store),
      files_(files),
      clock_(clock),
      options_(options),
      cache_(std::make_shared<CatalogCache>(files, options)) {}

Catalog::~Catalog() = default;

CatalogSnapshot Catalog::snapshot() const {
    return at(store_.snapshot());
}

CatalogSnapshot Catalog::at(std::shared_ptr<const meta::Snapshot> state) const {
    return CatalogSnapshot(cache_, std::move(state));
}

Status Catalog::commit(const security::Caller& caller, meta::Batch batch) {
    if (options_.audit != nullptr) options_.audit->attach(batch, caller);
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return {};
}

Result<Oid> Catalog::next_oid() {
    {
        MutexLock lock(mutex_);
        if (next_oid_ < reserved_oids_end_) return next_oid_++;
    }
    for (int attempt = 0; attempt < kOidAttemptsMax; ++attempt) {
        TARN_TRY(record, store_.get(oid_key()));
        Oid first = kFirstOid;
        if (record) {
            const auto& text = record->value;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), first);
            if (error != std::errc() || end != text.data() + text.size())
                return Error(Code::corrupted,
                             "the catalog's counter of object numbers is no number");
        }
        meta::Batch batch;
        batch.require_version(oid_key(), record ? record->version : 0,
                              changed_meanwhile("the counter"));
        batch.put(oid_key(), std::to_string(first + kOidsReserved));
        auto committed = store_.commit(std::move(batch));
        if (!committed.ok() && committed.error().reason == "catalog_changed") continue;
        if (!committed.ok()) return std::move(committed).error();
        MutexLock lock(mutex_);
        next_oid_ = first + 1;
        reserved_oids_end_ = first + kOidsReserved;
        return first;
    }
    return Error(Code::unavailable, "other servers keep taking object numbers: try again");
}

Result<DatabaseInfo> Catalog::stage_create_database(const security::Caller& caller,
                                                    const CreateDatabase& spec,
                                                    meta::Batch& batch) {
    TARN_CHECK_OK(check_name("database", spec.name));
    TARN_TRY(existing, snapshot().find_database(spec.name));
    const Error exists(Code::already_exists,
                       fmt::format("database \"{}\" exists already", spec.name), "database_exists");
    if (existing && spec.if_absent) return *existing;
    if (existing) return exists;
    DatabaseInfo info{spec.name,       0,           spec.comment, caller.principal.name,
                      spec.properties, clock_.now()};
    TARN_TRY(oid, next_oid());
    info.oid = oid;
    batch.require_absent(database_key(spec.name), exists)
        .put(database_key(spec.name), encode(info));
    return info;
}

Result<DatabaseInfo> Catalog::create_database(const security::Caller& caller,
                                              const CreateDatabase& spec) {
    meta::Batch batch;
    TARN_TRY(info, stage_create_database(caller, spec, batch));
    if (batch.empty()) return info;
    const Status committed = commit(caller, std::move(batch));
    if (!committed.ok() && spec.if_absent && committed.error().code == Code::already_exists) {
        TARN_TRY(existing, snapshot().find_database(spec.name));
        if (existing) return *existing;
    }
    if (!committed.ok()) return Error(committed.error());
    return info;
}

Status Catalog::stage_drop_database(const std::string& name, meta::Batch& batch,
                                    const std::set<std::string>& removed) {
    const Error not_empty(
        Code::conflict,
        fmt::format("database \"{}\" is not empty: drop its tables and views first", name),
        "database_not_empty");
    if (does(batch, meta::Batch::Operation::Kind::put, database_key(name))) {
        batch.erase(database_key(name));  // the batch has made it: nobody else has anything in it
        return {};
    }
    batch.require_present(database_key(name), no_such_database(name));
    // Conditions see the state before the batch: nothing may stand before, between and behind what it removes.
    std::string from = relations_prefix(name);
    const std::string end = meta::prefix_end(from);
    for (const auto& relation : removed) {
        const std::string key = relation_key(name, relation);
        if (from < key) batch.require_empty(from, key, not_empty);
        from = key + '\0';
    }
    batch.require_empty(from, end, not_empty);
    batch.erase(database_key(name)).frees_space();
    return {};
}

Status Catalog::drop_database(const security::Caller& caller, const std::string& name) {
    meta::Batch batch;
    TARN_CHECK_OK(stage_drop_database(name, batch));
    return commit(caller, std::move(batch));
}

Status Catalog::set_database(const security::Caller& caller, const DatabaseInfo& changed) {
    TARN_TRY(record, store_.get(database_key(changed.name)));
    if (!record) return no_such_database(changed.name);
    TARN_TRY(info, decode_database(record->value));
    info.comment = changed.comment;
    info.owner = changed.owner;
    info.properties = changed.properties;
    meta::Batch batch;
    batch.require_version(database_key(info.name), record->version,
                          changed_meanwhile("database " + info.name));
    batch.put(database_key(info.name), encode(info));
    return commit(caller, std::move(batch));
}

Result<TablePtr> Catalog::stage_create_table(const security::Caller& caller,
                                             const CreateTable& spec) {
    TARN_CHECK_OK(check_name("database", spec.database));
    TARN_CHECK_OK(check_name("table", spec.name));
    auto state = std::make_shared<TableState>();
    RelationInfo& info = state->info;
    info.database = spec.database;
    info.name = spec.name;
    info.uuid = random_uuid();
    info.comment = spec.comment;
    info.owner = caller.principal.name;
    info.created = clock_.now();
    const std::string location = fmt::format("s3://{}/{}/{}-{}", kLakeBucket, spec.database,
                                             spec.name, info.uuid.substr(0, 8));
    TARN_TRY(metadata, new_table_metadata(spec, info.uuid, location, info.created.micros / 1000));
    TARN_TRY(oid, next_oid());
    info.oid = oid;
    state->metadata_location = metadata_path(location, 0);
    state->metadata = std::make_shared<const TableMetadata>(std::move(metadata));
    return TablePtr(state);
}

Result<TablePtr> Catalog::create_table(const security::Caller& caller, const CreateTable& spec) {
    const CatalogSnapshot now = snapshot();
    TARN_TRY(database, now.find_database(spec.database));
    if (!database) return no_such_database(spec.database);
    TARN_TRY(existing, now.find_relation(spec.database, spec.name));
    if (existing) return relation_exists(spec.database, spec.name);
    TARN_TRY(table, stage_create_table(caller, spec));
    meta::Batch batch;
    TARN_TRY(staged,
             files_.stage_put(batch, table->metadata_location, metadata_json(*table->metadata)));
    stage_new_table(batch, table->info, table->metadata_location, table->metadata->location);
    TARN_CHECK_OK(commit(caller, std::move(batch)));
    staged->committed();
    cache_->keep(table->metadata_location, table->metadata);
    return table;
}

Status Catalog::stage_drop_table(const RelationInfo& table, meta::Batch& batch) {
    TARN_TRY(found, find_again(store_, table));
    if (found.info.kind != RelationKind::table)
        return no_such_relation(RelationKind::table, table.database, table.name);
    TARN_TRY(record, store_.get(pointer_key(table.uuid)));
    if (!record) return no_such_relation(RelationKind::table, table.database, table.name);
    TARN_TRY(pointer, decode_pointer(record->value));
    const std::string key = relation_key(table.database, table.name);
    batch.require_version(key, found.version, changed_meanwhile("table " + table.full_name()));
    batch.erase(key).erase(pointer_key(table.uuid));
    const std::string positions = positions_prefix(table.uuid);
    batch.erase_range(positions, meta::prefix_end(positions));
    const Timestamp due = clock_.now().plus(options_.file_grace);
    batch.put(purge_key(due, table.uuid), encode(Purge{{}, pointer.location + "/"})).frees_space();
    return {};
}

Status Catalog::drop_table(const security::Caller& caller, const RelationInfo& table) {
    meta::Batch batch;
    TARN_CHECK_OK(stage_drop_table(table, batch));
    return commit(caller, std::move(batch));
}

Result<RelationInfo> Catalog::stage_create_view(const security::Caller& caller,
                                                const CreateView& spec, meta::Batch& batch) {
    TARN_CHECK_OK(check_name("database", spec.database));
    TARN_CHECK_OK(check_name("view", spec.name));
    const std::string key = relation_key(spec.database, spec.name);
    TARN_TRY(record, store_.get(key));
    RelationInfo info;
    if (record) {
        TARN_TRY(existing, decode_relation(record->value));
        if (!spec.replace || existing.kind != RelationKind::view)
            return relation_exists(spec.database, spec.name);
        info = std::move(existing);
        batch.require_version(key, record->version, changed_meanwhile("view " + info.full_name()));
    } else {
        info.kind = RelationKind::view;
        info.database = spec.database;
        info.name = spec.name;
        info.uuid = random_uuid();
        info.created = clock_.now();
        info.owner = caller.principal.name;
        TARN_TRY(oid, next_oid());
        info.oid = oid;
    }
    info.sql = spec.sql;
    info.definer = spec.definer;
    info.columns = spec.columns;
    info.comment = spec.comment;
    if (record)
        batch.put(key, encode(info));
    else
        stage_name(batch, info);
    return info;
}

Result<RelationInfo> Catalog::create_view(const security::Caller& caller, const CreateView& spec) {
    meta::Batch batch;
    TARN_TRY(info, stage_create_view(caller, spec, batch));
    TARN_CHECK_OK(commit(caller, std::move(batch)));
    return info;
}

Status Catalog::stage_drop_view(const RelationInfo& view, meta::Batch& batch) {
    TARN_TRY(found, find_again(store_, view));
    if (found.info.kind != RelationKind::view)
        return no_such_relation(RelationKind::view, view.database, view.name);
    const std::string key = relation_key(view.database, view.name);
    batch.require_version(key, found.version, changed_meanwhile("view " + view.full_name()))
        .erase(key);
    return {};
}

Status Catalog::drop_view(const security::Caller& caller, const RelationInfo& view) {
    meta::Batch batch;
    TARN_CHECK_OK(stage_drop_view(view, batch));
    return commit(caller, std::move(batch));
}

Status Catalog::stage_rename(const RelationInfo& from, const std::string& database,
                             const std::string& name, meta::Batch& batch) {
    TARN_CHECK_OK(check_name(from.kind == RelationKind::view ? "view" : "table", name));
    const std::string old_key = relation_key(from.database, from.name);
    const std::string new_key = relation_key(database, name);
    if (old_key == new_key) return relation_exists(database, name);
    if (!does(batch, meta::Batch::Operation::Kind::erase, new_key))
        batch.require_absent(new_key, relation_exists(database, name));
    if (const auto made = staged_put(batch, old_key); made != batch.operations().end()) {
        TARN_TRY(info, decode_relation(made->value));
        info.database = database;
        info.name = name;
        batch.operations().erase(made);
        batch.put(new_key, encode(info));  // behind what took the name away
        return {};
    }
    TARN_TRY(found, find_again(store_, from));
    batch.require_version(old_key, found.version, changed_meanwhile(from.full_name()));
    batch.require_present(database_key(database), no_such_database(database));
    found.info.database = database;
    found.info.name = name;
    batch.erase(old_key).put(new_key, encode(found.info));
    return {};
}

Status Catalog::rename(const security::Caller& caller, const RelationInfo& from,
                       const std::string& database, const std::string& name) {
    meta::Batch batch;
    TARN_CHECK_OK(stage_rename(from, database, name, batch));
    return commit(caller, std::move(batch));
}

Status Catalog::stage_comment(const RelationInfo& relation, const std::string& comment,
                              meta::Batch& batch) {
    const std::string key = relation_key(relation.database, relation.name);
    if (const auto made = staged_put(batch, key); made != batch.operations().end()) {
        TARN_TRY(info, decode_relation(made->value));
        info.comment = comment;
        made->value = encode(info);
        return {};
    }
    TARN_TRY(found, find_again(store_, relation));
    found.info.comment = comment;
    batch.require_version(key, found.version, changed_meanwhile(relation.full_name()))
        .put(key, encode(found.info));
    return {};
}

Status Catalog::set_comment(const security::Caller& caller, const RelationInfo& relation,
                            const std::string& comment) {
    meta::Batch batch;
    TARN_CHECK_OK(stage_comment(relation, comment, batch));
    return commit(caller, std::move(batch));
}

Result<ManifestListPtr> Catalog::load_manifest_list(const SnapshotPtr& snapshot) const {
    if (snapshot == nullptr) return std::make_shared<const std::vector<ManifestFile>>();
    return cache_->load_list(*snapshot);
}

Result<ManifestPtr> Catalog::load_manifest(const ManifestFile& info) const {
    return cache_->load_manifest(info);
}

}  // namespace tarn::tables
