#include "ingest/internal/capture_fill.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/internal/change_values.h"
#include "query/engine.h"
#include "query/row_group.h"
#include "query/row_places.h"
#include "tables/commit.h"
#include "tables/rewrites.h"
#include "tables/scan.h"
#include "tables/table_turns.h"

namespace tarn::ingest {

namespace {

constexpr int kFillAttemptsMax = 10;
constexpr auto kFillTurnWait = std::chrono::seconds(2);
constexpr uint64_t kFillGroupBytes = 32 << 20;  // rows in memory until a file is closed for them

uint64_t bytes_of(const query::Chunk& rows) {
    uint64_t bytes = 8 * rows.rows() * rows.columns.size();
    for (const auto& column : rows.columns) {
        if (query::Column::store_of(column.type()) != query::Column::Store::texts) continue;
        for (size_t row = 0; row < rows.rows(); ++row) bytes += column.text(row).size();
    }
    return bytes;
}

/// One attempt: all rows of one state of the table in new files.
class Fill {
 public:
    Fill(const CaptureLoadParts& parts, tables::TablePtr table, const CaptureTable& state)
        : parts_(parts), table_(std::move(table)), state_(state) {
        for (const auto& field : table_->schema().fields) {
            field_ids_.push_back(field.id);
            values_.emplace_back(type_of_iceberg(field.type));
        }
    }
    ~Fill() {
        if (paths_.empty() || kept_) return;
        const Status removed = parts_.lake.catalog.files().remove(paths_);
        if (!removed.ok())
            log_warning("ingest", "files of a column's first values stay behind",
                        {{"table", table_->info.full_name()}, {"why", removed.error().message}});
    }
    Fill(const Fill&) = delete;
    Fill& operator=(const Fill&) = delete;

    Status write() {
        TARN_CHECK_OK(read_values());
        TARN_TRY(plan, tables::plan_scan(parts_.lake.catalog, table_));
        tasks_ = std::move(plan.tasks);
        for (const auto& task : tasks_) {
            TARN_CHECK_OK(query::read_placed_rows(
                parts_.lake.engine, table_, task, field_ids_, nullptr,
                [&](const query::Chunk& rows, const auto&) { return take(rows); }));
        }
        return close();
    }

    /// With the table's next record.
    Status commit(const tables::SourcePosition& of, const CaptureTable& next) {
        meta::Batch batch;
        tables::stage_position(batch, of, state_.encode(), next.encode());
        if (tasks_.empty()) {
            TARN_CHECK_OK(parts_.lake.store.commit(std::move(batch)));
            return ok_status();
        }
        tables::TableChange change;
        change.table = table_;
        for (const auto& task : tasks_) change.remove_files.push_back(task.file->path);
        change.append = written_;
        change.decided_by_base = true;  // a row that others add meanwhile would lack the value
        const auto done = parts_.lake.committer.commit(parts_.lake.caller(), {std::move(change)},
                                                       std::move(batch));
        kept_ = done.ok() ||
                (done.error().code != Code::conflict && done.error().code != Code::not_found &&
                 done.error().code != Code::invalid_argument);
        if (!done.ok()) return done.error();
        tell_index();
        return ok_status();
    }
    uint64_t rows() const { return rows_; }

 private:
    Status read_values() {
        for (const auto& known : state_.columns) {
            if (!known.unfilled) continue;
            const auto found = std::find(field_ids_.begin(), field_ids_.end(), known.field_id);
            if (found == field_ids_.end() || !known.initial) continue;
            const auto at = static_cast<size_t>(found - field_ids_.begin());
            const ValueReader reader({known.outside, values_[at].type()});
            TARN_CHECK_OK(reader.read(*known.initial, values_[at]));
            filled_.push_back(at);
        }
        return ok_status();
    }

    Status take(const query::Chunk& rows) {
        if (parts_.stop.stopped()) return Error(Code::cancelled, "the source was stopped");
        query::Chunk out = rows;
        for (const size_t at : filled_) {
            query::Column column(values_[at].type());
            column.reserve(rows.rows());
            for (size_t row = 0; row < rows.rows(); ++row) copy_cell(values_[at], 0, column);
            out.columns[at] = std::move(column);
        }
        if (!writer_) {
            TARN_TRY(opened, parts_.lake.engine.write_rows_of(table_));
            writer_ = std::move(opened);
        }
        TARN_CHECK_OK(writer_->append(out));
        rows_ += rows.rows();
        group_rows_ += rows.rows();
        group_bytes_ += bytes_of(out);
        if (group_bytes_ >= kFillGroupBytes) return close();
        if (group_rows_ >= query::kRowGroupRows) group_rows_ = group_bytes_ = 0;
        return ok_status();
    }

    Status close() {
        group_rows_ = group_bytes_ = 0;
        if (!writer_) return ok_status();
        TARN_TRY(files, writer_->finish());
        writer_.reset();
        for (auto& file : files) {
            paths_.push_back(file.path);
            written_.push_back(std::move(file));
        }
        return ok_status();
    }

    /// The key index computes where rows went; of a table in partitions it reads the new files.
    void tell_index() const {
        if (!table_->metadata->spec().fields.empty()) return;
        tables::Rewrite rewrite;
        rewrite.from = tasks_;
        for (const auto& file : written_)
            rewrite.to.push_back(std::make_shared<const tables::DataFile>(file));
        tables::note_rewrite(parts_.lake.catalog, table_->info.uuid, std::move(rewrite));
    }

    const CaptureLoadParts& parts_;
    const tables::TablePtr table_;
    const CaptureTable& state_;
    std::vector<int> field_ids_;
    std::vector<query::Column> values_;  // one row each of those to be filled
    std::vector<size_t> filled_;         // places of these
    std::vector<tables::ScanTask> tasks_;
    std::unique_ptr<query::RowWriter> writer_;
    std::vector<tables::DataFile> written_;
    std::vector<std::string> paths_;
    uint64_t rows_ = 0, group_rows_ = 0, group_bytes_ = 0;
    bool kept_ = false;
};

}  // namespace

bool needs_fill(const CaptureTable& table) {
    return std::any_of(table.columns.begin(), table.columns.end(),
                       [](const KnownColumn& column) { return column.unfilled; });
}

Status fill_columns(const CaptureLoadParts& parts, const FollowedTable& table) {
    const auto begun = std::chrono::steady_clock::now();
    CaptureTable next = table.state;
    for (auto& column : next.columns) column.unfilled = false;
    ++next.fills;
    Status done = ok_status();
    for (int attempt = 0; attempt < kFillAttemptsMax; ++attempt) {
        const auto turn = tables::take_turn(parts.lake.catalog, table.uuid,
                                            tables::TurnKind::beside_others, kFillTurnWait);
        TARN_TRY(now, parts.lake.catalog.snapshot().load_table(parts.source, table.source.name));
        if (now->info.uuid != table.uuid)
            return Error(Code::unavailable, "the table was dropped here", "again");
        Fill fill(parts, std::move(now), table.state);
        TARN_CHECK_OK(fill.write());
        done = fill.commit({parts.identity, table.source.full_name(), table.uuid}, next);
        if (done.ok()) {
            const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - begun);
            log_info("ingest", "a new column's first value is in all rows",
                     {{"source", parts.source},
                      {"table", table.source.full_name()},
                      {"rows", fill.rows()},
                      {"ms", static_cast<int64_t>(took.count())}});
            return done;
        }
        if (done.error().reason != "rows_changed") return done;
    }
    return done;
}

}  // namespace tarn::ingest
