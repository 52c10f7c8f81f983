// The errors that several files of this module give.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tarn::objects::internal {

inline Error no_such_bucket(std::string_view bucket) {
    return {Code::not_found, "The bucket " + std::string(bucket) + " does not exist.",
            "NoSuchBucket"};
}
inline Error no_such_key() {
    return {Code::not_found, "The specified key does not exist.", "NoSuchKey"};
}
inline Error no_such_upload() {
    return {Code::not_found, "The multipart upload does not exist: it was aborted or completed.",
            "NoSuchUpload"};
}
/// A record changed between reading and committing. Committers inside this module try again.
inline Error changed_meanwhile() {
    return {Code::conflict, "Somebody else changed this at the same time; try again.",
            "ConditionalRequestConflict"};
}
inline bool is_changed_meanwhile(const Error& error) {
    return error.code == Code::conflict && error.reason == "ConditionalRequestConflict";
}

}  // namespace tarn::objects::internal
