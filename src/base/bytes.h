// Bytes are std::string when owned and std::string_view when borrowed. Integers are little endian
// unless the name says big endian (`be`).
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace tarn {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

template <typename Int>
void append_le(std::string& out, Int value) {
    char bytes[sizeof(Int)];
    std::memcpy(bytes, &value, sizeof(Int));
    out.append(bytes, sizeof(Int));
}

template <typename Int>
void append_be(std::string& out, Int value) {
    for (int shift = static_cast<int>(sizeof(Int)) * 8 - 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>((static_cast<uint64_t>(value) >> shift) & 0xff));
}

/// Precondition: bytes holds at least sizeof(Int).
template <typename Int>
Int load_le(const char* bytes) {
    Int value;
    std::memcpy(&value, bytes, sizeof(Int));
    return value;
}

template <typename Int>
Int load_be(const char* bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(Int); ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return static_cast<Int>(value);
}

/// Reads outside bytes front to back. Every take_ fails (nullopt) instead of reading past the end.
class ByteReader {
 public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    std::string_view rest() const { return rest_; }
    size_t left() const { return rest_.size(); }
    bool empty() const { return rest_.empty(); }

    std::optional<std::string_view> take(size_t size) {
        if (rest_.size() < size) return std::nullopt;
        auto taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    template <typename Int>
    std::optional<Int> take_le() {
        auto taken = take(sizeof(Int));
        if (!taken) return std::nullopt;
        return load_le<Int>(taken->data());
    }
    template <typename Int>
    std::optional<Int> take_be() {
        auto taken = take(sizeof(Int));
        if (!taken) return std::nullopt;
        return load_be<Int>(taken->data());
    }

 private:
    std::string_view rest_;
};

/// Compares secrets in a time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace tarn
