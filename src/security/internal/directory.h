// What Users' look-ups read: everything in memory, immutable, swapped as a whole.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "meta/store.h"
#include "security/users.h"

namespace tarn::security {

/// When a key was used last: outlives the snapshots that point to it.
struct KeyUse {
    std::atomic<int64_t> at_micros{0};
};

struct KeyEntry {
    AccessKeyInfo info;
    std::string user;
    std::shared_ptr<const Credential> credential;
    std::shared_ptr<KeyUse> use;
    meta::Version version = 0;
};

struct UserEntry {
    UserInfo info;  // keys stays empty
    std::string scram_salt;
    uint32_t scram_iterations = 0;
    std::vector<Policy> own_policies;
    std::shared_ptr<const std::vector<Policy>> policies;  // with those of its roles
    std::vector<std::string> key_ids;                     // oldest first
    meta::Version version = 0;
};

struct RoleEntry {
    std::map<std::string, std::string> documents;
    std::vector<Policy> policies;
    meta::Version version = 0;
};

template <typename Entry>
using ByName = std::map<std::string, Entry, std::less<>>;

struct Directory {
    std::string account_id;
    ByName<UserEntry> users;
    ByName<RoleEntry> roles;
    ByName<KeyEntry> keys;
};

namespace records {

std::string account_key();
std::string user_key(std::string_view name);
std::string access_key_key(std::string_view id);
std::string use_key(std::string_view id);
std::string role_key(std::string_view role);

/// The name that a key's secret and SCRAM verifier are sealed under.
std::string secret_name(std::string_view id);
std::string scram_name(std::string_view id);

std::string encode_account(std::string_view account_id, Timestamp created);
Result<std::string> decode_account(std::string_view json);
std::string encode_user(const UserEntry& user);
std::string encode_key(const KeyEntry& key, const Keyring& keyring);
std::string encode_role(const std::map<std::string, std::string>& documents);
std::string encode_use(Timestamp at);

/// Reads all of it. `before` gives the KeyUse of keys that it had. corrupted: a record that can't
/// be read.
Result<std::shared_ptr<const Directory>> load(const meta::Reader& reader, const Keyring& keyring,
                                              const Directory* before);

}  // namespace records

/// arn:aws:iam::<account>:user/<name>, or :root.
std::string arn_of(std::string_view account_id, std::string_view user);
/// All or the first error. `owner` goes into the ids: "user ann, policy read".
Result<std::vector<Policy>> parse_policies(const std::map<std::string, std::string>& documents,
                                           const std::string& owner);

}  // namespace tarn::security
