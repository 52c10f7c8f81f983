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

}  // namespace tarn::mqtt
