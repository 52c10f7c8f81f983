// Signing keys that a thread has derived: four HMACs that are the same for all requests of a key,
// a day, a region and a service.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "security/sigv4.h"

namespace tarn::security {

/// Owner: one thread.
class SigningKeys {
 public:
    static SigningKeys& of_this_thread() {
        thread_local SigningKeys keys;
        return keys;
    }

    /// As signing_key().
    std::string get(std::string_view secret, const CredentialScope& scope) {
        for (const Entry& entry : entries_)
            if (!entry.key.empty() && entry.secret == secret && entry.scope.date == scope.date &&
                entry.scope.region == scope.region && entry.scope.service == scope.service)
                return entry.key;
        Entry& oldest = entries_[next_++ % entries_.size()];
        oldest = {std::string(secret), scope, signing_key(secret, scope)};
        return oldest.key;
    }

 private:
    struct Entry {
        std::string secret;
        CredentialScope scope;
        std::string key;
    };
    std::array<Entry, 4> entries_;
    size_t next_ = 0;
};

}  // namespace tarn::security
