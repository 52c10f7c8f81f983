#include <filesystem>

#include "app/services.h"
#include "io/disk.h"

namespace tarn::app {
namespace {

constexpr uint64_t kLakefileBytesMax = 1u << 20, kSqlFileBytesMax = 4u << 20;

}  // namespace

Result<lakefile::Text> read_lakefile(const std::string& path) {
    io::RealDisk disk;
    auto text = io::read_file(disk, path, kLakefileBytesMax);
    if (!text.ok()) return std::move(text).error().within("the lakefile " + path);
    lakefile::Text out;
    out.text = std::move(text).value();
    out.file_name = path;
    std::error_code error;
    const auto folder = std::filesystem::absolute(path, error).parent_path().lexically_normal();
    out.folder = folder.string();
    for (const auto& name : lakefile::files_named(out.text)) {
        // One that is not there becomes a problem with its line.
        auto sql = io::read_file(disk, (folder / name).string(), kSqlFileBytesMax);
        if (sql.ok()) out.files[name] = std::move(sql).value();
    }
    return out;
}

}  // namespace tarn::app
