// Users, roles and keys as records, and what comes in a cookie or a sign-in link: whatever a record holds, it is read or said to
// be damaged; no text that we did not give signs anybody in.
#include "base/assert.h"
#include "base/fuzz.h"
#include "io/faulty_disk.h"
#include "security/internal/directory.h"
#include "security/sessions.h"

namespace {

using namespace tarn;
using namespace tarn::security;

struct Lake {
    Lake() {
        meta::LocalStoreOptions options;
        options.directory = "/lake";
        options.free_bytes_min = 0;
        store = meta::LocalStore::open(disk, clock, metrics, options).value();
        users = Users::open(*store, keyring, clock).value();
        TARN_ASSERT(users->create_user({"ann", {}, {"reader"}, {{"shop", "1"}}}).ok());
        sessions = std::make_unique<Sessions>(*store, *users, clock, SessionOptions{});
        token = sessions->create_token("ann", "").value();
        session = sessions->open_session(users->principal_of("ann").value()).value().id;
        user_record = store->get(records::user_key("ann")).value()->value;
    }

    io::FaultyDisk disk;
    SystemClock clock;
    Metrics metrics;
    const Keyring keyring{std::string(32, 'r')};
    std::unique_ptr<meta::LocalStore> store;
    std::unique_ptr<Users> users;
    std::unique_ptr<Sessions> sessions;
    std::string token, session, user_record;
};

Lake& lake() {
    static Lake& one = *new Lake;
    return one;
}

/// One record among those of the lake, for as long as it is looked at.
void read_record(const std::string& key, std::string_view value) {
    auto& at = lake();
    TARN_ASSERT(at.store->commit(meta::Batch().put(key, std::string(value))).ok());
    const auto read = records::load(*at.store, at.keyring, nullptr);
    if (read.ok())
        for (const auto& [name, user] : (*read)->users) TARN_ASSERT(!records::encode_user(user).empty());
    meta::Batch away;
    away.erase(key);
    TARN_ASSERT(at.store->commit(std::move(away)).ok());
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    return {"u" + lake().user_record, "r" + records::encode_role({{"p", R"({"Statement":[]})"}}), "k{}",
            "t" + std::string(43, 'A'), "c" + std::string(43, '_')};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const auto text = fuzz_text(data + 1, size - 1);
    auto& at = lake();
    switch (data[0]) {
        case 'u':
            read_record(records::user_key("bob"), text);
            break;
        case 'r':
            read_record(records::role_key("reader"), text);
            break;
        case 'k':
            read_record(records::access_key_key("AKIAAAAAAAAAAAAAAAAA"), text);
            break;
        case 't':
            if (text != at.token) TARN_ASSERT(!at.sessions->redeem_token(text).ok());
            break;
        default:
            if (text != at.session) TARN_ASSERT(!at.sessions->find(text).ok());
    }
    return 0;
}
