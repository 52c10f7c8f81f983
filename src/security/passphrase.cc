#include "security/passphrase.h"

#include <openssl/evp.h>

#include "base/bytes.h"
#include "base/random.h"
#include "security/keyring.h"

namespace tarn::security {
namespace {

constexpr uint8_t kSealVersion = 1;
constexpr size_t kSaltBytes = 16;
constexpr size_t kKeyBytes = 32;
// RFC 7914: memory is 128 * N * r bytes.
constexpr uint8_t kLogN = 16;
constexpr uint8_t kLogNMax = 20;  // a hostile file must not take more than 1 GiB
constexpr uint64_t kBlockSize = 8;

Result<std::string> derive(std::string_view passphrase, std::string_view salt, uint8_t log_n) {
    std::string key(kKeyBytes, '\0');
    const uint64_t n = 1ull << log_n;
    const int made = EVP_PBE_scrypt(
        passphrase.data(), passphrase.size(), reinterpret_cast<const unsigned char*>(salt.data()),
        salt.size(), n, kBlockSize, 1, 128 * n * kBlockSize + (1u << 20),
        reinterpret_cast<unsigned char*>(key.data()), key.size());
    if (made != 1) return Error(Code::exhausted, "no memory to make a key of a passphrase");
    return key;
}

}  // namespace

Status check_passphrase(std::string_view passphrase) {
    if (passphrase.size() < kPassphraseBytesMin || passphrase.size() > kPassphraseBytesMax)
        return Error(Code::invalid_argument,
                     "a passphrase has " + std::to_string(kPassphraseBytesMin) + " to " +
                         std::to_string(kPassphraseBytesMax) + " bytes; this one has " +
                         std::to_string(passphrase.size()));
    return ok_status();
}

Result<std::string> seal_with_passphrase(std::string_view name, std::string_view secret,
                                         std::string_view passphrase) {
    TARN_CHECK_OK(check_passphrase(passphrase));
    const std::string salt = random_bytes(kSaltBytes);
    TARN_TRY(key, derive(passphrase, salt, kLogN));
    std::string sealed;
    append_le(sealed, kSealVersion);
    append_le(sealed, kLogN);
    sealed += salt;
    sealed += Keyring(key).seal(name, secret);
    return sealed;
}

Result<std::string> unseal_with_passphrase(std::string_view name, std::string_view sealed,
                                           std::string_view passphrase) {
    ByteReader bytes(sealed);
    const auto version = bytes.take_le<uint8_t>();
    const auto log_n = bytes.take_le<uint8_t>();
    const auto salt = bytes.take(kSaltBytes);
    if (version != kSealVersion || !log_n || *log_n == 0 || *log_n > kLogNMax || !salt)
        return Error(Code::corrupted, "these are no bytes sealed with a passphrase");
    TARN_TRY(key, derive(passphrase, *salt, *log_n));
    auto secret = Keyring(key).unseal(name, bytes.rest());
    if (!secret.ok()) return Error(Code::unauthenticated, "the passphrase is not the right one");
    return secret;
}

}  // namespace tarn::security
