// For tests: what a folder that is open and in use holds at one instant.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace tarn::meta {

/// Copies again until no file came, went or grew meanwhile. Precondition: nobody writes for long.
inline void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to) {
    namespace fs = std::filesystem;
    const auto listing = [&] {
        std::map<std::string, uintmax_t> files;
        std::error_code ignored;
        for (const auto& entry : fs::recursive_directory_iterator(from))
            if (entry.is_regular_file(ignored))
                files[entry.path().string()] = entry.file_size(ignored);
        return files;
    };
    while (true) {
        try {
            const auto before = listing();
            fs::remove_all(to);
            fs::copy(from, to, fs::copy_options::recursive);
            if (listing() == before) return;
        } catch (const fs::filesystem_error&) {
            // A file went while it was copied.
        }
    }
}

}  // namespace tarn::meta
