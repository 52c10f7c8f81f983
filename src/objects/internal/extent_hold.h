// Verified reads of extents that stay where they are while this lives.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "objects/internal/local_bytes.h"

namespace tarn::objects::internal {

class ExtentHold final : public BytesHold {
 public:
    /// The extents have been pinned by `bytes`.
    ExtentHold(LocalBytes& bytes, std::vector<Extent> extents);
    ~ExtentHold() override;
    Result<std::string> read(size_t index, uint64_t offset, uint64_t length) const override;

 private:
    using Table = std::shared_ptr<const std::string>;  // little-endian CRC32C of each block
    Result<Table> table(size_t index, io::File& file) const;

    LocalBytes& bytes_;
    const std::vector<Extent> extents_;
    mutable Mutex mutex_;
    mutable std::vector<Table> tables_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::objects::internal
