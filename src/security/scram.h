// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) as a state machine
// without I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::security {

inline constexpr uint32_t kScramIterations = 4096;

/// What a server keeps of one password. From it a sign-in can be checked but the password can't be
/// had.
struct ScramVerifier {
    std::string stored_key;  // 32 bytes
    std::string server_key;  // 32 bytes
};

/// PBKDF2 over `iterations` rounds: about a millisecond per 4096. Passwords are taken as they are
/// (ours are ASCII, on which SASLprep does nothing).
ScramVerifier make_scram_verifier(std::string_view password, std::string_view salt,
                                  uint32_t iterations);

/// What a sign-in under one name is checked against: a name may have several passwords (keys) under
/// one salt.
struct ScramAccount {
    std::string salt;
    uint32_t iterations = kScramIterations;
    std::vector<ScramVerifier>
        verifiers;  // empty: no password fits (unknown name), told only at the end
};

/// One sign-in. Owner: a connection. Lane: any, one at a time.
/// client-first -> first() -> server-first; client-final -> final() -> server-final.
class ScramServer {
 public:
    struct Options {
        ScramAccount account;
        std::string nonce;  // printable ASCII without ',': base64 of 18 or more random bytes
        bool plus = false;  // the client chose SCRAM-SHA-256-PLUS
        bool plus_offered =
            false;  // we offered it: a client that says "y" was tricked, and is refused
        std::string
            channel_binding;  // tls-server-end-point data of the connection; empty without TLS
    };
    explicit ScramServer(Options options) : options_(std::move(options)) {}

    /// Errors: invalid_argument (malformed, reason "protocol"), unimplemented (authorization
    /// identities, extensions).
    Result<std::string> first(std::string_view client_first);
    /// Errors: invalid_argument (malformed), unauthenticated (wrong proof or unknown name,
    /// indistinguishable).
    Result<std::string> final(std::string_view client_final);

    /// The name in client-first, decoded; PostgreSQL's clients leave it empty.
    const std::string& user() const { return user_; }
    /// After final() succeeded: which of the account's verifiers fitted.
    size_t matched() const { return matched_; }

 private:
    enum class State { start, challenged, finished };

    Status parse_gs2_header(std::string_view& message);

    Options options_;
    State state_ = State::start;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
    std::string user_;
    size_t matched_ = 0;
};

/// tls-server-end-point (RFC 5929) of a DER certificate: its hash under the signature's hash
/// function (SHA-256 for MD5 and SHA-1).
Result<std::string> tls_server_end_point(std::string_view certificate_der);

}  // namespace tarn::security
