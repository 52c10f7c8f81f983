#include "objects/internal/local_bytes.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "objects/internal/errors.h"
#include "objects/internal/extent_hold.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/extent_write.h"
#include "objects/internal/keys.h"

namespace tarn::objects::internal {
namespace {

constexpr size_t kHandlesMax = 256;

}  // namespace

LocalBytes::LocalBytes(io::Disk& disk, meta::Store& store, Metrics& metrics,
                       LocalBytesOptions options)
    : disk_(disk),
      store_(store),
      options_(std::move(options)),
      written_bytes_(
          metrics.counter("tarn_extents_reserved_bytes", "Bytes reserved in extent files")),
      freed_bytes_(
          metrics.counter("tarn_extents_freed_bytes", "Bytes of dead extents given back")) {}

std::string LocalBytes::path(uint64_t id) const {
    return options_.directory + "/" + extent_file_name(id);
}

Result<std::unique_ptr<BytesWrite>> LocalBytes::begin(std::optional<uint64_t> size) {
    if (failed_)
        return Error(Code::unavailable,
                     "Writing to the disk has failed; the server must be restarted.");
    return std::unique_ptr<BytesWrite>(new ExtentWrite(*this, size));
}

bool LocalBytes::is_full(const OpenFile& file) const {
    const uint64_t room = options_.file_bytes - std::min(file.cursor, options_.file_bytes);
    return room < std::max(region_bytes(kBlockBytes), options_.file_bytes / 256);
}

Result<OpenFile> LocalBytes::acquire() {
    {
        MutexLock lock(mutex_);
        if (!idle_.empty()) {
            auto file = std::move(idle_.back());
            idle_.pop_back();
            return file;
        }
    }
    return create_file();
}

/// The file is there, with its name, before the record; and the record before the first extent.
Result<OpenFile> LocalBytes::create_file() {
    OpenFile open;
    {
        MutexLock lock(mutex_);
        open.id = next_id_++;
    }
    TARN_TRY(file, disk_.open(path(open.id), io::OpenMode::create_new));
    open.file = std::move(file);
    open.cursor = open.reserved = kPageBytes;
    TARN_CHECK_OK(open.file->write(0, encode_extent_header(open.id, options_.lake_id)));
    TARN_CHECK_OK(open.file->sync());
    TARN_CHECK_OK(disk_.sync_directory(options_.directory));
    meta::Batch batch;
    batch.put(extent_file_key(open.id), "open");
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    MutexLock lock(mutex_);
    open_.insert(open.id);
    return open;
}

Status LocalBytes::reserve(OpenFile& file, uint64_t end) {
    if (end <= file.reserved) return {};
    const uint64_t target =
        std::max(end, std::min(file.reserved + options_.preallocate_bytes, options_.file_bytes));
    TARN_TRY(free, disk_.free_bytes(options_.directory));
    if (free < options_.free_bytes_min + (target - file.reserved))
        return Error(Code::exhausted, "The disk is nearly full: delete something or add space.",
                     "disk_full");
    bool holed;
    {
        MutexLock lock(mutex_);
        holed = holed_.count(file.id) != 0;
    }
    // Preallocating begins at byte 0 and would fill the holes again.
    if (!holed) TARN_CHECK_OK(file.file->preallocate(target));
    written_bytes_.add(static_cast<double>(target - file.reserved));
    file.reserved = target;
    return {};
}

void LocalBytes::give_back(OpenFile file) {
    bool keep_reserve;
    {
        MutexLock lock(mutex_);
        keep_reserve = idle_.size() < options_.idle_files_preallocated_max &&
                       file.reserved - file.cursor <= options_.preallocate_bytes;
    }
    if (!keep_reserve && file.reserved > file.cursor) {
        const auto cut = file.file->truncate(file.cursor);
        if (cut.ok()) file.reserved = file.cursor;
    }
    MutexLock lock(mutex_);
    idle_.push_back(std::move(file));
}

void LocalBytes::seal(uint64_t id) {
    MutexLock lock(mutex_);
    open_.erase(id);
    holed_.erase(id);
    maybe_empty_.insert(id);
}

Result<SharedFile> LocalBytes::file(uint64_t id) {
    {
        MutexLock lock(mutex_);
        const auto found = handles_.find(id);
        if (found != handles_.end()) {
            recent_.splice(recent_.begin(), recent_, found->second);
            return found->second->second;
        }
    }
    TARN_TRY(opened, disk_.open(path(id), io::OpenMode::read_write));
    TARN_TRY(header, opened->read(0, kPageBytes));
    TARN_CHECK_OK(check_extent_header(header, id, options_.lake_id));
    SharedFile shared = std::move(opened);
    MutexLock lock(mutex_);
    if (handles_.count(id) == 0) {
        recent_.emplace_front(id, shared);
        handles_[id] = recent_.begin();
        if (recent_.size() > kHandlesMax) {
            handles_.erase(recent_.back().first);
            recent_.pop_back();
        }
    }
    return shared;
}

std::shared_ptr<const BytesHold> LocalBytes::hold(std::vector<Extent> extents) {
    {
        MutexLock lock(mutex_);
        for (const auto& extent : extents) ++pins_[{extent.file, extent.offset}];
    }
    return std::make_shared<ExtentHold>(*this, std::move(extents));
}

void LocalBytes::unpin(const std::vector<Extent>& extents) {
    MutexLock lock(mutex_);
    for (const auto& extent : extents) {
        const auto pin = pins_.find({extent.file, extent.offset});
        TARN_ASSERT(pin != pins_.end());
        if (--pin->second == 0) pins_.erase(pin);
    }
}

Result<std::vector<Extent>> LocalBytes::stage_refs(meta::Batch& batch, const ExtentRefs& changes) {
    // A batch may hold earlier changes of the same counts, made by other staged objects.
    std::map<std::string, int64_t, std::less<>> earlier;
    for (const auto& operation : batch.operations())
        if (operation.kind == meta::Batch::Operation::Kind::add)
            earlier[operation.key] += operation.number;

    std::vector<Extent> dead;
    for (const auto& [extent, delta] : changes) {
        if (delta == 0) continue;
        const std::string key = extent_key(extent);
        if (delta > 0) {
            batch.add(key, delta);
            continue;
        }
        TARN_TRY(record, store_.get(key));
        if (!record) return changed_meanwhile();
        batch.require_version(key, record->version, changed_meanwhile());
        const auto before = earlier.find(key);
        const int64_t left = meta::decode_counter(record->value) + delta +
                             (before == earlier.end() ? 0 : before->second);
        if (left > 0) {
            batch.add(key, delta);
            continue;
        }
        batch.erase(key);
        batch.put(dead_extent_key(extent), "");
        dead.push_back(extent);
    }
    return dead;
}

Result<std::unique_ptr<BytesBackend>> open_checked(io::Disk& disk, meta::Store& store,
                                                   Metrics& metrics, LocalBytesOptions options) {
    options.file_bytes = options.file_bytes / kPageBytes * kPageBytes;
    if (options.file_bytes < kPageBytes + region_bytes(kBlockBytes))
        return Error(Code::invalid_argument, "Extent files must have room for a block.");
    auto bytes = std::make_unique<LocalBytes>(disk, store, metrics, std::move(options));
    TARN_CHECK_OK(bytes->recover());
    return std::unique_ptr<BytesBackend>(std::move(bytes));
}

}  // namespace tarn::objects::internal

namespace tarn::objects {

Result<std::unique_ptr<BytesBackend>> open_local_bytes(io::Disk& disk, meta::Store& store,
                                                       Metrics& metrics,
                                                       LocalBytesOptions options) {
    return internal::open_checked(disk, store, metrics, std::move(options));
}

}  // namespace tarn::objects
