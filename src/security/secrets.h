// Secrets that declarations refer to by name (${secret:erp_url}): sealed with the keyring, kept in
// meta/ (kind "se"), and never given out again by any door. A value from the server's environment
// or its secrets file goes before a kept one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "io/disk.h"
#include "meta/store.h"
#include "security/keyring.h"

namespace tarn::security {

/// Owner: wiring. Lane: look-ups any; changes any but a loop.
class Secrets {
 public:
    static constexpr size_t kBytesMax = 64u << 10;
    static constexpr size_t kCountMax = 10'000;

    struct Info {
        std::string name;
        std::string from;  // "lake", "environment", "file"
        std::optional<Timestamp> changed;
    };

    /// `given`: name -> value from outside (read_environment, read_secrets_file), with where it is
    /// from.
    struct Given {
        std::string value, from;
    };
    static Result<std::unique_ptr<Secrets>> open(meta::Store& store, const Keyring& keyring,
                                                 const Clock& clock,
                                                 std::map<std::string, Given> given = {});

    /// A name is [a-z][a-z0-9_]{0,62}. `with` (audit record) commits with it.
    Status set(const std::string& name, std::string_view value, meta::Batch with = {});
    /// not_found.
    Status remove(const std::string& name, meta::Batch with = {});
    std::vector<Info> list() const;  // by name; no values
    std::optional<std::string> find(const std::string& name) const;

 private:
    struct Kept {
        std::string value;
        Timestamp changed;
    };

    Secrets(meta::Store& store, const Keyring& keyring, const Clock& clock,
            std::map<std::string, Given> given)
        : store_(store), keyring_(keyring), clock_(clock), given_(std::move(given)) {}
    Status load();

    meta::Store& store_;
    const Keyring& keyring_;
    const Clock& clock_;
    const std::map<std::string, Given> given_;
    Mutex change_mutex_;  // one change at a time; held over its commit
    mutable Mutex mutex_;
    std::map<std::string, Kept> kept_ TARN_GUARDED_BY(mutex_);
};

/// TARN_SECRET_ERP_URL=... gives erp_url.
std::map<std::string, Secrets::Given> secrets_in_environment(char** environment);
/// Lines name=value; # begins a comment line. permission_denied when others may read the file;
/// invalid_argument names the line (never its value).
Result<std::map<std::string, Secrets::Given>> read_secrets_file(const std::string& path);

}  // namespace tarn::security
