#include "codec/hash.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/assert.h"

namespace tarn::codec {
namespace {

constexpr size_t kHmacBlockBytes = 64;

// Fetched once: EVP_sha256() and its like look the algorithm up again on every initialisation.
const EVP_MD* algorithm(HashKind kind) {
    static EVP_MD* const md5 = EVP_MD_fetch(nullptr, "MD5", nullptr);
    static EVP_MD* const sha1 = EVP_MD_fetch(nullptr, "SHA1", nullptr);
    static EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    switch (kind) {
        case HashKind::md5:
            return md5;
        case HashKind::sha1:
            return sha1;
        case HashKind::sha256:
            return sha256;
    }
    return nullptr;
}

/// A thread's context for hashes of one call, whose memory is taken once.
class OneCall {
 public:
    explicit OneCall(HashKind kind) {
        struct Free {
            void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
        };
        using Owned = std::unique_ptr<EVP_MD_CTX, Free>;
        thread_local Owned contexts[3];
        Owned& context = contexts[static_cast<size_t>(kind)];
        if (!context) context.reset(EVP_MD_CTX_new());
        context_ = context.get();
        TARN_ASSERT(EVP_DigestInit_ex2(context_, algorithm(kind), nullptr) == 1);
    }
    OneCall& update(std::string_view bytes) {
        TARN_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
        return *this;
    }
    /// Precondition: `hash` has room for hash_size().
    void finish(char* hash) {
        TARN_ASSERT(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(hash), nullptr) ==
                    1);
    }

 private:
    EVP_MD_CTX* context_;
};

std::string hash_of(HashKind kind, std::string_view bytes) {
    std::string hash(hash_size(kind), '\0');
    OneCall(kind).update(bytes).finish(hash.data());
    return hash;
}

}  // namespace

size_t hash_size(HashKind kind) {
    switch (kind) {
        case HashKind::md5:
            return 16;
        case HashKind::sha1:
            return 20;
        case HashKind::sha256:
            return 32;
    }
    return 0;
}

struct Hasher::State {
    HashKind kind;
    EVP_MD_CTX* context;

    explicit State(HashKind k) : kind(k), context(EVP_MD_CTX_new()) { begin(); }
    ~State() { EVP_MD_CTX_free(context); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    void begin() { TARN_ASSERT(EVP_DigestInit_ex2(context, algorithm(kind), nullptr) == 1); }
};

Hasher::Hasher(HashKind kind) : state_(std::make_unique<State>(kind)) {}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

Hasher& Hasher::update(std::string_view bytes) {
    TARN_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
    return *this;
}

std::string Hasher::finish() {
    std::string hash(hash_size(state_->kind), '\0');
    unsigned size = 0;
    TARN_ASSERT(EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(hash.data()),
                                   &size) == 1);
    TARN_ASSERT(size == hash.size());
    state_->begin();
    return hash;
}

std::string md5(std::string_view bytes) {
    return hash_of(HashKind::md5, bytes);
}
std::string sha1(std::string_view bytes) {
    return hash_of(HashKind::sha1, bytes);
}
std::string sha256(std::string_view bytes) {
    return hash_of(HashKind::sha256, bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
    const std::string block_key = key.size() > kHmacBlockBytes ? sha256(key) : std::string();
    if (!block_key.empty()) key = block_key;
    std::array<char, kHmacBlockBytes> inner_pad, outer_pad;
    inner_pad.fill(0x36);
    outer_pad.fill(0x5c);
    for (size_t i = 0; i < key.size(); ++i) {
        inner_pad[i] = static_cast<char>(inner_pad[i] ^ key[i]);
        outer_pad[i] = static_cast<char>(outer_pad[i] ^ key[i]);
    }
    std::string code(hash_size(HashKind::sha256), '\0');
    OneCall(HashKind::sha256)
        .update({inner_pad.data(), inner_pad.size()})
        .update(bytes)
        .finish(code.data());
    OneCall(HashKind::sha256)
        .update({outer_pad.data(), outer_pad.size()})
        .update(code)
        .finish(code.data());
    return code;
}

HmacSha256::HmacSha256(std::string_view key) : inner_(HashKind::sha256) {
    const std::string block_key = key.size() > kHmacBlockBytes ? sha256(key) : std::string(key);
    inner_pad_.assign(kHmacBlockBytes, 0x36);
    outer_pad_.assign(kHmacBlockBytes, 0x5c);
    for (size_t i = 0; i < block_key.size(); ++i) {
        inner_pad_[i] = static_cast<char>(inner_pad_[i] ^ block_key[i]);
        outer_pad_[i] = static_cast<char>(outer_pad_[i] ^ block_key[i]);
    }
    inner_.update(inner_pad_);
}

HmacSha256& HmacSha256::update(std::string_view bytes) {
    inner_.update(bytes);
    return *this;
}

std::string HmacSha256::finish() {
    const std::string inner_hash = inner_.finish();
    const std::string code =
        Hasher(HashKind::sha256).update(outer_pad_).update(inner_hash).finish();
    inner_.update(inner_pad_);
    return code;
}

}  // namespace tarn::codec
