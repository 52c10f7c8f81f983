#include "net/internal/tls_engine.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/internal/tls_context.h"

namespace tarn::net {

Result<std::unique_ptr<TlsEngine>> TlsEngine::create(TlsContext& context) {
    ERR_clear_error();
    SSL* ssl = new_server_ssl(context);
    if (ssl == nullptr) return Error(Code::internal, "TLS: " + openssl_errors());
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    if (in == nullptr || out == nullptr) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(ssl);
        return Error(Code::exhausted, "TLS: no memory");
    }
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    return std::unique_ptr<TlsEngine>(new TlsEngine(ssl));
}

TlsEngine::~TlsEngine() {
    SSL_free(ssl_);
}

void TlsEngine::feed(std::string_view ciphertext) {
    if (ciphertext.empty()) return;
    BIO_write(SSL_get_rbio(ssl_), ciphertext.data(), static_cast<int>(ciphertext.size()));
}

TlsEngine::Step TlsEngine::read(char* into, size_t room, size_t& size) {
    ERR_clear_error();
    size = 0;
    const int code = SSL_read_ex(ssl_, into, room, &size);
    if (code == 1) return Step::bytes;
    switch (SSL_get_error(ssl_, code)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return Step::need_input;
        case SSL_ERROR_ZERO_RETURN:
            return Step::peer_closed;
        default:
            failure_ = openssl_errors();
            return Step::failed;
    }
}

bool TlsEngine::established() const {
    return SSL_is_init_finished(ssl_) == 1;
}

bool TlsEngine::write(std::string_view plaintext) {
    if (plaintext.empty()) return true;
    ERR_clear_error();
    size_t written = 0;
    // A memory BIO takes everything, so a write is never partial.
    if (SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written) == 1) return true;
    failure_ = openssl_errors();
    return false;
}

void TlsEngine::close_notify() {
    ERR_clear_error();
    if (established()) SSL_shutdown(ssl_);
    ERR_clear_error();
}

bool TlsEngine::take_output(std::string& out) {
    BIO* bio = SSL_get_wbio(ssl_);
    const size_t pending = BIO_ctrl_pending(bio);
    if (pending == 0) return false;
    const size_t before = out.size();
    out.resize(before + pending);
    const int taken = BIO_read(bio, out.data() + before, static_cast<int>(pending));
    out.resize(before + static_cast<size_t>(taken > 0 ? taken : 0));
    return taken > 0;
}

}  // namespace tarn::net
