#include "ingest/landing.h"

#include <fmt/format.h>

#include <map>
#include <thread>

#include "base/log.h"
#include "ingest/internal/capture_position.h"
#include "ingest/internal/change_history.h"
#include "ingest/internal/folder_load.h"
#include "ingest/internal/landing_files.h"
#include "ingest/internal/postgres_connection.h"
#include "meta/keys.h"
#include "objects/acting.h"
#include "objects/store.h"
#include "query/work.h"
#include "tables/commit.h"

namespace tarn::ingest {

namespace {

constexpr size_t kRowsMax = 20'000;       // of a file of changes
constexpr size_t kLoadRowsMax = 100'000;  // of a file of a load
constexpr auto kEvery = std::chrono::milliseconds(500);
constexpr auto kAgain = std::chrono::seconds(5);
constexpr size_t kFacts = 2;  // columns before the table's own: Op and the time of the commit

struct Followed {
    const SourceSpec& spec;
    PostgresSource::Landing format;
    tables::TablePtr table, history;  // history: null, nothing has changed yet
    std::string load;                 // where in the log its load was taken; its first values
    std::optional<std::string> record;
};

std::string position_key(const std::string& source, const std::string& uuid) {
    return meta::Key("iw").text(source).rest(uuid);
}

std::string name_of(const tables::TableState& table) {
    return quote_name(table.info.database) + "." + quote_name(table.info.name);
}

/// Columns of the table that its history has both sides of.
std::vector<std::string> kept_columns(const Followed& of) {
    std::vector<std::string> names;
    for (const auto& field : of.table->schema().fields)
        if (!of.history || (of.history->schema().find("before_" + field.name) &&
                            of.history->schema().find("after_" + field.name)))
            names.push_back(field.name);
    return names;
}

/// The changes after ($1, $2) in the order of the log, as files have them. A key that became
/// another is a row that went and one that came.
std::string changes_sql(const Followed& of) {
    const auto names = kept_columns(of);
    std::string list, moved;
    for (const auto& name : names)
        list += fmt::format(", CASE WHEN op = 'D' THEN {} ELSE {} END AS {}",
                            quote_name("before_" + name), quote_name("after_" + name),
                            quote_name(name));
    const auto& properties = of.table->metadata->properties;
    const auto key = properties.find("tarn.key");
    const std::string keys = "," + (key == properties.end() ? "" : key->second) + ",";
    for (const auto& name : names)
        if (keys.find("," + name + ",") != std::string::npos)
            moved += fmt::format("{}{} IS DISTINCT FROM {}", moved.empty() ? "" : " OR ",
                                 quote_name("before_" + name), quote_name("after_" + name));
    const std::string ops = moved.empty()
                                ? "[operation]"
                                : fmt::format(
                                      "CASE WHEN operation = 'U' AND ({}) THEN ['D', 'I'] ELSE "
                                      "[operation] END",
                                      moved);
    return fmt::format(
        "SELECT op AS \"Op\", committed_at AS commit_timestamp{}, commit_lsn, ordinal FROM (SELECT "
        "*, unnest({}) AS op FROM (SELECT * FROM {} WHERE commit_lsn > $1 OR (commit_lsn = $1 AND "
        "ordinal > $2) ORDER BY commit_lsn, ordinal LIMIT {})) ORDER BY commit_lsn, ordinal, op",
        list, ops, name_of(*of.history), kRowsMax);
}

query::Chunk chunk_like(const std::vector<query::ResultColumn>& columns) {
    query::Chunk chunk;
    for (const auto& column : columns) chunk.columns.emplace_back(column.type);
    return chunk;
}

}  // namespace

struct Landing::Impl {
    explicit Impl(SourcesParts given) : parts(std::move(given)) {
        thread = std::thread([this] { work(); });
    }

    void work();
    Status pass(const SourceSpec& spec);
    Result<std::vector<Followed>> followed(const tables::CatalogSnapshot& state,
                                           const SourceSpec& spec) const;
    Status open_sessions(const std::string& source);
    Status write_load(const tables::CatalogSnapshot& state, const Followed& of);
    Result<bool> write_changes(const tables::CatalogSnapshot& state, const Followed& of,
                               LandingPosition position);
    Status add_file(const Followed& of, const std::string& key,
                    const std::vector<query::ResultColumn>& columns, const query::Chunk& rows);
    Status commit(const Followed& of, const LandingPosition& position);

    SourcesParts parts;
    StopFlag stop;
    Mutex mutex;
    std::vector<SourceSpec> specs TARN_GUARDED_BY(mutex);
    // Of the thread.
    std::unique_ptr<query::Session> reader, writer;
    meta::Batch batch;
    std::vector<std::unique_ptr<objects::Staged>> staged;
    std::map<std::string, std::string> said;  // last error by source
    bool bucket_exists = false;
    std::thread thread;
};

void Landing::Impl::work() {
    meta::Version seen = 0;
    while (!stop.stopped()) {
        std::vector<SourceSpec> now;
        {
            const MutexLock lock(mutex);
            now = specs;
        }
        const auto version = parts.store.last_version();
        bool failed = false;
        for (const auto& spec : now) {
            if (stop.stopped()) return;
            if (version == seen) continue;
            Status done = ok_status();
            try {
                done = pass(spec);
            } catch (const std::exception& problem) {
                done = Error(Code::internal, problem.what());
            }
            reader.reset();
            writer.reset();
            batch = {};
            staged.clear();
            auto& before = said[spec.name];
            const std::string error = done.ok() ? "" : done.error().message;
            if (error != before && !error.empty())
                log_warning("ingest", "changes could not be written as files; it is tried again",
                            {{"source", spec.name}, {"why", error}});
            before = error;
            failed = failed || !done.ok();
        }
        if (!failed) seen = version;
        stop.wait_for(failed ? std::chrono::milliseconds(kAgain) : kEvery);
    }
}

/// The source's tables, and where each stands.
Result<std::vector<Followed>> Landing::Impl::followed(const tables::CatalogSnapshot& state,
                                                      const SourceSpec& spec) const {
    std::vector<Followed> out;
    TARN_TRY(database, state.find_database(spec.name));
    if (!database) return out;
    TARN_TRY(relations, state.relations(spec.name));
    for (const auto& relation : relations) {
        if (relation.kind != tables::RelationKind::table) continue;
        TargetTable target;
        target.name = relation.name;
        TARN_TRY(history, state.find_relation(spec.name, history_target(target).name));
        const std::string prefix = meta::Key("ts").text(relation.uuid).text(spec.identity());
        const auto positions = state.state().scan({prefix, meta::prefix_end(prefix), false});
        if (!positions->valid()) continue;
        TARN_TRY(position, positions->record());
        const auto capture = CaptureTable::decode(position.value);
        if (!capture) continue;
        // No change says what a column's first value is: all rows are written anew after it.
        std::string load = to_text(capture->lsn);
        if (capture->fills != 0) load += fmt::format("+{}", capture->fills);
        Followed one{spec, std::get<PostgresSource>(spec.from).landing, {}, {}, std::move(load),
                     {}};
        TARN_TRY(table, state.load_table(relation));
        TARN_TRY(record, state.state().get(position_key(spec.identity(), relation.uuid)));
        one.table = std::move(table);
        if (history && history->kind == tables::RelationKind::table) {
            TARN_TRY(changes, state.load_table(*history));
            one.history = std::move(changes);
        }
        if (record) one.record = record->value;
        out.push_back(std::move(one));
    }
    return out;
}

Status Landing::Impl::open_sessions(const std::string& source) {
    if (!bucket_exists) {
        const auto head = parts.objects.head_bucket(kLandingBucket);
        if (!head.ok() && head.error().code != Code::not_found) return head.error();
        if (!head.ok()) {
            const auto made = parts.objects.create_bucket(
                objects::acting(parts.caller(), "s3:CreateBucket", kLandingBucket), kLandingBucket);
            if (!made.ok() && made.error().code != Code::already_exists) return made.error();
        }
        bucket_exists = true;
    }
    TARN_TRY(one, parts.engine.connect(parts.caller(), source));
    TARN_TRY(other, parts.engine.connect(parts.caller(), source));
    reader = std::move(one);
    writer = std::move(other);
    return ok_status();
}

Status Landing::Impl::pass(const SourceSpec& spec) {
    bool more = true;
    while (more && !stop.stopped()) {
        more = false;
        const auto state = parts.catalog.snapshot();
        TARN_TRY(tables, followed(state, spec));
        for (const auto& one : tables) {
            if (stop.stopped()) return ok_status();
            if (!reader) TARN_CHECK_OK(open_sessions(spec.name));
            LandingPosition position;
            if (one.record) {
                TARN_TRY(decoded, LandingPosition::decode(*one.record));
                position = std::move(decoded);
            }
            if (position.load != one.load) {
                TARN_CHECK_OK(write_load(state, one));
                more = true;
                continue;
            }
            TARN_TRY(full, write_changes(state, one, position));
            more = more || full;
        }
    }
    return ok_status();
}

/// All rows as they are in `state`, and from then on the changes that its history does not have.
Status Landing::Impl::write_load(const tables::CatalogSnapshot& state, const Followed& of) {
    LandingPosition position;
    if (of.record) {
        TARN_TRY(before, LandingPosition::decode(*of.record));
        position.load_files = before.load_files;
    }
    position.load = of.load;
    TARN_CHECK_OK(query::begin_at(*reader, state));
    if (of.history) {
        TARN_TRY(last, reader->query(fmt::format("SELECT commit_lsn, ordinal FROM {} ORDER BY "
                                                 "commit_lsn DESC, ordinal DESC LIMIT 1",
                                                 name_of(*of.history))));
        if (last.rows() > 0) {
            position.lsn = last.columns[0].number(0);
            position.ordinal = last.columns[1].number(0);
        }
    }
    std::string list;
    for (const auto& name : kept_columns(of)) list += ", " + quote_name(name);
    TARN_TRY(statement, reader->prepare(fmt::format("SELECT 'I' AS \"Op\", $1::timestamptz AS "
                                                    "commit_timestamp{} FROM {}",
                                                    list, name_of(*of.table)),
                                        {query::Type(query::Kind::timestamptz)}));
    TARN_TRY(cursor, reader->execute(*statement, {query::Value(parts.clock.now().micros)}));
    const auto columns = cursor->columns();
    query::Chunk rows = chunk_like(columns);
    const auto write = [&]() -> Status {
        if (rows.rows() == 0) return ok_status();
        TARN_CHECK_OK(add_file(
            of, load_file_key(of.spec.name, of.table->info.name, ++position.load_files, of.format),
            columns, rows));
        rows = chunk_like(columns);
        return ok_status();
    };
    while (true) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        if (stop.stopped()) return Error(Code::cancelled, "the server stops");
        for (size_t row = 0; row < chunk->rows(); ++row)
            for (size_t i = 0; i < rows.columns.size(); ++i)
                rows.columns[i].append(chunk->columns[i].value(row));
        if (rows.rows() >= kLoadRowsMax) TARN_CHECK_OK(write());
    }
    TARN_CHECK_OK(write());
    cursor.reset();
    TARN_CHECK_OK(reader->rollback());
    return commit(of, position);
}

/// True: there may be more.
Result<bool> Landing::Impl::write_changes(const tables::CatalogSnapshot& state, const Followed& of,
                                          LandingPosition position) {
    if (!of.history) return false;
    TARN_CHECK_OK(query::begin_at(*reader, state));
    const std::string sql = changes_sql(of);
    TARN_TRY(statement, reader->prepare(sql, {query::Type(query::Kind::int64),
                                              query::Type(query::Kind::int64)}));
    TARN_TRY(cursor, reader->execute(*statement,
                                     {query::Value(position.lsn), query::Value(position.ordinal)}));
    auto columns = cursor->columns();
    columns.resize(columns.size() - 2);
    // One file for each day of commits.
    std::map<int64_t, query::Chunk> days;
    std::map<int64_t, std::string> keys;
    size_t count = 0;
    while (true) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        const auto& lsns = chunk->columns[columns.size()];
        const auto& ordinals = chunk->columns[columns.size() + 1];
        for (size_t row = 0; row < chunk->rows(); ++row) {
            const bool next =
                lsns.number(row) != position.lsn || ordinals.number(row) != position.ordinal;
            count += next ? 1 : 0;
            position.lsn = lsns.number(row);
            position.ordinal = ordinals.number(row);
            const Timestamp at{chunk->columns[kFacts - 1].number(row)};
            const int64_t day = at.micros / 86'400'000'000;
            auto found = days.find(day);
            if (found == days.end()) {
                found = days.emplace(day, chunk_like(columns)).first;
                keys[day] = change_file_key(of.spec.name, of.table->info.name, at, position.lsn,
                                            position.ordinal, of.format);
            }
            for (size_t i = 0; i < columns.size(); ++i)
                found->second.columns[i].append(chunk->columns[i].value(row));
        }
    }
    cursor.reset();
    TARN_CHECK_OK(reader->rollback());
    if (count == 0) return false;
    for (const auto& [day, rows] : days) TARN_CHECK_OK(add_file(of, keys[day], columns, rows));
    TARN_CHECK_OK(commit(of, position));
    return count >= kRowsMax;
}

Status Landing::Impl::add_file(const Followed& of, const std::string& key,
                               const std::vector<query::ResultColumn>& columns,
                               const query::Chunk& rows) {
    std::string bytes;
    if (of.format == PostgresSource::Landing::csv) {
        bytes = csv_file(columns, rows);
    } else {
        TARN_TRY(made, parquet_file(*writer, columns, rows));
        bytes = std::move(made);
    }
    TARN_TRY(one, parts.objects.stage_put(batch, kLandingBucket, key, bytes));
    staged.push_back(std::move(one));
    return ok_status();
}

Status Landing::Impl::commit(const Followed& of, const LandingPosition& position) {
    const std::string key = position_key(of.spec.identity(), of.table->info.uuid);
    batch.require_value(key, of.record,
                        Error(Code::conflict, "somebody else has written landing files"));
    batch.put(key, position.encode());
    const auto done = parts.store.commit(std::exchange(batch, {}));
    if (done.ok())
        for (const auto& one : staged) one->committed();
    staged.clear();
    return done.ok() ? ok_status() : Status(done.error());
}

Landing::Landing(SourcesParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

Landing::~Landing() {
    stop();
}

void Landing::configure(const std::vector<SourceSpec>& specs) {
    std::vector<SourceSpec> landing;
    for (const auto& spec : specs) {
        const auto* from = std::get_if<PostgresSource>(&spec.from);
        if (from && from->follow == PostgresSource::Follow::changes &&
            from->landing != PostgresSource::Landing::none)
            landing.push_back(spec);
    }
    const MutexLock lock(impl_->mutex);
    impl_->specs = std::move(landing);
}

void Landing::stop() {
    impl_->stop.stop();
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace tarn::ingest
