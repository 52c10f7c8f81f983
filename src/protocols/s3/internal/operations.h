// Every operation of S3, as one table: how a request is recognised, what permission it needs, and
// who answers it.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace tarn::s3 {

class Exchange;

/// Answers one request: runs the operation and sends the response, or returns the error for the
/// dispatch to send.
using Handler = Status (*)(Exchange&);

enum class Target { service, bucket, object };

struct Operation {
    std::string_view name;
    std::string_view method;
    Target target = Target::service;
    std::string_view sub_resource;  // query parameter that must be there ("uploads"); empty: none
    std::string_view also;      // a second one ("partNumber"), or a header when it begins with "x-"
    std::string_view action;    // IAM's action on the bucket or object
    Handler handler = nullptr;  // null: answers NotImplemented
};

/// More specific rows come first among those of one method and target.
std::span<const Operation> operations();

/// Where look-up asks what the request carries.
struct RequestShape {
    std::string_view method;
    Target target = Target::service;
    std::function<bool(std::string_view)> has_query;
    std::function<bool(std::string_view)> has_header;
};

/// Errors: invalid_argument "MethodNotAllowed" when no operation has this method on this target;
/// unimplemented when the query asks for a sub-resource that S3 does not have for this method.
Result<const Operation*> find_operation(const RequestShape& shape);

}  // namespace tarn::s3
