#include "query/sqlstate.h"

#include <algorithm>

namespace tarn::query {

namespace {

bool is_sqlstate(std::string_view reason) {
    return reason.size() == 5 && std::all_of(reason.begin(), reason.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

}  // namespace

std::string_view sqlstate_of(const Error& error) {
    if (is_sqlstate(error.reason)) return error.reason;
    if (error.reason == "disk_full") return "53100";
    switch (error.code) {
        case Code::not_found:
            return "42P01";
        case Code::already_exists:
            return "42P07";
        case Code::invalid_argument:
            return "22023";
        case Code::unauthenticated:
            return "28P01";
        case Code::permission_denied:
            return "42501";
        case Code::conflict:
            return "40001";
        case Code::precondition_failed:
            return "55000";
        case Code::out_of_range:
            return "22003";
        case Code::exhausted:
            return "53000";
        case Code::unavailable:
            return "57P03";
        case Code::timed_out:
            return "57014";
        case Code::cancelled:
            return "57014";
        case Code::corrupted:
            return "XX001";
        case Code::io:
            return "58030";
        case Code::unimplemented:
            return "0A000";
        case Code::internal:
            return "XX000";
    }
    return "XX000";
}

}  // namespace tarn::query
