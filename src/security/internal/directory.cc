#include "security/internal/directory.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "codec/text.h"
#include "meta/keys.h"

namespace tarn::security {
namespace {

using Json = nlohmann::json;
constexpr int kUserRecordVersion = 1;

Error unreadable(std::string_view key) {
    return Error(Code::corrupted, "the record " + std::string(key) +
                                      " of users can't be read: it was changed, or a newer "
                                      "program wrote it");
}

Result<Json> decode(std::string_view key, std::string_view text) {
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || json.value("v", 0) != kUserRecordVersion) return unreadable(key);
    return json;
}

// Calls `each` with every name and record under a prefix.
template <typename Each>
Status for_each(const meta::Reader& reader, const std::string& prefix, Each each) {
    auto iterator = reader.scan({prefix, meta::prefix_end(prefix), false});
    for (; iterator->valid(); iterator->next()) {
        const std::string key(iterator->key());
        TARN_TRY(record, iterator->record());
        try {
            TARN_TRY(json, decode(key, record.value));
            TARN_CHECK_OK(each(key.substr(prefix.size()), json, record.version));
        } catch (const Json::exception&) {
            return unreadable(key);
        }
    }
    return iterator->status();
}

Status load_roles(const meta::Reader& reader, Directory& directory) {
    return for_each(
        reader, records::role_key(""),
        [&](const std::string& name, const Json& json, meta::Version version) -> Status {
            RoleEntry role;
            role.version = version;
            json.at("policies").get_to(role.documents);
            TARN_TRY(policies, parse_policies(role.documents, "role " + name));
            role.policies = std::move(policies);
            directory.roles.emplace(name, std::move(role));
            return ok_status();
        });
}

Status load_users(const meta::Reader& reader, Directory& directory) {
    return for_each(
        reader, records::user_key(""),
        [&](const std::string& name, const Json& json, meta::Version version) -> Status {
            UserEntry user;
            user.version = version;
            user.info.name = name;
            user.info.arn = arn_of(directory.account_id, name);
            user.info.created = {json.at("created").get<int64_t>()};
            json.at("policies").get_to(user.info.policies);
            json.at("roles").get_to(user.info.roles);
            json.at("attributes").get_to(user.info.attributes);
            TARN_TRY(salt, codec::base64_decode(json.at("scram_salt").get<std::string>()));
            user.scram_salt = std::move(salt);
            user.scram_iterations = json.at("scram_iterations").get<uint32_t>();
            TARN_TRY(policies, parse_policies(user.info.policies, "user " + name));
            user.own_policies = std::move(policies);
            directory.users.emplace(name, std::move(user));
            return ok_status();
        });
}

void gather_policies(Directory& directory) {
    for (auto& [name, user] : directory.users) {
        auto all = std::make_shared<std::vector<Policy>>(user.own_policies);
        for (const std::string& role : user.info.roles) {
            const auto found = directory.roles.find(role);
            if (found == directory.roles.end()) continue;
            all->insert(all->end(), found->second.policies.begin(), found->second.policies.end());
        }
        user.policies = std::move(all);
    }
}

Principal principal_for(const UserInfo& user, const std::string& access_key_id) {
    Principal principal;
    principal.kind = user.name == "root" ? Principal::Kind::root : Principal::Kind::user;
    principal.name = user.name;
    principal.arn = user.arn;
    principal.access_key_id = access_key_id;
    principal.roles = user.roles;
    principal.attributes = user.attributes;
    return principal;
}

Status load_keys(const meta::Reader& reader, const Keyring& keyring, const Directory* before,
                 Directory& directory) {
    return for_each(
        reader, records::access_key_key(""),
        [&](const std::string& id, const Json& json, meta::Version version) -> Status {
            KeyEntry key;
            key.version = version;
            key.info.id = id;
            key.info.active = json.at("active").get<bool>();
            key.info.created = {json.at("created").get<int64_t>()};
            key.user = json.at("user").get<std::string>();
            const auto user = directory.users.find(key.user);
            if (user == directory.users.end()) return unreadable(records::access_key_key(id));
            TARN_TRY(sealed, codec::base64_decode(json.at("secret").get<std::string>()));
            TARN_TRY(secret, keyring.unseal(records::secret_name(id), sealed));
            TARN_TRY(sealed_scram, codec::base64_decode(json.at("scram").get<std::string>()));
            TARN_TRY(scram, keyring.unseal(records::scram_name(id), sealed_scram));
            if (scram.size() != 64) return unreadable(records::access_key_key(id));
            key.credential = std::make_shared<const Credential>(
                Credential{principal_for(user->second.info, id),
                           std::move(secret),
                           {scram.substr(0, 32), scram.substr(32)}});
            if (before != nullptr) {
                const auto known = before->keys.find(id);
                if (known != before->keys.end()) key.use = known->second.use;
            }
            if (key.use == nullptr) key.use = std::make_shared<KeyUse>();
            user->second.key_ids.push_back(id);
            directory.keys.emplace(id, std::move(key));
            return ok_status();
        });
}

Status load_uses(const meta::Reader& reader, Directory& directory) {
    return for_each(reader, records::use_key(""),
                    [&](const std::string& id, const Json& json, meta::Version) -> Status {
                        const auto key = directory.keys.find(id);
                        if (key == directory.keys.end()) return ok_status();
                        const int64_t at = json.at("at").get<int64_t>();
                        KeyUse& use = *key->second.use;
                        if (use.at_micros < at) use.at_micros = at;
                        return ok_status();
                    });
}

}  // namespace

namespace records {

std::string account_key() {
    return meta::Key("u").text("account");
}
std::string user_key(std::string_view name) {
    return meta::Key("u").text("user").rest(name);
}
std::string access_key_key(std::string_view id) {
    return meta::Key("u").text("key").rest(id);
}
std::string use_key(std::string_view id) {
    return meta::Key("u").text("used").rest(id);
}
std::string role_key(std::string_view role) {
    return meta::Key("u").text("role").rest(role);
}

std::string secret_name(std::string_view id) {
    return "access key secret " + std::string(id);
}
std::string scram_name(std::string_view id) {
    return "access key scram " + std::string(id);
}

std::string encode_account(std::string_view account_id, Timestamp created) {
    return Json{{"v", kUserRecordVersion}, {"account", account_id}, {"created", created.micros}}.dump();
}

Result<std::string> decode_account(std::string_view text) {
    try {
        TARN_TRY(json, decode(account_key(), text));
        return json.at("account").get<std::string>();
    } catch (const Json::exception&) {
        return unreadable(account_key());
    }
}

std::string encode_user(const UserEntry& user) {
    return Json{{"v", kUserRecordVersion},
                {"created", user.info.created.micros},
                {"policies", user.info.policies},
                {"roles", user.info.roles},
                {"attributes", user.info.attributes},
                {"scram_salt", codec::base64_encode(user.scram_salt)},
                {"scram_iterations", user.scram_iterations}}
        .dump();
}

std::string encode_key(const KeyEntry& key, const Keyring& keyring) {
    const Credential& credential = *key.credential;
    const auto sealed = [&](const std::string& name, const std::string& secret) {
        return codec::base64_encode(keyring.seal(name, secret));
    };
    return Json{{"v", kUserRecordVersion},
                {"user", key.user},
                {"active", key.info.active},
                {"created", key.info.created.micros},
                {"secret", sealed(secret_name(key.info.id), credential.secret)},
                {"scram", sealed(scram_name(key.info.id),
                                 credential.scram.stored_key + credential.scram.server_key)}}
        .dump();
}

std::string encode_role(const std::map<std::string, std::string>& documents) {
    return Json{{"v", kUserRecordVersion}, {"policies", documents}}.dump();
}

std::string encode_use(Timestamp at) {
    return Json{{"v", kUserRecordVersion}, {"at", at.micros}}.dump();
}

Result<std::shared_ptr<const Directory>> load(const meta::Reader& reader, const Keyring& keyring,
                                              const Directory* before) {
    auto directory = std::make_shared<Directory>();
    TARN_TRY(account, reader.get(account_key()));
    if (!account) return Error(Code::corrupted, "the store has no account id");
    TARN_TRY(account_id, decode_account(account->value));
    directory->account_id = std::move(account_id);
    TARN_CHECK_OK(load_roles(reader, *directory));
    TARN_CHECK_OK(load_users(reader, *directory));
    gather_policies(*directory);
    TARN_CHECK_OK(load_keys(reader, keyring, before, *directory));
    TARN_CHECK_OK(load_uses(reader, *directory));
    for (auto& [name, user] : directory->users) {
        std::sort(user.key_ids.begin(), user.key_ids.end(),
                  [&](const std::string& a, const std::string& b) {
                      const auto at = [&](const std::string& id) {
                          return std::pair(directory->keys.at(id).info.created, id);
                      };
                      return at(a) < at(b);
                  });
    }
    return std::shared_ptr<const Directory>(std::move(directory));
}

}  // namespace records

std::string arn_of(std::string_view account_id, std::string_view user) {
    const std::string account = "arn:aws:iam::" + std::string(account_id) + ":";
    return user == "root" ? account + "root" : account + "user/" + std::string(user);
}

Result<std::vector<Policy>> parse_policies(const std::map<std::string, std::string>& documents,
                                           const std::string& owner) {
    std::vector<Policy> policies;
    for (const auto& [name, document] : documents) {
        auto policy = Policy::parse(document, PolicyKind::identity, owner + ", policy " + name);
        if (!policy.ok()) return std::move(policy).error().within(owner + ", policy " + name);
        policies.push_back(std::move(policy).value());
    }
    return policies;
}

}  // namespace tarn::security
