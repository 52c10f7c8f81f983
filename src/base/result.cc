#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace tarn {

std::string_view to_string(Code code) {
    switch (code) {
        case Code::not_found:
            return "not_found";
        case Code::already_exists:
            return "already_exists";
        case Code::invalid_argument:
            return "invalid_argument";
        case Code::unauthenticated:
            return "unauthenticated";
        case Code::permission_denied:
            return "permission_denied";
        case Code::conflict:
            return "conflict";
        case Code::precondition_failed:
            return "precondition_failed";
        case Code::out_of_range:
            return "out_of_range";
        case Code::exhausted:
            return "exhausted";
        case Code::unavailable:
            return "unavailable";
        case Code::timed_out:
            return "timed_out";
        case Code::cancelled:
            return "cancelled";
        case Code::corrupted:
            return "corrupted";
        case Code::io:
            return "io";
        case Code::unimplemented:
            return "unimplemented";
        case Code::internal:
            return "internal";
    }
    return "internal";
}

Error Error::within(std::string_view where) && {
    message.insert(0, ": ");
    message.insert(0, where);
    return std::move(*this);
}

void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "tarn: bug: %s does not hold (%s:%d)\n", condition, file, line);
    std::abort();
}

}  // namespace tarn
