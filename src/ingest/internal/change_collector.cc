#include "ingest/internal/change_collector.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/internal/capture_load.h"
#include "ingest/internal/capture_schema.h"
#include "ingest/internal/change_history.h"
#include "tables/commit.h"
#include "tables/table_turns.h"

namespace tarn::ingest {

namespace {

constexpr uint64_t kChangesMax = 400'000;  // a commit's, where transactions are small
constexpr auto kTurnWait = std::chrono::seconds(2);
constexpr uint64_t kPendingMax = 128ull << 20;  // bytes in memory of all tables

bool same_description(const Relation& a, const Relation& b) {
    return a.oid == b.oid && a.schema == b.schema && a.name == b.name && a.identity == b.identity &&
           a.columns == b.columns;
}

}  // namespace

/// A followed table while the log is read.
struct ChangeCollector::Open {
    size_t place = 0;
    FollowedTable* table = nullptr;
    uint64_t serial = 0;   // of the description that `shape` is for; 0: none yet
    Relation described;    // that description
    Lsn described_in = 0;  // the transaction in which the catalog was looked at for it
    Lsn rows_in = 0;       // the last transaction that had rows
    int nth = 0;           // of its descriptions
    ChangeShape shape;
    tables::TablePtr lake;  // what `apply` works on
    std::unique_ptr<ChangeApply> apply;
    uint64_t batch = 0;      // the last one that had changes of it
    uint64_t taken = 0;      // changes since the last commit
    tables::TableTurn turn;  // while changes are gathered: compaction would make them void
    /// Values of the columns that came after the description; `shape` has them at its end.
    std::vector<std::optional<std::string>> later;
    Cells before, after;  // room for rows with them
};

ChangeCollector::ChangeCollector(Parts parts, CapturePosition position,
                                 std::vector<FollowedTable> tables)
    : parts_(parts), position_(std::move(position)), tables_(std::move(tables)) {
    whole_ = position_.lsn;
    set_origin(position_.timeline, position_.publications);
    for (size_t i = 0; i < tables_.size(); ++i) {
        auto one = std::make_unique<Open>();
        one->place = i;
        one->table = &tables_[i];
        by_oid_[tables_[i].source.oid] = one.get();
        open_.push_back(std::move(one));
    }
}

ChangeCollector::~ChangeCollector() = default;

Error ChangeCollector::stop_at(const Open& one, CaptureTable::Pause pause, const std::string& why) {
    trouble_ = Trouble{one.place, pause, why};
    return Error(Code::invalid_argument,
                 fmt::format("table {}: {}", one.table->source.full_name(), why), "table_trouble");
}

Status ChangeCollector::noted(Open& one, Status status) {
    if (status.ok()) {
        ++one.taken;
        ++batch_changes_;
        ++changes_;
        if (!oldest_) oldest_ = transaction_.committed;
        return status;
    }
    // A person, or a new load, has to mend it; the rest passes by itself.
    if (!concerns_one_table(status.error())) return status;
    Error error = stop_at(one, CaptureTable::Pause::reload, status.error().message);
    trouble_->of_values = true;
    return error;
}

/// The table to put a change into, with the shape that the log has now; null: not ours, or the
/// change is in its load.
Result<ChangeCollector::Open*> ChangeCollector::ready(const Relation& relation) {
    Open* one = last_;
    if (!one || one->table->source.oid != relation.oid) {
        const auto found = by_oid_.find(relation.oid);
        if (found == by_oid_.end()) return static_cast<Open*>(nullptr);
        one = last_ = found->second;
    }
    const auto& state = one->table->state;
    if (state.pause != CaptureTable::Pause::none || transaction_.commit_lsn < state.lsn)
        return static_cast<Open*>(nullptr);
    const bool first = one->rows_in != transaction_.commit_lsn;
    if (first) {
        one->rows_in = transaction_.commit_lsn;
        one->nth = 0;
    }
    if (one->serial != relation.serial) {
        const bool same = one->serial != 0 && same_description(one->described, relation);
        if (!first && !same) ++one->nth;
        // A large transaction describes its tables thousands of times. It is committed: what the
        // catalog said at the first time holds for all of it.
        if (same && one->described_in == transaction_.commit_lsn)
            one->serial = relation.serial;
        else
            TARN_CHECK_OK(adapt(*one, relation));
    }
    if (one->batch != batch_) TARN_CHECK_OK(open(*one, relation));
    return one;
}

/// The first change of a batch: the table may have been changed by others since the last.
Status ChangeCollector::open(Open& one, const Relation&) {
    if (!one.turn.held())
        one.turn = tables::take_turn(parts_.lake.catalog, one.table->uuid,
                                     tables::TurnKind::beside_others, kTurnWait);
    auto loaded = parts_.lake.catalog.snapshot().load_table(parts_.source, one.table->source.name);
    if (!loaded.ok()) return std::move(loaded).error();
    if ((*loaded)->info.uuid != one.table->uuid)
        return Error(Code::conflict,
                     fmt::format("table {} was dropped here: it is loaded again",
                                 one.table->source.full_name()),
                     "table_replaced");
    if (!one.apply || one.lake->metadata_location != (*loaded)->metadata_location) {
        one.lake = *loaded;
        one.apply.reset();  // before the next one: both would speak for the table in the index
        TARN_TRY(history, history_of(one));
        one.apply =
            std::make_unique<ChangeApply>(ChangeApply::Parts{parts_.lake, parts_.index},
                                          std::move(*loaded), one.shape, std::move(history));
    }
    one.batch = batch_;
    return ok_status();
}

/// The log describes the table anew: at the first change after a connection, and after DDL.
Status ChangeCollector::adapt(Open& one, const Relation& relation) {
    // A catalog of before the transaction's own statements would be taken for one of after them.
    TARN_CHECK_OK(wait_until_seen(parts_.control, transaction_.xid));
    std::vector<TableProblem> problems;
    TARN_TRY(found, find_postgres_tables(parts_.control, {relation.full_name()}, &problems));
    for (auto& table : found) keep_logged(table);
    const PostgresTable* now =
        found.empty() || found.front().oid != relation.oid ? nullptr : &found.front();
    TARN_TRY(some_columns,
             tells_some_columns(parts_.control, capture_names(parts_.lake.lake_id, parts_.identity),
                                relation.oid));
    const DescriptionPlace place{transaction_.commit_lsn, one.nth};
    const ShapeQuestion question{relation, one.table->state, now, transaction_.xid,
                                 place,    some_columns};
    auto plan = plan_shape(question);
    if (!plan.reload.empty()) return stop_at(one, CaptureTable::Pause::reload, plan.reload);
    TARN_TRY(types, types_in_log(parts_.control, relation.columns));
    TARN_TRY(table,
             parts_.lake.catalog.snapshot().load_table(parts_.source, one.table->source.name));
    if (table->info.uuid != one.table->uuid)
        return Error(Code::conflict, "the table was dropped here", "table_replaced");
    TARN_TRY(schema, plan_schema(question, plan, table->schema(), types));
    if (schema.person.empty() && !schema.reload.empty())
        return stop_at(one, CaptureTable::Pause::reload, schema.reload);
    const bool grew = !schema.added.empty(), fill = schema.fill;
    const std::string doubt = schema.doubt;
    TARN_TRY(changed, change_schema(one, std::move(schema), table));
    // Rows that are here get the value before any row comes that was written with the column.
    if (fill) return Error(Code::unavailable, "a column's first value is written", "again");
    place_again(one.table->state, now, plan);
    TARN_TRY(shape, shape_of(one, relation, plan, *changed, types, now));
    const bool waits = one.apply && one.batch == batch_ && !one.apply->empty();
    if (waits) {
        std::vector<int> before, after;
        for (const size_t at : one.shape.key) before.push_back(one.shape.field_ids[at]);
        for (const size_t at : shape.key) after.push_back(shape.field_ids[at]);
        if (before != after || one.shape.mode != shape.mode) {
            // Read again, all rows have the columns that came.
            if (grew) return Error(Code::unavailable, "a table's key has more columns", "again");
            return stop_at(one, CaptureTable::Pause::reload,
                           "its key became another in the middle of changes");
        }
        std::swap(one.shape, shape);
        auto history = history_of(one);
        std::swap(one.shape, shape);
        if (!history.ok()) return std::move(history).error();
        TARN_CHECK_OK(one.apply->reshape(changed, shape, std::move(*history)));
        one.lake = changed;
    } else {
        one.apply.reset();
        one.batch = 0;
    }
    one.shape = std::move(shape);
    one.serial = relation.serial;
    CaptureTable told = one.table->state;
    if (note_told(told, question, plan.numbers)) TARN_CHECK_OK(record(*one.table, told));
    one.described = relation;
    one.described_in = transaction_.commit_lsn;
    if (!doubt.empty())
        log_warning(
            "ingest", "a followed table's rows may differ from the database's",
            {{"source", parts_.source}, {"table", one.table->source.full_name()}, {"why", doubt}});
    const bool adds_only = one.shape.mode == ChangeShape::Mode::append_only;
    parts_.status.change_table(parts_.source, one.table->source.name, [&](TableStatus& status) {
        status.note = adds_only ? only_added(now ? *now : one.table->source) : doubt;
    });
    return ok_status();
}

/// What became of the columns, as steps of the lake's table, committed at once: rows of before and
/// after it fit both.
Result<tables::TablePtr> ChangeCollector::change_schema(Open& one, SchemaPlan plan,
                                                        const tables::TablePtr& table) {
    if (!plan.person.empty())
        return stop_at(one, CaptureTable::Pause::person,
                       fmt::format("{}: DROP TABLE {}.{} in the lake, and it is loaded again with "
                                   "its new types",
                                   plan.person, parts_.source, one.table->source.name));
    tables::TablePtr after = table;
    if (!plan.steps.empty()) {
        tables::TableChange change;
        change.table = table;
        change.schema = std::move(plan.steps);
        TARN_TRY(done, parts_.lake.committer.commit(parts_.lake.caller(), {std::move(change)}));
        after = done.tables.front();
        log_info("ingest", "a followed table's columns changed",
                 {{"source", parts_.source}, {"table", one.table->source.full_name()}});
    }
    for (const auto& [place, name] : plan.added) {
        const auto* field = after->schema().find(name);
        if (field) plan.next.columns[place].field_id = field->id;
    }
    const auto& state = one.table->state;
    if (plan.next.columns != state.columns || plan.next.numbers != state.numbers)
        TARN_CHECK_OK(record(*one.table, plan.next));
    return after;
}

Result<ChangeShape> ChangeCollector::shape_of(Open& one, const Relation& relation,
                                              const ShapePlan& plan,
                                              const tables::TableState& table,
                                              const std::vector<query::Type>& types,
                                              const PostgresTable* now) const {
    ChangeShape shape;
    const auto& known = one.table->state.columns;
    const auto add = [&](const std::string& name, const tables::Field* field,
                         const query::Type& type) {
        shape.columns.push_back(
            {field ? field->name : name, field ? type_of_iceberg(field->type) : stored_type(type)});
        shape.field_ids.push_back(field ? field->id : 0);
    };
    for (size_t i = 0; i < relation.columns.size(); ++i) {
        const auto& column = relation.columns[i];
        const auto place = i < plan.places.size() ? plan.places[i] : std::nullopt;
        const auto* field = place ? table.schema().find(known[*place].field_id) : nullptr;
        add(column.name, field, types[i]);
        if (column.identity && field) shape.key.push_back(i);
    }
    one.later.clear();
    for (const size_t place : plan.later) {
        const auto* field = table.schema().find(known[place].field_id);
        if (!field) continue;
        add(field->name, field, {});
        one.later.push_back(known[place].initial);
    }
    using Identity = Relation::Identity;
    if (relation.identity == Identity::full) {
        shape.key.clear();
        const auto& source = now ? *now : one.table->source;
        for (const auto& name : source.key) {
            const auto* column = source.find(name);
            for (size_t i = 0; column && i < relation.columns.size(); ++i)
                if (relation.columns[i].name == column->outside && shape.field_ids[i] != 0)
                    shape.key.push_back(i);
        }
        if (shape.key.empty()) {
            shape.mode = ChangeShape::Mode::whole_rows;
            for (size_t i = 0; i < shape.columns.size(); ++i)
                if (shape.field_ids[i] != 0) shape.key.push_back(i);
        }
    } else if (shape.key.empty() || relation.identity == Identity::nothing) {
        shape.key.clear();
        shape.mode = ChangeShape::Mode::append_only;
    }
    return shape;
}

/// The row with the columns that came after its description.
const Cells& ChangeCollector::whole(Open& one, const Cells& cells, Cells& room, bool key_only) {
    if (one.later.empty() || cells.empty()) return cells;
    room = cells;
    for (const auto& value : one.later) {
        if (value && !key_only)
            room.push_back({Cell::Kind::text, *value});
        else
            room.push_back({Cell::Kind::null, {}});
    }
    return room;
}

Result<bool> ChangeCollector::looked_again(const std::vector<PostgresTable>& tables) {
    for (auto& one : tables_)
        for (const auto& table : tables) {
            if (table.oid != one.source.oid) continue;
            if (computed_anew(one.state, table)) return false;
            CaptureTable next = one.state;
            if (note_place(next, table)) TARN_CHECK_OK(record(one, next));
        }
    return true;
}

/// The table that keeps each change, made when absent; null: none is kept.
Result<tables::TablePtr> ChangeCollector::history_of(const Open& one) const {
    const bool kept = parts_.from.history || parts_.from.landing != PostgresSource::Landing::none;
    if (!kept) return tables::TablePtr();
    TargetTable of;
    of.database = parts_.source;
    of.source = parts_.identity;
    of.name = one.table->source.name;
    for (size_t i = 0; i < one.shape.columns.size(); ++i)
        if (one.shape.field_ids[i] != 0)
            of.columns.push_back({one.shape.columns[i].name, one.shape.columns[i].type, false, ""});
    return ensure_table(parts_.lake, history_target(of));
}

Status ChangeCollector::record(FollowedTable& table, const CaptureTable& next) {
    meta::Batch batch;
    tables::stage_position(batch, {parts_.identity, table.source.full_name(), table.uuid},
                           table.state.encode(), next.encode());
    TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
    table.state = next;
    return ok_status();
}

Status ChangeCollector::begin(const TransactionInfo& transaction) {
    transaction_ = transaction;
    return ok_status();
}

Status ChangeCollector::insert(const Relation& relation, const Cells& after) {
    TARN_TRY(one, ready(relation));
    if (!one) return ok_status();
    return noted(*one, one->apply->insert(transaction_, whole(*one, after, one->after, false)));
}

Status ChangeCollector::update(const Relation& relation, Before kind, const Cells& before,
                               const Cells& after) {
    TARN_TRY(one, ready(relation));
    if (!one) return ok_status();
    const auto& old = whole(*one, before, one->before, kind == Before::key);
    return noted(
        *one, one->apply->update(transaction_, kind, old, whole(*one, after, one->after, false)));
}

Status ChangeCollector::remove(const Relation& relation, Before kind, const Cells& before) {
    TARN_TRY(one, ready(relation));
    if (!one) return ok_status();
    const auto& old = whole(*one, before, one->before, kind == Before::key);
    return noted(*one, one->apply->remove(transaction_, kind, old));
}

Status ChangeCollector::truncate(const std::vector<const Relation*>& relations) {
    for (const auto* relation : relations) {
        TARN_TRY(one, ready(*relation));
        if (one) TARN_CHECK_OK(noted(*one, one->apply->truncate(transaction_)));
    }
    return ok_status();
}

Status ChangeCollector::message(std::string_view, std::string_view) {
    return ok_status();
}

Status ChangeCollector::commit(const TransactionInfo& transaction) {
    whole_ = transaction.end_lsn;
    ++transactions_;
    return ok_status();
}

bool ChangeCollector::full() const {
    if (batch_changes_ >= kChangesMax) return true;
    uint64_t bytes = 0;
    for (const auto& one : open_)
        if (one->apply && one->batch == batch_) bytes += one->apply->pending_bytes();
    return bytes >= kPendingMax;
}

bool ChangeCollector::pending() const {
    return std::any_of(open_.begin(), open_.end(), [&](const auto& one) {
        return one->apply && one->batch == batch_ && !one->apply->empty();
    });
}

Status ChangeCollector::commit_pending() {
    std::vector<tables::TableChange> changes;
    struct Part {
        Open* one;
        size_t table = SIZE_MAX, history = SIZE_MAX;  // where their changes are
    };
    std::vector<Part> parts;
    for (const auto& one : open_) {
        if (!one->apply || one->batch != batch_ || one->apply->empty()) continue;
        auto made = one->apply->finish();
        if (!made.ok()) return noted(*one, std::move(made).error());
        Part part{one.get()};
        for (auto& change : *made) {
            const bool own = change.table->info.uuid == one->table->uuid;
            (own ? part.table : part.history) = changes.size();
            changes.push_back(std::move(change));
        }
        parts.push_back(part);
    }
    CapturePosition next = position_;
    next.lsn = std::max(next.lsn, whole_);
    next.timeline = timeline_;
    next.publications = publications_;
    meta::Batch batch;
    stage_capture_position(batch, parts_.identity, position_, next);
    std::vector<tables::TablePtr> after;
    if (changes.empty()) {
        TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
    } else {
        auto done = parts_.lake.committer.commit(parts_.lake.caller(), std::move(changes),
                                                 std::move(batch));
        if (!done.ok()) {
            // After other errors nobody knows whether it came to be: files must stay then.
            const Code code = done.error().code;
            const bool open =
                code != Code::conflict && code != Code::not_found && code != Code::invalid_argument;
            for (const auto& part : parts) part.one->apply->discard(open);
            return std::move(done).error();
        }
        after = std::move(done->tables);
    }
    position_ = next;
    for (const auto& part : parts) {
        Open* const one = part.one;
        const auto table = part.table == SIZE_MAX ? one->lake : after.at(part.table);
        TARN_CHECK_OK(one->apply->committed(
            table, part.history == SIZE_MAX ? nullptr : after.at(part.history)));
        one->lake = table;
        note_commit(*one);
        one->taken = 0;
    }
    for (const auto& one : open_) one->turn = {};
    ++batch_;
    batch_changes_ = 0;
    oldest_.reset();
    return ok_status();
}

void ChangeCollector::note_commit(const Open& one) {
    const Timestamp now = parts_.lake.clock.now();
    parts_.status.change_table(parts_.source, one.table->source.name, [&](TableStatus& status) {
        status.rows += one.taken;
        status.last_commit = now;
        status.position = to_text(position_.lsn);
        status.last_error.clear();
    });
}

Status ChangeCollector::advance(Lsn lsn) {
    if (lsn <= position_.lsn) return ok_status();
    CapturePosition next = position_;
    next.lsn = lsn;
    next.timeline = timeline_;
    next.publications = publications_;
    meta::Batch batch;
    stage_capture_position(batch, parts_.identity, position_, next);
    TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
    position_ = next;
    return ok_status();
}

}  // namespace tarn::ingest
