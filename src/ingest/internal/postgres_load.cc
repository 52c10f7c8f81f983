#include "ingest/internal/postgres_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/log.h"
#include "ingest/internal/copy_text.h"
#include "ingest/internal/leftovers.h"
#include "query/row_group.h"
#include "tables/scan.h"

namespace tarn::ingest {

namespace {

constexpr size_t kChunkRows = 8192, kChunkBytes = 4 << 20;
/// Parquet's row groups are gathered in memory: of wide rows the file is closed before one is full.
constexpr uint64_t kGroupBytes = 32 << 20;
/// Beyond so many at once only memory grows.
constexpr int kWorkersMax = 4;
constexpr uint64_t kPieceBlocks = 8192;  // 64 MiB
constexpr int kCommitAttempts = 10;

}  // namespace

/// One worker's rows on their way into one table.
class PostgresLoad::Writer {
 public:
    Writer(PostgresLoad& load, size_t table, bool knows_encoding)
        : load_(load), table_(table), decoder_(columns_of(load.tables_[table])) {
        decoder_.trust_utf8(knows_encoding);
        for (const auto& column : decoder_.columns()) names_.push_back(column.name);
        chunk_ = decoder_.make_chunk(kChunkRows);
    }

    size_t table() const { return table_; }

    /// The source's; where the table still has a wider type, of before a change, with that.
    static std::vector<ColumnSpec> columns_of(const TableLoad& load) {
        auto columns = load.source.specs();
        for (auto& column : columns) {
            const auto* field = load.target.table->schema().find(column.name);
            const auto type = iceberg_type(column.type);
            if (field && type.ok() && tables::can_widen(*type, field->type))
                column.type = type_of_iceberg(field->type);
        }
        return columns;
    }

    Status add(std::string_view row) {
        TARN_CHECK_OK(load_.keep_pace(row.size()));
        TARN_CHECK_OK(decoder_.decode(row, chunk_));
        chunk_bytes_ += row.size();
        if (++chunk_rows_ < kChunkRows && chunk_bytes_ < kChunkBytes) return ok_status();
        return flush();
    }

    Status finish() {
        TARN_CHECK_OK(flush());
        return close();
    }

 private:
    Status flush() {
        if (chunk_rows_ == 0) return ok_status();
        if (!writer_) {
            const auto& target = load_.tables_[table_].target.table;
            TARN_TRY(opened, load_.parts_.lake.engine.write_rows_of(target, names_));
            writer_ = std::move(opened);
        }
        TARN_CHECK_OK(writer_->append(chunk_));
        const auto& source = load_.tables_[table_].source;
        load_.parts_.status.change_table(load_.parts_.source, source.name, [&](TableStatus& now) {
            now.rows += chunk_rows_;
            now.bytes += chunk_bytes_;
            now.rows_estimated = std::max(now.rows_estimated, now.rows);
        });
        group_rows_ += chunk_rows_;
        group_bytes_ += chunk_bytes_;
        chunk_ = decoder_.make_chunk(kChunkRows);
        chunk_rows_ = 0;
        chunk_bytes_ = 0;
        if (group_rows_ >= query::kRowGroupRows) {
            group_rows_ = 0;
            group_bytes_ = 0;
        }
        return group_bytes_ < kGroupBytes ? ok_status() : close();
    }

    Status close() {
        group_rows_ = 0;
        group_bytes_ = 0;
        if (!writer_) return ok_status();
        TARN_TRY(files, writer_->finish());
        writer_.reset();
        const MutexLock lock(load_.mutex_);
        auto& all = load_.files_[table_];
        all.insert(all.end(), std::make_move_iterator(files.begin()),
                   std::make_move_iterator(files.end()));
        return ok_status();
    }

    PostgresLoad& load_;
    const size_t table_;
    CopyTextDecoder decoder_;
    std::vector<std::string> names_;
    query::Chunk chunk_;
    size_t chunk_rows_ = 0, chunk_bytes_ = 0;
    std::unique_ptr<query::RowWriter> writer_;
    uint64_t group_rows_ = 0, group_bytes_ = 0;
};

PostgresLoad::PostgresLoad(Parts parts) : parts_(parts), halt_(&parts.stop) {}

PostgresLoad::~PostgresLoad() = default;

void PostgresLoad::plan_pieces(int workers) {
    const MutexLock lock(mutex_);
    for (size_t i = 0; i < tables_.size(); ++i) {
        const auto& table = tables_[i].source;
        for (const auto& part : table.parts) {
            const std::string all =
                fmt::format("SELECT {} FROM {}", table.select_list(), part.from);
            if (workers == 1 || part.blocks <= kPieceBlocks) {
                pieces_.push_back({i, all, part.oid});
                continue;
            }
            for (uint64_t at = 0; at < part.blocks; at += kPieceBlocks) {
                std::string where = fmt::format(" WHERE ctid >= '({},0)'::tid", at);
                // The last one has no end: the table may have grown since its size was asked.
                if (at + kPieceBlocks < part.blocks)
                    where += fmt::format(" AND ctid < '({},0)'::tid", at + kPieceBlocks);
                pieces_.push_back({i, all + where, part.oid});
            }
        }
    }
    std::reverse(pieces_.begin(), pieces_.end());
}

bool PostgresLoad::take_piece(Piece& piece) {
    const MutexLock lock(mutex_);
    while (!pieces_.empty() && failed_.ok()) {
        piece = std::move(pieces_.back());
        pieces_.pop_back();
        if (left_out_.count(piece.table) == 0) return true;
    }
    return false;
}

namespace {

/// The table is locked, was written anew, or is no longer as it was: the others are not concerned.
bool is_busy(const Error& error) {
    const auto& reason = error.reason;
    return reason == "55P03" || reason == "rewritten" || reason == "42703" || reason == "42P01";
}

}  // namespace

/// False: its error ends the load.
bool PostgresLoad::leave_out(size_t table, const Error& error) {
    if (!parts_.leaves_out || !(concerns_one_table(error) || is_busy(error))) return false;
    const MutexLock lock(mutex_);
    left_out_.emplace(table, error);
    return true;
}

bool PostgresLoad::is_left_out(size_t table) const {
    const MutexLock lock(mutex_);
    return left_out_.count(table) != 0;
}

std::map<size_t, Error> PostgresLoad::left_out() const {
    const MutexLock lock(mutex_);
    return left_out_;
}

/// A table that ALTER TABLE wrote anew after the snapshot is empty in it: to read it so would lose
/// its rows. The copy's lock keeps it as it was read, and the function sees what the snapshot
/// can't.
Status PostgresLoad::check_not_rewritten(PostgresConnection& connection, const Piece& piece) const {
    TARN_TRY(rows,
             connection.query(
                 "WITH RECURSIVE tree (oid) AS (SELECT $1::oid UNION ALL SELECT i.inhrelid FROM "
                 "tree t JOIN pg_inherits i ON i.inhparent = t.oid) SELECT count(*) FROM tree t "
                 "JOIN pg_class c ON c.oid = t.oid WHERE c.relkind IN ('r', 'm') AND c.relfilenode "
                 "<> coalesce(pg_relation_filenode(c.oid), 0)",
                 {std::to_string(piece.oid)}));
    if (rows.at(0).at(0).value_or("") == "0") return ok_status();
    return Error(Code::unavailable, "it was written anew while it was loaded: it is loaded again",
                 "rewritten");
}

/// An error of the table alone leaves the connection, and its snapshot, as they were.
Status PostgresLoad::read_piece(PostgresConnection& connection, const Piece& piece,
                                Writer& writer) {
    if (parts_.leaves_out) TARN_CHECK_OK(connection.run("SAVEPOINT piece"));
    bool skips = false;
    const Status read =
        connection.copy_out("COPY (" + piece.select + ") TO STDOUT", [&](std::string_view row) {
            if (skips) return ok_status();
            Status added = writer.add(row);
            // What the copy still has must be taken before the next one.
            skips = !added.ok() && leave_out(piece.table, added.error());
            return skips ? ok_status() : added;
        });
    if (read.ok()) TARN_CHECK_OK(check_not_rewritten(connection, piece));
    if (!parts_.leaves_out) return read;
    if (read.ok()) return connection.run("RELEASE SAVEPOINT piece");
    if (!leave_out(piece.table, read.error())) return read;
    return connection.run("ROLLBACK TO SAVEPOINT piece");
}

Status PostgresLoad::work(PostgresConnection& connection) {
    // One that somebody takes for himself meanwhile is loaded later.
    TARN_CHECK_OK(connection.run("SET LOCAL lock_timeout = '5s'"));
    std::unique_ptr<Writer> writer;
    Piece piece;
    while (take_piece(piece)) {
        const std::string name = tables_[piece.table].source.full_name();
        if (!writer || writer->table() != piece.table) {
            if (writer && !is_left_out(writer->table())) TARN_CHECK_OK(writer->finish());
            writer = std::make_unique<Writer>(*this, piece.table, connection.knows_encoding());
        }
        const Status read = read_piece(connection, piece, *writer);
        if (!read.ok()) return Error(read.error()).within("table " + name);
        if (is_left_out(piece.table)) writer.reset();
    }
    return writer && !is_left_out(writer->table()) ? writer->finish() : ok_status();
}

/// A worker with a connection of its own, on the holder's snapshot.
Status PostgresLoad::work_apart(const std::string& snapshot) try {
    TARN_TRY(connection, PostgresConnection::open(parts_.url, halt_));
    TARN_CHECK_OK(connection->run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    TARN_CHECK_OK(connection->run("SET TRANSACTION SNAPSHOT " + quote_text(snapshot)));
    return work(*connection);
} catch (const std::exception& problem) {
    return Error(Code::internal, std::string("loading a database: ") + problem.what());
}

/// All workers together take no more than the source was declared to bear.
Status PostgresLoad::keep_pace(size_t bytes) {
    const uint64_t most = parts_.bytes_per_second_max;
    if (most == 0) return ok_status();
    const auto due = static_cast<double>(taken_bytes_ += bytes) / static_cast<double>(most);
    const auto passed =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
    if (due - passed < 0.05) return ok_status();
    const auto span = std::chrono::milliseconds(static_cast<int64_t>((due - passed) * 1000));
    return halt_.wait_for(span) ? ok_status() : Error(Code::cancelled, "the load was stopped");
}

void PostgresLoad::note(Status status) {
    if (status.ok()) return;
    const MutexLock lock(mutex_);
    // What the others say once they were halted is not the reason.
    if (failed_.ok()) failed_ = std::move(status);
    halt_.stop();
}

Status PostgresLoad::run(PostgresConnection& holder, std::vector<TableLoad> tables) {
    tables_ = std::move(tables);
    begun_ = std::chrono::steady_clock::now();
    TARN_CHECK_OK(remove_leftovers(parts_.lake, parts_.identity));
    std::vector<std::string> locations;
    for (const auto& table : tables_)
        if (table.target.created) locations.push_back(table.target.table->metadata->location);
    TARN_CHECK_OK(note_staged(parts_.lake, parts_.identity, locations));
    for (const auto& table : tables_)
        parts_.status.change_table(parts_.source, table.source.name, [&](TableStatus& now) {
            now.rows = 0;
            now.bytes = 0;
            now.rows_estimated = table.source.rows_estimated;
        });
    const int workers = std::clamp(parts_.connections_max, 1, kWorkersMax);
    plan_pieces(workers);
    std::vector<std::thread> others;
    if (workers > 1) {
        TARN_TRY(exported, holder.query("SELECT pg_export_snapshot()"));
        const std::string snapshot = exported.at(0).at(0).value_or("");
        for (int i = 1; i < workers; ++i)
            others.emplace_back([this, snapshot] { note(work_apart(snapshot)); });
    }
    // The holder's connection works too; its transaction keeps the snapshot until all are done.
    try {
        note(work(holder));
    } catch (const std::exception& problem) {
        note(Error(Code::internal, std::string("loading a database: ") + problem.what()));
    }
    for (auto& other : others) other.join();
    Status result;
    {
        const MutexLock lock(mutex_);
        result = failed_;
    }
    forget_left_out();
    if (result.ok()) result = commit();
    if (!result.ok()) forget_files();
    return result;
}

/// Only the lake's own changes can be in the way of rows that replace others.
Status PostgresLoad::commit() {
    for (int attempt = 1;; ++attempt) {
        Status done = commit_once();
        if (done.ok() || done.error().reason != "rows_changed" || attempt == kCommitAttempts)
            return done;
    }
}

Result<tables::TableChange> PostgresLoad::change_of(const TableLoad& table) const {
    auto change = table.target.change();
    if (!table.replace || table.target.created) return change;
    TARN_TRY(now, parts_.lake.catalog.snapshot().load_table(table.target.table->info.database,
                                                            table.target.table->info.name));
    if (now->info.uuid != table.target.table->info.uuid)
        return Error(Code::conflict,
                     fmt::format("table {} was made anew during its load", now->info.full_name()));
    TARN_TRY(plan, tables::plan_scan(parts_.lake.catalog, now));
    for (const auto& task : plan.tasks) change.remove_files.push_back(task.file->path);
    change.table = std::move(now);
    return change;
}

Status PostgresLoad::commit_once() {
    std::vector<tables::TableChange> changes;
    std::vector<tables::TablePtr> states;
    meta::Batch batch;
    {
        const MutexLock lock(mutex_);
        for (size_t i = 0; i < tables_.size(); ++i) {
            if (left_out_.count(i) != 0) {
                states.emplace_back();
                continue;
            }
            TARN_TRY(change, change_of(tables_[i]));
            change.append = files_[i];
            states.push_back(change.table);
            if (!parts_.positions)
                tables::stage_position(
                    batch,
                    {parts_.identity, tables_[i].source.full_name(), change.table->info.uuid},
                    std::nullopt, tables_[i].position.encode());
            if (change.create || change.makes_snapshot()) changes.push_back(std::move(change));
        }
    }
    if (parts_.positions) TARN_CHECK_OK(parts_.positions(states, batch));
    stage_forget_staged(batch, parts_.identity);
    if (changes.empty()) {
        TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
    } else {
        TARN_CHECK_OK(parts_.lake.committer.commit(parts_.lake.caller(), std::move(changes),
                                                   std::move(batch)));
    }
    const Timestamp now = parts_.lake.clock.now();
    for (size_t i = 0; i < tables_.size(); ++i) {
        if (is_left_out(i)) continue;
        const auto& table = tables_[i];
        parts_.status.change_table(parts_.source, table.source.name, [&](TableStatus& status) {
            status.rows_estimated = status.rows;
            if (!parts_.positions) status.position = table.position.shown();
            status.last_commit = now;
            status.last_error.clear();
        });
    }
    return ok_status();
}

void PostgresLoad::forget_left_out() {
    std::vector<std::string> paths;
    {
        const MutexLock lock(mutex_);
        for (const auto& [table, why] : left_out_) {
            for (const auto& file : files_[table]) paths.push_back(file.path);
            files_.erase(table);
        }
    }
    remove_files(paths);
}

void PostgresLoad::forget_files() {
    // Whether the commit came to be is not known then.
    if (!parts_.lake.store.healthy()) return;
    std::vector<std::string> paths;
    {
        const MutexLock lock(mutex_);
        for (const auto& [table, files] : files_)
            for (const auto& file : files) paths.push_back(file.path);
        files_.clear();
    }
    remove_files(paths);
}

void PostgresLoad::remove_files(const std::vector<std::string>& paths) {
    if (paths.empty()) return;
    const Status removed = parts_.lake.catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("ingest", "files of a load that failed stay behind",
                    {{"source", parts_.source}, {"why", removed.error().message}});
}

}  // namespace tarn::ingest
