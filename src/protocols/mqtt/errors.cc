#include "protocols/mqtt/internal/errors.h"

namespace tarn::mqtt {

Reason reason_of(const Error& error) {
    switch (error.code) {
        case Code::invalid_argument:
            return Reason::malformed_packet;
        case Code::precondition_failed:
        case Code::conflict:
        case Code::already_exists:
            return Reason::protocol_error;
        case Code::out_of_range:
            return Reason::packet_too_large;
        case Code::unimplemented:
            return Reason::unsupported_version;
        case Code::unauthenticated:
            return Reason::bad_user_name_or_password;
        case Code::permission_denied:
            return Reason::not_authorized;
        case Code::exhausted:
            return Reason::quota_exceeded;
        case Code::unavailable:
        case Code::timed_out:
        case Code::cancelled:
            return Reason::server_busy;
        case Code::io:
        case Code::corrupted:
            return Reason::implementation_error;
        case Code::not_found:
        case Code::internal:
            return Reason::unspecified_error;
    }
    return Reason::unspecified_error;
}

uint8_t return_code_of(Reason reason) {
    switch (reason) {
        case Reason::success:
            return 0;
        case Reason::unsupported_version:
            return 1;
        case Reason::client_id_not_valid:
            return 2;
        case Reason::bad_user_name_or_password:
            return 4;
        case Reason::not_authorized:
        case Reason::bad_authentication_method:
            return 5;
        default:
            return 3;  // server unavailable
    }
}

const char* word_of(Reason reason) {
    switch (reason) {
        case Reason::bad_user_name_or_password:
            return "bad_user_name_or_password";
        case Reason::not_authorized:
            return "not_authorized";
        case Reason::quota_exceeded:
            return "quota_exceeded";
        case Reason::client_id_not_valid:
            return "client_id_not_valid";
        case Reason::unsupported_version:
            return "unsupported_version";
        case Reason::bad_authentication_method:
            return "bad_authentication_method";
        case Reason::topic_name_invalid:
            return "topic_name_invalid";
        case Reason::topic_filter_invalid:
            return "topic_filter_invalid";
        case Reason::qos_not_supported:
            return "qos_not_supported";
        case Reason::server_busy:
            return "server_busy";
        case Reason::protocol_error:
            return "protocol_error";
        default:
            return "refused";
    }
}

}  // namespace tarn::mqtt
