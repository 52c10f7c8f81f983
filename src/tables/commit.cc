// Commits: who may change a table at the moment, which appends share a snapshot, and trying again
// when another server was faster. What a change does to a table is internal/change.h.
#include "tables/commit.h"

#include <algorithm>
#include <deque>
#include <set>

#include "fmt/format.h"
#include "tables/internal/change.h"
#include "tables/internal/records.h"
#include "tables/internal/stage.h"

namespace tarn::tables {

namespace {

constexpr std::string_view kMoved = "table_moved";

using Operation = meta::Batch::Operation;
using BatchCondition = meta::Batch::Condition;

size_t appends_of(const meta::Batch& batch) {
    return static_cast<size_t>(
        std::count_if(batch.operations().begin(), batch.operations().end(),
                      [](const auto& o) { return o.kind == Operation::Kind::append; }));
}

/// The keys whose order matters between two batches. False when it is not just keys (ranges).
bool exclusive_keys(const meta::Batch& batch, std::set<std::string>* keys) {
    for (const auto& condition : batch.conditions()) {
        if (condition.kind == BatchCondition::Kind::empty_range) return false;
        keys->insert(condition.key);
    }
    for (const auto& operation : batch.operations()) {
        if (operation.kind == Operation::Kind::erase_range) return false;
        if (operation.kind == Operation::Kind::add || operation.kind == Operation::Kind::append)
            continue;
        keys->insert(operation.key);
    }
    return true;
}

/// One call of commit() that waits.
struct Request {
    std::vector<TableChange> changes;
    meta::Batch extra;
    Result<CommitResult> result = Error(Code::internal, "not committed yet");
    bool done = false;
};

/// Who works on one table, and which appends wait for it.
struct Turn {
    bool busy = false;
    size_t users = 0;  // calls that hold a pointer to this
    std::deque<Request*> appends;
    Condition changed;
};

}  // namespace

bool TableChange::only_appends() const {
    return !create && !append.empty() && !changes_rows_of_base() && !replace && !decided_by_base && schema.empty() &&
           !partition && set_properties.empty() && remove_properties.empty() &&
           expire_snapshots.empty() && purge.empty();
}

TableChange TableChange::append_to(TablePtr table, std::vector<DataFile> files) {
    TableChange change;
    change.table = std::move(table);
    change.append = std::move(files);
    return change;
}

SchemaStep SchemaStep::add(std::string name, Type type, std::optional<std::string> doc,
                           int parent_id) {
    SchemaStep step;
    step.kind = Kind::add;
    step.name = std::move(name);
    step.type = std::move(type);
    step.doc = std::move(doc);
    step.parent_id = parent_id;
    return step;
}

namespace {

SchemaStep step_of(SchemaStep::Kind kind, int field_id) {
    SchemaStep step;
    step.kind = kind;
    step.field_id = field_id;
    return step;
}

}  // namespace

SchemaStep SchemaStep::drop(int field_id) {
    return step_of(Kind::drop, field_id);
}
SchemaStep SchemaStep::make_optional(int field_id) {
    return step_of(Kind::make_optional, field_id);
}
SchemaStep SchemaStep::move_first(int field_id) {
    return step_of(Kind::move_first, field_id);
}

SchemaStep SchemaStep::rename(int field_id, std::string name) {
    SchemaStep step = step_of(Kind::rename, field_id);
    step.name = std::move(name);
    return step;
}

SchemaStep SchemaStep::widen(int field_id, Type type) {
    SchemaStep step = step_of(Kind::widen, field_id);
    step.type = std::move(type);
    return step;
}

SchemaStep SchemaStep::set_doc(int field_id, std::optional<std::string> doc) {
    SchemaStep step = step_of(Kind::set_doc, field_id);
    step.doc = std::move(doc);
    return step;
}

SchemaStep SchemaStep::move_after(int field_id, int after_id) {
    SchemaStep step = step_of(Kind::move_after, field_id);
    step.after_id = after_id;
    return step;
}

struct Committer::Impl {
    Impl(Catalog& c, Metrics& metrics, CommitterOptions o)
        : catalog(c),
          options(o),
          commits(metrics.counter("tarn_tables_commits_total", "Commits asked for that succeeded")),
          snapshots(metrics.counter("tarn_tables_commit_batches_total",
                                    "Batches that carried table commits")),
          conflicts(metrics.counter("tarn_tables_commit_conflicts_total",
                                    "Commits refused because rows had changed")),
          retries(metrics.counter("tarn_tables_commit_retries_total",
                                  "Attempts lost to another server")) {}

    Result<CommitResult> commit(Request request);
    void append_in_group(const std::string& uuid, Request* request);
    std::vector<Request*> take_group(Turn* turn) TARN_REQUIRES(mutex);
    void run_group(const std::vector<Request*>& group);
    void run_exclusive(Request* request);
    Result<CommitResult> attempt_until_settled(const std::vector<TableChange>& changes,
                                               const meta::Batch& extra);
    Result<CommitResult> attempt(const std::vector<TableChange>& changes, const meta::Batch& extra);

    std::shared_ptr<Turn> turn_of(const std::string& uuid) TARN_REQUIRES(mutex);
    void give_back(const std::string& uuid, const std::shared_ptr<Turn>& turn) TARN_REQUIRES(mutex);

    Catalog& catalog;
    const CommitterOptions options;
    Counter& commits;
    Counter& snapshots;
    Counter& conflicts;
    Counter& retries;
    Mutex mutex;
    std::map<std::string, std::shared_ptr<Turn>> turns TARN_GUARDED_BY(mutex);
};

std::shared_ptr<Turn> Committer::Impl::turn_of(const std::string& uuid) {
    auto& turn = turns[uuid];
    if (turn == nullptr) turn = std::make_shared<Turn>();
    ++turn->users;
    return turn;
}

void Committer::Impl::give_back(const std::string& uuid, const std::shared_ptr<Turn>& turn) {
    if (--turn->users == 0) turns.erase(uuid);
}

/// The waiting appends that may share a snapshot: nothing in their extras may depend on another of
/// the group.
std::vector<Request*> Committer::Impl::take_group(Turn* turn) {
    std::vector<Request*> group;
    std::set<std::string> keys;
    size_t files = 0;
    while (!turn->appends.empty() && group.size() < options.group_appends_max) {
        Request* next = turn->appends.front();
        std::set<std::string> its_keys;
        const bool simple = exclusive_keys(next->extra, &its_keys);
        const bool independent = std::none_of(its_keys.begin(), its_keys.end(),
                                              [&](const auto& key) { return keys.count(key) > 0; });
        files += next->changes[0].append.size();
        if (!group.empty() && (!simple || !independent || files > options.group_files_max)) break;
        turn->appends.pop_front();
        group.push_back(next);
        if (!simple) break;
        keys.merge(its_keys);
    }
    return group;
}

void Committer::Impl::run_group(const std::vector<Request*>& group) {
    if (group.size() > 1) {
        std::vector<TableChange> joined(1, TableChange::append_to(group[0]->changes[0].table, {}));
        meta::Batch extra;
        for (const Request* request : group) {
            const TableChange& change = request->changes[0];
            joined[0].append.insert(joined[0].append.end(), change.append.begin(),
                                    change.append.end());
            for (const auto& [name, value] : change.summary) joined[0].summary[name] = value;
            extra.merge(request->extra);
        }
        auto result = attempt_until_settled(joined, extra);
        if (result.ok()) {
            size_t first = 0;
            for (Request* request : group) {
                const size_t count = appends_of(request->extra);
                CommitResult own = *result;
                const auto begin = result->offsets.begin() + static_cast<std::ptrdiff_t>(first);
                own.offsets.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
                request->result = std::move(own);
                first += count;
            }
            return;
        }
        // One of them has an extra that does not hold, or a file that does not fit: each for itself
        // tells which.
    }
    for (Request* request : group)
        request->result = attempt_until_settled(request->changes, request->extra);
}

void Committer::Impl::append_in_group(const std::string& uuid, Request* request) {
    MutexLock lock(mutex);
    const auto turn = turn_of(uuid);
    turn->appends.push_back(request);
    while (!request->done) {
        if (turn->busy) {
            turn->changed.wait(mutex);
            continue;
        }
        turn->busy = true;
        const auto group = take_group(turn.get());
        mutex.unlock();
        run_group(group);
        mutex.lock();
        for (Request* member : group) member->done = true;
        turn->busy = false;
        turn->changed.notify_all();
    }
    give_back(uuid, turn);
}

void Committer::Impl::run_exclusive(Request* request) {
    // Always in the order of the names, so that two commits never wait for each other.
    std::set<std::string> uuids;
    for (const auto& change : request->changes) uuids.insert(change.table->info.uuid);
    std::vector<std::pair<std::string, std::shared_ptr<Turn>>> held;
    {
        MutexLock lock(mutex);
        for (const auto& uuid : uuids) {
            held.emplace_back(uuid, turn_of(uuid));
            while (held.back().second->busy) held.back().second->changed.wait(mutex);
            held.back().second->busy = true;
        }
    }
    request->result = attempt_until_settled(request->changes, request->extra);
    MutexLock lock(mutex);
    for (const auto& [uuid, turn] : held) {
        turn->busy = false;
        turn->changed.notify_all();
        give_back(uuid, turn);
    }
}

Result<CommitResult> Committer::Impl::attempt_until_settled(const std::vector<TableChange>& changes,
                                                            const meta::Batch& extra) {
    for (int i = 0; i < options.attempts_max; ++i) {
        auto result = attempt(changes, extra);
        if (result.ok() || result.error().reason != kMoved) return result;
        retries.add();
    }
    return Error(Code::unavailable,
                 fmt::format("table {}: other servers keep changing it: try again",
                             changes[0].table->info.full_name()));
}

Result<CommitResult> Committer::Impl::attempt(const std::vector<TableChange>& changes,
                                              const meta::Batch& extra) {
    meta::Batch batch = extra;  // first, so that its appends are the first of the batch
    const auto state = catalog.store().snapshot();
    const Timestamp now = catalog.clock().now();
    std::vector<Prepared> prepared;
    std::vector<std::unique_ptr<Files::Staged>> staged;
    for (const auto& change : changes) {
        const RelationInfo& info = change.table->info;
        Pointer pointer{change.table->metadata_location, change.table->metadata->location};
        MetadataPtr current = change.table->metadata;
        meta::Version version = 0;
        if (!change.create) {
            TARN_TRY(record, state->get(pointer_key(info.uuid)));
            if (!record) return no_such_relation(RelationKind::table, info.database, info.name);
            TARN_TRY(decoded, decode_pointer(record->value));
            TARN_TRY(loaded, catalog.cache().load_metadata(decoded.metadata_location));
            pointer = std::move(decoded);
            current = std::move(loaded);
            version = record->version;
        }
        TARN_TRY(one, prepare_change(catalog, options, current,
                                     change.create ? "" : pointer.metadata_location, change,
                                     now.micros / 1000));
        for (auto& file : one.files) {
            TARN_TRY(handle, catalog.files().stage_put(batch, file.path, std::move(file.bytes)));
            staged.push_back(std::move(handle));
        }
        if (change.create) {
            stage_new_table(batch, info, one.metadata_location, pointer.location);
        } else if (one.changed || change.decided_by_base) {
            batch.require_version(pointer_key(info.uuid), version,
                                  Error(Code::conflict, "", std::string(kMoved)));
        }
        if (one.changed && !change.create) {
            batch.put(pointer_key(info.uuid),
                      encode(Pointer{one.metadata_location, pointer.location}));
        }
        stage_purge(batch, now.plus(catalog.options().file_grace), one.purge);
        prepared.push_back(std::move(one));
    }
    // Kept before the pointer moves: whoever sees the new one at once must not read and parse what
    // is here. If it does not move, nobody asks for these paths, and they are forgotten unused.
    for (auto& one : prepared) {
        catalog.cache().keep(one.metadata_location, one.metadata);
        if (one.list != nullptr) catalog.cache().keep(one.list_path, one.list);
        for (auto& manifest : one.manifests) catalog.cache().keep(std::move(manifest));
    }
    TARN_TRY(committed, catalog.store().commit(std::move(batch)));
    snapshots.add();
    for (const auto& file : staged) file->committed();
    CommitResult result;
    result.version = committed.version;
    result.offsets.assign(
        committed.offsets.begin(),
        committed.offsets.begin() +
            static_cast<std::ptrdiff_t>(std::min(appends_of(extra), committed.offsets.size())));
    for (size_t i = 0; i < changes.size(); ++i) {
        const Prepared& one = prepared[i];
        result.tables.push_back(std::make_shared<const TableState>(
            TableState{changes[i].table->info, one.metadata_location, one.metadata}));
    }
    return result;
}

Result<CommitResult> Committer::Impl::commit(Request request) {
    std::set<std::string> uuids;
    for (const auto& change : request.changes) {
        TARN_CHECK_OK(check_change(change));
        if (!uuids.insert(change.table->info.uuid).second)
            return Error(Code::invalid_argument,
                         fmt::format("table {} is changed twice in one commit",
                                     change.table->info.full_name()));
    }
    if (request.changes.size() == 1 && request.changes[0].only_appends())
        append_in_group(*uuids.begin(), &request);
    else if (!request.changes.empty())
        run_exclusive(&request);
    else if (!request.extra.empty())
        request.result = attempt({}, request.extra);
    else
        request.result = CommitResult();
    if (request.result.ok())
        commits.add();
    else if (request.result.error().reason == "rows_changed")
        conflicts.add();
    return std::move(request.result);
}

Committer::Committer(Catalog& catalog, Metrics& metrics, CommitterOptions options)
    : impl_(std::make_unique<Impl>(catalog, metrics, options)) {}

Committer::~Committer() = default;

Result<CommitResult> Committer::commit(const security::Caller& caller,
                                       std::vector<TableChange> changes, meta::Batch extra) {
    Request request;
    request.changes = std::move(changes);
    request.extra = std::move(extra);
    for (auto& change : request.changes)
        if (change.makes_snapshot() && !caller.principal.name.empty())
            change.summary.emplace("tarn.principal", caller.principal.name);
    return impl_->commit(std::move(request));
}

}  // namespace tarn::tables
