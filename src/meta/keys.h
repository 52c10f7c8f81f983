// Order-preserving keys. A key is a one-letter kind and components; a text component that is not
// last is escaped and ended (0x00 becomes 0x00 0xff, the end is 0x00 0x01), so that components
// never run into each other and byte order is component order. docs/formats/keys.md is the register
// of kinds: a new kind is added there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::meta {

class Key {
 public:
    explicit Key(std::string_view kind) : bytes_(kind) { bytes_.push_back('/'); }

    Key& text(std::string_view component);
    Key& number(uint64_t component);      // big endian: numeric order
    Key& descending(uint64_t component);  // inverted: newest first
    Key& rest(std::string_view last) {    // raw, must be the last component
        bytes_.append(last);
        return *this;
    }
    std::string str() const { return bytes_; }
    operator std::string() const { return bytes_; }

 private:
    std::string bytes_;
};

/// The smallest key after all keys that begin with `prefix` (empty: there is none).
std::string prefix_end(std::string_view prefix);

/// Takes a key apart again, in the order in which it was made. Every take_ returns nullopt on
/// malformed bytes.
class KeyReader {
 public:
    /// Precondition: key begins with the kind and '/', else everything fails.
    KeyReader(std::string_view key, std::string_view kind);
    std::optional<std::string> take_text();
    std::optional<uint64_t> take_number();
    std::optional<uint64_t> take_descending();
    std::string_view rest() const { return rest_; }
    bool ok() const { return ok_; }

 private:
    std::string_view rest_;
    bool ok_;
};

}  // namespace tarn::meta
