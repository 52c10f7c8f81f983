#include "io/internal/crash_image.h"

#include <algorithm>

#include "base/random.h"

namespace tarn::io {
namespace {

using Operation = FaultyDisk::Operation;
using Kind = Operation::Kind;

constexpr uint64_t kSectorBytes = 512;

enum class Fate { nothing, all, first_part, any_parts };

class Image {
 public:
    Image(const DiskContent& first, uint64_t seed)
        : random_(seed), directories_(first.directories) {
        // Files of the beginning get numbers that no recorded file has.
        uint64_t node = ~0ull;
        for (const auto& [path, bytes] : first.files) {
            names_[path] = node;
            files_[node--].bytes = bytes;
        }
    }

    void take(const Operation& operation) {
        switch (operation.kind) {
            case Kind::create:
            case Kind::remove:
                pending_names_[parent_of(operation.path)].push_back(&operation);
                break;
            case Kind::rename:
                pending_names_[parent_of(operation.to)].push_back(&operation);
                break;
            case Kind::make_directory:
                directories_.insert(operation.path);
                break;
            case Kind::sync_directory:
                for (const auto* pending : pending_names_[operation.path]) apply_name(*pending);
                pending_names_.erase(operation.path);
                break;
            case Kind::write:
            case Kind::truncate:
            case Kind::preallocate:
            case Kind::punch_hole:
                files_[operation.node].pending.push_back(&operation);
                break;
            case Kind::sync: {
                auto& file = files_[operation.node];
                for (const auto* pending : file.pending) apply_operation(file.bytes, *pending);
                file.pending.clear();
                break;
            }
            case Kind::failed_sync:
                fail(files_[operation.node]);
                break;
        }
    }

    DiskContent finish() {
        for (auto& [node, file] : files_) fail(file);
        for (auto& [folder, pending] : pending_names_)
            for (const auto* operation : survivors(pending)) apply_name(*operation);
        DiskContent content;
        content.directories = directories_;
        for (const auto& [path, node] : names_) content.files[path] = files_[node].bytes;
        return content;
    }

 private:
    struct DurableFile {
        std::string bytes;
        std::vector<const Operation*> pending;
    };

    void apply_name(const Operation& operation) {
        if (operation.kind == Kind::create) {
            names_[operation.path] = operation.node;
            return;
        }
        const auto found = names_.find(operation.path);
        if (found != names_.end() && found->second == operation.node) names_.erase(found);
        if (operation.kind == Kind::rename) names_[operation.to] = operation.node;
    }

    std::vector<const Operation*> survivors(const std::vector<const Operation*>& pending) {
        std::vector<const Operation*> kept = pending;
        switch (static_cast<Fate>(random_.below(4))) {
            case Fate::nothing:
                kept.clear();
                break;
            case Fate::all:
                break;
            case Fate::first_part:
                kept.resize(random_.below(pending.size() + 1));
                break;
            case Fate::any_parts:
                std::erase_if(kept, [&](const auto*) { return random_.one_in(2); });
                break;
        }
        return kept;
    }

    /// Decides what of a file's unsynced operations has reached the disk.
    void fail(DurableFile& file) {
        const auto fate = static_cast<Fate>(random_.below(4));
        size_t whole = 0;  // operations done completely; the one after them is torn
        size_t touched = 0;
        switch (fate) {
            case Fate::nothing:
                break;
            case Fate::all:
                whole = touched = file.pending.size();
                break;
            case Fate::first_part:
                whole = random_.below(file.pending.size() + 1);
                touched = std::min(whole + 1, file.pending.size());
                break;
            case Fate::any_parts:
                touched = file.pending.size();
                break;
        }
        for (size_t i = 0; i < touched; ++i) {
            const Operation& operation = *file.pending[i];
            if (i < whole) {
                apply_operation(file.bytes, operation);
            } else if (operation.kind == Kind::write) {
                tear(file.bytes, operation);
            } else if (random_.one_in(2)) {
                apply_operation(file.bytes, operation);
            }
        }
        file.pending.clear();
    }

    /// Keeps each sector of a write, or not.
    void tear(std::string& bytes, const Operation& write) {
        uint64_t at = write.offset;
        const uint64_t end = write.offset + write.bytes.size();
        const uint64_t keep_one_in = 1 + random_.below(3);
        while (at < end) {
            const uint64_t next = std::min(end, (at / kSectorBytes + 1) * kSectorBytes);
            if (random_.one_in(keep_one_in)) {
                Operation part{Kind::write,
                               write.path,
                               {},
                               write.node,
                               at,
                               next - at,
                               write.bytes.substr(at - write.offset, next - at)};
                apply_operation(bytes, part);
            }
            at = next;
        }
    }

    Random random_;
    std::map<std::string, uint64_t> names_;
    std::map<uint64_t, DurableFile> files_;
    std::set<std::string> directories_;
    std::map<std::string, std::vector<const Operation*>> pending_names_;
};

}  // namespace

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

void apply_operation(std::string& bytes, const Operation& operation) {
    switch (operation.kind) {
        case Kind::write: {
            const uint64_t end = operation.offset + operation.bytes.size();
            if (bytes.size() < end) bytes.resize(end, '\0');
            bytes.replace(operation.offset, operation.bytes.size(), operation.bytes);
            break;
        }
        case Kind::truncate:
            bytes.resize(operation.length, '\0');
            break;
        case Kind::preallocate:
            if (bytes.size() < operation.length) bytes.resize(operation.length, '\0');
            break;
        case Kind::punch_hole: {
            const uint64_t begin = std::min<uint64_t>(operation.offset, bytes.size());
            const uint64_t length = std::min<uint64_t>(operation.length, bytes.size() - begin);
            bytes.replace(begin, length, length, '\0');
            break;
        }
        default:
            break;
    }
}

DiskContent crash_image(const DiskContent& first, const std::vector<Operation>& operations,
                        size_t count, uint64_t seed) {
    Image image(first, seed);
    for (size_t i = 0; i < count && i < operations.size(); ++i) image.take(operations[i]);
    return image.finish();
}

}  // namespace tarn::io
