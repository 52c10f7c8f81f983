// Section 2.2.2: properties of 5.0 packets. Which may stand in which packet, how often, and with
// which values is one table.
#pragma once

#include "base/bytes.h"
#include "protocols/mqtt/internal/packets.h"

namespace tarn::mqtt {

/// A packet that carries properties; `will` is the will's block in CONNECT.
enum class Carrier : uint8_t {
    connect,
    will,
    connack,
    publish,
    acknowledgement,
    subscribe,
    suback,
    unsubscribe,
    disconnect,
    auth,
};

/// Takes the length and the properties.
Result<Properties> take_properties(ByteReader& reader, Carrier carrier);
/// Appends the length and the properties.
void append_properties(std::string& out, const Properties& properties);
/// Without the length.
void append_property_list(std::string& out, const Properties& properties);

/// Section 1.5.5, up to 268,435,455; nullopt when malformed or cut.
std::optional<uint32_t> take_varint(ByteReader& reader);
void append_varint(std::string& out, uint32_t value);
size_t varint_size(uint32_t value);

/// Section 1.5.4: nullopt when cut or not valid text.
std::optional<std::string_view> take_text(ByteReader& reader);
/// Section 1.5.6.
std::optional<std::string_view> take_binary(ByteReader& reader);
/// Precondition: at most 65,535 bytes.
void append_text(std::string& out, std::string_view text);

}  // namespace tarn::mqtt
