#include "security/users.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/bytes.h"
#include "base/lane.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "security/internal/directory.h"

namespace tarn::security {
namespace {

constexpr int kReloadsMax = 10;
constexpr std::chrono::milliseconds kReloadPause{5};
constexpr size_t kNameBytesMax = 64;
constexpr size_t kScramSaltBytes = 16;
constexpr size_t kPoliciesMax = 20;
constexpr size_t kAttributesMax = 50;
constexpr size_t kAttributeBytesMax = 1024;
constexpr int64_t kUseGrainMicros = 3600ll * 1'000'000;
constexpr std::string_view kRoot = "root";

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view("+=,.@_-").find(c) != std::string_view::npos;
           });
}

bool looks_like_access_key(std::string_view text) {
    return text.size() == 20 && (text.starts_with("AKIA") || text.starts_with("ASIA"));
}

Error bad(std::string message) {
    return Error(Code::invalid_argument, std::move(message), "ValidationError");
}
Error no_user(std::string_view name) {
    return Error(Code::not_found, "there is no user " + std::string(name), "NoSuchEntity");
}
Error no_key(std::string_view id) {
    return Error(Code::not_found, "there is no access key " + std::string(id), "NoSuchEntity");
}
Error changed_meanwhile() {
    return Error(Code::conflict, "the user was changed by somebody else meanwhile; try again",
                 "ConcurrentModification");
}

Status check_user_name(std::string_view name) {
    if (!is_name(name)) return bad("a user name holds 1 to 64 of A-Z a-z 0-9 + = , . @ _ -");
    if (name == kRoot) return bad("the name root is taken by the lake's owner");
    if (looks_like_access_key(name)) return bad("a user name may not look like an access key id");
    return ok_status();
}

Status check_policies(const std::map<std::string, std::string>& policies) {
    if (policies.size() > kPoliciesMax)
        return bad("at most " + std::to_string(kPoliciesMax) + " policies");
    for (const auto& policy : policies)
        if (!is_name(policy.first)) return bad("a policy's name holds 1 to 64 letters and digits");
    auto parsed = parse_policies(policies, "the user or role");
    if (!parsed.ok()) return std::move(parsed).error();
    return ok_status();
}

Status check_roles(const std::vector<std::string>& roles) {
    for (const std::string& role : roles)
        if (!is_name(role)) return bad("a role's name holds 1 to 64 letters and digits");
    return ok_status();
}

Status check_attributes(const std::map<std::string, std::string>& attributes) {
    if (attributes.size() > kAttributesMax)
        return bad("at most " + std::to_string(kAttributesMax) + " attributes");
    for (const auto& [name, value] : attributes) {
        if (!is_name(name)) return bad("an attribute's name holds 1 to 64 letters and digits");
        if (value.size() > kAttributeBytesMax) return bad("the attribute " + name + " is too long");
    }
    return ok_status();
}

// Uniform over the alphabet: bytes beyond its last whole multiple are thrown away.
std::string random_text(std::string_view alphabet, size_t size) {
    const size_t whole = 256 - 256 % alphabet.size();
    std::string text;
    while (text.size() < size) {
        for (const char c : random_bytes(size)) {
            const auto byte = static_cast<uint8_t>(c);
            if (byte < whole && text.size() < size)
                text.push_back(alphabet[byte % alphabet.size()]);
        }
    }
    return text;
}

// Letters and digits only, so that a secret can stand in a connection string as it is: 238 bits.
NewAccessKey random_access_key() {
    return {"AKIA" + random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40)};
}

std::string random_account_id() {
    return random_text("123456789", 1) + random_text("0123456789", 11);
}

UserInfo with_keys(const Directory& directory, const UserEntry& user) {
    UserInfo info = user.info;
    for (const std::string& id : user.key_ids) {
        const KeyEntry& key = directory.keys.at(id);
        info.keys.push_back(key.info);
        if (const int64_t at = key.use->at_micros; at > 0) info.keys.back().last_used = {{at}};
    }
    return info;
}

UserEntry new_entry(const std::string& name, Timestamp now) {
    UserEntry user;
    user.info.name = name;
    user.info.created = now;
    user.scram_salt = random_bytes(kScramSaltBytes);
    user.scram_iterations = kScramIterations;
    return user;
}

// The keys that a name may sign in with: itself, or the user's.
std::vector<const KeyEntry*> keys_of_name(const Directory& directory, std::string_view name) {
    std::vector<const KeyEntry*> keys;
    const auto key = directory.keys.find(name);
    if (key != directory.keys.end()) {
        if (key->second.info.active) keys.push_back(&key->second);
        return keys;
    }
    const auto user = directory.users.find(name);
    if (user == directory.users.end()) return keys;
    for (const std::string& id : user->second.key_ids) {
        const KeyEntry& one = directory.keys.at(id);
        if (one.info.active) keys.push_back(&one);
    }
    return keys;
}

const UserEntry* user_of_name(const Directory& directory, std::string_view name) {
    const auto key = directory.keys.find(name);
    const auto user = directory.users.find(
        key == directory.keys.end() ? name : std::string_view(key->second.user));
    return user == directory.users.end() ? nullptr : &user->second;
}

}  // namespace

Users::Users(meta::Store& store, const Keyring& keyring, const Clock& clock)
    : store_(store), keyring_(keyring), clock_(clock) {}

Users::~Users() = default;

Result<std::unique_ptr<Users>> Users::open(meta::Store& store, const Keyring& keyring,
                                           const Clock& clock) {
    TARN_TRY(account, store.get(records::account_key()));
    if (!account) {
        meta::Batch batch;
        batch.require_absent(records::account_key(), changed_meanwhile());
        batch.put(records::account_key(),
                  records::encode_account(random_account_id(), clock.now()));
        TARN_CHECK_OK(store.commit(std::move(batch)));
    }
    std::unique_ptr<Users> users(new Users(store, keyring, clock));
    MutexLock lock(users->change_mutex_);
    TARN_CHECK_OK(users->reload());
    return users;
}

std::shared_ptr<const Directory> Users::directory() const {
    MutexLock lock(mutex_);
    return directory_;
}

Status Users::reload() {
    const auto before = directory();
    TARN_TRY(loaded, records::load(*store_.snapshot(), keyring_, before.get()));
    unread_ = false;
    MutexLock lock(mutex_);
    directory_ = std::move(loaded);
    return ok_status();
}

Status Users::read_back() {
    MutexLock lock(change_mutex_);
    if (!unread_) return ok_status();
    TARN_CHECK_OK(reload());
    log_info("security", "users are read again");
    return ok_status();
}

Result<std::shared_ptr<const Directory>> Users::to_change() {
    if (unread_) TARN_CHECK_OK(reload());
    return directory();
}

Status Users::commit_and_reload(meta::Batch batch, meta::Batch with) {
    assert_may_block();
    batch.merge(std::move(with));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    // It is committed: a key that was taken back must not go on because reads fail.
    Status loaded = reload();
    for (int tries = 1; !loaded.ok() && tries < kReloadsMax; ++tries) {
        std::this_thread::sleep_for(kReloadPause * tries);
        loaded = reload();
    }
    if (loaded.ok()) return loaded;
    log_error("security", "users can't be read: nobody signs in until they can",
              {{"why", loaded.error().message}});
    auto nobody = std::make_shared<Directory>();
    nobody->account_id = account_id();
    unread_ = true;
    MutexLock lock(mutex_);
    directory_ = std::move(nobody);
    return loaded;
}

std::string Users::account_id() const {
    return directory()->account_id;
}

Result<RootKey> Users::ensure_root() {
    MutexLock lock(change_mutex_);
    const auto now = directory();
    const auto root = now->users.find(kRoot);
    if (root != now->users.end()) {
        for (const std::string& id : root->second.key_ids) {
            const KeyEntry& key = now->keys.at(id);
            if (key.info.active) return RootKey{{id, key.credential->secret}, false};
        }
    }
    meta::Batch batch;
    UserEntry user =
        root != now->users.end() ? root->second : new_entry(std::string(kRoot), clock_.now());
    if (root == now->users.end()) {
        batch.require_absent(records::user_key(kRoot), changed_meanwhile());
        batch.put(records::user_key(kRoot), records::encode_user(user));
    }
    const NewAccessKey key = put_new_key(batch, user);
    TARN_CHECK_OK(commit_and_reload(std::move(batch), {}));
    return RootKey{key, true};
}

NewAccessKey Users::put_new_key(meta::Batch& batch, const UserEntry& user) const {
    const NewAccessKey made = random_access_key();
    KeyEntry key;
    key.info = {made.id, true, clock_.now(), std::nullopt};
    key.user = user.info.name;
    key.credential = std::make_shared<const Credential>(Credential{
        {}, made.secret, make_scram_verifier(made.secret, user.scram_salt, user.scram_iterations)});
    batch.require_absent(records::access_key_key(made.id), changed_meanwhile());
    batch.put(records::access_key_key(made.id), records::encode_key(key, keyring_));
    return made;
}

Status Users::write_credentials_file(io::Disk& disk, const std::string& path) const {
    const auto now = directory();
    for (const KeyEntry* key : keys_of_name(*now, kRoot)) {
        return io::replace_file(disk, path,
                                "[default]\naws_access_key_id = " + key->info.id +
                                    "\naws_secret_access_key = " + key->credential->secret + "\n");
    }
    return Error(Code::not_found, "the root has no active access key");
}

Result<UserInfo> Users::create_user(NewUser user, meta::Batch with) {
    TARN_CHECK_OK(check_user_name(user.name));
    TARN_CHECK_OK(check_policies(user.policies));
    TARN_CHECK_OK(check_roles(user.roles));
    TARN_CHECK_OK(check_attributes(user.attributes));
    UserEntry entry = new_entry(user.name, clock_.now());
    entry.info.policies = std::move(user.policies);
    entry.info.roles = std::move(user.roles);
    entry.info.attributes = std::move(user.attributes);
    meta::Batch batch;
    batch.require_absent(records::user_key(user.name),
                         Error(Code::already_exists, "the user " + user.name + " exists already",
                               "EntityAlreadyExists"));
    batch.put(records::user_key(user.name), records::encode_user(entry));
    {
        MutexLock lock(change_mutex_);
        TARN_CHECK_OK(commit_and_reload(std::move(batch), std::move(with)));
    }
    return get_user(user.name);
}

Status Users::delete_user(std::string_view name, meta::Batch with) {
    if (name == kRoot) return bad("the root can't be deleted");
    MutexLock lock(change_mutex_);
    TARN_TRY(now, to_change());
    const auto user = now->users.find(name);
    if (user == now->users.end()) return no_user(name);
    meta::Batch batch;
    batch.require_version(records::user_key(name), user->second.version, changed_meanwhile());
    batch.erase(records::user_key(name));
    for (const std::string& id : user->second.key_ids) {
        batch.erase(records::access_key_key(id));
        batch.erase(records::use_key(id));
    }
    return commit_and_reload(std::move(batch), std::move(with));
}

std::vector<UserInfo> Users::list_users() const {
    const auto now = directory();
    std::vector<UserInfo> users;
    for (const auto& [name, user] : now->users) users.push_back(with_keys(*now, user));
    std::stable_partition(users.begin(), users.end(),
                          [](const UserInfo& user) { return user.name == kRoot; });
    return users;
}

Result<UserInfo> Users::get_user(std::string_view name) const {
    const auto now = directory();
    const auto user = now->users.find(name);
    if (user == now->users.end()) return no_user(name);
    return with_keys(*now, user->second);
}

Status Users::change_user(std::string_view name, const std::function<Status(UserInfo&)>& change,
                          meta::Batch with) {
    MutexLock lock(change_mutex_);
    TARN_TRY(now, to_change());
    const auto found = now->users.find(name);
    if (found == now->users.end()) return no_user(name);
    if (name == kRoot) return bad("the root has no policies, roles or attributes: it may do all");
    UserEntry user = found->second;
    TARN_CHECK_OK(change(user.info));
    meta::Batch batch;
    batch.require_version(records::user_key(name), user.version, changed_meanwhile());
    batch.put(records::user_key(name), records::encode_user(user));
    return commit_and_reload(std::move(batch), std::move(with));
}

Status Users::put_user_policy(std::string_view name, std::string_view policy_name,
                              std::string_view document, meta::Batch with) {
    return change_user(
        name,
        [&](UserInfo& user) {
            user.policies[std::string(policy_name)] = document;
            return check_policies(user.policies);
        },
        std::move(with));
}

Status Users::delete_user_policy(std::string_view name, std::string_view policy_name,
                                 meta::Batch with) {
    return change_user(
        name,
        [&](UserInfo& user) -> Status {
            if (user.policies.erase(std::string(policy_name)) == 1) return ok_status();
            return Error(Code::not_found, "the user has no policy " + std::string(policy_name),
                         "NoSuchEntity");
        },
        std::move(with));
}

Status Users::set_user_roles(std::string_view name, std::vector<std::string> roles,
                             meta::Batch with) {
    TARN_CHECK_OK(check_roles(roles));
    return change_user(
        name,
        [&](UserInfo& user) {
            user.roles = std::move(roles);
            return ok_status();
        },
        std::move(with));
}

Status Users::set_user_attributes(std::string_view name,
                                  std::map<std::string, std::string> attributes, meta::Batch with) {
    TARN_CHECK_OK(check_attributes(attributes));
    return change_user(
        name,
        [&](UserInfo& user) {
            user.attributes = std::move(attributes);
            return ok_status();
        },
        std::move(with));
}

Result<NewAccessKey> Users::create_key(std::string_view user_name, meta::Batch with) {
    MutexLock lock(change_mutex_);
    TARN_TRY(now, to_change());
    const auto user = now->users.find(user_name);
    if (user == now->users.end()) return no_user(user_name);
    if (user->second.key_ids.size() >= kKeysPerUser) {
        return Error(Code::exhausted,
                     "the user has " + std::to_string(kKeysPerUser) +
                         " access keys already; delete one first",
                     "LimitExceeded");
    }
    meta::Batch batch;
    batch.require_version(records::user_key(user_name), user->second.version, changed_meanwhile());
    const NewAccessKey made = put_new_key(batch, user->second);
    TARN_CHECK_OK(commit_and_reload(std::move(batch), std::move(with)));
    return made;
}

// Somebody must remain who may do everything.
Status Users::refuse_last_root_key(const Directory& now, const KeyEntry& key) {
    if (key.user != kRoot || !key.info.active || keys_of_name(now, kRoot).size() > 1)
        return ok_status();
    return Error(Code::conflict, "this is the root's last active access key; make another first",
                 "DeleteConflict");
}

Status Users::set_key_active(std::string_view access_key_id, bool active, meta::Batch with) {
    MutexLock lock(change_mutex_);
    TARN_TRY(now, to_change());
    const auto found = now->keys.find(access_key_id);
    if (found == now->keys.end()) return no_key(access_key_id);
    if (!active) TARN_CHECK_OK(refuse_last_root_key(*now, found->second));
    KeyEntry key = found->second;
    key.info.active = active;
    meta::Batch batch;
    batch.require_version(records::access_key_key(access_key_id), key.version, changed_meanwhile());
    batch.put(records::access_key_key(access_key_id), records::encode_key(key, keyring_));
    return commit_and_reload(std::move(batch), std::move(with));
}

Status Users::delete_key(std::string_view access_key_id, meta::Batch with) {
    MutexLock lock(change_mutex_);
    TARN_TRY(now, to_change());
    const auto key = now->keys.find(access_key_id);
    if (key == now->keys.end()) return no_key(access_key_id);
    TARN_CHECK_OK(refuse_last_root_key(*now, key->second));
    meta::Batch batch;
    batch.require_version(records::access_key_key(access_key_id), key->second.version,
                          changed_meanwhile());
    batch.erase(records::access_key_key(access_key_id)).erase(records::use_key(access_key_id));
    return commit_and_reload(std::move(batch), std::move(with));
}

Status Users::put_role(std::string_view role, std::map<std::string, std::string> policies,
                       meta::Batch with) {
    TARN_CHECK_OK(check_roles({std::string(role)}));
    TARN_CHECK_OK(check_policies(policies));
    MutexLock lock(change_mutex_);
    meta::Batch batch;
    batch.put(records::role_key(role), records::encode_role(policies));
    return commit_and_reload(std::move(batch), std::move(with));
}

Status Users::delete_role(std::string_view role, meta::Batch with) {
    MutexLock lock(change_mutex_);
    meta::Batch batch;
    batch.require_present(
        records::role_key(role),
        Error(Code::not_found, "there is no role " + std::string(role), "NoSuchEntity"));
    batch.erase(records::role_key(role));
    return commit_and_reload(std::move(batch), std::move(with));
}

std::map<std::string, std::map<std::string, std::string>> Users::list_roles() const {
    std::map<std::string, std::map<std::string, std::string>> roles;
    for (const auto& [name, role] : directory()->roles) roles.emplace(name, role.documents);
    return roles;
}

std::shared_ptr<const Credential> Users::find_key(std::string_view access_key_id) const {
    const auto now = directory();
    const auto key = now->keys.find(access_key_id);
    if (key == now->keys.end() || !key->second.info.active) return nullptr;
    return key->second.credential;
}

Result<Principal> Users::verify_password(std::string_view name, std::string_view password) const {
    const auto now = directory();
    // Hashes, so that neither the length nor a common beginning of a secret shows in the time it
    // takes.
    const std::string given = codec::sha256(password);
    std::vector<const KeyEntry*> keys = keys_of_name(*now, name);
    const Credential* fitting = nullptr;
    for (const KeyEntry* key : keys) {
        if (equal_constant_time(codec::sha256(key->credential->secret), given))
            fitting = key->credential.get();
    }
    if (keys.empty()) (void)equal_constant_time(codec::sha256(std::string(40, 'x')), given);
    if (fitting != nullptr) return fitting->principal;
    return Error(Code::unauthenticated, "wrong user name or password", "password");
}

Users::ScramCandidates Users::scram_candidates(std::string_view name) const {
    const auto now = directory();
    ScramCandidates candidates;
    const UserEntry* user = user_of_name(*now, name);
    const std::string made_up =
        codec::hmac_sha256(keyring_.derive("scram salt of unknown users"), name);
    candidates.account.salt =
        user != nullptr ? user->scram_salt : made_up.substr(0, kScramSaltBytes);
    candidates.account.iterations = user != nullptr ? user->scram_iterations : kScramIterations;
    for (const KeyEntry* key : keys_of_name(*now, name)) {
        candidates.account.verifiers.push_back(key->credential->scram);
        candidates.credentials.push_back(key->credential);
    }
    return candidates;
}

Result<Principal> Users::principal_of(std::string_view name) const {
    const auto now = directory();
    const auto user = now->users.find(name);
    if (user == now->users.end()) return no_user(name);
    Principal principal;
    const UserInfo& info = user->second.info;
    principal.kind = name == kRoot ? Principal::Kind::root : Principal::Kind::user;
    principal.name = info.name;
    principal.arn = info.arn;
    principal.roles = info.roles;
    principal.attributes = info.attributes;
    return principal;
}

void Users::note_used(std::string_view access_key_id) const {
    const auto directory_now = directory();
    const auto key = directory_now->keys.find(access_key_id);
    if (key == directory_now->keys.end()) return;
    const Timestamp now = clock_.now();
    std::atomic<int64_t>& at = key->second.use->at_micros;
    int64_t before = at;
    if (now.micros - before < kUseGrainMicros || !at.compare_exchange_strong(before, now.micros))
        return;
    meta::Batch batch;
    const auto gone = Error(Code::not_found, "the key is gone");
    batch.require_present(records::access_key_key(access_key_id), gone);
    batch.put(records::use_key(access_key_id), records::encode_use(now));
    store_.commit(std::move(batch), [](Result<meta::Commit> done) {
        if (!done.ok() && done.error().code != Code::not_found)
            log_warning("security", "the last use of an access key was not kept",
                        {{"error", done.error().message}});
    });
}

std::shared_ptr<const std::vector<Policy>> Users::policies_of(const Principal& principal) const {
    const auto now = directory();
    if (principal.kind == Principal::Kind::user) {
        const auto user = now->users.find(principal.name);
        if (user != now->users.end()) return user->second.policies;
    }
    auto policies = std::make_shared<std::vector<Policy>>();
    if (principal.kind != Principal::Kind::session) return policies;
    for (const std::string& name : principal.roles) {
        const auto role = now->roles.find(name);
        if (role == now->roles.end()) continue;
        policies->insert(policies->end(), role->second.policies.begin(),
                         role->second.policies.end());
    }
    return policies;
}

}  // namespace tarn::security
