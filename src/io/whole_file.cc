#include "io/disk.h"

namespace tarn::io {

Result<std::string> read_file(Disk& disk, const std::string& path, uint64_t bytes_max) {
    TARN_TRY(file, disk.open(path, OpenMode::read));
    TARN_TRY(bytes, file->read(0, bytes_max + 1));
    if (bytes.size() > bytes_max)
        return Error(Code::exhausted, path + " is larger than " + std::to_string(bytes_max) +
                                          " bytes, the most that is read of such a file");
    return bytes;
}

Status replace_file(Disk& disk, const std::string& path, std::string_view bytes) {
    // One fixed temporary name: what a crash left there is overwritten by the next replacement.
    const std::string temporary = path + ".new";
    {
        TARN_TRY(file, disk.open(temporary, OpenMode::create));
        TARN_CHECK_OK(file->truncate(0));
        TARN_CHECK_OK(file->write(0, bytes));
        TARN_CHECK_OK(file->sync());
    }
    TARN_CHECK_OK(disk.rename(temporary, path));
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos) return disk.sync_directory(".");
    return disk.sync_directory(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace tarn::io
