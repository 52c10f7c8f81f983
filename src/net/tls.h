// Certificates for our listeners. TLS 1.2 and 1.3 only (RFC 8446, RFC 5246), by OpenSSL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tarn::net {

struct TlsFiles {
    std::string certificate_file;                    // PEM, leaf first, then the chain
    std::string key_file;                            // PEM, without passphrase
    std::vector<std::string> application_protocols;  // ALPN, e.g. "http/1.1"; empty: not negotiated
};

/// A certificate with its key, shared by listeners. Lane: any. New connections take what was loaded
/// last.
class TlsContext {
 public:
    /// Fails with invalid_argument (files that do not fit together, unreadable PEM) or not_found.
    static Result<std::shared_ptr<TlsContext>> load(TlsFiles files);
    virtual ~TlsContext() = default;

    /// Reads the files again; keeps the former certificate when that fails. Connections that exist
    /// are left alone.
    virtual Status reload() = 0;
    /// For a caller that looks every second or so: reload() once the files are others than those
    /// that were read last, and have rested since the last look. True: a new certificate is in use.
    /// A failure is told once, until the files change again.
    virtual Result<bool> reload_if_changed() = 0;
    /// The leaf certificate in use, as PEM.
    virtual std::string certificate_pem() const = 0;
    /// SHA-256 of the leaf certificate in DER: what clients pin, and SCRAM's tls-server-end-point
    /// (RFC 5929) for certificates signed with SHA-256. 32 bytes.
    virtual std::string certificate_sha256() const = 0;
};

struct PemPair {
    std::string certificate;
    std::string key;
};

/// A certificate signed by itself (ECDSA P-256), for loopback when none is configured. Names are
/// DNS names or addresses. The caller stores the key with mode 0600.
Result<PemPair> make_self_signed(const std::vector<std::string>& names, int valid_days);

}  // namespace tarn::net
