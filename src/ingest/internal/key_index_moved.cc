// Files that compaction wrote again, in the index: instead of reading millions of keys it notes
// where the rows went. That makes ways to go from the file that an entry names to the one where the
// row is; before they get long, entries are put anew (key_index_renewal.cc).
#include "ingest/internal/key_index_moved.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "ingest/internal/key_index_table.h"
#include "query/row_places.h"

namespace tarn::ingest {

std::string MovedRows::encode() const {
    std::string out;
    append_le(out, first);
    append_le(out, static_cast<uint32_t>(to.size()));
    for (const auto& [end, file] : to) {
        append_le(out, end);
        append_le(out, file);
    }
    std::string bitmap(left_out.getSizeInBytes(), '\0');  // its own: the library wants it aligned
    left_out.write(bitmap.data());
    out += bitmap;
    append_le(out, left_out.cardinality());
    return out;
}

Result<MovedRows> MovedRows::decode(std::string_view text) {
    const Error damaged(Code::corrupted, "key index: where rows of a file went");
    if (text.size() < 12) return damaged;
    MovedRows out;
    out.first = load_le<uint64_t>(text.data());
    const auto count = load_le<uint32_t>(text.data() + 8);
    text.remove_prefix(12);
    if (text.size() / 12 < count) return damaged;
    for (uint32_t i = 0; i < count; ++i, text.remove_prefix(12))
        out.to.emplace_back(load_le<uint64_t>(text.data()), load_le<uint32_t>(text.data() + 8));
    if (text.size() < sizeof(uint64_t)) return damaged;
    // A string of its own begins at an aligned address, which the library reads a word from. It may
    // read eight bytes further than it is told; the count of rows stands there.
    const std::string bitmap(text);
    const size_t size = bitmap.size() - sizeof(uint64_t);
    const auto rows = load_le<uint64_t>(bitmap.data() + size);
    try {
        out.left_out = Roaring64Map::readSafe(bitmap.data(), size);
    } catch (const std::exception&) {
        return damaged;
    }
    const bool whole = out.left_out.getSizeInBytes() == size && out.left_out.cardinality() == rows;
    return whole ? Result<MovedRows>(std::move(out)) : damaged;
}

Result<Roaring64Map> IndexTable::deleted_rows(const tables::ScanTask& task) const {
    Roaring64Map rows;
    for (const auto& file : task.deletes) {
        TARN_TRY(some, query::read_delete_positions(parts_.engine, file->path, task.file->path));
        rows.addMany(some.size(), some.data());
    }
    return rows;
}

/// The rows of a file that were deleted in the snapshot that the index knows.
Result<const Roaring64Map*> IndexTable::deleted_before(KnownFile& known) const {
    if (!known.deleted) {
        TARN_TRY(rows, deleted_rows(known.task));
        known.deleted = std::move(rows);
    }
    return &*known.deleted;
}

/// Puts what compaction made of files in the place of those in `known`.
Status IndexTable::follow_rewrites(Known& known) {
    for (const auto& rewrite : tables::rewrites_of(parts_.catalog, parts_.uuid)) {
        uint64_t rows = 0;
        for (const auto& file : rewrite->to) rows += static_cast<uint64_t>(file->record_count);
        const bool all_known =
            std::all_of(rewrite->from.begin(), rewrite->from.end(),
                        [&](const auto& task) { return known.contains(task.file->path); });
        if (!all_known || rows < parts_.moved_min) continue;
        const Status done = follow_rewrite(*rewrite, known);
        if (!done.ok())  // its delete files are gone, say: the new files are read
            log_warning("ingest", "a compaction's new files are read for the key index",
                        {{"table", parts_.uuid}, {"why", done.error().message}});
    }
    return ok_status();
}

Status IndexTable::follow_rewrite(const tables::Rewrite& rewrite, Known& known) {
    std::vector<std::shared_ptr<MovedRows>> moved;
    std::vector<Roaring64Map> since;  // deleted in `known`, and not when compaction read the file
    uint64_t first = 0, end = 0;
    for (const auto& task : rewrite.from) {
        TARN_TRY(left_out, deleted_rows(task));
        TARN_TRY(before, deleted_before(known.at(task.file->path)));
        since.push_back(*before - left_out);
        const auto rows = static_cast<uint64_t>(task.file->record_count) - left_out.cardinality();
        moved.push_back(std::make_shared<MovedRows>());
        moved.back()->left_out = std::move(left_out);
        moved.back()->first = first;
        first += rows;
    }
    std::map<uint32_t, KnownFile*> made;
    std::vector<std::pair<uint64_t, uint32_t>> to;
    for (const auto& file : rewrite.to) end += static_cast<uint64_t>(file->record_count);
    if (end != first)
        return Error(Code::internal,
                     fmt::format("the new files hold {} rows, the old ones {}", end, first));
    end = 0;
    for (const auto& file : rewrite.to) {
        const uint32_t number = number_of(file->path);
        made[number] = &known[file->path];
        made[number]->deleted.emplace();
        to.emplace_back(end += static_cast<uint64_t>(file->record_count), number);
    }
    for (size_t i = 0; i < moved.size(); ++i) {
        moved[i]->to = to;
        moved[i]->left_out.runOptimize();
        std::vector<uint64_t> rows(since[i].cardinality());
        since[i].toUint64Array(rows.data());
        for (const uint64_t row : rows)
            if (const auto place = moved[i]->place_of(row))
                made.at(place->file)->deleted->add(place->position);
        const auto& path = rewrite.from[i].file->path;
        auto& file = files_[number_of(path)];
        file.moved = std::move(moved[i]);
        file.moved_saved = false;
        known.erase(path);
    }
    return ok_status();
}

/// Where a row is that an entry names; nullopt: nowhere any more.
std::optional<RowPlace> IndexTable::place_now(RowPlace place) const {
    for (size_t step = 0; step <= files_.size(); ++step) {
        const auto file = files_.find(place.file);
        if (file == files_.end()) break;
        if (file->second.live) return place;
        if (!file->second.moved) break;
        const auto next = file->second.moved->place_of(place.position);
        if (!next) break;
        place = *next;
    }
    return std::nullopt;
}

}  // namespace tarn::ingest
