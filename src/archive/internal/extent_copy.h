// Extents on their way into a copy.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "archive/internal/manifest.h"
#include "archive/internal/sender.h"
#include "archive/source.h"
#include "objects/copying.h"

namespace tarn::archive {

/// Ranges of extent files that are at the destination, by file, ascending.
using SentExtents = std::map<uint64_t, std::vector<Range>>;

/// One extent file that is read from.
class ExtentFileReader {
 public:
    /// A file that is missing has lost its extents: they are not in the copy, and named as damage.
    static Result<ExtentFileReader> open(const Source& source, uint64_t file);
    bool missing() const { return file_ == nullptr; }
    const io::File& file() const { return *file_; }
    /// The first range of each file.
    Status send_header(Sender& sender, std::vector<Range>& out) const;
    /// Bytes that do not match their checksums are sent as they are, and named in `damage`.
    Status send(Sender& sender, const objects::Extent& extent, std::vector<Range>& out,
                std::vector<std::string>& damage) const;

 private:
    ExtentFileReader(uint64_t id, std::unique_ptr<io::File> file)
        : id_(id), file_(std::move(file)) {}

    uint64_t id_;
    std::unique_ptr<io::File> file_;
};

/// Keeps what a manifest has room for.
void note_damage(std::vector<std::string>& damage, std::string what);

}  // namespace tarn::archive
