#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mutex.h"
#include "base/random.h"
#include "net/internal/tls_context.h"

namespace tarn::net {
namespace {

template <auto free_function>
struct Freer {
    template <typename T>
    void operator()(T* object) const {
        free_function(object);
    }
};
using CtxPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using CertPtr = std::unique_ptr<X509, Freer<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;

/// The wire form of an ALPN list: each name behind its length.
Result<std::string> alpn_wire(const std::vector<std::string>& names) {
    std::string wire;
    for (const auto& name : names) {
        if (name.empty() || name.size() > 255)
            return Error(Code::invalid_argument, "an ALPN name has 1 to 255 bytes");
        wire.push_back(static_cast<char>(name.size()));
        wire += name;
    }
    return wire;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size,
                const unsigned char* offered, unsigned offered_size, void* context) {
    const auto& wire = *static_cast<const std::string*>(context);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(
            &chosen, out_size, reinterpret_cast<const unsigned char*>(wire.data()),
            static_cast<unsigned>(wire.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<size_t>(size));
}

/// What tells two states of a file apart without reading it.
std::string look_of(const std::string& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0) return "absent";
    return std::to_string(info.st_ino) + " " + std::to_string(info.st_size) + " " +
           std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
}

// TLS 1.2 with forward secrecy and authenticated encryption only; 1.3 has nothing else.
constexpr const char* kCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

class FileTlsContext final : public TlsContext {
 public:
    FileTlsContext(TlsFiles files, std::string alpn)
        : files_(std::move(files)), alpn_(std::move(alpn)) {}

    Result<bool> reload_if_changed() override {
        const std::string look = look_of_both();
        {
            MutexLock lock(mutex_);
            const bool rests = look == seen_;
            seen_ = look;
            if (look == tried_ || !rests) return false;
        }
        TARN_CHECK_OK(reload());
        return true;
    }

    std::string certificate_pem() const override {
        MutexLock lock(mutex_);
        return pem_;
    }

    Status reload() override {
        ERR_clear_error();
        {
            MutexLock lock(mutex_);
            tried_ = look_of_both();
        }
        for (const auto& file : {files_.certificate_file, files_.key_file})
            if (::access(file.c_str(), R_OK) != 0)
                return Error(Code::not_found, file + ": can't be read; check its path and mode");
        CtxPtr made(SSL_CTX_new(TLS_server_method()));
        if (!made) return Error(Code::internal, "TLS: " + openssl_errors());
        SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
        SSL_CTX_set_cipher_list(made.get(), kCiphers12);
        SSL_CTX_set_options(made.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                            SSL_OP_CIPHER_SERVER_PREFERENCE |
                                            SSL_OP_IGNORE_UNEXPECTED_EOF);
        SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_num_tickets(made.get(), 1);
        if (SSL_CTX_use_certificate_chain_file(made.get(), files_.certificate_file.c_str()) != 1)
            return Error(Code::invalid_argument,
                         files_.certificate_file + ": no PEM certificate: " + openssl_errors());
        if (SSL_CTX_use_PrivateKey_file(made.get(), files_.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
            return Error(Code::invalid_argument,
                         files_.key_file + ": no PEM key of that certificate: " + openssl_errors());
        if (!alpn_.empty()) SSL_CTX_set_alpn_select_cb(made.get(), choose_alpn, &alpn_);
        std::string digest(EVP_MAX_MD_SIZE, '\0');
        unsigned digest_size = 0;
        X509_digest(SSL_CTX_get0_certificate(made.get()), EVP_sha256(),
                    reinterpret_cast<unsigned char*>(digest.data()), &digest_size);
        digest.resize(digest_size);
        const BioPtr pem(BIO_new(BIO_s_mem()));
        if (!pem || PEM_write_bio_X509(pem.get(), SSL_CTX_get0_certificate(made.get())) != 1)
            return Error(Code::internal, "TLS: " + openssl_errors());
        MutexLock lock(mutex_);
        pem_ = bio_text(pem.get());
        context_ = std::move(made);
        digest_ = std::move(digest);
        return {};
    }

    std::string certificate_sha256() const override {
        MutexLock lock(mutex_);
        return digest_;
    }

    SSL* new_ssl() {
        MutexLock lock(mutex_);
        return SSL_new(context_.get());
    }

 private:
    std::string look_of_both() const {
        return look_of(files_.certificate_file) + ", " + look_of(files_.key_file);
    }

    const TlsFiles files_;
    std::string alpn_;  // never changes, but OpenSSL takes it as void*
    mutable Mutex mutex_;
    CtxPtr context_ TARN_GUARDED_BY(mutex_);
    std::string digest_ TARN_GUARDED_BY(mutex_);
    std::string pem_ TARN_GUARDED_BY(mutex_);
    std::string tried_ TARN_GUARDED_BY(mutex_);  // the files' look when they were read last
    std::string seen_ TARN_GUARDED_BY(mutex_);   // ... and when they were looked at last
};

bool is_address(const std::string& name) {
    unsigned char parsed[16];
    return inet_pton(AF_INET, name.c_str(), parsed) == 1 ||
           inet_pton(AF_INET6, name.c_str(), parsed) == 1;
}

bool add_extension(X509* cert, int id, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    if (extension == nullptr) return false;
    const bool added = X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

bool fill_certificate(X509* cert, EVP_PKEY* key, const std::vector<std::string>& names,
                      int valid_days) {
    const std::string serial = random_bytes(8);
    uint64_t number = 0;
    for (const char byte : serial) number = number << 8 | static_cast<uint8_t>(byte);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), number >> 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_time_adj_ex(X509_getm_notAfter(cert), valid_days, 0, nullptr);
    X509_set_pubkey(cert, key);
    X509_NAME* subject = X509_get_subject_name(cert);
    const std::string common = names.front().substr(0, 64);
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common.data()),
                                   static_cast<int>(common.size()), -1, 0) != 1)
        return false;
    X509_set_issuer_name(cert, subject);
    std::string alternatives;
    for (const auto& name : names)
        alternatives += (alternatives.empty() ? "" : ",") +
                        std::string(is_address(name) ? "IP:" : "DNS:") + name;
    return add_extension(cert, NID_subject_alt_name, alternatives) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           X509_sign(cert, key, EVP_sha256()) != 0;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(TlsFiles files) {
    TARN_TRY(alpn, alpn_wire(files.application_protocols));
    auto context = std::make_shared<FileTlsContext>(std::move(files), std::move(alpn));
    TARN_CHECK_OK(context->reload());
    return std::shared_ptr<TlsContext>(std::move(context));
}

SSL* new_server_ssl(TlsContext& context) {
    return static_cast<FileTlsContext&>(context).new_ssl();
}

std::string openssl_errors() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof line);
        if (!text.empty()) text += "; ";
        text += line;
    }
    return text.empty() ? "unknown reason" : text;
}

Result<PemPair> make_self_signed(const std::vector<std::string>& names, int valid_days) {
    if (names.empty() || valid_days < 1)
        return Error(Code::invalid_argument, "a certificate needs a name and at least a day");
    for (const auto& name : names)
        if (name.empty() || name.find_first_of(",:\r\n") != std::string::npos) {
            if (!is_address(name)) return Error(Code::invalid_argument, "not a host name: " + name);
        }
    ERR_clear_error();
    KeyPtr key(EVP_EC_gen("P-256"));
    CertPtr cert(X509_new());
    BioPtr cert_pem(BIO_new(BIO_s_mem()));
    BioPtr key_pem(BIO_new(BIO_s_mem()));
    if (!key || !cert || !cert_pem || !key_pem ||
        !fill_certificate(cert.get(), key.get(), names, valid_days) ||
        PEM_write_bio_X509(cert_pem.get(), cert.get()) != 1 ||
        PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
            1)
        return Error(Code::internal, "making a certificate: " + openssl_errors());
    return PemPair{bio_text(cert_pem.get()), bio_text(key_pem.get())};
}

}  // namespace tarn::net
