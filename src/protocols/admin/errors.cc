#include "protocols/admin/internal/api.h"

namespace tarn::admin {

int http_status(const Error& error) {
    if (error.reason == "disk_full") return 507;
    if (error.reason == "body_too_large") return 413;
    switch (error.code) {
        case Code::not_found:
            return 404;
        case Code::already_exists:
            return 409;
        case Code::invalid_argument:
            return 400;
        case Code::unauthenticated:
            return 401;
        case Code::permission_denied:
            return 403;
        case Code::conflict:
            return 409;
        case Code::precondition_failed:
            return 412;
        case Code::out_of_range:
            return 400;
        case Code::exhausted:
            return 503;
        case Code::unavailable:
            return 503;
        case Code::timed_out:
            return 504;
        case Code::cancelled:
            return 499;
        case Code::corrupted:
            return 500;
        case Code::io:
            return 500;
        case Code::unimplemented:
            return 501;
        case Code::internal:
            return 500;
    }
    return 500;
}

Json error_body(const Error& error) {
    Json inner = {{"code", to_string(error.code)}, {"message", error.message}};
    if (!error.reason.empty()) inner["reason"] = error.reason;
    return {{"error", inner}};
}

http::Response refuse(const http::Refusal& refusal) {
    const Code code = refusal.kind == http::Refusal::Kind::busy      ? Code::exhausted
                      : refusal.kind == http::Refusal::Kind::timeout ? Code::timed_out
                                                                     : Code::invalid_argument;
    http::Response response;
    response.status = refusal.status;
    response.headers.add("content-type", "application/json");
    response.body = error_body(Error(code, std::string(refusal.message))).dump();
    return response;
}

}  // namespace tarn::admin
