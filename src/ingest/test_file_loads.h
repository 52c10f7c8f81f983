// For tests, of this module and of those above it: one dropped file into its table, at once.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "ingest/internal/folder_load.h"
#include "ingest/sources.h"

namespace tarn::ingest {

/// Puts a file into `folder` and loads it into the table `source`; ok when all its rows are in.
/// The same bytes again are ok too.
inline Status drop_and_load(const SourcesParts& parts, const std::string& source,
                            const std::filesystem::path& folder, const std::string& name,
                            const std::string& bytes) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / name, std::ios::binary) << bytes;
    SourceSpec spec;
    spec.name = source;
    FolderSource from;
    from.path = folder;
    from.settle = std::chrono::milliseconds(0);
    spec.from = from;
    const StopFlag stop;
    FileLoader loader(spec, parts, stop);
    TARN_TRY(place, parse_drop_path(from.path));
    TARN_TRY(files, list_drop_folder(place));
    for (const auto& file : files) {
        if (file.name != name) continue;
        TARN_TRY(record, loader.load(place, file));
        if (record.status == FileRecord::Status::refused)
            return Error(Code::invalid_argument, record.reason);
        return ok_status();
    }
    return Error(Code::not_found, name + " is not listed");
}

}  // namespace tarn::ingest
