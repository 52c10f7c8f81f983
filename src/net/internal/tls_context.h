// What the engine needs of a TlsContext, and OpenSSL's error queue as text.
#pragma once

#include <string>

#include "net/tls.h"

typedef struct ssl_st SSL;

namespace tarn::net {

/// A server-side SSL of the certificate loaded last; null without memory.
SSL* new_server_ssl(TlsContext& context);
/// Empties this thread's queue; "unknown reason" when it holds nothing.
std::string openssl_errors();

}  // namespace tarn::net
