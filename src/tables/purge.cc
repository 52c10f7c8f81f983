// Removing files that nothing refers to any more. The records say which; they go after the files,
// so that a crash in between only makes the removal happen again.
#include <algorithm>

#include "meta/keys.h"
#include "tables/catalog.h"
#include "tables/internal/records.h"

namespace tarn::tables {

namespace {

constexpr size_t kFilesAtOnce = 1000;

/// Removes up to `files_max` files below a prefix. Sets `*done` when none is left.
Result<uint64_t> remove_below(Files& files, const std::string& prefix, uint64_t files_max,
                              bool* done) {
    uint64_t removed = 0;
    *done = false;
    while (removed < files_max) {
        TARN_TRY(listed, files.list(prefix, "", kFilesAtOnce));
        if (listed.empty()) {
            *done = true;
            break;
        }
        std::vector<std::string> paths;
        for (auto& file : listed) paths.push_back(std::move(file.path));
        TARN_CHECK_OK(files.remove(paths));
        removed += paths.size();
    }
    return removed;
}

}  // namespace

Result<uint64_t> Catalog::purge(uint64_t files_max) {
    const std::string begin = purge_prefix();
    const std::string end = purge_key(clock_.now(), "");
    const auto records = store_.scan({begin, end, false});
    uint64_t removed = 0;
    std::vector<std::string> paths;
    meta::Batch batch;
    for (; records->valid() && removed + paths.size() < files_max; records->next()) {
        TARN_TRY(record, records->record());
        TARN_TRY(purge, decode_purge(record.value));
        bool done = true;
        if (!purge.prefix.empty()) {
            TARN_TRY(below, remove_below(files_, purge.prefix, files_max - removed, &done));
            removed += below;
        }
        paths.insert(paths.end(), purge.paths.begin(), purge.paths.end());
        if (done) batch.erase(std::string(records->key()));
    }
    TARN_CHECK_OK(records->status());
    for (size_t at = 0; at < paths.size(); at += kFilesAtOnce) {
        const size_t to = std::min(paths.size(), at + kFilesAtOnce);
        TARN_CHECK_OK(files_.remove({paths.begin() + static_cast<std::ptrdiff_t>(at),
                                     paths.begin() + static_cast<std::ptrdiff_t>(to)}));
    }
    removed += paths.size();
    if (batch.empty()) return removed;
    TARN_CHECK_OK(store_.commit(std::move(batch.frees_space())));
    return removed;
}

}  // namespace tarn::tables
