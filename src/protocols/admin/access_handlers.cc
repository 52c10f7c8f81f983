// Who may see what: of a table, each user; of a user, each table. And who did read, by the sums of
// the audit trail.
#include <algorithm>

#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/catalog_view.h"
#include "security/audit_usage.h"

namespace tarn::admin {
namespace {

constexpr size_t kReadersMax = 100;
constexpr uint64_t kHoursMax = 24 * 31;

/// The principal's window on the table: columns, rows, masks; each grant by itself too, because
/// they combine per cell.
Json sight_json(const DoorParts& parts, const SeenTable& all, const security::Principal& who) {
    const auto access = access_of(parts, who, all.info.database, all.info.name);
    Json out = {{"extent", "none"},
                {"columns", Json::array()},
                {"hidden", Json::array()},
                {"grants", Json::array()}};
    if (!access.ok()) {
        out["problem"] = access.error().message;
        return out;
    }
    if (!access->read.empty()) out["extent"] = access->unrestricted() ? "whole" : "part";
    for (const auto& column : all.columns) {
        bool shown = false, plain = false;
        for (const auto& grant : access->read) {
            if (!grant.all_columns && std::find(grant.columns.begin(), grant.columns.end(),
                                                column.name) == grant.columns.end())
                continue;
            shown = true;
            plain = plain || !grant.masks.contains(column.name);
        }
        if (shown)
            out["columns"].push_back({{"name", column.name}, {"masked", !plain}});
        else
            out["hidden"].push_back(column.name);
    }
    for (const auto& grant : access->read)
        out["grants"].push_back({{"all_columns", grant.all_columns},
                                 {"columns", grant.columns},
                                 {"rows", grant.row_filter},
                                 {"masks", grant.masks}});
    out["may"] = {{"insert", access->insert},
                  {"update", access->update},
                  {"delete", access->remove},
                  {"alter", access->alter}};
    return out;
}

Json user_head(const security::Principal& who) {
    return {{"user", who.name}, {"roles", who.roles}, {"attributes", who.attributes}};
}

bool covers(const std::string& pattern, const tables::RelationInfo& table) {
    return pattern == "*" || pattern == table.database + ".*" || pattern == table.full_name();
}

Json top_of(const std::map<std::string, uint64_t>& counts, size_t most) {
    std::vector<std::pair<uint64_t, std::string>> sorted;
    for (const auto& [name, times] : counts) sorted.emplace_back(times, name);
    std::sort(sorted.rbegin(), sorted.rend());
    Json out = Json::array();
    for (size_t i = 0; i < sorted.size() && i < most; ++i)
        out.push_back({{"name", sorted[i].second}, {"times", sorted[i].first}});
    return out;
}

}  // namespace

Result<ApiResponse> get_table_access(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr)
        return Error(Code::unimplemented, "this server was started without tables");
    TARN_TRY(seen, CatalogView(parts, request.caller.principal)
                       .find(request.path_values[0], request.path_values[1]));
    // The answer names every column and row filter.
    if (!seen.whole)
        return Error(Code::permission_denied,
                     "who may see " + seen.full_name() + " is told to who sees it whole");
    Json users = Json::array(), roles = Json::object();
    for (const auto& user : parts.users->list_users()) {
        auto who = parts.users->principal_of(user.name);
        if (!who.ok()) continue;
        users.push_back(user_head(*who));
        users.back().update(sight_json(parts, seen, *who));
    }
    for (const auto& [role, grants] : parts.grants->roles()) {
        // What else the role sees is not the caller's to know.
        govern::RoleGrants touching;
        for (const auto& [pattern, grant] : grants)
            if (covers(pattern, seen.info)) touching.emplace(pattern, grant);
        if (!touching.empty()) roles[role] = Json::parse(govern::to_json(touching), nullptr, false);
    }
    return ApiResponse{
        200,
        {{"table", seen.full_name()}, {"users", std::move(users)}, {"roles", std::move(roles)}},
        {}};
}

Result<ApiResponse> get_user_access(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr)
        return Error(Code::unimplemented, "this server was started without tables");
    TARN_TRY(who, parts.users->principal_of(request.path_values[0]));
    bool truncated = false;
    TARN_TRY(all, CatalogView(parts, request.caller.principal).all(&truncated));
    Json tables = Json::array();
    for (const auto& seen : all) {
        if (!seen.whole) continue;
        Json one = {{"database", seen.info.database}, {"table", seen.info.name}};
        one.update(sight_json(parts, seen, who));
        tables.push_back(std::move(one));
    }
    Json body = user_head(who);
    body["tables"] = std::move(tables);
    body["truncated"] = truncated;
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> get_usage(const DoorParts& parts, ApiRequest& request) {
    if (parts.audit_usage == nullptr)
        return Error(Code::unimplemented,
                     "this server was started without sums of its audit trail");
    TARN_TRY(hours, number_in(request.http, "hours"));
    TARN_TRY(report, parts.audit_usage->since(std::chrono::hours(
                         std::clamp<uint64_t>(hours.value_or(24), 1, kHoursMax))));
    const auto& readers = report.sums.readers;
    std::vector<std::pair<uint64_t, std::string>> order;
    for (const auto& [name, reader] : readers)
        order.emplace_back(reader.times + reader.refused + reader.failed, name);
    std::sort(order.rbegin(), order.rend());
    Json out = Json::array();
    for (size_t i = 0; i < order.size() && i < kReadersMax; ++i) {
        const auto& reader = readers.at(order[i].second);
        out.push_back({{"principal", order[i].second},
                       {"times", reader.times},
                       {"refused", reader.refused},
                       {"failed", reader.failed},
                       {"bytes", reader.bytes},
                       {"last", format_iso8601(reader.last)},
                       {"doors", top_of(reader.doors, 8)},
                       {"what", top_of(reader.what, 5)}});
    }
    return ApiResponse{200,
                       {{"readers", std::move(out)},
                        {"from", format_iso8601(report.from)},
                        {"records", report.sums.records},
                        {"truncated", report.sums.truncated || report.behind}},
                       {}};
}

Result<ApiResponse> get_growth(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr)
        return Error(Code::unimplemented, "this server was started without tables");
    TARN_TRY(hours, number_in(request.http, "hours"));
    constexpr int64_t kPoints = 48;
    const int64_t now_ms = parts.clock->now().micros / 1000;
    bool truncated = false;
    TARN_TRY(all, CatalogView(parts, request.caller.principal).all(&truncated));
    // Not from before there was anything.
    int64_t oldest = 60'000;
    for (const auto& seen : all)
        if (seen.whole) oldest = std::max(oldest, now_ms - seen.info.created.micros / 1000);
    const int64_t span_ms = std::min(
        oldest,
        static_cast<int64_t>(std::clamp<uint64_t>(hours.value_or(24), 1, kHoursMax)) * 3'600'000);
    std::vector<std::pair<int64_t, int64_t>> sums(kPoints + 1);  // bytes, rows
    for (const auto& seen : all) {
        if (!seen.whole || seen.table == nullptr) continue;
        const auto& snapshots = seen.table->metadata->snapshots;
        size_t next = 0;
        for (int64_t i = 0; i <= kPoints; ++i) {
            const int64_t at = now_ms - span_ms + span_ms * i / kPoints;
            while (next < snapshots.size() && snapshots[next]->timestamp_ms <= at) ++next;
            // Before the oldest snapshot that is kept, the table counts as it was then, from its
            // making on.
            const bool older =
                next == 0 && !snapshots.empty() && seen.info.created.micros / 1000 <= at;
            if (next == 0 && !older) continue;
            const Json counts = snapshot_counts(snapshots[next == 0 ? 0 : next - 1]);
            auto& sum = sums[static_cast<size_t>(i)];
            if (counts["bytes"].is_number()) sum.first += counts["bytes"].get<int64_t>();
            if (counts["rows"].is_number()) sum.second += counts["rows"].get<int64_t>();
        }
    }
    Json points = Json::array();
    for (int64_t i = 0; i <= kPoints; ++i)
        points.push_back(
            {{"at", format_iso8601({(now_ms - span_ms + span_ms * i / kPoints) * 1000})},
             {"bytes", sums[static_cast<size_t>(i)].first},
             {"rows", sums[static_cast<size_t>(i)].second}});
    return ApiResponse{200, {{"points", std::move(points)}, {"truncated", truncated}}, {}};
}

}  // namespace tarn::admin
