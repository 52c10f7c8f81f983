#include "security/scram.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>

#include "base/assert.h"
#include "base/bytes.h"
#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::security {
namespace {

constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kScramKeyBytes = 32;

Error malformed_message(const char* what) {
    return Error(Code::invalid_argument, std::string("malformed_message SCRAM message: ") + what,
                 "protocol");
}

// One "x=value" up to the next comma or the end; the comma is taken too.
std::optional<std::string_view> take_attribute(std::string_view& message, char name) {
    if (message.size() < 2 || message[0] != name || message[1] != '=') return std::nullopt;
    const size_t comma = message.find(',');
    const std::string_view value = message.substr(2, comma == message.npos ? comma : comma - 2);
    message.remove_prefix(comma == message.npos ? message.size() : comma + 1);
    return value;
}

// RFC 5802 section 5.1: ',' is "=2C", '=' is "=3D".
std::optional<std::string> decode_name(std::string_view text) {
    std::string name;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            name.push_back(text[i]);
        } else if (text.substr(i, 3) == "=2C") {
            name.push_back(',');
            i += 2;
        } else if (text.substr(i, 3) == "=3D") {
            name.push_back('=');
            i += 2;
        } else {
            return std::nullopt;
        }
    }
    return name;
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

std::string exclusive_or(std::string_view a, std::string_view b) {
    std::string result(a);
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(result[i] ^ b[i]);
    return result;
}

}  // namespace

ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                  uint32_t iterations) {
    std::string salted(kScramKeyBytes, '\0');
    TARN_ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                                  reinterpret_cast<const unsigned char*>(salt.data()),
                                  static_cast<int>(salt.size()), static_cast<int>(iterations),
                                  EVP_sha256(), static_cast<int>(kScramKeyBytes),
                                  reinterpret_cast<unsigned char*>(salted.data())) == 1);
    return {codec::sha256(codec::hmac_sha256(salted, "Client Key")),
            codec::hmac_sha256(salted, "Server Key")};
}

// gs2-header of RFC 5802 section 7: the channel binding flag and an authorization identity.
Status ScramServer::parse_gs2_header(std::string_view& message) {
    const std::string_view whole = message;
    const size_t comma = message.find(',');
    if (comma == message.npos) return malformed_message("no channel binding flag");
    const std::string_view flag = message.substr(0, comma);
    message.remove_prefix(comma + 1);
    if (options_.plus) {
        if (flag != "p=tls-server-end-point")
            return malformed_message("only tls-server-end-point channel binding is offered");
    } else if (flag == "y") {
        if (options_.plus_offered)
            return malformed_message("the client was told that channel binding is not offered; it is");
    } else if (flag != "n") {
        return malformed_message("channel binding needs SCRAM-SHA-256-PLUS");
    }
    if (message.starts_with("a=")) {
        return Error(Code::unimplemented, "SCRAM authorization identities are not implemented",
                     "protocol");
    }
    if (!message.starts_with(",")) return malformed_message("no authorization identity field");
    message.remove_prefix(1);
    gs2_header_ = whole.substr(0, whole.size() - message.size());
    return ok_status();
}

Result<std::string> ScramServer::first(std::string_view client_first) {
    if (state_ != State::start) return malformed_message("a second first message");
    state_ = State::finished;
    if (client_first.size() > kMessageBytesMax) return malformed_message("too long");
    TARN_CHECK_OK(parse_gs2_header(client_first));
    client_first_bare_ = client_first;
    if (client_first.starts_with("m=")) {
        return Error(Code::unimplemented, "mandatory SCRAM extensions are not implemented",
                     "protocol");
    }
    const auto name = take_attribute(client_first, 'n');
    if (!name) return malformed_message("no user name");
    auto decoded = decode_name(*name);
    if (!decoded) return malformed_message("the user name holds a bare '='");
    user_ = std::move(*decoded);
    const auto client_nonce = take_attribute(client_first, 'r');
    if (!client_nonce || client_nonce->empty() || !is_printable(*client_nonce))
        return malformed_message("no nonce");
    nonce_ = std::string(*client_nonce) + options_.nonce;
    server_first_ = "r=" + nonce_ + ",s=" + codec::base64_encode(options_.account.salt) +
                    ",i=" + std::to_string(options_.account.iterations);
    state_ = State::challenged;
    return server_first_;
}

Result<std::string> ScramServer::final(std::string_view client_final) {
    if (state_ != State::challenged) return malformed_message("a final message out of turn");
    state_ = State::finished;
    if (client_final.size() > kMessageBytesMax) return malformed_message("too long");
    const size_t proof_at = client_final.rfind(",p=");
    if (proof_at == client_final.npos) return malformed_message("no proof");
    const std::string_view without_proof = client_final.substr(0, proof_at);
    const auto proof = codec::base64_decode(client_final.substr(proof_at + 3));
    if (!proof.ok() || proof->size() != kScramKeyBytes) return malformed_message("the proof is not 32 bytes");

    std::string_view rest = without_proof;
    const auto binding = take_attribute(rest, 'c');
    const auto bound = codec::base64_decode(binding.value_or(""));
    const auto nonce = take_attribute(rest, 'r');
    if (!binding || !bound.ok() || !nonce) return malformed_message("no channel binding or nonce");
    const Error refused(Code::unauthenticated, "wrong user name or password", "password");
    const std::string expected = gs2_header_ + (options_.plus ? options_.channel_binding : "");
    if (!equal_constant_time(bound.value(), expected)) return refused;
    if (!equal_constant_time(*nonce, nonce_)) return refused;

    const std::string message =
        client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
    static const ScramVerifier nobody{std::string(kScramKeyBytes, 'x'), std::string(kScramKeyBytes, 'x')};
    std::vector<ScramVerifier> verifiers = options_.account.verifiers;
    const bool known = !verifiers.empty();
    if (!known) verifiers.push_back(nobody);
    const ScramVerifier* fitting = nullptr;
    for (size_t i = 0; i < verifiers.size(); ++i) {
        const std::string signature = codec::hmac_sha256(verifiers[i].stored_key, message);
        const std::string client_key = exclusive_or(proof.value(), signature);
        if (!equal_constant_time(codec::sha256(client_key), verifiers[i].stored_key)) continue;
        fitting = &verifiers[i];
        matched_ = i;
    }
    if (!known || fitting == nullptr) return refused;
    return "v=" + codec::base64_encode(codec::hmac_sha256(fitting->server_key, message));
}

Result<std::string> tls_server_end_point(std::string_view certificate_der) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(certificate_der.data());
    X509* certificate = d2i_X509(nullptr, &bytes, static_cast<long>(certificate_der.size()));
    if (certificate == nullptr)
        return Error(Code::invalid_argument, "the certificate is not in DER form");
    int hash_id = NID_undef;
    const bool known =
        OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &hash_id, nullptr) == 1 &&
        hash_id != NID_undef;
    const EVP_MD* hash = !known || hash_id == NID_md5 || hash_id == NID_sha1
                             ? EVP_sha256()
                             : EVP_get_digestbynid(hash_id);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const bool done = hash != nullptr && X509_digest(certificate, hash, digest, &size) == 1;
    X509_free(certificate);
    if (!done) return Error(Code::unimplemented, "the certificate's hash function is not known");
    return std::string(reinterpret_cast<const char*>(digest), size);
}

}  // namespace tarn::security
