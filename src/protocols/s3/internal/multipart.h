// What the operations on multipart uploads share.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "protocols/s3/internal/exchange.h"

namespace tarn::s3 {

struct PartPlace {
    std::string upload_id;
    uint32_t number = 0;
};

/// `uploadId` and `partNumber`. InvalidArgument.
Result<PartPlace> part_place(Exchange& exchange);

}  // namespace tarn::s3
