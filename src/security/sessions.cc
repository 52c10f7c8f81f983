#include "security/sessions.h"

#include "base/bytes.h"
#include "base/lane.h"
#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "meta/keys.h"
#include "security/internal/session_records.h"

namespace tarn::security {
namespace {

constexpr size_t kIdBytes = 32;
// Last seen is written again only after this part of the idle time-out.
constexpr int kIdleGrain = 20;

Error signed_out() {
    return Error(Code::unauthenticated, "you are not signed in, or the session has ended",
                 "session");
}
Error bad_token() {
    return Error(Code::unauthenticated,
                 "this sign-in link was used before, has expired, or never was one", "token");
}

// The id itself is a secret; what follows from it needs no record of its own.
std::string csrf_of(std::string_view session_id) {
    return codec::hex_encode(codec::hmac_sha256(session_id, "csrf"));
}

std::string new_secret() {
    return codec::base64url_encode(random_bytes(kIdBytes));
}

}  // namespace

Sessions::Sessions(meta::Store& store, const Users& users, const Clock& clock,
                   SessionOptions options)
    : store_(store), users_(users), clock_(clock), options_(options) {}

bool Sessions::is_good_key(const std::string& access_key_id) const {
    return access_key_id.empty() || users_.find_key(access_key_id) != nullptr;
}

Result<std::string> Sessions::create_token(std::string_view user, std::string_view access_key_id,
                                           meta::Batch with) {
    TARN_CHECK_OK(users_.principal_of(user));
    const std::string token = new_secret();
    const Timestamp now = clock_.now();
    meta::Batch batch;
    batch.put(token_key(codec::sha256(token)),
              encode(TokenRecord{std::string(user), now, now.plus(options_.token_lifetime),
                                 std::string(access_key_id)}));
    batch.merge(std::move(with));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return token;
}

Result<NewSession> Sessions::redeem_token(std::string_view token, meta::Batch with) {
    const std::string key = token_key(codec::sha256(token));
    TARN_TRY(record, store_.get(key));
    if (!record) return bad_token();
    TARN_TRY(found, decode_token(record->value));
    auto principal = users_.principal_of(found.user);
    const auto user = users_.get_user(found.user);
    // A user who was deleted and made again is another user.
    const bool good = principal.ok() && user.ok() && found.created >= user->created &&
                      clock_.now() < found.expires && is_good_key(found.access_key_id);
    if (!good) return bad_token();
    meta::Batch batch;
    // Of two who use the link at once, one gets in.
    batch.require_version(key, record->version, bad_token());
    batch.erase(key);
    batch.merge(std::move(with));
    principal->access_key_id = found.access_key_id;
    return open_session(principal.value(), std::move(batch));
}

Result<NewSession> Sessions::open_session(const Principal& principal, meta::Batch with) {
    assert_may_block();
    const Timestamp now = clock_.now();
    NewSession session;
    session.id = new_secret();
    session.csrf_token = csrf_of(session.id);
    session.principal = principal;
    session.principal.access_key_id.clear();
    session.expires = now.plus(options_.session_lifetime);
    meta::Batch batch;
    batch.put(session_key(codec::sha256(session.id)),
              encode(SessionRecord{principal.name, now, session.expires, now,
                                   principal.access_key_id}));
    batch.merge(std::move(with));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return session;
}

Result<Session> Sessions::find(std::string_view session_id) {
    const std::string key = session_key(codec::sha256(session_id));
    TARN_TRY(record, store_.get(key));
    if (!record) return signed_out();
    TARN_TRY(found, decode_session(record->value));
    TARN_TRY(left, store_.get(signed_out_key(found.user)));
    auto principal = users_.principal_of(found.user);
    const auto user = users_.get_user(found.user);
    const Timestamp now = clock_.now();
    const bool good = principal.ok() && user.ok() && found.created >= user->created &&
                      (!left || meta::decode_counter(left->value) < found.created.micros) &&
                      now < found.expires && now.since(found.last_seen) < options_.idle_timeout &&
                      is_good_key(found.access_key_id);
    if (!good) return signed_out();
    if (now.since(found.last_seen) > options_.idle_timeout / kIdleGrain) {
        found.last_seen = now;
        meta::Batch batch;
        batch.require_version(key, record->version, signed_out());
        batch.put(key, encode(found));
        // Another request may have said so, or the session may just have ended: either way this one
        // goes on.
        store_.commit(std::move(batch), [](const Result<meta::Commit>&) {});
    }
    return Session{std::move(principal).value(), csrf_of(session_id), found.expires,
                   std::move(found.access_key_id)};
}

Status Sessions::check_csrf(const Session& session, std::string_view presented) {
    if (equal_constant_time(session.csrf_token, presented)) return ok_status();
    return Error(Code::permission_denied, "the request does not carry this session's token",
                 "csrf");
}

Status Sessions::sign_out(std::string_view session_id, meta::Batch with) {
    meta::Batch batch;
    batch.erase(session_key(codec::sha256(session_id)));
    batch.merge(std::move(with));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return ok_status();
}

Status Sessions::sign_out_everywhere(std::string_view user, meta::Batch with) {
    meta::Batch batch;
    std::string now;
    append_le<int64_t>(now, clock_.now().micros);
    batch.put(signed_out_key(user), now);
    batch.merge(std::move(with));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return ok_status();
}

Result<size_t> Sessions::remove_expired(size_t records_max) {
    const Timestamp now = clock_.now();
    meta::Batch batch;
    size_t looked = 0, removed = 0;
    const auto sweep = [&](const std::string& prefix, auto has_ended) -> Status {
        auto iterator = store_.scan({prefix, meta::prefix_end(prefix), false});
        for (; iterator->valid() && looked < records_max; iterator->next(), ++looked) {
            TARN_TRY(record, iterator->record());
            if (!has_ended(record.value)) continue;
            batch.erase(std::string(iterator->key()));
            ++removed;
        }
        return iterator->status();
    };
    TARN_CHECK_OK(sweep(token_key(""), [&](const std::string& value) {
        const auto token = decode_token(value);
        return !token.ok() || token->expires <= now;
    }));
    TARN_CHECK_OK(sweep(session_key(""), [&](const std::string& value) {
        const auto session = decode_session(value);
        return !session.ok() || session->expires <= now ||
               now.since(session->last_seen) >= options_.idle_timeout;
    }));
    if (removed == 0) return removed;
    batch.frees_space();
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return removed;
}

}  // namespace tarn::security
