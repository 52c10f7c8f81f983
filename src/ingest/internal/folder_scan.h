// A drop folder as the operating system shows it: what lies there, and one file read from its
// beginning. Nothing in the folder is ever changed. Symbolic links are not followed: they could
// lead out of the folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::ingest {

/// What tells one state of a file from another.
struct FileIdentity {
    uint64_t bytes = 0;
    int64_t modified_nanos = 0;
    uint64_t inode = 0;

    bool operator==(const FileIdentity&) const = default;
};

struct SeenFile {
    std::string name;
    FileIdentity identity;
    const char* problem = nullptr;  // why it can't be read as it is: a folder, a link, a pipe
};

/// "/srv/drop/weather/*.csv": a folder and a pattern for names (* ? [...]); without a pattern all
/// files of the folder.
struct DropFolder {
    std::string folder, pattern;
};
/// invalid_argument: not absolute, or a pattern in the folder's part.
Result<DropFolder> parse_drop_path(const std::string& path);

/// Files whose names match, oldest first, then by name. Hidden files and names that programs give
/// to files they have not finished (.tmp, .part, .filepart, .crdownload, .swp, ~) are left out.
/// not_found: no such folder.
Result<std::vector<SeenFile>> list_drop_folder(const DropFolder& from);
bool is_waiting_name(std::string_view name, const std::string& pattern);

class DropFile {
 public:
    /// Precondition: `name` is one of list_drop_folder's. not_found, permission_denied,
    /// invalid_argument (no plain file).
    static Result<std::unique_ptr<DropFile>> open(const std::string& folder,
                                                  const std::string& name);
    ~DropFile();
    DropFile(const DropFile&) = delete;
    DropFile& operator=(const DropFile&) = delete;

    /// As it is now.
    Result<FileIdentity> identity() const;
    /// From the beginning again.
    void rewind() { offset_ = 0; }
    /// Up to 1 MiB more; empty at the end. Valid until the next call.
    Result<std::string_view> read();

 private:
    explicit DropFile(int descriptor);

    const int descriptor_;
    uint64_t offset_ = 0;
    std::vector<char> buffer_;
};

}  // namespace tarn::ingest
