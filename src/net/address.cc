#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "net/http_client.h"

namespace tarn::net {
namespace {

using Bytes16 = std::array<uint8_t, 16>;

struct Range4 {
    uint32_t from;
    int bits;
    AddressKind kind;
};

// The IANA special-purpose registry (RFC 6890 and what followed). Anything not listed is global.
constexpr Range4 kRanges4[] = {
    {0x00000000, 8, AddressKind::other_special},   // this network
    {0x0a000000, 8, AddressKind::private_use},     // RFC 1918
    {0x64400000, 10, AddressKind::private_use},    // shared, RFC 6598
    {0x7f000000, 8, AddressKind::loopback},        //
    {0xa9fe0000, 16, AddressKind::link_local},     //
    {0xac100000, 12, AddressKind::private_use},    // RFC 1918
    {0xc0000000, 24, AddressKind::other_special},  // protocol assignments
    {0xc0000200, 24, AddressKind::other_special},  // documentation
    {0xc0586300, 24, AddressKind::other_special},  // 6to4 relays, deprecated
    {0xc0a80000, 16, AddressKind::private_use},    // RFC 1918
    {0xc6120000, 15, AddressKind::private_use},    // benchmarking
    {0xc6336400, 24, AddressKind::other_special},  // documentation
    {0xcb007100, 24, AddressKind::other_special},  // documentation
    {0xe0000000, 3, AddressKind::other_special},   // multicast, reserved, broadcast
};

AddressKind classify4(uint32_t address) {
    for (const auto& range : kRanges4)
        if (((address ^ range.from) >> (32 - range.bits)) == 0) return range.kind;
    return AddressKind::global;
}

bool starts_with(const Bytes16& address, std::initializer_list<uint8_t> prefix) {
    size_t at = 0;
    for (const uint8_t byte : prefix)
        if (address[at++] != byte) return false;
    return true;
}

uint32_t embedded4(const Bytes16& address, size_t at) {
    return static_cast<uint32_t>(address[at]) << 24 | static_cast<uint32_t>(address[at + 1]) << 16 |
           static_cast<uint32_t>(address[at + 2]) << 8 | address[at + 3];
}

AddressKind classify6(const Bytes16& address) {
    constexpr Bytes16 kLoopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (address == kLoopback) return AddressKind::loopback;
    if (starts_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}))
        return classify4(embedded4(address, 12));
    if (starts_with(address, {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
        return classify4(embedded4(address, 12));  // NAT64, RFC 6052
    if (starts_with(address, {0x20, 0x02}))
        return classify4(embedded4(address, 2));                       // 6to4, RFC 3056
    if ((address[0] & 0xfe) == 0xfc) return AddressKind::private_use;  // RFC 4193
    if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) return AddressKind::link_local;
    if ((address[0] & 0xe0) != 0x20)
        return AddressKind::other_special;  // 2000::/3 is all that is assigned
    if (starts_with(address, {0x20, 0x01}) && address[2] < 2)
        return AddressKind::other_special;  // 2001::/23
    if (starts_with(address, {0x20, 0x01, 0x0d, 0xb8}))
        return AddressKind::other_special;  // documentation
    if (starts_with(address, {0x3f, 0xff}) && address[2] < 16) return AddressKind::other_special;
    return AddressKind::global;
}

}  // namespace

AddressKind classify_address(const std::string& address) {
    if (address.find('\0') != std::string::npos) return AddressKind::other_special;
    const std::string bare = address.substr(0, address.find('%'));  // without a zone
    in_addr four{};
    if (inet_pton(AF_INET, bare.c_str(), &four) == 1) return classify4(ntohl(four.s_addr));
    Bytes16 six{};
    if (inet_pton(AF_INET6, bare.c_str(), six.data()) == 1) return classify6(six);
    return AddressKind::other_special;
}

}  // namespace tarn::net
