#include "archive/internal/folder_destination.h"

#include <utility>
#include <vector>

#include "archive/internal/names.h"

namespace tarn::archive {
namespace {

/// Tells a folder of copies from any other, which is never written to.
constexpr std::string_view kMarker = "tarn-copies";
constexpr std::string_view kMarkerText = "copies of a lake, made by tarn\n";

class FolderDestination final : public Destination {
 public:
    FolderDestination(io::Disk& disk, std::string folder)
        : disk_(disk), folder_(std::move(folder)) {}

    const std::string& place() const override { return folder_; }

    Status put(const std::string& name, std::string_view bytes) override {
        TARN_ASSERT(is_name(name));
        const auto path = folder_ + "/" + name;
        TARN_CHECK_OK(disk_.make_directories(path.substr(0, path.rfind('/'))));
        return io::replace_file(disk_, path, bytes);
    }

    Result<std::string> get(const std::string& name, uint64_t bytes_max) override {
        TARN_ASSERT(is_name(name));
        return io::read_file(disk_, folder_ + "/" + name, bytes_max);
    }

    Result<std::optional<uint64_t>> size_of(const std::string& name) override {
        TARN_ASSERT(is_name(name));
        auto file = disk_.open(folder_ + "/" + name, io::OpenMode::read);
        if (!file.ok() && file.error().code == Code::not_found) return std::optional<uint64_t>();
        if (!file.ok()) return std::move(file).error();
        TARN_TRY(bytes, (*file)->size());
        return std::optional<uint64_t>(bytes);
    }

    Status list(const std::string& under,
                const std::function<Status(const Listed&)>& take) override {
        std::vector<std::string> folders = {under};
        while (!folders.empty()) {
            const auto here = std::move(folders.back());
            folders.pop_back();
            auto entries = disk_.list(folder_ + "/" + here);
            if (!entries.ok() && entries.error().code == Code::not_found) continue;
            if (!entries.ok()) return std::move(entries).error();
            for (const auto& entry : *entries) {
                if (entry.is_directory)
                    folders.push_back(here + entry.name + "/");
                else
                    TARN_CHECK_OK(take({here + entry.name, entry.bytes, {entry.modified_micros}}));
            }
        }
        return ok_status();
    }

    Result<std::vector<std::string>> list_folders(const std::string& under) override {
        std::vector<std::string> folders;
        TARN_TRY(entries, disk_.list(folder_ + "/" + under));
        for (const auto& entry : entries)
            if (entry.is_directory) folders.push_back(entry.name);
        return folders;
    }

    Status remove(const std::string& name) override {
        const Status removed = disk_.remove(folder_ + "/" + name);
        return !removed.ok() && removed.error().code == Code::not_found ? ok_status() : removed;
    }

 private:
    io::Disk& disk_;
    const std::string folder_;
};

}  // namespace

Result<std::unique_ptr<Destination>> open_folder_destination(io::Disk& disk,
                                                             const std::string& folder, Use use) {
    if (use == Use::write) TARN_CHECK_OK(disk.make_directories(folder));
    const auto marker = folder + "/" + std::string(kMarker);
    TARN_TRY(marked, disk.exists(marker));
    if (!marked) {
        if (use == Use::read) return Error(Code::not_found, folder + " holds no copies of a lake");
        TARN_TRY(entries, disk.list(folder));
        if (!entries.empty())
            return Error(Code::invalid_argument,
                         folder + " is neither empty nor a folder of copies: give another one");
        TARN_CHECK_OK(io::replace_file(disk, marker, kMarkerText));
    }
    return std::unique_ptr<Destination>(new FolderDestination(disk, folder));
}

}  // namespace tarn::archive
