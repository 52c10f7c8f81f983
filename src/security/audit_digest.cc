#include "security/audit_digest.h"

#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/text.h"
#include "security/internal/openssl_bytes.h"

namespace tarn::security {
namespace {

constexpr size_t kHashBytes = 32;
constexpr size_t kSigningKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, FreeContext>;

Error no_digest(const std::string& why) {
    return Error(Code::corrupted, "this is no digest of an audit trail: " + why);
}

}  // namespace

std::string AuditDigest::text() const {
    return "tarn audit digest 1\naccount " + account_id + "\nnumber " + std::to_string(number) +
           "\nfirst " + std::to_string(first) + "\nnext " + std::to_string(next) + "\noldest " +
           std::to_string(oldest) + "\nat " + std::to_string(at.micros) + "\nchain " +
           codec::hex_encode(chain) + "\nprevious " + codec::hex_encode(previous) + "\n";
}

std::string AuditDigest::hash() const {
    return codec::sha256(text() + signature);
}

std::string AuditDigest::to_json() const {
    codec::JsonWriter json;
    const auto number_of = [&](const char* name, uint64_t value) {
        json.member(name, static_cast<int64_t>(value));
    };
    json.begin_object();
    json.member("format", "tarn audit digest 1").member("account", std::string_view(account_id));
    number_of("number", number);
    number_of("first", first);
    number_of("next", next);
    number_of("oldest", oldest);
    json.member("time", format_iso8601(at)).member("at", at.micros);
    json.member("chain", codec::hex_encode(chain));
    json.member("previous", codec::hex_encode(previous));
    json.member("signature", codec::hex_encode(signature));
    json.end_object();
    return json.take();
}

Result<AuditDigest> AuditDigest::from_json(std::string_view json) {
    AuditDigest digest;
    try {
        const auto parsed = nlohmann::json::parse(json);
        if (parsed.at("format") != "tarn audit digest 1") return no_digest("another format");
        digest.account_id = parsed.at("account").get<std::string>();
        digest.number = parsed.at("number").get<uint64_t>();
        digest.first = parsed.at("first").get<uint64_t>();
        digest.next = parsed.at("next").get<uint64_t>();
        digest.oldest = parsed.at("oldest").get<uint64_t>();
        digest.at = {parsed.at("at").get<int64_t>()};
        for (const auto& [name, member, size] :
             {std::tuple{"chain", &digest.chain, kHashBytes},
              std::tuple{"previous", &digest.previous, kHashBytes},
              std::tuple{"signature", &digest.signature, kSignatureBytes}}) {
            TARN_TRY(bytes, codec::hex_decode(parsed.at(name).get<std::string>()));
            if (bytes.size() != size) return no_digest(std::string(name) + " has a wrong length");
            *member = std::move(bytes);
        }
    } catch (const nlohmann::json::exception& problem) {
        return no_digest(problem.what());
    }
    return digest;
}

std::string chain_start() {
    return std::string(kHashBytes, '\0');
}

std::string chain_next(std::string_view chain, uint64_t offset, std::string_view line_sha256) {
    std::string bytes(chain);
    append_be(bytes, offset);
    bytes += line_sha256;
    return codec::sha256(bytes);
}

SigningKey make_signing_key() {
    const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    TARN_ASSERT(key != nullptr);
    SigningKey made{std::string(kSigningKeyBytes, '\0'), std::string(kSigningKeyBytes, '\0')};
    size_t size = kSigningKeyBytes;
    TARN_ASSERT(EVP_PKEY_get_raw_public_key(
                    key.get(), reinterpret_cast<unsigned char*>(made.public_key.data()), &size) ==
                1);
    size = kSigningKeyBytes;
    TARN_ASSERT(EVP_PKEY_get_raw_private_key(
                    key.get(), reinterpret_cast<unsigned char*>(made.private_key.data()), &size) ==
                1);
    return made;
}

std::string sign_text(std::string_view private_key, std::string_view text) {
    const KeyPtr key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, in(private_key),
                                                  private_key.size()));
    const ContextPtr context(EVP_MD_CTX_new());
    std::string signature(kSignatureBytes, '\0');
    size_t size = signature.size();
    TARN_ASSERT(key != nullptr && context != nullptr);
    TARN_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
    TARN_ASSERT(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()),
                               &size, in(text), text.size()) == 1);
    return signature;
}

bool is_signed_by(std::string_view public_key, std::string_view text, std::string_view signature) {
    const KeyPtr key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, in(public_key), public_key.size()));
    const ContextPtr context(EVP_MD_CTX_new());
    return key != nullptr && context != nullptr &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), in(signature), signature.size(), in(text),
                            text.size()) == 1;
}

}  // namespace tarn::security
