#include "security/authenticator.h"

namespace tarn::security {

Result<Authenticated> Authenticator::authenticate(const SignedRequest& request,
                                                  const std::vector<std::string>& services) const {
    std::shared_ptr<const Credential> credential;
    const auto secret_of = [&](std::string_view id) -> std::optional<std::string> {
        credential = users_.find_key(id);
        if (credential == nullptr) return std::nullopt;
        return credential->secret;
    };
    TARN_TRY(verified, verify(request, {clock_.now(), {}, services}, secret_of));
    users_.note_used(verified.access_key_id);
    return Authenticated{credential->principal, std::move(verified)};
}

}  // namespace tarn::security
