// What the server does to objects by itself, recorded as a door would have it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "security/caller.h"

namespace tarn::objects {

/// `caller` with an action as S3 names it, on a bucket or, with a key, on an object.
inline security::Caller acting(security::Caller caller, std::string_view action,
                               std::string_view bucket, std::string_view key = {}) {
    caller.action = action;
    caller.resource = "arn:aws:s3:::" + std::string(bucket);
    if (!key.empty()) caller.resource.append("/").append(key);
    return caller;
}

}  // namespace tarn::objects
