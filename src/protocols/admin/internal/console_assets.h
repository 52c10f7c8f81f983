// The console's files, built from console/ and embedded in the program (console/CMakeLists.txt).
#pragma once

#include <span>
#include <string_view>

namespace tarn::admin {

struct ConsoleAsset {
    std::string_view path;  // of a page: "/", "/catalog" and the like
    std::string_view content_type;
    std::string_view etag;   // in quotes; of the content
    bool immutable = false;  // its name holds the hash of its content
    std::string_view plain, gzip;
};

std::span<const ConsoleAsset> console_assets();

}  // namespace tarn::admin
