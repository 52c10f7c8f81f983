#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "io/disk.h"

namespace tarn::io {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
// Above it a read asks for the file's size first, so that a wild length does not become memory.
constexpr uint64_t kTrustedReadBytes = 1 << 20;

Code code_of(int error) {
    switch (error) {
        case ENOENT:
            return Code::not_found;
        case EEXIST:
            return Code::already_exists;
        case EACCES:
        case EPERM:
        case EROFS:
            return Code::permission_denied;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return Code::exhausted;
        case ENOTEMPTY:
            return Code::conflict;
        case EINVAL:
        case EISDIR:
        case ENOTDIR:
        case ENAMETOOLONG:
        case ELOOP:
        case EFBIG:
            return Code::invalid_argument;
        default:
            return Code::io;
    }
}

std::string_view remedy(int error) {
    switch (error) {
        case ENOSPC:
            return "; free space on this disk or move the data folder to a larger one";
        case EDQUOT:
            return "; the user's disk quota is used up: raise it or free space";
        case EMFILE:
        case ENFILE:
            return "; raise the limit of open files (ulimit -n)";
        case EACCES:
        case EPERM:
            return "; check the owner and the permissions";
        case EROFS:
            return "; the file system is mounted read-only";
        case EIO:
            return "; the disk or its connection fails: check the kernel's log";
        default:
            return "";
    }
}

Error failure(int error, std::string_view verb, const std::string& path) {
    std::string message("cannot ");
    message.append(verb).append(" ").append(path).append(": ");
    message.append(std::generic_category().message(error)).append(remedy(error));
    return Error(code_of(error), std::move(message),
                 error == ENOSPC || error == EDQUOT ? "disk_full" : "");
}

/// Repeats a system call that a signal interrupted.
template <typename Call>
auto retried(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class RealFile final : public File {
 public:
    RealFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
    ~RealFile() override {
        if (::close(descriptor_) != 0 && errno != EINTR)
            log_warning("io", failure(errno, "close", path_).message);
        if (direct_ >= 0) ::close(direct_);
    }

    Result<std::string> read(uint64_t offset, uint64_t length) const override {
        if (length > kTrustedReadBytes) {
            TARN_TRY(bytes, size());
            length = offset >= bytes ? 0 : std::min(length, bytes - offset);
        }
        std::string out(length, '\0');
        size_t done = 0;
        while (done < length) {
            const ssize_t n = retried([&] {
                return ::pread(descriptor_, out.data() + done, length - done,
                               static_cast<off_t>(offset + done));
            });
            if (n < 0) return failure(errno, "read", path_);
            if (n == 0) break;
            done += static_cast<size_t>(n);
        }
        out.resize(done);
        return out;
    }

    Status write(uint64_t offset, const std::vector<std::string_view>& pieces) override {
        std::vector<iovec> vectors;
        vectors.reserve(pieces.size());
        for (const auto piece : pieces)
            if (!piece.empty()) vectors.push_back({const_cast<char*>(piece.data()), piece.size()});
        size_t first = 0;
        while (first < vectors.size()) {
            const int count = static_cast<int>(std::min<size_t>(vectors.size() - first, IOV_MAX));
            const ssize_t n = retried([&] {
                return ::pwritev(descriptor_, &vectors[first], count, static_cast<off_t>(offset));
            });
            if (n < 0) return failure(errno, "write", path_);
            if (n == 0) return Error(Code::io, "cannot write " + path_ + ": no progress");
            offset += static_cast<uint64_t>(n);
            size_t left = static_cast<size_t>(n);
            while (left > 0 && left >= vectors[first].iov_len) left -= vectors[first++].iov_len;
            if (left > 0) {
                vectors[first].iov_base = static_cast<char*>(vectors[first].iov_base) + left;
                vectors[first].iov_len -= left;
            }
        }
        return {};
    }

    Status write_uncached(uint64_t offset, std::string_view bytes) override {
        const auto is_whole = [](uint64_t number) { return number % kPageBytes == 0; };
        while (is_whole(offset) && is_whole(bytes.size()) && !bytes.empty() &&
               is_whole(reinterpret_cast<uintptr_t>(bytes.data()))) {
            if (!may_be_direct_) break;
            std::call_once(direct_opened_, [this] { open_direct(); });
            const ssize_t n = retried([&] {
                return ::pwrite(direct_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            });
            if (n < 0 && errno != EINVAL && errno != EBADF) return failure(errno, "write", path_);
            if (n <= 0) {  // not on this file system, or not with such pages
                may_be_direct_ = false;
                break;
            }
            offset += static_cast<uint64_t>(n);
            bytes.remove_prefix(static_cast<size_t>(n));
        }
        return bytes.empty() ? Status() : write(offset, {bytes});
    }

    Status sync() override {
        // Not repeated after a failure: the kernel may have dropped the pages and answer success.
        if (::fdatasync(descriptor_) != 0) return failure(errno, "sync", path_);
        return {};
    }

    Status preallocate(uint64_t bytes) override {
        const int result =
            retried([&] { return ::fallocate(descriptor_, 0, 0, static_cast<off_t>(bytes)); });
        if (result == 0) return {};
        if (errno != EOPNOTSUPP) return failure(errno, "reserve space for", path_);
        TARN_TRY(present, size());
        return present < bytes ? truncate(bytes) : Status();
    }

    Status punch_hole(uint64_t offset, uint64_t length) override {
        if (length == 0) return {};
        const int result = retried([&] {
            return ::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               static_cast<off_t>(offset), static_cast<off_t>(length));
        });
        if (result != 0) return failure(errno, "give back space of", path_);
        return {};
    }

    Status truncate(uint64_t bytes) override {
        if (retried([&] { return ::ftruncate(descriptor_, static_cast<off_t>(bytes)); }) != 0)
            return failure(errno, "truncate", path_);
        return {};
    }

    Result<uint64_t> size() const override {
        struct stat about {};
        if (::fstat(descriptor_, &about) != 0) return failure(errno, "look at", path_);
        return static_cast<uint64_t>(about.st_size);
    }

    Result<uint64_t> next_data(uint64_t offset) const override {
        // Reads and writes give their positions, so moving the shared one is harmless.
        const off_t at = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
        if (at >= 0) return static_cast<uint64_t>(at);
        if (errno == ENXIO) return size();
        return offset;
    }

    int descriptor() const override { return descriptor_; }

 private:
    /// The same file once more; negative where the file system does not have it.
    void open_direct() {
        if ((::fcntl(descriptor_, F_GETFL) & O_ACCMODE) == O_RDONLY) return;  // write() refuses
        const std::string same = "/proc/self/fd/" + std::to_string(descriptor_);
        direct_ = retried([&] { return ::open(same.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC); });
    }

    const int descriptor_;
    const std::string path_;
    std::once_flag direct_opened_;
    int direct_ = -1;
    std::atomic<bool> may_be_direct_ = true;
};

int flags_of(OpenMode mode) {
    switch (mode) {
        case OpenMode::read:
            return O_RDONLY;
        case OpenMode::read_write:
            return O_RDWR;
        case OpenMode::create:
            return O_RDWR | O_CREAT;
        case OpenMode::create_new:
            return O_RDWR | O_CREAT | O_EXCL;
    }
    return O_RDONLY;
}

}  // namespace

Result<std::unique_ptr<File>> RealDisk::open(const std::string& path, OpenMode mode) {
    const int descriptor =
        retried([&] { return ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, kFileMode); });
    if (descriptor < 0) return failure(errno, "open", path);
    return std::unique_ptr<File>(std::make_unique<RealFile>(descriptor, path));
}

Status RealDisk::make_directories(const std::string& path) {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (part.empty()) return {};
        if (::mkdir(part.c_str(), kFolderMode) == 0) {
            const size_t slash = part.rfind('/');
            const Status synced = sync_directory(slash == std::string::npos ? "."
                                                 : slash == 0               ? "/"
                                                              : part.substr(0, slash));
            if (!synced.ok()) {
                // The next attempt must not find it and take its name for durable.
                ::rmdir(part.c_str());
                return synced;
            }
        } else {
            const int error = errno;
            struct stat about {};
            if (::stat(part.c_str(), &about) != 0) return failure(error, "make the folder", part);
            if (!S_ISDIR(about.st_mode)) return failure(ENOTDIR, "make the folder", part);
        }
        if (end == std::string::npos || end + 1 == path.size()) return {};
    }
}

Status RealDisk::sync_directory(const std::string& path) {
    const int descriptor =
        retried([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return failure(errno, "open the folder", path);
    const int result = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (result != 0) return failure(error, "sync the folder", path);
    return {};
}

Status RealDisk::rename(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return failure(errno, "rename to " + to, from);
    return {};
}

Status RealDisk::remove(const std::string& path) {
    if (::remove(path.c_str()) != 0) return failure(errno, "remove", path);
    return {};
}

Status RealDisk::remove_tree(const std::string& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return failure(error.value(), "remove the folder", path);
    return {};
}

Result<std::vector<DirectoryEntry>> RealDisk::list(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (folder == nullptr) return failure(errno, "list", path);
    std::vector<DirectoryEntry> entries;
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(folder.get());
        if (entry == nullptr) break;
        const std::string name = entry->d_name;
        if (name == "." || name == "..") continue;
        struct stat about {};
        if (::fstatat(::dirfd(folder.get()), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
            if (errno == ENOENT) continue;  // removed meanwhile
            return failure(errno, "look at", path + "/" + name);
        }
        entries.push_back({name, S_ISDIR(about.st_mode), static_cast<uint64_t>(about.st_size),
                           about.st_mtim.tv_sec * 1'000'000 + about.st_mtim.tv_nsec / 1000});
    }
    if (errno != 0) return failure(errno, "list", path);
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
}

Result<bool> RealDisk::exists(const std::string& path) {
    struct stat about {};
    if (::lstat(path.c_str(), &about) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return failure(errno, "look at", path);
}

Result<uint64_t> RealDisk::free_bytes(const std::string& path) {
    struct statvfs about {};
    if (::statvfs(path.c_str(), &about) != 0) return failure(errno, "ask the free space of", path);
    return static_cast<uint64_t>(about.f_bavail) * about.f_frsize;
}

}  // namespace tarn::io
