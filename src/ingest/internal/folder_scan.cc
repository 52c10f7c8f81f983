#include "ingest/internal/folder_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <tuple>
#include <utility>

#include "ingest/internal/folder_place.h"

namespace tarn::ingest {
namespace {

constexpr size_t kPieceBytes = 1u << 20;
constexpr size_t kFilesMax = 100'000;

FileIdentity identity_of(const struct stat& state) {
    return {static_cast<uint64_t>(state.st_size),
            static_cast<int64_t>(state.st_mtim.tv_sec) * 1'000'000'000 + state.st_mtim.tv_nsec,
            static_cast<uint64_t>(state.st_ino)};
}

Error os_error(const std::string& path, int number) {
    const Code code = number == ENOENT || number == ENOTDIR ? Code::not_found
                      : number == EACCES || number == EPERM ? Code::permission_denied
                                                            : Code::io;
    return Error(code, fmt::format("{}: {}", path, std::strerror(number)));
}

/// A folder that stays the same one while it is read.
class OpenFolder {
 public:
    /// not_found, permission_denied (also: a folder that no source may read).
    static Result<OpenFolder> open(const std::string& path) {
        OpenFolder out(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (out.descriptor_ < 0) return os_error(path, errno);
        TARN_CHECK_OK(out.check(path));
        return out;
    }
    OpenFolder(OpenFolder&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    OpenFolder& operator=(OpenFolder&&) = delete;
    ~OpenFolder() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int descriptor() const { return descriptor_; }
    int release() { return std::exchange(descriptor_, -1); }

 private:
    explicit OpenFolder(int descriptor) : descriptor_(descriptor) {}

    /// Where the folder really lies, links and .. followed, decides: never what the path says.
    Status check(const std::string& path) const {
        const std::string here = fmt::format("/proc/self/fd/{}", descriptor_);
        char buffer[PATH_MAX];
        const ssize_t length = ::readlink(here.c_str(), buffer, sizeof buffer);
        if (length <= 0 || static_cast<size_t>(length) == sizeof buffer)
            return Error(Code::permission_denied, path + ": nobody knows where it lies");
        const Status allowed = check_real_folder(std::string(buffer, static_cast<size_t>(length)));
        if (allowed.ok()) return allowed;
        return Error(allowed.error()).within(path);
    }

    int descriptor_;
};

}  // namespace

/// Dropped files become rows. What the machine and the server keep for themselves is not dropped
/// there, and a lakefile that names it wants to read secrets.
Status check_real_folder(const std::string& real) {
    const auto refused = [](const std::string& why) {
        return Error(Code::permission_denied,
                     why + ": no source may read it; let files be dropped into a folder of their own");
    };
    for (const std::string_view system : {"/proc", "/sys", "/dev", "/etc", "/boot", "/run/secrets"})
        if (real == system || real.starts_with(std::string(system) + "/"))
            return refused("the folder is the system's own");
    if (real.find("/.") != std::string::npos)
        return refused("the folder is hidden, or lies in a hidden one");
    for (std::string up = real; !up.empty(); up.resize(up.rfind('/'))) {
        struct stat state {};
        if (::stat((up + "/root.key").c_str(), &state) == 0)
            return refused("the folder is a lake's data folder, or lies in one");
    }
    return ok_status();
}

Status check_drop_folder(const std::string& path) {
    TARN_TRY(split, parse_drop_path(path));
    const auto folder = OpenFolder::open(split.folder);
    // One that is not there yet is looked at again when it is.
    if (folder.ok() || folder.error().code == Code::not_found) return ok_status();
    return folder.error();
}

Result<DropFolder> parse_drop_path(const std::string& path) {
    if (!path.starts_with('/'))
        return Error(Code::invalid_argument,
                     fmt::format("the folder \"{}\" must be an absolute path", path));
    struct stat state {};
    if (::stat(path.c_str(), &state) == 0 && S_ISDIR(state.st_mode)) return DropFolder{path, "*"};
    const size_t slash = path.rfind('/');
    DropFolder split{slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
    if (split.pattern.empty()) split.pattern = "*";
    if (split.folder.find_first_of("*?[") != std::string::npos)
        return Error(
            Code::invalid_argument,
            fmt::format("\"{}\": only the last part may be a pattern, such as /srv/drop/*.csv",
                        path));
    return split;
}

bool is_waiting_name(std::string_view name, const std::string& pattern) {
    if (name.empty() || name.front() == '.') return false;
    for (const std::string_view end :
         {".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~"})
        if (name.ends_with(end)) return false;
    return ::fnmatch(pattern.c_str(), std::string(name).c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0;
}

Result<std::vector<SeenFile>> list_drop_folder(const DropFolder& from) {
    TARN_TRY(open, OpenFolder::open(from.folder));
    DIR* const folder = ::fdopendir(open.descriptor());
    if (folder == nullptr) return os_error(from.folder, errno);
    open.release();  // closedir's
    const std::unique_ptr<DIR, int (*)(DIR*)> closing(folder, ::closedir);
    std::vector<SeenFile> found;
    while (const dirent* entry = ::readdir(folder)) {
        if (!is_waiting_name(entry->d_name, from.pattern)) continue;
        struct stat state {};
        if (::fstatat(::dirfd(folder), entry->d_name, &state, AT_SYMLINK_NOFOLLOW) != 0)
            continue;  // gone again
        SeenFile file{entry->d_name, identity_of(state), nullptr};
        if (S_ISDIR(state.st_mode))
            continue;
        else if (S_ISLNK(state.st_mode))
            file.problem =
                "it is a symbolic link, which could lead out of the folder: copy or hard-link the "
                "file";
        else if (!S_ISREG(state.st_mode))
            file.problem = "it is no plain file";
        found.push_back(std::move(file));
        if (found.size() > kFilesMax)
            return Error(
                Code::exhausted,
                fmt::format("{} holds more than {} files: move away those that were loaded",
                            from.folder, kFilesMax));
    }
    std::sort(found.begin(), found.end(), [](const SeenFile& a, const SeenFile& b) {
        return std::tie(a.identity.modified_nanos, a.name) <
               std::tie(b.identity.modified_nanos, b.name);
    });
    return found;
}

DropFile::DropFile(int descriptor) : descriptor_(descriptor), buffer_(kPieceBytes) {}

DropFile::~DropFile() {
    ::close(descriptor_);
}

Result<std::unique_ptr<DropFile>> DropFile::open(const std::string& folder,
                                                 const std::string& name) {
    const std::string path = folder + "/" + name;
    if (name.find('/') != std::string::npos)
        return Error(Code::invalid_argument, path + ": not a file's name");
    TARN_TRY(from, OpenFolder::open(folder));
    const int descriptor = ::openat(from.descriptor(), name.c_str(),
                                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) return os_error(path, errno);
    std::unique_ptr<DropFile> file(new DropFile(descriptor));
    struct stat state {};
    if (::fstat(descriptor, &state) != 0) return os_error(path, errno);
    if (!S_ISREG(state.st_mode))
        return Error(Code::invalid_argument, path + ": it is no plain file");
    return file;
}

Result<FileIdentity> DropFile::identity() const {
    struct stat state {};
    if (::fstat(descriptor_, &state) != 0) return os_error("the file", errno);
    return identity_of(state);
}

Result<std::string_view> DropFile::read() {
    for (;;) {
        const ssize_t got =
            ::pread(descriptor_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("the file", errno);
        offset_ += static_cast<uint64_t>(got);
        return std::string_view(buffer_.data(), static_cast<size_t>(got));
    }
}

}  // namespace tarn::ingest
