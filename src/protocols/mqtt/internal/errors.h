// Errors of the house in MQTT's words.
#pragma once

#include "base/result.h"
#include "protocols/mqtt/internal/packets.h"

namespace tarn::mqtt {

Reason reason_of(const Error& error);
/// The CONNACK return code of 3.1.1 (its section 3.2.2.3) for a reason.
uint8_t return_code_of(Reason reason);
/// "not_authorized": for the audit trail.
const char* word_of(Reason reason);

/// Section 1.2 of 5.0: the packet cannot be parsed; it can, and is against the protocol.
inline Error malformed(const char* what) {
    return Error(Code::invalid_argument, what);
}
inline Error protocol_error(const char* what) {
    return Error(Code::precondition_failed, what);
}

}  // namespace tarn::mqtt
