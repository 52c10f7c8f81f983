// The evidence behind the audit trail: signed digests, and whether the records still fit them.
#include "codec/text.h"
#include "protocols/admin/internal/api.h"
#include "security/audit_chain.h"
#include "security/audit_check.h"

namespace tarn::admin {
namespace {

constexpr uint64_t kDigestsMax = 1000;
constexpr uint64_t kRecordsAtOnce = 500'000;  // of one call: about a second

Error without_chain() {
    return Error(Code::unimplemented, "this server was started without an audit chain");
}

Json digest_json(const security::AuditDigest& digest) {
    return Json::parse(digest.to_json());
}

}  // namespace

Result<ApiResponse> list_audit_digests(const DoorParts& parts, ApiRequest& request) {
    if (parts.audit_chain == nullptr) return without_chain();
    TARN_TRY(from, number_in(request.http, "from"));
    TARN_TRY(limit, number_in(request.http, "limit"));
    const size_t most = std::clamp<uint64_t>(limit.value_or(100), 1, kDigestsMax);
    TARN_TRY(digests, parts.audit_chain->digests(from.value_or(0), most));
    Json body = {{"account", parts.users->account_id()},
                 {"public_key", codec::hex_encode(parts.audit_chain->public_key())},
                 {"digests", Json::array()}};
    for (const auto& digest : digests) body["digests"].push_back(digest_json(digest));
    if (digests.size() == most) body["next"] = digests.back().number + 1;
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> sign_audit_digest(const DoorParts& parts, ApiRequest&) {
    if (parts.audit_chain == nullptr) return without_chain();
    TARN_CHECK_OK(parts.audit->flush());
    TARN_TRY(digest, parts.audit_chain->sign());
    TARN_CHECK_OK(parts.audit_chain->anchor());
    return ApiResponse{200, {{"digest", digest ? digest_json(*digest) : Json()}}, {}};
}

Result<ApiResponse> check_audit_trail(const DoorParts& parts, ApiRequest& request) {
    if (parts.audit_chain == nullptr) return without_chain();
    TARN_TRY(from, number_in(request.http, "from"));
    const auto state = parts.store->snapshot();
    TARN_TRY(check, security::check_audit(*state, parts.audit_chain->public_key(), from.value_or(0),
                                          kRecordsAtOnce));
    Json problems = Json::array();
    for (const auto& problem : check.problems)
        problems.push_back({{"kind", security::to_string(problem.kind)},
                            {"first", problem.first},
                            {"last", problem.last},
                            {"text", problem.text}});
    Json body = {{"digests", check.digests},
                 {"records", check.records},
                 {"problems", std::move(problems)},
                 {"oldest", check.oldest}};
    if (check.next) {
        body["next"] = *check.next;
    } else {
        body["signed_to"] = check.signed_to;
        body["chained_to"] = check.chained_to;
        body["end"] = check.end;
    }
    return ApiResponse{200, std::move(body), {}};
}

}  // namespace tarn::admin
