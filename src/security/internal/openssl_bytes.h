// Strings as OpenSSL takes them.
#pragma once

#include <string>
#include <string_view>

namespace tarn::security {

inline const unsigned char* in(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* out(std::string& bytes, size_t at = 0) {
    return reinterpret_cast<unsigned char*>(bytes.data()) + at;
}

}  // namespace tarn::security
