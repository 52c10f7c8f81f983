#include "objects/copying.h"

#include <algorithm>

#include "base/bytes.h"
#include "codec/checksum.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/keys.h"
#include "objects/internal/local_bytes.h"

namespace tarn::objects {

using internal::blocks_of;
using internal::kBlockBytes;

static_assert(kExtentFileHeaderBytes == internal::kPageBytes);

std::shared_ptr<const void> hold_space(BytesBackend& bytes) {
    auto& local = dynamic_cast<internal::LocalBytes&>(bytes);
    local.pause_reclaim();
    return {&local, [](internal::LocalBytes* held) { held->resume_reclaim(); }};
}

Result<std::vector<ExtentFile>> extent_files(const meta::Reader& state, uint64_t first) {
    std::vector<ExtentFile> files;
    auto walk = state.scan({internal::extent_file_key(first), meta::prefix_end("xf/")});
    for (; walk->valid(); walk->next()) {
        meta::KeyReader key(walk->key(), "xf");
        const auto id = key.take_number();
        if (!id) return Error(Code::corrupted, "A key of an extent file can't be read.");
        TARN_TRY(record, walk->record());
        files.push_back({*id, record.value == "open"});
    }
    TARN_CHECK_OK(walk->status());
    return files;
}

Result<std::vector<Extent>> extents_of_file(const meta::Reader& state, uint64_t file,
                                            uint64_t offset) {
    std::vector<Extent> extents;
    const auto prefix = internal::extents_of(file);
    auto walk =
        state.scan({meta::Key("x").number(file).number(offset).str(), meta::prefix_end(prefix)});
    for (; walk->valid(); walk->next()) {
        meta::KeyReader key(walk->key(), "x");
        key.take_number();
        const auto at = key.take_number();
        const auto length = key.take_number();
        if (!at || !length) return Error(Code::corrupted, "A key of an extent can't be read.");
        extents.push_back({file, *at, *length, 0});
    }
    TARN_CHECK_OK(walk->status());
    return extents;
}

std::string extent_file_name(uint64_t file) {
    return internal::extent_file_name(file);
}

uint64_t copied_bytes(const Extent& extent) {
    return extent.length + 4 * blocks_of(extent.length);
}

Result<ExtentReader> ExtentReader::open(const io::File& file, const Extent& extent) {
    ExtentReader reader(file, extent);
    const uint64_t bytes = 4 * blocks_of(extent.length);
    TARN_TRY(table, file.read(extent.offset + extent.length, bytes));
    if (table.size() != bytes)
        return Error(Code::corrupted,
                     "The extent file " + extent_file_name(extent.file) + " ends before byte " +
                         std::to_string(extent.offset + copied_bytes(extent)) + ".");
    reader.table_ = std::move(table);
    reader.check_ = codec::crc32c(reader.table_);
    return reader;
}

Result<std::string> ExtentReader::read(uint64_t from, uint64_t length) {
    TARN_ASSERT(from % kBlockBytes == 0);
    const uint64_t data_end = std::min(from + length, extent_.length);
    std::string bytes;
    if (from < data_end) {
        TARN_TRY(data, file_->read(extent_.offset + from, data_end - from));
        if (data.size() != data_end - from)
            return Error(Code::corrupted, "The extent file " + extent_file_name(extent_.file) +
                                              " has become shorter.");
        bytes = std::move(data);
    }
    for (uint64_t at = 0; at < bytes.size(); at += kBlockBytes) {
        const auto block = std::string_view(bytes).substr(at, kBlockBytes);
        // A part of a block says nothing.
        if (block.size() < kBlockBytes && from + at + block.size() != extent_.length) break;
        const uint64_t index = (from + at) / kBlockBytes;
        if (codec::crc32c(block) != load_le<uint32_t>(table_.data() + 4 * index)) ++damaged_;
    }
    const uint64_t table_from = std::max(from, extent_.length) - extent_.length;
    if (bytes.size() < length)
        bytes += std::string_view(table_).substr(std::min<uint64_t>(table_from, table_.size()),
                                                 length - bytes.size());
    return bytes;
}

}  // namespace tarn::objects
