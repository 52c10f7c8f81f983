// Giving space back: dead extents while running, and what a crash left at start-up.
#include <algorithm>

#include "base/log.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/keys.h"
#include "objects/internal/local_bytes.h"

namespace tarn::objects::internal {
namespace {

constexpr size_t kReclaimExtentsMax = 1024;  // per batch

/// x/ and xd/ keys name file, offset and length.
Result<Extent> parse_extent_key(std::string_view key, std::string_view kind) {
    meta::KeyReader reader(key, kind);
    const auto file = reader.take_number();
    const auto offset = reader.take_number();
    const auto length = reader.take_number();
    if (!file || !offset || !length || !reader.rest().empty())
        return Error(Code::corrupted, "A key of an extent can't be read.");
    return Extent{*file, *offset, *length, 0};
}

Result<std::vector<Extent>> scan_extents(const meta::Reader& reader, const std::string& prefix,
                                         std::string_view kind) {
    std::vector<Extent> extents;
    auto walk = reader.scan({prefix, meta::prefix_end(prefix)});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(extent, parse_extent_key(walk->key(), kind));
        extents.push_back(extent);
    }
    TARN_CHECK_OK(walk->status());
    return extents;
}

Result<bool> has_refs(const meta::Reader& reader, uint64_t file) {
    const std::string prefix = extents_of(file);
    auto walk = reader.scan({prefix, meta::prefix_end(prefix)});
    const bool any = walk->valid();
    TARN_CHECK_OK(walk->status());
    return any;
}

}  // namespace

void LocalBytes::released(const std::vector<Extent>& dead) {
    MutexLock lock(mutex_);
    dead_.insert(dead.begin(), dead.end());
}

bool LocalBytes::wants_reclaim() const {
    MutexLock lock(mutex_);
    return has_reclaimable();
}

bool LocalBytes::has_reclaimable() const {
    if (pauses_ > 0) return false;
    if (!maybe_empty_.empty()) return true;
    for (const auto& extent : dead_)
        if (pins_.count({extent.file, extent.offset}) == 0) return true;
    return false;
}

Result<uint64_t> LocalBytes::reclaim() {
    {
        MutexLock lock(mutex_);
        if (reclaiming_ || pauses_ > 0) return uint64_t{0};
        reclaiming_ = true;
    }
    uint64_t freed = 0;
    while (true) {
        auto once = reclaim_once();
        if (once.ok()) freed += *once;
        MutexLock lock(mutex_);
        // What others released meanwhile is this pass's too: they were turned away.
        if (once.ok() && has_reclaimable()) continue;
        reclaiming_ = false;
        reclaimed_.notify_all();
        if (!once.ok()) return once;
        return freed;
    }
}

void LocalBytes::pause_reclaim() {
    MutexLock lock(mutex_);
    ++pauses_;
    while (reclaiming_) reclaimed_.wait(mutex_);
}

void LocalBytes::resume_reclaim() {
    MutexLock lock(mutex_);
    --pauses_;
}

/// One batch of dead extents, by file.
Result<uint64_t> LocalBytes::reclaim_once() {
    std::map<uint64_t, std::vector<Extent>> by_file;
    {
        MutexLock lock(mutex_);
        size_t taken = 0;
        for (auto at = dead_.begin(); at != dead_.end() && taken < kReclaimExtentsMax;) {
            if (pins_.count({at->file, at->offset}) != 0) {
                ++at;
                continue;
            }
            by_file[at->file].push_back(*at);
            at = dead_.erase(at);
            ++taken;
        }
        for (uint64_t id : maybe_empty_) by_file[id];
        maybe_empty_.clear();
    }
    uint64_t freed = 0;
    Status first_failure;
    for (const auto& [id, dead] : by_file) {
        auto done = free_dead_of(id, dead, freed);
        if (done.ok()) continue;
        released(dead);
        if (first_failure.ok()) first_failure = std::move(done);
    }
    freed_bytes_.add(static_cast<double>(freed));
    TARN_CHECK_OK(first_failure);
    return freed;
}

Status LocalBytes::free_dead_of(uint64_t id, const std::vector<Extent>& dead, uint64_t& freed) {
    uint64_t bytes = 0;
    for (const auto& extent : dead) bytes += region_bytes(extent.length);
    TARN_TRY(removed, remove_if_empty(id));
    if (!removed && !dead.empty()) {
        TARN_TRY(holes, file(id));
        {
            MutexLock lock(mutex_);
            if (open_.count(id) != 0) holed_.insert(id);
        }
        for (const auto& extent : dead)
            TARN_CHECK_OK(holes->punch_hole(extent.offset, region_bytes(extent.length)));
        // The holes must outlive the records that would repeat them.
        TARN_CHECK_OK(holes->sync());
        meta::Batch batch;
        for (const auto& extent : dead) batch.erase(dead_extent_key(extent));
        batch.frees_space();
        TARN_CHECK_OK(store_.commit(std::move(batch)));
    }
    freed += bytes;
    return {};
}

/// False when the file is still appended to, named or held.
Result<bool> LocalBytes::remove_if_empty(uint64_t id) {
    {
        MutexLock lock(mutex_);
        const auto pin = pins_.lower_bound({id, 0});
        if (open_.count(id) != 0) return false;
        // Held extents are dead ones here: they bring us back when they are let go.
        if (pin != pins_.end() && pin->first.first == id) return false;
    }
    TARN_TRY(named, has_refs(store_, id));
    if (named) return false;
    meta::Batch batch;
    batch.erase(extent_file_key(id));
    batch.erase_range(dead_extents_of(id), meta::prefix_end(dead_extents_of(id)));
    batch.frees_space();
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    {
        MutexLock lock(mutex_);
        const auto handle = handles_.find(id);
        if (handle != handles_.end()) {
            recent_.erase(handle->second);
            handles_.erase(handle);
        }
        dead_.erase(dead_.lower_bound(Extent{id, 0, 0, 0}),
                    dead_.lower_bound(Extent{id + 1, 0, 0, 0}));
    }
    // A crash before this is done leaves a file without a record: recover() removes it.
    TARN_CHECK_OK(disk_.remove(path(id)));
    return true;
}

Status LocalBytes::recover() {
    TARN_CHECK_OK(disk_.make_directories(options_.directory));
    TARN_TRY(on_disk, files_on_disk());

    std::map<uint64_t, bool> is_open;
    auto walk = store_.scan({"xf/", meta::prefix_end("xf/")});
    for (; walk->valid(); walk->next()) {
        meta::KeyReader reader(walk->key(), "xf");
        const auto id = reader.take_number();
        TARN_TRY(record, walk->record());
        if (!id) return Error(Code::corrupted, "A key of an extent file can't be read.");
        is_open[*id] = record.value == "open";
    }
    TARN_CHECK_OK(walk->status());

    uint64_t highest = is_open.empty() ? 0 : is_open.rbegin()->first;
    for (uint64_t id : on_disk) {
        highest = std::max(highest, id);
        if (is_open.count(id) == 0) TARN_CHECK_OK(disk_.remove(path(id)));
    }
    {
        MutexLock lock(mutex_);
        next_id_ = highest + 1;
    }
    TARN_TRY(dead, scan_extents(store_, "xd/", "xd"));
    released(dead);
    for (const auto& [id, open] : is_open) {
        if (on_disk.count(id) == 0)
            TARN_CHECK_OK(forget_missing_file(id));
        else if (open)
            TARN_CHECK_OK(recover_open_file(id));
        else {
            MutexLock lock(mutex_);
            maybe_empty_.insert(id);
        }
    }
    TARN_CHECK_OK(reclaim());
    return {};
}

Result<std::set<uint64_t>> LocalBytes::files_on_disk() {
    std::set<uint64_t> ids;
    TARN_TRY(entries, disk_.list(options_.directory));
    for (const auto& entry : entries)
        if (const auto id = parse_extent_file_name(entry.name)) ids.insert(*id);
    return ids;
}

/// A file that is named but gone is damage from outside: the rest of the lake goes on, reads of it
/// answer `corrupted`.
Status LocalBytes::forget_missing_file(uint64_t id) {
    {
        MutexLock lock(mutex_);
        dead_.erase(dead_.lower_bound(Extent{id, 0, 0, 0}),
                    dead_.lower_bound(Extent{id + 1, 0, 0, 0}));
    }
    TARN_TRY(named, has_refs(store_, id));
    meta::Batch batch;
    if (named) {
        log_error("objects", "an extent file is missing; the objects in it can't be read",
                  {{"file", path(id)}});
        batch.put(extent_file_key(id), "sealed");
    } else {
        batch.erase(extent_file_key(id));
    }
    batch.erase_range(dead_extents_of(id), meta::prefix_end(dead_extents_of(id)));
    batch.frees_space();
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return {};
}

/// Frees whatever lies between and behind the extents that are named, then goes on appending.
Status LocalBytes::recover_open_file(uint64_t id) {
    TARN_TRY(live, scan_extents(store_, extents_of(id), "x"));
    auto opened = file(id);
    if (!opened.ok()) {
        if (!live.empty() || opened.error().code != Code::corrupted)
            return std::move(opened).error();
        MutexLock lock(mutex_);
        maybe_empty_.insert(id);
        return {};
    }
    OpenFile open{id, *opened, kPageBytes, 0};
    bool holed = false;
    for (const auto& extent : live) {
        if (extent.offset > open.cursor) {
            holed = true;
            TARN_CHECK_OK(open.file->punch_hole(open.cursor, extent.offset - open.cursor));
        }
        open.cursor = std::max(open.cursor, extent.offset + region_bytes(extent.length));
    }
    TARN_CHECK_OK(open.file->truncate(open.cursor));
    open.reserved = open.cursor;
    const bool full = is_full(open);
    if (full) {
        meta::Batch batch;
        batch.put(extent_file_key(id), "sealed");
        TARN_CHECK_OK(store_.commit(std::move(batch)));
    }
    MutexLock lock(mutex_);
    if (full) return {};
    open_.insert(id);
    if (holed) holed_.insert(id);
    idle_.push_back(std::move(open));
    return {};
}

}  // namespace tarn::objects::internal
