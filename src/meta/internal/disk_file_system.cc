#include "meta/internal/disk_file_system.h"

#include <rocksdb/env.h>

#include <cstdarg>
#include <cstring>
#include <utility>

namespace tarn::meta {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus to_io_status(const Status& status) {
    if (status.ok()) return IOStatus::OK();
    const Error& error = status.error();
    if (error.code == Code::not_found) return IOStatus::PathNotFound(error.message);
    if (error.code != Code::exhausted) return IOStatus::IOError(error.message);
    auto full = IOStatus::NoSpace(error.message);
    full.SetRetryable(true);  // as RocksDB's own files say it
    return full;
}

IOStatus read_into(const io::File& file, uint64_t offset, size_t length, Slice* result,
                   char* scratch) {
    auto bytes = file.read(offset, length);
    if (!bytes.ok()) {
        *result = Slice();
        return to_io_status(bytes.error());
    }
    std::memcpy(scratch, bytes->data(), bytes->size());
    *result = Slice(scratch, bytes->size());
    return IOStatus::OK();
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
    explicit SequentialFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}
    IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) override {
        auto status = read_into(*file_, at_, n, result, scratch);
        at_ += result->size();
        return status;
    }
    IOStatus Skip(uint64_t n) override {
        at_ += n;
        return IOStatus::OK();
    }

 private:
    const std::unique_ptr<io::File> file_;
    uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
    explicit RandomAccessFile(std::unique_ptr<io::File> file) : file_(std::move(file)) {}
    IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                  IODebugContext*) const override {
        return read_into(*file_, offset, n, result, scratch);
    }

 private:
    const std::unique_ptr<io::File> file_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
    WritableFile(io::Disk& disk, std::string path, std::unique_ptr<io::File> file, uint64_t bytes)
        : disk_(disk), path_(std::move(path)), file_(std::move(file)), bytes_(bytes) {}
    IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
        const Status written = file_->write(bytes_, std::string_view(data.data(), data.size()));
        if (written.ok()) bytes_ += data.size();
        return to_io_status(written);
    }
    IOStatus Append(const Slice& data, const IOOptions& options,
                    const rocksdb::DataVerificationInfo&, IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    IOStatus Truncate(uint64_t bytes, const IOOptions&, IODebugContext*) override {
        const Status cut = file_->truncate(bytes);
        if (cut.ok()) bytes_ = bytes;
        return to_io_status(cut);
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
    /// Makes the name durable, too, once: RocksDB relies on it (CURRENT names a manifest that was
    /// only synced itself), and ext4, XFS and btrfs do so for a file that is new.
    IOStatus Sync(const IOOptions&, IODebugContext*) override {
        Status synced = file_->sync();
        if (synced.ok() && !named_) {
            synced = disk_.sync_directory(path_.substr(0, path_.rfind('/')));
            named_ = synced.ok();
        }
        return to_io_status(synced);
    }
    uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return bytes_; }

 private:
    io::Disk& disk_;
    const std::string path_;
    const std::unique_ptr<io::File> file_;
    uint64_t bytes_;
    bool named_ = false;
};

class Directory final : public rocksdb::FSDirectory {
 public:
    Directory(io::Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
    IOStatus Fsync(const IOOptions&, IODebugContext*) override {
        return to_io_status(disk_.sync_directory(path_));
    }
    IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
    io::Disk& disk_;
    const std::string path_;
};

/// RocksDB's own log is not kept.
class SilentLogger final : public rocksdb::Logger {
 public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
    size_t GetLogFileSize() const override { return 0; }
};

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
    explicit DiskFileSystem(io::Disk& disk) : disk_(disk) {}
    const char* Name() const override { return "TarnDisk"; }

    IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSSequentialFile>* result,
                               IODebugContext*) override {
        auto file = disk_.open(path, io::OpenMode::read);
        if (!file.ok()) return to_io_status(file.error());
        *result = std::make_unique<SequentialFile>(std::move(file).value());
        return IOStatus::OK();
    }
    IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                                 std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                 IODebugContext*) override {
        auto file = disk_.open(path, io::OpenMode::read);
        if (!file.ok()) return to_io_status(file.error());
        *result = std::make_unique<RandomAccessFile>(std::move(file).value());
        return IOStatus::OK();
    }
    IOStatus NewWritableFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext*) override {
        return open_to_write(path, true, result);
    }
    IOStatus ReopenWritableFile(const std::string& path, const FileOptions&,
                                std::unique_ptr<rocksdb::FSWritableFile>* result,
                                IODebugContext*) override {
        return open_to_write(path, false, result);
    }
    IOStatus NewDirectory(const std::string& path, const IOOptions&,
                          std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
        *result = std::make_unique<Directory>(disk_, path);
        return IOStatus::OK();
    }
    IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
        const auto there = disk_.exists(path);
        if (!there.ok()) return to_io_status(there.error());
        return *there ? IOStatus::OK() : IOStatus::NotFound(path);
    }
    IOStatus GetChildren(const std::string& folder, const IOOptions&,
                         std::vector<std::string>* result, IODebugContext*) override {
        result->clear();
        const auto entries = disk_.list(folder);
        if (!entries.ok()) return to_io_status(entries.error());
        for (const auto& entry : *entries) result->push_back(entry.name);
        return IOStatus::OK();
    }
    IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
        return to_io_status(disk_.remove(path));
    }
    IOStatus CreateDir(const std::string& path, const IOOptions&, IODebugContext*) override {
        return to_io_status(disk_.make_directories(path));
    }
    IOStatus CreateDirIfMissing(const std::string& path, const IOOptions&,
                                IODebugContext*) override {
        return to_io_status(disk_.make_directories(path));
    }
    IOStatus DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) override {
        return to_io_status(disk_.remove_tree(path));
    }
    IOStatus GetFileSize(const std::string& path, const IOOptions&, uint64_t* bytes,
                         IODebugContext*) override {
        auto file = disk_.open(path, io::OpenMode::read);
        if (!file.ok()) return to_io_status(file.error());
        const auto size = (*file)->size();
        if (!size.ok()) return to_io_status(size.error());
        *bytes = *size;
        return IOStatus::OK();
    }
    IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* seconds,
                                     IODebugContext*) override {
        *seconds = 0;
        return IOStatus::OK();
    }
    IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                        IODebugContext*) override {
        return to_io_status(disk_.rename(from, to));
    }
    IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** lock,
                      IODebugContext*) override {
        *lock = new rocksdb::FileLock();
        return IOStatus::OK();
    }
    IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
        delete lock;
        return IOStatus::OK();
    }
    IOStatus GetTestDirectory(const IOOptions&, std::string*, IODebugContext*) override {
        return IOStatus::NotSupported("there is none");
    }
    IOStatus NewLogger(const std::string&, const IOOptions&,
                       std::shared_ptr<rocksdb::Logger>* result, IODebugContext*) override {
        *result = std::make_shared<SilentLogger>();
        return IOStatus::OK();
    }
    IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* result,
                             IODebugContext*) override {
        *result = path;
        return IOStatus::OK();
    }
    IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is_directory,
                         IODebugContext*) override {
        *is_directory = disk_.list(path).ok();
        return IOStatus::OK();
    }
    IOStatus GetFreeSpace(const std::string& path, const IOOptions&, uint64_t* bytes,
                          IODebugContext*) override {
        const auto free = disk_.free_bytes(path);
        if (!free.ok()) return to_io_status(free.error());
        *bytes = *free;
        return IOStatus::OK();
    }

 private:
    IOStatus open_to_write(const std::string& path, bool emptied,
                           std::unique_ptr<rocksdb::FSWritableFile>* result) {
        auto file = disk_.open(path, io::OpenMode::create);
        if (!file.ok()) return to_io_status(file.error());
        const auto bytes = (*file)->size();
        if (!bytes.ok()) return to_io_status(bytes.error());
        if (emptied && *bytes > 0)
            if (const Status cut = (*file)->truncate(0); !cut.ok()) return to_io_status(cut);
        *result = std::make_unique<WritableFile>(disk_, path, std::move(file).value(),
                                                 emptied ? 0 : *bytes);
        return IOStatus::OK();
    }

    io::Disk& disk_;
};

}  // namespace

std::shared_ptr<rocksdb::FileSystem> make_disk_file_system(io::Disk& disk) {
    return std::make_shared<DiskFileSystem>(disk);
}

}  // namespace tarn::meta
