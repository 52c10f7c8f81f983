#include "objects/internal/extent_write.h"

#include <algorithm>
#include <chrono>
#include <system_error>

#include "base/bytes.h"
#include "base/log.h"
#include "codec/checksum.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/keys.h"

namespace tarn::objects::internal {
namespace {

constexpr size_t kWritesAhead = 4;
// A body of so many bytes goes past the page cache: copying it there and finding pages for it takes
// as long as receiving it, and pushes out what is read often. What is shorter is likely to be read
// soon.
constexpr uint64_t kLongBytes = 8u << 20;
constexpr uint64_t kSyncBytes = 8u << 20;  // written between two syncs of a disk that keeps up

/// The most data bytes whose region fits into `room`.
uint64_t data_bytes_max(uint64_t room) {
    uint64_t blocks = room / (kBlockBytes + 4);
    return blocks * kBlockBytes;
}

}  // namespace

ExtentWrite::ExtentWrite(LocalBytes& bytes, std::optional<uint64_t> size)
    : bytes_(bytes), is_long_(size.value_or(0) >= kLongBytes), writes_(kWritesAhead) {}

ExtentWrite::~ExtentWrite() {
    // A failure does not matter any more: nothing names these bytes.
    static_cast<void>(writes_.wait().ok());
    static_cast<void>(finish_sync().ok());
    if (kept_) return;
    if (sealed_ && was_committed()) {
        kept();
        return;
    }
    // After a failed log write nobody knows whether the batch that names these bytes will be there
    // after a restart: they stay.
    if (!bytes_.store().healthy()) return;
    for (auto& lease : leases_) {
        lease.file.cursor = lease.cursor_before;
        bytes_.give_back(std::move(lease.file));
    }
}

/// A staged write may be dropped by an owner who never learnt that its batch made it.
bool ExtentWrite::was_committed() const {
    if (extents_.empty()) return false;
    const auto reference = bytes_.store().get(extent_key(extents_.front()));
    return !reference.ok() || reference->has_value();
}

Status ExtentWrite::append(std::shared_ptr<const PieceBytes> piece) {
    TARN_ASSERT(!sealed_ && piece->size() % kBlockBytes == 0);
    return writes_.begin([this, piece = std::move(piece)] { return write_out(*piece); });
}

Status ExtentWrite::begin_extent() {
    TARN_TRY(file, bytes_.acquire());
    length_max_ = data_bytes_max(bytes_.options().file_bytes - file.cursor);
    length_ = 0;
    checks_.clear();
    const uint64_t cursor = file.cursor;
    leases_.push_back({std::move(file), cursor});
    return {};
}

Status ExtentWrite::write_out(std::string_view rest) {
    unsynced_bytes_ += rest.size();
    while (!rest.empty()) {
        if (length_max_ == 0) TARN_CHECK_OK(begin_extent());
        auto& file = leases_.back().file;
        const auto now = rest.substr(0, std::min<uint64_t>(rest.size(), length_max_ - length_));
        TARN_CHECK_OK(bytes_.reserve(file, file.cursor + region_bytes(length_ + now.size())));
        const uint64_t at = file.cursor + length_;
        TARN_CHECK_OK(is_long_ ? file.file->write_uncached(at, now) : file.file->write(at, now));
        for (size_t block = 0; block < now.size(); block += kBlockBytes)
            checks_.push_back(codec::crc32c(now.substr(block, kBlockBytes)));
        length_ += now.size();
        rest.remove_prefix(now.size());
        if (length_ == length_max_) TARN_CHECK_OK(end_extent());
    }
    return unsynced_bytes_ < kSyncBytes ? ok_status() : begin_sync();
}

Status ExtentWrite::begin_sync() {
    using namespace std::chrono_literals;
    if (synced_.valid() && synced_.wait_for(0s) != std::future_status::ready) return {};
    TARN_CHECK_OK(finish_sync());
    unsynced_bytes_ = 0;
    syncing_ = leases_.size() - 1;
    io::File& file = *leases_.back().file.file;
    try {
        synced_ = std::async(std::launch::async, [&file] { return file.sync(); });
    } catch (const std::system_error&) {  // no thread to be had
        return check_sync(leases_.back().file, file.sync());
    }
    return {};
}

Status ExtentWrite::finish_sync() {
    if (!synced_.valid()) return {};
    return check_sync(leases_[syncing_].file, synced_.get());
}

Status ExtentWrite::end_extent() {
    auto& file = leases_.back().file;
    std::string table;
    table.reserve(checks_.size() * 4);
    for (uint32_t check : checks_) append_le(table, check);
    TARN_CHECK_OK(file.file->write(file.cursor + length_, table));
    extents_.push_back({file.id, file.cursor, length_, codec::crc32c(table)});
    file.cursor += region_bytes(length_);
    length_max_ = 0;
    return {};
}

Status ExtentWrite::seal(std::string_view rest) {
    TARN_CHECK_OK(writes_.wait());
    TARN_CHECK_OK(write_out(rest));
    if (length_max_ != 0) TARN_CHECK_OK(end_extent());
    TARN_CHECK_OK(finish_sync());
    for (auto& lease : leases_) TARN_CHECK_OK(sync(lease.file));
    sealed_ = true;
    return {};
}

Status ExtentWrite::sync(OpenFile& file) {
    if (bytes_.is_full(file)) {
        // Nothing will be appended: give the rest of the reserve back before the record says so.
        TARN_CHECK_OK(file.file->truncate(file.cursor));
        file.reserved = file.cursor;
    }
    return check_sync(file, file.file->sync());
}

Status ExtentWrite::check_sync(const OpenFile& file, Status synced) {
    if (synced.ok()) return synced;
    bytes_.fail();
    log_error("objects",
              "an extent file could not be synced; no more large objects until a restart",
              {{"file", extent_file_name(file.id)}, {"error", synced.error().message}});
    return synced;
}

void ExtentWrite::stage(meta::Batch& batch) const {
    TARN_ASSERT(sealed_);
    for (const auto& lease : leases_)
        if (bytes_.is_full(lease.file)) batch.put(extent_file_key(lease.file.id), "sealed");
}

void ExtentWrite::kept() {
    kept_ = true;
    for (auto& lease : leases_) {
        if (bytes_.is_full(lease.file))
            bytes_.seal(lease.file.id);
        else
            bytes_.give_back(std::move(lease.file));
    }
    leases_.clear();
}

}  // namespace tarn::objects::internal
