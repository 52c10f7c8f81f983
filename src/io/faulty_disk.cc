#include "io/faulty_disk.h"

#include <algorithm>
#include <utility>

#include "io/internal/crash_image.h"

namespace tarn::io {

using Kind = FaultyDisk::Operation::Kind;

struct FaultyDisk::Node {
    uint64_t id = 0;
    std::string bytes;
};

namespace {

std::string normal(const std::string& path) {
    std::string out = path;
    while (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
}

bool starts_with(std::string_view text, std::string_view prefix) {
    return text.substr(0, prefix.size()) == prefix;
}

bool covers(FaultyDisk::Call wanted, FaultyDisk::Call call) {
    using Call = FaultyDisk::Call;
    if (wanted == Call::any) return true;
    if (wanted != Call::needs_space) return wanted == call;
    return call == Call::open || call == Call::write || call == Call::preallocate ||
           call == Call::sync || call == Call::sync_directory;
}

Error told_to_fail(const FaultyDisk::Fault& fault, std::string_view verb, const std::string& path) {
    return Error(fault.code, "cannot " + std::string(verb) + " " + path + ": told to fail",
                 fault.code == Code::exhausted ? "disk_full" : "");
}

}  // namespace

class FaultyFile final : public File {
 public:
    FaultyFile(FaultyDisk& disk, std::shared_ptr<FaultyDisk::Node> node, std::string path,
               bool writable)
        : disk_(disk), node_(std::move(node)), path_(std::move(path)), writable_(writable) {}

    Result<std::string> read(uint64_t offset, uint64_t length) const override {
        MutexLock lock(disk_.mutex_);
        if (auto fault = disk_.fault_of(FaultyDisk::Call::read, path_))
            return told_to_fail(*fault, "read", path_);
        if (offset >= node_->bytes.size()) return std::string();
        return node_->bytes.substr(offset, length);
    }

    Status write(uint64_t offset, const std::vector<std::string_view>& pieces) override {
        FaultyDisk::Operation write = operation(Kind::write);
        write.offset = offset;
        for (const auto piece : pieces) write.bytes.append(piece);
        MutexLock lock(disk_.mutex_);
        const auto fault = disk_.fault_of(FaultyDisk::Call::write, path_);
        if (fault) write.bytes.resize(std::min<uint64_t>(fault->short_write, write.bytes.size()));
        write.length = write.bytes.size();
        if (!write.bytes.empty()) TARN_CHECK_OK(change(std::move(write)));
        return fault ? Status(told_to_fail(*fault, "write", path_)) : Status();
    }

    Status sync() override {
        MutexLock lock(disk_.mutex_);
        if (auto fault = disk_.fault_of(FaultyDisk::Call::sync, path_)) {
            disk_.record(operation(Kind::failed_sync));
            return told_to_fail(*fault, "sync", path_);
        }
        disk_.record(operation(Kind::sync));
        return {};
    }

    Status preallocate(uint64_t bytes) override {
        MutexLock lock(disk_.mutex_);
        if (auto fault = disk_.fault_of(FaultyDisk::Call::preallocate, path_))
            return told_to_fail(*fault, "reserve space for", path_);
        return change(operation(Kind::preallocate, bytes));
    }

    Status punch_hole(uint64_t offset, uint64_t length) override {
        MutexLock lock(disk_.mutex_);
        if (auto fault = disk_.fault_of(FaultyDisk::Call::punch_hole, path_))
            return told_to_fail(*fault, "give back space of", path_);
        auto punch = operation(Kind::punch_hole, length);
        punch.offset = offset;
        return change(std::move(punch));
    }

    Status truncate(uint64_t bytes) override {
        MutexLock lock(disk_.mutex_);
        if (auto fault = disk_.fault_of(FaultyDisk::Call::truncate, path_))
            return told_to_fail(*fault, "truncate", path_);
        return change(operation(Kind::truncate, bytes));
    }

    Result<uint64_t> size() const override {
        MutexLock lock(disk_.mutex_);
        return static_cast<uint64_t>(node_->bytes.size());
    }

    Result<uint64_t> next_data(uint64_t offset) const override {
        MutexLock lock(disk_.mutex_);
        const size_t at = node_->bytes.find_first_not_of('\0', offset);
        return static_cast<uint64_t>(at == std::string::npos ? node_->bytes.size() : at);
    }

 private:
    FaultyDisk::Operation operation(Kind kind, uint64_t length = 0) const {
        return {kind, path_, {}, node_->id, 0, length, {}};
    }
    Status change(FaultyDisk::Operation operation) TARN_REQUIRES(disk_.mutex_) {
        if (!writable_) return Error(Code::invalid_argument, path_ + " is open for reading only");
        apply_operation(node_->bytes, operation);
        disk_.record(std::move(operation));
        return {};
    }

    FaultyDisk& disk_;
    const std::shared_ptr<FaultyDisk::Node> node_;
    const std::string path_;
    const bool writable_;
};

FaultyDisk::FaultyDisk() = default;
FaultyDisk::~FaultyDisk() = default;

void FaultyDisk::add_fault(Fault fault) {
    MutexLock lock(mutex_);
    faults_.push_back(std::move(fault));
}

void FaultyDisk::clear_faults() {
    MutexLock lock(mutex_);
    faults_.clear();
}

void FaultyDisk::set_free_bytes(uint64_t bytes) {
    MutexLock lock(mutex_);
    free_bytes_ = bytes;
}

size_t FaultyDisk::operation_count() const {
    MutexLock lock(mutex_);
    return operations_.size();
}

uint64_t FaultyDisk::call_count() const {
    MutexLock lock(mutex_);
    return calls_;
}

uint64_t FaultyDisk::fault_count() const {
    MutexLock lock(mutex_);
    return faults_made_;
}

std::vector<FaultyDisk::Operation> FaultyDisk::operations() const {
    MutexLock lock(mutex_);
    return operations_;
}

std::unique_ptr<FaultyDisk> FaultyDisk::crash(size_t operations, uint64_t seed) const {
    DiskContent left;
    {
        MutexLock lock(mutex_);
        left = crash_image({first_files_, first_directories_}, operations_, operations, seed);
    }
    auto disk = std::make_unique<FaultyDisk>();
    disk->restore(left.files, left.directories);
    return disk;
}

std::unique_ptr<FaultyDisk> FaultyDisk::copy() const {
    auto disk = std::make_unique<FaultyDisk>();
    MutexLock lock(mutex_);
    std::map<std::string, std::string> files;
    for (const auto& [path, node] : files_) files[path] = node->bytes;
    disk->restore(files, directories_);
    return disk;
}

void FaultyDisk::restore(const std::map<std::string, std::string>& files,
                         const std::set<std::string>& directories) {
    MutexLock lock(mutex_);
    first_files_ = files;
    first_directories_ = directories_ = directories;
    // Numbers from above, so that they never meet those of files made later; crash_image() counts
    // the same way.
    uint64_t id = ~0ull;
    for (const auto& [path, bytes] : files)
        files_[path] = std::make_shared<Node>(Node{id--, bytes});
}

Status FaultyDisk::flip_bit(const std::string& path, uint64_t offset, int bit) {
    MutexLock lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end()) return Error(Code::not_found, path + " does not exist");
    if (offset >= found->second->bytes.size())
        return Error(Code::out_of_range, path + " is shorter than that");
    found->second->bytes[offset] = static_cast<char>(found->second->bytes[offset] ^ (1 << bit));
    return {};
}

std::optional<FaultyDisk::Fault> FaultyDisk::fault_of(Call call, const std::string& path) {
    ++calls_;
    for (auto& fault : faults_) {
        if (!covers(fault.call, call)) continue;
        if (!starts_with(path, fault.path_prefix)) continue;
        if (fault.after > 0) {
            --fault.after;
            continue;
        }
        if (fault.times == 0) continue;
        if (fault.times != kForever) --fault.times;
        ++faults_made_;
        return fault;
    }
    return std::nullopt;
}

Result<std::unique_ptr<File>> FaultyDisk::open(const std::string& path, OpenMode mode) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::open, path)) return told_to_fail(*fault, "open", path);
    auto found = files_.find(path);
    const bool may_create = mode == OpenMode::create || mode == OpenMode::create_new;
    if (found == files_.end()) {
        const std::string parent = parent_of(path);
        if (!may_create || (parent != "." && parent != "/" && directories_.count(parent) == 0))
            return Error(Code::not_found, "cannot open " + path + ": it does not exist");
        auto node = std::make_shared<Node>(Node{next_node_++, {}});
        found = files_.emplace(path, std::move(node)).first;
        record({Kind::create, path, {}, found->second->id, 0, 0, {}});
    } else if (mode == OpenMode::create_new) {
        return Error(Code::already_exists, "cannot make " + path + ": it exists");
    }
    return std::unique_ptr<File>(
        std::make_unique<FaultyFile>(*this, found->second, path, mode != OpenMode::read));
}

Status FaultyDisk::make_directories(const std::string& path) {
    MutexLock lock(mutex_);
    for (std::string at = normal(path); at != "." && at != "/"; at = parent_of(at)) {
        if (files_.count(at) != 0)
            return Error(Code::invalid_argument, "cannot make the folder " + at + ": it is a file");
        if (directories_.insert(at).second) record({Kind::make_directory, at, {}, 0, 0, 0, {}});
    }
    return {};
}

Status FaultyDisk::sync_directory(const std::string& path) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::sync_directory, path))
        return told_to_fail(*fault, "sync the folder", path);
    record({Kind::sync_directory, normal(path), {}, 0, 0, 0, {}});
    return {};
}

Status FaultyDisk::rename(const std::string& from, const std::string& to) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::rename, from)) return told_to_fail(*fault, "rename", from);
    const auto found = files_.find(from);
    if (found == files_.end()) return Error(Code::not_found, from + " does not exist");
    auto node = found->second;
    files_.erase(found);
    record({Kind::rename, from, to, node->id, 0, 0, {}});
    files_[to] = std::move(node);
    return {};
}

Status FaultyDisk::remove(const std::string& path) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::remove, path)) return told_to_fail(*fault, "remove", path);
    const auto found = files_.find(path);
    if (found == files_.end()) return Error(Code::not_found, path + " does not exist");
    record({Kind::remove, path, {}, found->second->id, 0, 0, {}});
    files_.erase(found);
    return {};
}

Status FaultyDisk::remove_tree(const std::string& path) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::remove, path)) return told_to_fail(*fault, "remove", path);
    const std::string folder = normal(path);
    for (auto it = files_.begin(); it != files_.end();) {
        if (it->first == folder || starts_with(it->first, folder + "/")) {
            record({Kind::remove, it->first, {}, it->second->id, 0, 0, {}});
            it = files_.erase(it);
        } else {
            ++it;
        }
    }
    std::erase_if(directories_, [&](const std::string& directory) {
        return directory == folder || starts_with(directory, folder + "/");
    });
    return {};
}

Result<std::vector<DirectoryEntry>> FaultyDisk::list(const std::string& path) {
    MutexLock lock(mutex_);
    if (auto fault = fault_of(Call::list, path)) return told_to_fail(*fault, "list", path);
    const std::string folder = normal(path);
    if (folder != "." && folder != "/" && directories_.count(folder) == 0)
        return Error(Code::not_found, "cannot list " + path + ": it does not exist");
    std::vector<DirectoryEntry> entries;
    for (const auto& directory : directories_)
        if (directory != folder && parent_of(directory) == folder)
            entries.push_back({directory.substr(directory.rfind('/') + 1), true, 0, 0});
    for (const auto& [file, node] : files_)
        if (parent_of(file) == folder)
            entries.push_back({file.substr(file.rfind('/') + 1), false, node->bytes.size(), 0});
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return entries;
}

Result<bool> FaultyDisk::exists(const std::string& path) {
    MutexLock lock(mutex_);
    return files_.count(path) != 0 || directories_.count(normal(path)) != 0;
}

Result<uint64_t> FaultyDisk::free_bytes(const std::string&) {
    MutexLock lock(mutex_);
    return free_bytes_;
}

}  // namespace tarn::io
