// Who there is: the account, the root, users with their policies, attributes, roles and access
// keys. One access key signs in everywhere: SigV4, SCRAM (user = access key id or user name,
// password = secret), MQTT, the console. Records: docs/formats/users.md, kind 'u'. Secrets are
// sealed (keyring.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/caller.h"
#include "security/keyring.h"
#include "security/policy.h"
#include "security/scram.h"

namespace tarn::security {

/// One access key with the principal that it signs for.
struct Credential {
    Principal principal;
    std::string secret;
    ScramVerifier scram;
};

struct AccessKeyInfo {
    std::string id;
    bool active = true;
    Timestamp created;
    std::optional<Timestamp> last_used;  // coarse: within the hour
};

struct UserInfo {
    std::string name;
    std::string arn;
    Timestamp created;
    std::map<std::string, std::string> policies;  // name -> document (JSON text)
    std::vector<std::string> roles;
    std::map<std::string, std::string> attributes;
    std::vector<AccessKeyInfo> keys;
};

struct NewUser {
    std::string name;  // [A-Za-z0-9+=,.@_-]{1,64}, not "root", not like an access key id
    std::map<std::string, std::string> policies;
    std::vector<std::string> roles;
    std::map<std::string, std::string> attributes;
};

struct NewAccessKey {
    std::string id;      // AKIA and 16 base32 characters
    std::string secret;  // 40 characters; can't be had again
};

struct RootKey {
    NewAccessKey key;
    bool created = false;  // false: it was there before
};

struct Directory;  // the immutable snapshot that look-ups read
struct UserEntry;
struct KeyEntry;

/// Owner: wiring. Look-ups read a snapshot in memory: lane any. Changes commit and then swap the
/// snapshot: lane any but a loop. A change's `with` (audit record, outbox entries) commits with it
/// or not at all.
class Users {
 public:
    /// Fixes the account id at first start. `store`, `keyring`, `clock` outlive it.
    static Result<std::unique_ptr<Users>> open(meta::Store& store, const Keyring& keyring,
                                               const Clock& clock);
    ~Users();

    /// What was committed and could not be read back is read now. Until then nobody is known: a key
    /// that was taken back must not go on. Nothing is done when all is read.
    Status read_back();

    std::string account_id() const;

    /// The root's first key, made when there is none.
    Result<RootKey> ensure_root();
    /// An AWS shared credentials file (0600) with the root's oldest active key.
    Status write_credentials_file(io::Disk& disk, const std::string& path) const;

    /// already_exists; invalid_argument for names and policies that do not hold.
    Result<UserInfo> create_user(NewUser user, meta::Batch with = {});
    /// Keys and console sessions go with it. not_found.
    Status delete_user(std::string_view name, meta::Batch with = {});
    std::vector<UserInfo> list_users() const;  // by name, root first
    Result<UserInfo> get_user(std::string_view name) const;
    Status put_user_policy(std::string_view name, std::string_view policy_name,
                           std::string_view document, meta::Batch with = {});
    Status delete_user_policy(std::string_view name, std::string_view policy_name,
                              meta::Batch with = {});
    Status set_user_roles(std::string_view name, std::vector<std::string> roles,
                          meta::Batch with = {});
    Status set_user_attributes(std::string_view name, std::map<std::string, std::string> attributes,
                               meta::Batch with = {});

    /// exhausted: a user has at most kKeysPerUser keys.
    static constexpr size_t kKeysPerUser = 8;
    Result<NewAccessKey> create_key(std::string_view user, meta::Batch with = {});
    Status set_key_active(std::string_view access_key_id, bool active, meta::Batch with = {});
    /// conflict: the root's last active key stays.
    Status delete_key(std::string_view access_key_id, meta::Batch with = {});

    /// A role is a named set of policy documents that users hold; the lakefile declares them.
    Status put_role(std::string_view role, std::map<std::string, std::string> policies,
                    meta::Batch with = {});
    Status delete_role(std::string_view role, meta::Batch with = {});
    std::map<std::string, std::map<std::string, std::string>> list_roles() const;

    /// Null when unknown or inactive. The credential stays valid while it is held.
    std::shared_ptr<const Credential> find_key(std::string_view access_key_id) const;
    /// By access key id or user name, against each of its active keys. Constant time; equal work
    /// for unknown names. unauthenticated.
    Result<Principal> verify_password(std::string_view name, std::string_view password) const;
    /// For ScramServer; an unknown name gets a salt that is always the same for it and fits no
    /// password. `credentials[i]` belongs to `account.verifiers[i]`.
    struct ScramCandidates {
        ScramAccount account;
        std::vector<std::shared_ptr<const Credential>> credentials;
    };
    ScramCandidates scram_candidates(std::string_view name) const;
    /// The principal of a name, for sessions that signed in before. not_found.
    Result<Principal> principal_of(std::string_view name) const;

    /// Notes that a key signed something: kept to the hour, written in the background. Lane: any.
    void note_used(std::string_view access_key_id) const;

    /// The documents that speak about a principal: a user's own and those of the roles it holds; of
    /// a session, those of its roles; empty for anybody unknown.
    std::shared_ptr<const std::vector<Policy>> policies_of(const Principal& principal) const;

 private:
    Users(meta::Store& store, const Keyring& keyring, const Clock& clock);
    std::shared_ptr<const Directory> directory() const;
    Status reload() TARN_REQUIRES(change_mutex_);
    Result<std::shared_ptr<const Directory>> to_change() TARN_REQUIRES(change_mutex_);
    Status commit_and_reload(meta::Batch batch, meta::Batch with) TARN_REQUIRES(change_mutex_);
    Status change_user(std::string_view name, const std::function<Status(UserInfo&)>& change,
                       meta::Batch with);
    NewAccessKey put_new_key(meta::Batch& batch, const UserEntry& user) const;
    static Status refuse_last_root_key(const Directory& now, const KeyEntry& key);

    meta::Store& store_;
    const Keyring& keyring_;
    const Clock& clock_;
    Mutex change_mutex_;  // one change at a time; held over its commit
    mutable Mutex mutex_;
    std::shared_ptr<const Directory> directory_ TARN_GUARDED_BY(mutex_);
    bool unread_ TARN_GUARDED_BY(change_mutex_) = false;
};

}  // namespace tarn::security
