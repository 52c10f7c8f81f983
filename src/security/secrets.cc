#include "security/secrets.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "meta/keys.h"

namespace tarn::security {
namespace {

// "se" rest(name): 8 bytes, when it was set (microseconds, big endian), then the sealed value;
// docs/formats/sealed.md.
std::string key_of(const std::string& name) {
    return meta::Key("se").rest(name).str();
}

bool is_secret_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string encode_time(Timestamp at) {
    std::string out;
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(static_cast<uint64_t>(at.micros) >> shift));
    return out;
}

Timestamp decode_time(std::string_view bytes) {
    uint64_t micros = 0;
    for (size_t i = 0; i < 8; ++i) micros = micros << 8 | static_cast<uint8_t>(bytes[i]);
    return {static_cast<int64_t>(micros)};
}

}  // namespace

Result<std::unique_ptr<Secrets>> Secrets::open(meta::Store& store, const Keyring& keyring,
                                               const Clock& clock,
                                               std::map<std::string, Given> given) {
    std::unique_ptr<Secrets> secrets(new Secrets(store, keyring, clock, std::move(given)));
    TARN_CHECK_OK(secrets->load());
    return secrets;
}

Status Secrets::load() {
    const std::string all = meta::Key("se").str();
    auto walk = store_.scan({all, meta::prefix_end(all), false});
    MutexLock lock(mutex_);
    for (; walk->valid(); walk->next()) {
        TARN_TRY(record, walk->record());
        const std::string name(walk->key().substr(all.size()));
        if (record.value.size() < 8)
            return Error(Code::corrupted, "the record of secret " + name + " is cut off");
        TARN_TRY(value, keyring_.unseal(std::string(walk->key()),
                                        std::string_view(record.value).substr(8)));
        kept_[name] = {std::move(value), decode_time(record.value)};
    }
    return walk->status();
}

Status Secrets::set(const std::string& name, std::string_view value, meta::Batch with) {
    if (!is_secret_name(name))
        return Error(
            Code::invalid_argument,
            "a secret's name has lower-case letters, digits and _, a letter first, at most 63");
    if (value.empty() || value.size() > kBytesMax)
        return Error(Code::invalid_argument, "a secret has 1 to 65536 bytes");
    MutexLock one_at_a_time(change_mutex_);
    {
        MutexLock lock(mutex_);
        if (!kept_.contains(name) && kept_.size() >= kCountMax)
            return Error(Code::exhausted, "there are 10,000 secrets; remove some");
    }
    const Timestamp now = clock_.now();
    with.put(key_of(name), encode_time(now) + keyring_.seal(key_of(name), value));
    TARN_CHECK_OK(store_.commit(std::move(with)));
    MutexLock lock(mutex_);
    kept_[name] = {std::string(value), now};
    return ok_status();
}

Status Secrets::remove(const std::string& name, meta::Batch with) {
    MutexLock one_at_a_time(change_mutex_);
    with.require_present(
        key_of(name), Error(Code::not_found, "there is no secret '" + name + "' kept in the lake"));
    with.erase(key_of(name));
    TARN_CHECK_OK(store_.commit(std::move(with)));
    MutexLock lock(mutex_);
    kept_.erase(name);
    return ok_status();
}

std::vector<Secrets::Info> Secrets::list() const {
    std::map<std::string, Info> out;
    {
        MutexLock lock(mutex_);
        for (const auto& [name, kept] : kept_) out[name] = {name, "lake", kept.changed};
    }
    for (const auto& [name, given] : given_) out[name] = {name, given.from, std::nullopt};
    std::vector<Info> list;
    for (auto& [name, info] : out) list.push_back(std::move(info));
    return list;
}

std::optional<std::string> Secrets::find(const std::string& name) const {
    const auto given = given_.find(name);
    if (given != given_.end()) return given->second.value;
    MutexLock lock(mutex_);
    const auto kept = kept_.find(name);
    return kept == kept_.end() ? std::nullopt : std::optional<std::string>(kept->second.value);
}

std::map<std::string, Secrets::Given> secrets_in_environment(char** environment) {
    constexpr std::string_view kPrefix = "TARN_SECRET_";
    std::map<std::string, Secrets::Given> out;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const size_t equals = entry.find('=');
        if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
        std::string name(entry.substr(kPrefix.size(), equals - kPrefix.size()));
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (is_secret_name(name) && equals + 1 < entry.size())
            out[name] = {std::string(entry.substr(equals + 1)), "environment"};
    }
    return out;
}

Result<std::map<std::string, Secrets::Given>> read_secrets_file(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return Error(Code::not_found, "the secrets file " + path + ": " + std::strerror(errno));
    if ((info.st_mode & 077) != 0)
        return Error(Code::permission_denied,
                     "the secrets file " + path + " can be read by others: chmod 600 " + path);
    std::ifstream in(path);
    std::map<std::string, Secrets::Given> out;
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty() || line[0] == '#') continue;
        const size_t equals = line.find('=');
        const std::string name = line.substr(0, equals);
        if (equals == std::string::npos || !is_secret_name(name) || equals + 1 == line.size() ||
            line.size() > Secrets::kBytesMax)
            return Error(Code::invalid_argument, "the secrets file " + path + ", line " +
                                                     std::to_string(number) +
                                                     ": give name=value, the name in lower case");
        out[name] = {line.substr(equals + 1), "file"};
    }
    if (in.bad()) return Error(Code::io, "the secrets file " + path + " cannot be read");
    return out;
}

}  // namespace tarn::security
