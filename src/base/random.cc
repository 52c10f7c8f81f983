#include "base/random.h"

#include <cerrno>

#include <sys/random.h>

#include "base/assert.h"

namespace tarn {
namespace {

std::string to_hex(const std::string& bytes) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
        out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
    }
    return out;
}

}  // namespace

std::string random_bytes(size_t size) {
    std::string out(size, '\0');
    size_t have = 0;
    while (have < size) {
        const ssize_t got = getrandom(out.data() + have, size - have, 0);
        TARN_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) have += static_cast<size_t>(got);
    }
    return out;
}

std::string random_hex(size_t size) {
    return to_hex(random_bytes(size));
}

std::string random_uuid() {
    std::string bytes = random_bytes(16);
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    std::string hex = to_hex(bytes);
    for (const size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
    return hex;
}

std::string Random::bytes(size_t size) {
    std::string out(size, '\0');
    for (auto& c : out) c = static_cast<char>(engine_());
    return out;
}

}  // namespace tarn
