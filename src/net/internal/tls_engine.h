// TLS as a state machine over bytes, server side: ciphertext in, plaintext out, and back. No
// socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/tls.h"

typedef struct ssl_st SSL;

namespace tarn::net {

/// Lane: one at a time (the connection's loop).
class TlsEngine {
 public:
    enum class Step { bytes, need_input, peer_closed, failed };

    static Result<std::unique_ptr<TlsEngine>> create(TlsContext& context);
    ~TlsEngine();
    TlsEngine(const TlsEngine&) = delete;
    TlsEngine& operator=(const TlsEngine&) = delete;

    /// Takes ciphertext as received.
    void feed(std::string_view ciphertext);
    /// Goes on with the handshake, or decrypts up to `room` bytes; call until it is not `bytes`.
    Step read(char* into, size_t room, size_t& size);
    bool established() const;
    /// Precondition: established. False: the connection is beyond repair.
    bool write(std::string_view plaintext);
    void close_notify();
    /// Appends the ciphertext to send; false when there is none.
    bool take_output(std::string& out);
    /// Why `failed`.
    const std::string& failure() const { return failure_; }

 private:
    explicit TlsEngine(SSL* ssl) : ssl_(ssl) {}

    SSL* ssl_;
    std::string failure_;
};

}  // namespace tarn::net
