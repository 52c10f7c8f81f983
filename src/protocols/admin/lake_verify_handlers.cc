// Whether all that is stored is as it was stored: a look over everything, in the background, and
// what the last one found.
#include "protocols/admin/internal/lake_verify.h"
#include "protocols/admin/internal/services_json.h"
#include "protocols/admin/lake_verdict_json.h"

namespace tarn::admin {

Json lake_verdict_json(const LakeVerdict& verdict) {
    Json looked_at = Json::object();
    for (const auto& [kind, tally] : verdict.found.looked_at)
        looked_at[kind] = {{"count", tally.things}, {"bytes", tally.bytes}};
    Json findings = Json::array();
    for (const auto& finding : verdict.found.findings)
        findings.push_back({{"kind", finding.kind == Finding::Kind::damage ? "damage" : "leftover"},
                            {"where", finding.where},
                            {"what", finding.what}});
    return {
        {"running", verdict.running},
        {"complete", verdict.complete},
        {"started", optional_time(verdict.started)},
        {"finished", optional_time(verdict.finished.micros == 0 ? std::nullopt
                                                                : std::optional(verdict.finished))},
        {"sound", verdict.sound()},
        {"damages", verdict.found.damages},
        {"leftovers", verdict.found.leftovers},
        {"looked_at", std::move(looked_at)},
        {"findings", std::move(findings)}};
}

Result<ApiResponse> verify_lake(const DoorParts& parts, ApiRequest&) {
    if (!parts.verify_lake) return without("a look over the lake");
    TARN_CHECK_OK(parts.verify_lake());
    return ApiResponse{202, {{"running", true}}, {}};
}

Result<ApiResponse> get_lake_verdict(const DoorParts& parts, ApiRequest&) {
    if (!parts.lake_verdict) return without("a look over the lake");
    const auto verdict = parts.lake_verdict();
    if (!verdict) return Error(Code::not_found, "this server has not looked over its lake yet");
    return ApiResponse{200, lake_verdict_json(*verdict), {}};
}

}  // namespace tarn::admin
