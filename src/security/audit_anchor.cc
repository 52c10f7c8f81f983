#include "security/audit_anchor.h"

#include <algorithm>

namespace tarn::security {
namespace {

class FolderAnchor final : public AuditAnchor {
 public:
    FolderAnchor(io::Disk& disk, std::string directory)
        : disk_(disk), directory_(std::move(directory)) {}

    Result<std::vector<std::string>> names() override {
        std::vector<std::string> names;
        TARN_TRY(made, disk_.exists(directory_));
        if (!made) return names;
        TARN_TRY(entries, disk_.list(directory_));
        for (auto& entry : entries)
            if (!entry.is_directory) names.push_back(std::move(entry.name));
        return names;
    }

    Status put(const std::string& name, std::string_view text) override {
        TARN_CHECK_OK(disk_.make_directories(directory_));
        return io::replace_file(disk_, directory_ + "/" + name, text);
    }

    Result<std::optional<std::string>> get(const std::string& name) override {
        const std::string path = directory_ + "/" + name;
        TARN_TRY(there, disk_.exists(path));
        if (!there) return std::optional<std::string>();
        TARN_TRY(text, io::read_file(disk_, path, kAnchoredBytesMax));
        return std::optional<std::string>(std::move(text));
    }

 private:
    io::Disk& disk_;
    const std::string directory_;
};

}  // namespace

std::string anchor_name(uint64_t digest) {
    const std::string digits = std::to_string(digest);
    return "audit-digest-" + std::string(12 - std::min<size_t>(12, digits.size()), '0') + digits +
           ".json";
}

std::string anchor_key_name(const std::string& account_id) {
    return "audit-public-key-" + account_id + ".hex";
}

std::unique_ptr<AuditAnchor> open_folder_anchor(io::Disk& disk, std::string directory) {
    return std::make_unique<FolderAnchor>(disk, std::move(directory));
}

}  // namespace tarn::security
