#include "archive/destination.h"

#include "archive/internal/folder_destination.h"
#include "archive/internal/s3_destination.h"

namespace tarn::archive {

Result<std::unique_ptr<Destination>> open_destination(io::Disk& disk, const Clock& clock,
                                                      const Place& place, Use use,
                                                      const std::atomic<bool>* cancel) {
    if (place.to.starts_with("s3://")) return open_s3_destination(clock, place, cancel);
    if (!place.to.starts_with("/") || place.to.size() < 2 ||
        place.to.find("/../") != std::string::npos || place.to.ends_with("/.."))
        return Error(
            Code::invalid_argument,
            "'" + place.to + "' is no destination: give an absolute folder or s3://bucket/prefix");
    std::string folder = place.to;
    while (folder.ends_with('/')) folder.pop_back();
    return open_folder_destination(disk, folder, use);
}

}  // namespace tarn::archive
