#include "security/keyring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include "base/random.h"
#include "codec/hash.h"
#include "security/internal/openssl_bytes.h"

namespace tarn::security {
namespace {

constexpr size_t kRootBytes = 32;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr char kSealedVersion = 1;

struct CipherContext {
    EVP_CIPHER_CTX* get = EVP_CIPHER_CTX_new();
    CipherContext() = default;
    CipherContext(const CipherContext&) = delete;
    CipherContext& operator=(const CipherContext&) = delete;
    ~CipherContext() { EVP_CIPHER_CTX_free(get); }
};

const EVP_CIPHER* aes_256_gcm() {
    static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    return cipher;
}

// The version is authenticated with the name, so that a later format can't be passed off as this
// one.
std::string associated_data(std::string_view name) {
    return std::string(1, kSealedVersion).append(name);
}

Status refuse_if_others_may_read(const io::File& file, const std::string& path) {
    struct stat info {};
    if (file.descriptor() < 0 || fstat(file.descriptor(), &info) != 0) return ok_status();
    if ((info.st_mode & 077) == 0) return ok_status();
    return Error(Code::permission_denied, path + " may be read by others; run: chmod 600 " + path);
}

}  // namespace

Result<std::unique_ptr<Keyring>> Keyring::open(io::Disk& disk, const std::string& directory,
                                               bool store_exists) {
    const std::string path = directory + "/root.key";
    TARN_TRY(exists, disk.exists(path));
    if (!exists) {
        if (store_exists) {
            return Error(Code::not_found, path +
                                              " is missing, and the secrets in this data folder "
                                              "can't be read without it; put it back from where "
                                              "it was kept");
        }
        TARN_CHECK_OK(disk.make_directories(directory));
        std::string root = random_bytes(kRootBytes);
        TARN_CHECK_OK(io::replace_file(disk, path, root));
        auto made = std::make_unique<Keyring>(root);
        OPENSSL_cleanse(root.data(), root.size());
        return made;
    }
    TARN_TRY(file, disk.open(path, io::OpenMode::read));
    TARN_CHECK_OK(refuse_if_others_may_read(*file, path));
    TARN_TRY(root, file->read(0, kRootBytes + 1));
    if (root.size() != kRootBytes)
        return Error(Code::corrupted, path + " does not hold 32 bytes; put the right file back");
    // Without a store the start that made it failed: perhaps in the sync of its name.
    if (!store_exists) TARN_CHECK_OK(io::replace_file(disk, path, root));
    auto read = std::make_unique<Keyring>(root);
    OPENSSL_cleanse(root.data(), root.size());
    return read;
}

Keyring::Keyring(std::string_view root) : root_(root) {
    TARN_ASSERT(root.size() == kRootBytes);
    sealing_key_ = derive("tarn sealing key 1");
}

Keyring::~Keyring() {
    OPENSSL_cleanse(root_.data(), root_.size());
    OPENSSL_cleanse(sealing_key_.data(), sealing_key_.size());
}

std::string Keyring::seal(std::string_view name, std::string_view secret) const {
    const std::string nonce = random_bytes(kNonceBytes);
    const std::string bound = associated_data(name);
    std::string sealed(1, kSealedVersion);
    sealed += nonce;
    const size_t at = sealed.size();
    sealed.resize(at + secret.size() + kTagBytes);
    CipherContext context;
    int size = 0;
    TARN_ASSERT(
        EVP_EncryptInit_ex2(context.get, aes_256_gcm(), in(sealing_key_), in(nonce), nullptr) == 1);
    TARN_ASSERT(EVP_EncryptUpdate(context.get, nullptr, &size, in(bound),
                                  static_cast<int>(bound.size())) == 1);
    TARN_ASSERT(EVP_EncryptUpdate(context.get, out(sealed, at), &size, in(secret),
                                  static_cast<int>(secret.size())) == 1);
    TARN_ASSERT(EVP_EncryptFinal_ex(context.get, out(sealed, at + secret.size()), &size) == 1);
    TARN_ASSERT(EVP_CIPHER_CTX_ctrl(context.get, EVP_CTRL_GCM_GET_TAG, kTagBytes,
                                    out(sealed, at + secret.size())) == 1);
    return sealed;
}

Result<std::string> Keyring::unseal(std::string_view name, std::string_view sealed) const {
    const Error unreadable(
        Code::corrupted, "the sealed secret of " + std::string(name) +
                             " can't be opened: it was changed, or sealed under another root.key");
    if (sealed.size() < 1 + kNonceBytes + kTagBytes) return unreadable;
    if (sealed[0] != kSealedVersion) return unreadable;
    const std::string_view nonce = sealed.substr(1, kNonceBytes);
    const std::string_view cipher =
        sealed.substr(1 + kNonceBytes, sealed.size() - 1 - kNonceBytes - kTagBytes);
    std::string tag(sealed.substr(sealed.size() - kTagBytes));
    const std::string bound = associated_data(name);
    std::string secret(cipher.size(), '\0');
    CipherContext context;
    int size = 0;
    TARN_ASSERT(
        EVP_DecryptInit_ex2(context.get, aes_256_gcm(), in(sealing_key_), in(nonce), nullptr) == 1);
    TARN_ASSERT(EVP_DecryptUpdate(context.get, nullptr, &size, in(bound),
                                  static_cast<int>(bound.size())) == 1);
    TARN_ASSERT(EVP_DecryptUpdate(context.get, out(secret), &size, in(cipher),
                                  static_cast<int>(cipher.size())) == 1);
    TARN_ASSERT(EVP_CIPHER_CTX_ctrl(context.get, EVP_CTRL_GCM_SET_TAG, kTagBytes, out(tag)) == 1);
    if (EVP_DecryptFinal_ex(context.get, out(secret, secret.size()), &size) != 1) return unreadable;
    return secret;
}

std::string Keyring::derive(std::string_view purpose) const {
    const std::string extracted = codec::hmac_sha256(std::string(32, '\0'), root_);
    return codec::hmac_sha256(extracted, std::string(purpose) + '\x01');
}

}  // namespace tarn::security
