// The twin of RealDisk for tests: files in memory, every operation recorded, any call made to fail,
// and the state of the disk after a power failure at any operation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/random.h"
#include "base/result.h"
#include "io/disk.h"

namespace tarn::io {

/// Lane: any. Files may outlive the names, not the disk.
class FaultyDisk final : public Disk {
 public:
    enum class Call {
        any,
        open,
        read,
        write,
        sync,
        preallocate,
        punch_hole,
        truncate,
        sync_directory,
        rename,
        remove,
        list,
        needs_space,  // open, write, preallocate, sync and sync of a folder; not a call of its own
    };
    struct Fault {
        Call call = Call::any;
        std::string path_prefix = {};  // of the file or folder
        uint64_t after = 0;            // so many matching calls pass first
        uint64_t times = 1;            // then so many fail; forever: kForever
        Code code = Code::io;
        uint64_t short_write = 0;  // a failing write leaves so many of its bytes behind
    };
    static constexpr uint64_t kForever = ~0ull;

    /// What changes the disk. Reads are not recorded.
    struct Operation {
        enum class Kind {
            create,
            write,
            truncate,
            preallocate,
            punch_hole,
            sync,
            failed_sync,
            sync_directory,
            rename,
            remove,
            make_directory,
        };
        Kind kind;
        std::string path;
        std::string to;     // rename
        uint64_t node = 0;  // the file behind the name
        uint64_t offset = 0;
        uint64_t length = 0;
        std::string bytes;
    };

    FaultyDisk();
    ~FaultyDisk() override;

    void add_fault(Fault fault);
    void clear_faults();
    void set_free_bytes(uint64_t bytes);

    size_t operation_count() const;
    /// Calls of any kind that could have been made to fail, and those that were.
    uint64_t call_count() const;
    uint64_t fault_count() const;
    std::vector<Operation> operations() const;

    /// What a power failure after the first `operations` operations may leave, by seed. What was
    /// synced is there. Of what was not, per file: nothing, all, the first part with a torn end, or
    /// any sectors of 512 bytes in any order; per folder likewise any of the names made, renamed or
    /// removed since its sync. What a failed sync should have written stays doubtful.
    std::unique_ptr<FaultyDisk> crash(size_t operations, uint64_t seed) const;
    /// Everything as it is, as after the end of the process alone.
    std::unique_ptr<FaultyDisk> copy() const;
    /// Flips one bit of a file, unrecorded.
    Status flip_bit(const std::string& path, uint64_t offset, int bit);

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Status make_directories(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove(const std::string& path) override;
    Status remove_tree(const std::string& path) override;
    Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Result<uint64_t> free_bytes(const std::string& path) override;

 private:
    friend class FaultyFile;
    struct Node;

    /// The failure that a rule has for this call.
    std::optional<Fault> fault_of(Call call, const std::string& path) TARN_REQUIRES(mutex_);
    void record(Operation operation) TARN_REQUIRES(mutex_) {
        operations_.push_back(std::move(operation));
    }
    /// Makes content and names the starting point of a disk that has recorded nothing.
    void restore(const std::map<std::string, std::string>& files,
                 const std::set<std::string>& directories);

    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<Node>> files_ TARN_GUARDED_BY(mutex_);
    std::set<std::string> directories_ TARN_GUARDED_BY(mutex_);
    std::map<std::string, std::string> first_files_;  // as this disk began
    std::set<std::string> first_directories_;
    std::vector<Operation> operations_ TARN_GUARDED_BY(mutex_);
    std::vector<Fault> faults_ TARN_GUARDED_BY(mutex_);
    uint64_t calls_ TARN_GUARDED_BY(mutex_) = 0;
    uint64_t faults_made_ TARN_GUARDED_BY(mutex_) = 0;
    uint64_t next_node_ TARN_GUARDED_BY(mutex_) = 1;
    uint64_t free_bytes_ TARN_GUARDED_BY(mutex_) = 1ull << 40;
};

}  // namespace tarn::io
