// What a copy of the large bytes is made of, while the store goes on: which extents a state names,
// and their bytes as they lie in the extent files (src/archive makes copies of them).
// docs/formats/extents.md describes the files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/disk.h"
#include "meta/store.h"
#include "objects/bytes.h"

namespace tarn::objects {

/// While the result lives no extent is given back, whether named or not. Waits for a pass of
/// reclaim that is under way. `bytes` is what open_local_bytes() gave and outlives the result.
std::shared_ptr<const void> hold_space(BytesBackend& bytes);

struct ExtentFile {
    uint64_t id = 0;
    bool open = false;  // extents may still be appended; else they only become fewer
};
/// Those from `first` on, ascending.
Result<std::vector<ExtentFile>> extent_files(const meta::Reader& state, uint64_t first = 0);
/// The extents of one file that `state` names, from `offset` on, ascending; their check is 0.
Result<std::vector<Extent>> extents_of_file(const meta::Reader& state, uint64_t file,
                                            uint64_t offset = 0);

/// "00000000000000a1.extents"
std::string extent_file_name(uint64_t file);
/// The first bytes of a file, which name it and its lake.
inline constexpr uint64_t kExtentFileHeaderBytes = 4096;
/// Bytes that belong to an extent in its file: the data and the checksums of its blocks.
uint64_t copied_bytes(const Extent& extent);

/// One extent's bytes in a file, verified on the way. One thread at a time.
class ExtentReader {
 public:
    /// Reads the checksums. `file` outlives it. corrupted: the file ends before them.
    static Result<ExtentReader> open(const io::File& file, const Extent& extent);
    /// CRC32C of the block checksums: with the place it names the content.
    uint32_t check() const { return check_; }
    /// Bytes [from, from + length) of copied_bytes(). Precondition: `from` is a multiple of 64 KiB.
    Result<std::string> read(uint64_t from, uint64_t length);
    /// Blocks that did not match their checksum so far. They were read as they are.
    uint64_t damaged_blocks() const { return damaged_; }

 private:
    ExtentReader(const io::File& file, const Extent& extent) : file_(&file), extent_(extent) {}

    const io::File* file_;
    Extent extent_;
    std::string table_;
    uint32_t check_ = 0;
    uint64_t damaged_ = 0;
};

}  // namespace tarn::objects
