#include "security/internal/audit_links.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "codec/json.h"
#include "codec/text.h"
#include "meta/keys.h"
#include "security/audit_chain.h"
#include "security/internal/audit_record.h"
#include "security/internal/canonical.h"

namespace tarn::security {

std::string links_prefix() {
    return meta::Key("al");
}
std::string links_key(uint64_t first) {
    return meta::Key("al").number(first);
}
std::string chain_state_key() {
    return meta::Key("ac");
}
std::string digests_prefix() {
    return meta::Key("ad");
}
std::string digest_key(uint64_t number) {
    return meta::Key("ad").number(number);
}
std::string audit_signing_key_key() {
    return meta::Key("ak");
}

std::string ChainState::to_json() const {
    codec::JsonWriter json;
    json.begin_object();
    json.member("next", static_cast<int64_t>(next)).member("chain", codec::hex_encode(chain));
    json.member("digests", static_cast<int64_t>(digests));
    json.member("signed_to", static_cast<int64_t>(signed_to));
    json.member("oldest", static_cast<int64_t>(oldest));
    json.member("signed_at", signed_at.micros).member("previous", codec::hex_encode(previous));
    json.end_object();
    return json.take();
}

Result<ChainState> ChainState::from_json(std::string_view json) {
    ChainState state;
    try {
        const auto parsed = nlohmann::json::parse(json);
        state.next = parsed.at("next").get<uint64_t>();
        state.digests = parsed.at("digests").get<uint64_t>();
        state.signed_to = parsed.at("signed_to").get<uint64_t>();
        state.oldest = parsed.at("oldest").get<uint64_t>();
        state.signed_at = {parsed.at("signed_at").get<int64_t>()};
        TARN_TRY(chain, codec::hex_decode(parsed.at("chain").get<std::string>()));
        TARN_TRY(previous, codec::hex_decode(parsed.at("previous").get<std::string>()));
        state.chain = std::move(chain);
        state.previous = std::move(previous);
    } catch (const nlohmann::json::exception&) {
        return Error(Code::corrupted, "the state of the audit trail's chain can't be read");
    }
    return state;
}

AuditBlocks::AuditBlocks(const meta::Reader& reader, uint64_t from)
    : iterator_(reader.scan({meta::sequence_key(audit_sequence(), from),
                             meta::prefix_end(audit_sequence()), false})) {}

Result<uint64_t> AuditBlocks::first() const {
    meta::KeyReader key(iterator_->key(), "a");
    const auto first = key.take_number();
    if (!first) return Error(Code::corrupted, "the audit trail holds a malformed key");
    return *first;
}

Status AuditBlocks::read(AuditBlock& block) const {
    TARN_TRY(at, first());
    TARN_TRY(record, iterator_->record());
    block.first = at;
    block.bytes = std::move(record.value);
    block.lines = split(block.bytes, '\n');
    return ok_status();
}

}  // namespace tarn::security
