// The seam to files. RealDisk is the operating system's; FaultyDisk (io/faulty_disk.h) is its twin
// for tests: it records every operation, can lose what was not synced, tear writes, and fail any
// call.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::io {

/// What write_uncached() counts in.
inline constexpr size_t kPageBytes = 4096;

/// Makes memory that begins at a page.
template <typename T>
struct PageAllocator {
    using value_type = T;
    PageAllocator() = default;
    template <typename U>
    PageAllocator(const PageAllocator<U>&) {}  // NOLINT: as the standard library's own converts
    T* allocate(size_t count) {
        return static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t(kPageBytes)));
    }
    void deallocate(T* memory, size_t) { ::operator delete(memory, std::align_val_t(kPageBytes)); }
    friend bool operator==(const PageAllocator&, const PageAllocator&) { return true; }
};
using PageString = std::basic_string<char, std::char_traits<char>, PageAllocator<char>>;

/// One open file. Positions are explicit; reads and writes may come from several threads at once.
class File {
 public:
    virtual ~File() = default;  // closes

    /// Reads up to `length` bytes; fewer only at the end of the file.
    virtual Result<std::string> read(uint64_t offset, uint64_t length) const = 0;
    /// Writes all of the pieces one after another at `offset` (one gathering system call where
    /// possible). A failure may have written a part.
    virtual Status write(uint64_t offset, const std::vector<std::string_view>& pieces) = 0;
    Status write(uint64_t offset, std::string_view bytes) {
        return write(offset, std::vector<std::string_view>{bytes});
    }
    /// Like write(), past the system's page cache where the file system can do that: for bytes that
    /// are many and need not stay in memory. Best with whole pages (kPageBytes) at a multiple of
    /// them, from memory that begins at one (PageString); otherwise it is write().
    virtual Status write_uncached(uint64_t offset, std::string_view bytes) {
        return write(offset, bytes);
    }
    /// fdatasync. After a failure nobody knows what is on disk: never retry as if it had worked.
    virtual Status sync() = 0;
    /// Reserves space so that later writes need no new blocks; reads of the reserved part give
    /// zeros.
    virtual Status preallocate(uint64_t bytes) = 0;
    /// Gives the blocks of a range back; reads of it give zeros.
    virtual Status punch_hole(uint64_t offset, uint64_t length) = 0;
    virtual Status truncate(uint64_t bytes) = 0;
    virtual Result<uint64_t> size() const = 0;
    /// The first place at or after `offset` that may hold something else than zeros; size() when
    /// there is none. A hint: it may answer `offset` itself.
    virtual Result<uint64_t> next_data(uint64_t offset) const = 0;
    /// For sendfile and friends; -1 when there is none.
    virtual int descriptor() const { return -1; }
};

struct DirectoryEntry {
    std::string name;
    bool is_directory = false;
    uint64_t bytes = 0;
    int64_t modified_micros = 0;
};

enum class OpenMode {
    read,        // not_found when absent
    read_write,  // not_found when absent
    create,      // created when absent, kept when present
    create_new,  // already_exists when present; permissions 0600
};

/// Names of files are durable only after sync_directory() of the folder that holds them.
class Disk {
 public:
    virtual ~Disk() = default;

    virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    /// Makes the folder and its parents (0700); fine when it is there. The names that it makes are
    /// durable at once.
    virtual Status make_directories(const std::string& path) = 0;
    virtual Status sync_directory(const std::string& path) = 0;
    virtual Status rename(const std::string& from, const std::string& to) = 0;
    virtual Status remove(const std::string& path) = 0;
    virtual Status remove_tree(const std::string& path) = 0;
    virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
    virtual Result<bool> exists(const std::string& path) = 0;
    /// Free bytes for us on the file system that holds `path`.
    virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
};

/// Lane: any but a loop.
class RealDisk final : public Disk {
 public:
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Status make_directories(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Status remove_tree(const std::string& path) override;
    Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Result<uint64_t> free_bytes(const std::string& path) override;
};

/// Reads a whole file of at most `bytes_max`.
Result<std::string> read_file(Disk& disk, const std::string& path, uint64_t bytes_max);
/// Replaces a file so that a crash leaves the old or the new one: temporary name, sync, rename,
/// sync of the folder. 0600.
Status replace_file(Disk& disk, const std::string& path, std::string_view bytes);

}  // namespace tarn::io
