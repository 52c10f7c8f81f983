// Whether a followed database and the lake hold the same: comparisons asked for, and what came of
// the last one.
#include "ingest/sources.h"
#include "ingest/verify.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/services_json.h"
#include "protocols/admin/internal/sight.h"
#include "protocols/admin/internal/verify.h"

namespace tarn::admin {

namespace {

std::optional<Timestamp> ended(const ingest::Verdict& verdict) {
    return verdict.finished.micros == 0 ? std::nullopt : std::optional(verdict.finished);
}

/// Keys and notes are cells of a table: for those who may see all of it.
Json table_json(const ingest::TableVerdict& table, bool whole) {
    Json out = {{"table", table.database + "." + table.name},
                {"state", ingest::to_string(table.state)},
                {"rows_source", table.rows_source},
                {"rows_lake", table.rows_lake},
                {"rows_estimated", table.rows_estimated},
                {"differences", table.differences},
                {"repaired", table.repaired},
                {"unsettled", table.unsettled}};
    if (!whole) return out;
    Json keys = Json::array();
    for (const auto& one : table.keys)
        keys.push_back({{"what", ingest::to_string(one.what)},
                        {"key", text_as_json(one.key)},
                        {"repaired", one.repaired}});
    out["keys"] = std::move(keys);
    out["note"] = table.note;
    return out;
}

Json verdict_json(const std::string& source, const ingest::Verdict& verdict, Sight& sight) {
    Json tables = Json::array();
    bool all = true;
    for (const auto& table : verdict.tables) {
        const flows::TableRef name{table.database, table.name};
        all = all && sight.whole(name);
        if (sight.any(name)) tables.push_back(table_json(table, sight.whole(name)));
    }
    return {{"source", source},
            {"running", verdict.running},
            {"started", optional_time(verdict.started)},
            {"finished", optional_time(ended(verdict))},
            {"scheduled", verdict.scheduled},
            {"repair", verdict.repair},
            {"equal", !verdict.running && verdict.equal()},
            {"differences", verdict.differences()},
            {"error", all || verdict.error.empty() ? verdict.error : kHidden},
            {"tables", std::move(tables)}};
}

Result<bool> repair_of(const ApiRequest& request) {
    if (!request.body.is_object() || !request.body.contains("repair")) return false;
    if (!request.body["repair"].is_boolean())
        return Error(Code::invalid_argument, "\"repair\" is true or false");
    return request.body["repair"].get<bool>();
}

Result<std::vector<std::string>> tables_of(const ApiRequest& request, const std::string& source) {
    std::vector<std::string> names;
    if (!request.body.is_object() || !request.body.contains("tables")) return names;
    const Error wrong(Code::invalid_argument, "\"tables\" is a list of names of tables");
    if (!request.body["tables"].is_array()) return wrong;
    for (const auto& one : request.body["tables"]) {
        if (!one.is_string()) return wrong;
        auto name = one.get<std::string>();
        if (name.starts_with(source + ".")) name = name.substr(source.size() + 1);
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace

Json last_verdict_json(const DoorParts& parts, const std::string& source) {
    if (parts.verifications == nullptr) return nullptr;
    const auto verdict = parts.verifications->verdict(source);
    if (!verdict.ok() || !*verdict) return nullptr;
    return {{"running", (*verdict)->running},
            {"finished", optional_time(ended(**verdict))},
            {"equal", !(*verdict)->running && (*verdict)->equal()},
            {"differences", (*verdict)->differences()},
            {"failed", !(*verdict)->error.empty()}};
}

Result<ApiResponse> verify_source(const DoorParts& parts, ApiRequest& request) {
    if (parts.verifications == nullptr) return without("sources");
    const std::string& source = request.path_values[0];
    ingest::VerifyRequest what;
    TARN_TRY(tables, tables_of(request, source));
    TARN_TRY(repair, repair_of(request));
    what.tables = std::move(tables);
    what.repair = repair;
    TARN_CHECK_OK(parts.verifications->request(source, std::move(what)));
    return ApiResponse{202, {{"source", source}, {"running", true}}, {}};
}

Result<ApiResponse> get_verdict(const DoorParts& parts, ApiRequest& request) {
    if (parts.verifications == nullptr) return without("sources");
    const std::string& source = request.path_values[0];
    TARN_TRY(verdict, parts.verifications->verdict(source));
    if (!verdict)
        return Error(Code::not_found, "source " + source + " was never compared with its lake");
    Sight sight(parts, request.caller.principal);
    return ApiResponse{200, verdict_json(source, *verdict, sight), {}};
}

}  // namespace tarn::admin
