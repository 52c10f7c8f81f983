// Signed, expiring links that show one dashboard in another site's page, with the grants that its user has when it is
// looked at. What a link may is in it, and the server's key says that it is so; a record of each link (meta/, kind "dl")
// lets it be listed, and taken back before its time.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "dashboards/dashboards.h"
#include "meta/store.h"
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

/// A link that was made and has neither ended nor been taken back.
struct EmbedRecord {
    std::string id, dashboard, user, by;  // `by` made it; it shows what `user` sees
    Filters filters;
    Timestamp made, expires;
};

/// Owner: wiring. Lane: any but a loop. Everything outlives it.
class EmbedLinks {
 public:
    static constexpr std::chrono::seconds kLifeMax{30 * 24 * 3600};
    static constexpr size_t kLinksMax = 5'000;

    EmbedLinks(meta::Store& store, const security::Keyring& keyring, const security::Users& users, const Clock& clock);

    /// Signs a link for `wanted`, of which id and times are filled in. `with` (audit record) commits with its record.
    /// invalid_argument: root (a link to everything), or a life that is too long. not_found: no such user. exhausted: there
    /// are kLinksMax of them.
    Result<std::string> sign(EmbedRecord& wanted, std::chrono::seconds life, meta::Batch with);
    /// unauthenticated: not ours, changed, expired, taken back, or its user is gone (or another one of that name).
    Result<EmbedLink> open(std::string_view token) const;
    /// Newest first.
    Result<std::vector<EmbedRecord>> list() const;
    /// not_found.
    Status revoke(const std::string& id, meta::Batch with);

 private:
    const std::string key_;
    meta::Store& store_;
    const security::Users& users_;
    const Clock& clock_;
};

}  // namespace tarn::dashboards
