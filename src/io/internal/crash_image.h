// What a power failure leaves of recorded operations. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/faulty_disk.h"

namespace tarn::io {

struct DiskContent {
    std::map<std::string, std::string> files;
    std::set<std::string> directories;
};

/// The folder that holds a path.
std::string parent_of(const std::string& path);

/// Applies one operation on content to a file's bytes.
void apply_operation(std::string& bytes, const FaultyDisk::Operation& operation);

/// `count` operations after `first`, then the failure. See FaultyDisk::crash().
DiskContent crash_image(const DiskContent& first,
                        const std::vector<FaultyDisk::Operation>& operations, size_t count,
                        uint64_t seed);

}  // namespace tarn::io
