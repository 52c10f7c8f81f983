// Hashes over OpenSSL. Results are raw bytes; codec/text.h turns them into hexadecimal or base64.
// MD5 and SHA-1 are here because protocols name them (S3's ETag, WebSocket's handshake), never for
// safety.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace tarn::codec {

enum class HashKind { md5, sha1, sha256 };

/// Bytes in a result: 16, 20, 32.
size_t hash_size(HashKind kind);

/// Hashes a stream. Lane: any, one thread at a time.
class Hasher {
 public:
    explicit Hasher(HashKind kind);
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    ~Hasher();

    Hasher& update(std::string_view bytes);
    /// The hash of all bytes so far. The hasher then begins anew.
    std::string finish();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

std::string md5(std::string_view bytes);
std::string sha1(std::string_view bytes);
std::string sha256(std::string_view bytes);

/// RFC 2104. Compare the result with equal_constant_time().
std::string hmac_sha256(std::string_view key, std::string_view bytes);

/// HMAC-SHA256 of a stream. Lane: any, one thread at a time.
class HmacSha256 {
 public:
    explicit HmacSha256(std::string_view key);

    HmacSha256& update(std::string_view bytes);
    /// The code of all bytes so far. Then begins anew under the same key.
    std::string finish();

 private:
    Hasher inner_;
    std::string inner_pad_;
    std::string outer_pad_;
};

}  // namespace tarn::codec
