#include "tables/internal/summary.h"

#include "tables/internal/partition_key.h"

namespace tarn::tables {

void SummaryBuilder::count(const DataFile& file, Counts* counts) {
    partitions_.insert(partition_key(file.spec_id, file.partition));
    counts->bytes += file.file_size_bytes;
    switch (file.content) {
        case FileContent::data:
            ++counts->data_files;
            counts->records += file.record_count;
            return;
        case FileContent::position_deletes:
            ++counts->delete_files;
            ++counts->position_delete_files;
            counts->position_deletes += file.record_count;
            return;
        case FileContent::equality_deletes:
            ++counts->delete_files;
            ++counts->equality_delete_files;
            counts->equality_deletes += file.record_count;
            return;
    }
}

Properties SummaryBuilder::build(const std::string& operation, const Snapshot* before,
                                 const Properties& more) const {
    Properties summary = {{"operation", operation},
                          {"changed-partition-count", std::to_string(partitions_.size())}};
    struct Line {
        const char* added;
        const char* removed;
        const char* total;
        int64_t Counts::*count;
    };
    static constexpr Line kLines[] = {
        {"added-data-files", "deleted-data-files", "total-data-files", &Counts::data_files},
        {"added-delete-files", "removed-delete-files", "total-delete-files", &Counts::delete_files},
        {"added-position-delete-files", "removed-position-delete-files", nullptr,
         &Counts::position_delete_files},
        {"added-equality-delete-files", "removed-equality-delete-files", nullptr,
         &Counts::equality_delete_files},
        {"added-records", "deleted-records", "total-records", &Counts::records},
        {"added-files-size", "removed-files-size", "total-files-size", &Counts::bytes},
        {"added-position-deletes", "removed-position-deletes", "total-position-deletes",
         &Counts::position_deletes},
        {"added-equality-deletes", "removed-equality-deletes", "total-equality-deletes",
         &Counts::equality_deletes},
    };
    for (const auto& line : kLines) {
        const int64_t added = added_.*line.count, removed = removed_.*line.count;
        if (added > 0) summary[line.added] = std::to_string(added);
        if (removed > 0) summary[line.removed] = std::to_string(removed);
        if (line.total == nullptr) continue;
        // A parent by a writer that kept no totals leaves them unknown.
        const auto total =
            before == nullptr ? std::optional<int64_t>(0) : before->summary_number(line.total);
        if (total && *total + added - removed >= 0)
            summary[line.total] = std::to_string(*total + added - removed);
    }
    for (const auto& [name, value] : more) summary.emplace(name, value);
    return summary;
}

}  // namespace tarn::tables
