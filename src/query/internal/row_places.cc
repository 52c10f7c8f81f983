#include "query/row_places.h"

#include <fmt/format.h>

#include <algorithm>

#include "query/internal/duck_types.h"
#include "query/internal/error.h"
#include "query/internal/inside.h"
#include "query/internal/scan.h"
#include "query/internal/writer.h"

namespace tarn::query {

namespace {

Result<std::vector<size_t>> places_of(const tables::TableState& table,
                                      const std::vector<int>& field_ids) {
    const auto& fields = table.schema().fields;
    std::vector<size_t> places;
    for (const int id : field_ids) {
        const auto found = std::find_if(fields.begin(), fields.end(),
                                        [&](const tables::Field& field) { return field.id == id; });
        if (found == fields.end())
            return Error{
                Code::invalid_argument,
                fmt::format("table {} has no column with the id {}", table.info.full_name(), id)};
        places.push_back(static_cast<size_t>(found - fields.begin()));
    }
    return places;
}

/// Runs `work` in a transaction of a connection of its own, which is rolled back.
Status inside(EngineInside& engine, const std::string& database,
              const std::function<void(duck::ClientContext&)>& work) {
    TARN_TRY(opened, engine.database());
    try {
        const auto connection =
            opened->connect(system_caller(engine.services().parts.clock.now()), true, {database});
        auto& context = *connection->context;
        connection->BeginTransaction();
        context.RunFunctionInTransaction([&] { work(context); });
        connection->Rollback();
    } catch (const std::exception& problem) {
        return error_of(problem);
    }
    return {};
}

/// Hands rows over as plain columns, without those that `only` does not name.
class Handing {
 public:
    Handing(const std::vector<uint64_t>* only, const TakeRows& take) : only_(only), take_(take) {}

    void operator()(duck::DataChunk& rows) {
        if (!status_.ok()) return;
        const duck::idx_t columns = rows.ColumnCount() - 1;
        duck::UnifiedVectorFormat format;
        rows.data[columns].ToUnifiedFormat(rows.size(), format);
        const auto* position = duck::UnifiedVectorFormat::GetData<int64_t>(format);
        positions_.clear();
        if (!selection_.data()) selection_.Initialize(STANDARD_VECTOR_SIZE);
        for (duck::idx_t row = 0; row < rows.size(); ++row) {
            const auto at = static_cast<uint64_t>(position[format.sel->get_index(row)]);
            if (only_) {
                while (next_ < only_->size() && (*only_)[next_] < at) ++next_;
                if (next_ == only_->size() || (*only_)[next_] != at) continue;
            }
            selection_.set_index(positions_.size(), row);
            positions_.push_back(at);
        }
        if (positions_.empty()) return;
        const bool all = positions_.size() == rows.size();
        Chunk out;
        for (duck::idx_t i = 0; i < columns; ++i) {
            out.columns.emplace_back(type_from_duck(rows.data[i].GetType()));
            out.columns.back().reserve(positions_.size());
            if (all) {
                append_vector(rows.data[i], positions_.size(), out.columns.back());
                continue;
            }
            duck::Vector some(rows.data[i], selection_, positions_.size());
            append_vector(some, positions_.size(), out.columns.back());
        }
        status_ = take_(out, positions_);
    }
    const Status& status() const { return status_; }

 private:
    const std::vector<uint64_t>* const only_;
    const TakeRows& take_;
    size_t next_ = 0;
    duck::SelectionVector selection_;
    std::vector<uint64_t> positions_;
    Status status_;
};

class LakePlacedWriter final : public PlacedWriter {
 public:
    static Result<std::unique_ptr<PlacedWriter>> open(EngineInside& engine, tables::TablePtr table,
                                                      std::vector<size_t> columns) {
        TARN_TRY(opened, engine.database());
        std::unique_ptr<LakePlacedWriter> made(new LakePlacedWriter(std::move(table)));
        try {
            made->connection_ = opened->connect(system_caller(engine.services().parts.clock.now()),
                                                true, {made->table_->info.database});
            made->connection_->BeginTransaction();
        } catch (const std::exception& problem) {
            return error_of(problem);
        }
        TARN_CHECK_OK(made->guarded([&](duck::ClientContext& context) {
            made->writer_ = std::make_unique<TableWriter>(engine.services(), context, made->table_,
                                                          std::move(columns), Compress::little);
            made->lane_ = std::make_unique<TableWriter::Lane>(*made->writer_);
        }));
        return std::unique_ptr<PlacedWriter>(std::move(made));
    }
    ~LakePlacedWriter() override {
        lane_.reset();
        writer_.reset();
        try {
            if (connection_ && connection_->HasActiveTransaction()) connection_->Rollback();
        } catch (const std::exception&) {
            // Nothing was changed through it.
        }
    }

    Status append(const Chunk& rows, const std::vector<uint32_t>& chosen,
                  std::vector<PlacedRow>& places) override {
        TARN_CHECK_OK(check(rows));
        return guarded([&](duck::ClientContext& context) { write(context, rows, chosen, places); });
    }
    const std::string& path(uint32_t file) const override { return writer_->path(file); }
    Result<std::vector<tables::DataFile>> close() override {
        std::vector<tables::DataFile> files;
        TARN_CHECK_OK(guarded([&](duck::ClientContext& context) {
            duck::ThreadContext thread(context);
            duck::ExecutionContext execution(context, thread, nullptr);
            lane_->finish(execution);
            files = writer_->take();
        }));
        return files;
    }

 private:
    explicit LakePlacedWriter(tables::TablePtr table) : table_(std::move(table)) {}

    /// Integers fit wider ones; all else must be of the column's own type.
    Status check(const Chunk& rows) const {
        const auto& columns = writer_->columns();
        if (rows.columns.size() != columns.size())
            return Error{Code::invalid_argument,
                         "the rows have another number of columns than the writer"};
        for (size_t i = 0; i < columns.size(); ++i) {
            const auto type = type_to_duck(rows.columns[i].type());
            if (type == type_to_duck(type_from_duck(columns[i].type)) ||
                (columns[i].type.id() == duck::LogicalTypeId::BIGINT &&
                 type.id() == duck::LogicalTypeId::INTEGER))
                continue;
            return Error{Code::invalid_argument,
                         fmt::format("column \"{}\" is {}, the rows have {}", columns[i].name,
                                     columns[i].type.ToString(), type.ToString())};
        }
        return {};
    }

    void write(duck::ClientContext& context, const Chunk& rows, const std::vector<uint32_t>& chosen,
               std::vector<PlacedRow>& places) {
        duck::ThreadContext thread(context);
        duck::ExecutionContext execution(context, thread, nullptr);
        duck::vector<duck::LogicalType> types;
        for (const auto& column : writer_->columns()) types.push_back(column.type);
        duck::DataChunk chunk, part;
        chunk.Initialize(context, types);
        duck::SelectionVector selection(STANDARD_VECTOR_SIZE);
        for (size_t done = 0; done < chosen.size();) {
            // As many chosen rows as lie within one vector's length of the chunk.
            const size_t first = chosen[done];
            size_t count = 0, last = first;
            while (done + count < chosen.size() &&
                   chosen[done + count] < first + STANDARD_VECTOR_SIZE &&
                   chosen[done + count] >= last) {
                last = chosen[done + count];
                selection.set_index(count++, last - first);
            }
            chunk.Reset();
            const size_t span = last - first + 1;
            for (size_t i = 0; i < types.size(); ++i)
                fill_vector(rows.columns[i], first, span, chunk.data[i]);
            chunk.SetCardinality(span);
            if (span != count) chunk.Slice(selection, count);
            lane_->append(execution, chunk, &places);
            done += count;
        }
    }

    Status guarded(const std::function<void(duck::ClientContext&)>& work) {
        if (void_) return Error{Code::precondition_failed, "the writer has failed before"};
        try {
            auto& context = *connection_->context;
            context.RunFunctionInTransaction([&] { work(context); }, false);
        } catch (const std::exception& problem) {
            void_ = true;
            return error_of(problem);
        }
        return {};
    }

    const tables::TablePtr table_;
    std::unique_ptr<duck::Connection> connection_;
    std::unique_ptr<TableWriter> writer_;
    std::unique_ptr<TableWriter::Lane> lane_;
    bool void_ = false;
};

/// Takes delete files together in growing sizes: a small one is taken into the next when that is
/// not much larger, so that each position is written a few times at most.
class DeleteWriter {
 public:
    DeleteWriter(Services& services, duck::ClientContext& context, tables::TableChange& change)
        : services_(services), context_(context), change_(change) {}

    void write(const DeletedRows& deleted) {
        if (deleted.positions.empty()) return;
        const auto& file = *deleted.file.file;
        Positions rows;
        for (const uint64_t position : deleted.positions) rows.add(position);
        const auto appended =
            std::find_if(change_.append.begin(), change_.append.end(),
                         [&](const tables::DataFile& own) { return own.path == file.path; });
        if (appended != change_.append.end()) {
            if (keeps_none(file, rows)) {
                remove_files_quietly(services_, {*appended});
                change_.append.erase(appended);
                return;
            }
            return put(file, rows);
        }
        if (gone(deleted.file, rows)) {
            change_.remove_files.push_back(file.path);
            return;
        }
        put(file, take_in_smaller(deleted.file, std::move(rows)));
    }

 private:
    static constexpr int64_t kGrowth = 4;

    static bool keeps_none(const tables::DataFile& file, const Positions& rows) {
        return static_cast<int64_t>(rows.cardinality()) >= file.record_count;
    }

    bool gone(const tables::ScanTask& task, const Positions& rows) {
        auto deleted = static_cast<int64_t>(rows.cardinality());
        for (const auto& file : task.deletes) deleted += file->record_count;
        if (deleted < task.file->record_count) return false;
        Positions all = rows;
        for (const auto& file : task.deletes)
            if (const auto before =
                    services_.deletes->positions(context_, file->path, task.file->path))
                all |= *before;
        return keeps_none(*task.file, all);
    }

    Positions take_in_smaller(const tables::ScanTask& task, Positions rows) {
        std::vector<tables::DataFilePtr> own;
        for (const auto& file : task.deletes)
            if (file->referenced_data_file == task.file->path) own.push_back(file);
        std::sort(own.begin(), own.end(),
                  [](const auto& a, const auto& b) { return a->record_count < b->record_count; });
        for (size_t i = 0; i < own.size(); ++i) {
            const size_t left = own.size() - i;
            if (left < kDeleteFilesMax &&
                own[i]->record_count > kGrowth * static_cast<int64_t>(rows.cardinality()))
                break;
            if (const auto before =
                    services_.deletes->positions(context_, own[i]->path, task.file->path))
                rows |= *before;
            change_.remove_files.push_back(own[i]->path);
        }
        return rows;
    }

    void put(const tables::DataFile& file, const Positions& rows) {
        change_.position_deletes.push_back(write_position_deletes(
            services_, context_, change_.table->metadata->location, file, rows));
        change_.deletes_from.push_back(file.path);
    }

    Services& services_;
    duck::ClientContext& context_;
    tables::TableChange& change_;
};

}  // namespace

Status read_placed_rows(Engine& engine, const tables::TablePtr& table, const tables::ScanTask& file,
                        const std::vector<int>& field_ids, const std::vector<uint64_t>* only,
                        const TakeRows& take) {
    if (only && only->empty()) return {};
    TARN_TRY(columns, places_of(*table, field_ids));
    Handing handing(only, take);
    TARN_CHECK_OK(
        inside(EngineInside::of(engine), table->info.database, [&](duck::ClientContext& context) {
            auto& lake = duck::Catalog::GetCatalog(context, kLake);
            auto& scan = LakeTransaction::of(context, lake).make_scan(table, {file});
            read_positions(context, scan, columns, only,
                           [&](duck::DataChunk& rows) { handing(rows); });
        }));
    return handing.status();
}

Result<std::vector<uint64_t>> read_delete_positions(Engine& engine, const std::string& delete_file,
                                                    const std::string& data_file) {
    std::vector<uint64_t> out;
    auto& ours = EngineInside::of(engine);
    TARN_CHECK_OK(inside(ours, "main", [&](duck::ClientContext& context) {
        const auto rows = ours.services().deletes->positions(context, delete_file, data_file);
        if (rows) out = in_order(*rows);
    }));
    return out;
}

Result<std::unique_ptr<PlacedWriter>> open_placed_writer(Engine& engine, tables::TablePtr table,
                                                         const std::vector<int>& field_ids) {
    TARN_TRY(columns, places_of(*table, field_ids));
    return LakePlacedWriter::open(EngineInside::of(engine), std::move(table), std::move(columns));
}

Status delete_placed_rows(Engine& engine, const std::vector<DeletedRows>& rows,
                          tables::TableChange& change) {
    if (rows.empty()) return {};
    auto& ours = EngineInside::of(engine);
    return inside(ours, change.table->info.database, [&](duck::ClientContext& context) {
        DeleteWriter writer(ours.services(), context, change);
        for (const auto& deleted : rows) writer.write(deleted);
    });
}

}  // namespace tarn::query
