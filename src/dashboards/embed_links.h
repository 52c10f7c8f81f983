// Signed, expiring links that show one dashboard in another site's page, with the grants that its user has when it is
// looked at. Nothing is stored: what a link may is in it, and the server's key says that it is so.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "dashboards/dashboards.h"
#include "security/keyring.h"
#include "security/users.h"

namespace tarn::dashboards {

struct EmbedLink {
    std::string dashboard;
    security::Principal viewer;  // as the user is now
    Filters filters;             // fixed: the page's viewer cannot choose others for these columns
    Timestamp expires;
    bool by_viewer = false;  // made by the user themself, who may do so as long as they may make links
};

/// Owner: wiring. Lane: any. Everything outlives it.
class EmbedLinks {
 public:
    static constexpr std::chrono::seconds kLifeMax{30 * 24 * 3600};

    EmbedLinks(const security::Keyring& keyring, const security::Users& users, const Clock& clock);

    /// `by` is who makes it. invalid_argument: root (a link to everything), or a life that is too long. not_found: no such user.
    Result<std::string> sign(const std::string& dashboard, const std::string& user, const Filters& filters,
                             std::chrono::seconds life, const std::string& by) const;
    /// unauthenticated: not ours, changed, expired, or its user is gone (or another one of that name).
    Result<EmbedLink> open(std::string_view token) const;

 private:
    const std::string key_;
    const security::Users& users_;
    const Clock& clock_;
};

}  // namespace tarn::dashboards
