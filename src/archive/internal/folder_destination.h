// A destination in a folder: each name a file, put in place by a rename.
#pragma once

#include <memory>
#include <string>

#include "archive/destination.h"

namespace tarn::archive {

Result<std::unique_ptr<Destination>> open_folder_destination(io::Disk& disk,
                                                             const std::string& folder, Use use);

}  // namespace tarn::archive
