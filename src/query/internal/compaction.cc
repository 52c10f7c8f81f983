// Compaction's reading and writing. A row's place in the new files is its rank among the rows that
// were live when the group was read, because a rewrite keeps their order.
#include "query/compaction.h"

#include <algorithm>

#include "query/internal/error.h"
#include "query/internal/inside.h"
#include "query/internal/scan.h"
#include "query/internal/writer.h"

namespace tarn::query {

namespace {

class EngineTools final : public tables::CompactionTools {
 public:
    explicit EngineTools(Engine& engine) : engine_(engine), inside_(EngineInside::of(engine)) {}

    Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup& group) override {
        return engine_.rewrite(group);
    }

    Result<std::vector<tables::DataFile>> carry_deletes(
        const tables::CompactionGroup& group, const std::vector<tables::DataFile>& written,
        const std::vector<tables::ScanTask>& now) override {
        std::vector<tables::DataFile> files;
        const Status done = in_transaction(group.table, [&](duck::ClientContext& context) {
            const auto rows = moved_rows(context, group, written, now);
            for (size_t i = 0; i < written.size(); ++i)
                if (!rows[i].isEmpty())
                    files.push_back(write_position_deletes(
                        services(), context, group.table->metadata->location, written[i], rows[i]));
        });
        if (done.ok()) return files;
        remove_files_quietly(services(), files);
        return done.error();
    }

    Result<tables::DataFile> merge_deletes(const tables::TablePtr& table,
                                           const tables::ScanTask& task) override {
        tables::DataFile file;
        TARN_CHECK_OK(in_transaction(table, [&](duck::ClientContext& context) {
            file = write_position_deletes(services(), context, table->metadata->location,
                                          *task.file, deleted_rows(context, task));
        }));
        return file;
    }

 private:
    Services& services() { return inside_.services(); }

    Status in_transaction(const tables::TablePtr& table,
                          const std::function<void(duck::ClientContext&)>& work) {
        TARN_TRY(database, inside_.database());
        try {
            const auto connection = database->connect(system_caller(services().parts.clock.now()),
                                                      true, {table->info.database});
            connection->BeginTransaction();
            auto& context = *connection->context;
            context.RunFunctionInTransaction([&] { work(context); });
            connection->Rollback();
        } catch (const std::exception& problem) {
            return to_error(duck::ErrorData(problem), {}).error;
        }
        return {};
    }

    Positions deleted_rows(duck::ClientContext& context, const tables::ScanTask& task) {
        Positions rows;
        for (const auto& file : task.deletes)
            if (const auto found =
                    services().deletes->positions(context, file->path, task.file->path))
                rows |= *found;
        return rows;
    }

    /// For each written file the places of the rows that were deleted since the group was read.
    std::vector<Positions> moved_rows(duck::ClientContext& context,
                                      const tables::CompactionGroup& group,
                                      const std::vector<tables::DataFile>& written,
                                      const std::vector<tables::ScanTask>& now) {
        std::vector<uint64_t> ends;  // of the written files' rows, counted through
        for (const auto& file : written)
            ends.push_back((ends.empty() ? 0 : ends.back()) +
                           static_cast<uint64_t>(file.record_count));
        std::vector<Positions> moved(written.size());
        uint64_t first = 0;  // place of the input file's first live row
        for (size_t i = 0; i < group.files.size(); ++i) {
            const auto& task = group.files[i];
            const Positions before = deleted_rows(context, task);
            Positions since = deleted_rows(context, now[i]);
            since -= before;
            for (const uint64_t row : in_order(since)) {
                const uint64_t place = first + row - before.rank(row);
                const auto file = static_cast<size_t>(
                    std::upper_bound(ends.begin(), ends.end(), place) - ends.begin());
                if (file == ends.size()) throw duck::IOException("a deleted row is in no new file");
                moved[file].add(place - (file == 0 ? 0 : ends[file - 1]));
            }
            first += static_cast<uint64_t>(task.file->record_count) - before.cardinality();
        }
        if (first != (ends.empty() ? 0 : ends.back()))
            throw duck::IOException("the new files hold %llu rows, the old ones %llu",
                                    static_cast<unsigned long long>(ends.empty() ? 0 : ends.back()),
                                    static_cast<unsigned long long>(first));
        return moved;
    }

    Engine& engine_;
    EngineInside& inside_;
};

}  // namespace

std::unique_ptr<tables::CompactionTools> compaction_tools(Engine& engine) {
    return std::make_unique<EngineTools>(engine);
}

}  // namespace tarn::query
