// A destination under a prefix of an S3 bucket: each name an object.
#pragma once

#include <atomic>
#include <memory>

#include "archive/destination.h"

namespace tarn::archive {

Result<std::unique_ptr<Destination>> open_s3_destination(const Clock& clock, const Place& place,
                                                         const std::atomic<bool>* cancel);

/// One page of ListObjectsV2 (encoding-type=url). corrupted: no such document.
struct ListPage {
    std::vector<Listed> objects;       // names as keys of the bucket
    std::vector<std::string> folders;  // common prefixes, as keys
    std::string next;                  // empty: this is the last page
};
Result<ListPage> parse_list_page(std::string_view xml);

}  // namespace tarn::archive
