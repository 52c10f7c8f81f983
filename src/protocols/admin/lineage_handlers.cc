// Where a table's rows come from and what is made of them: sources, steps, tables, alerts,
// dashboards, as far as the server knows them and the caller may.
#include <algorithm>
#include <deque>

#include "dashboards/dashboards.h"
#include "flows/column_lineage.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "lakefile/applier.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/catalog_view.h"
#include "protocols/admin/internal/sight.h"

namespace tarn::admin {
namespace {

constexpr size_t kNodesMax = 400;

/// The lake as a graph of names: "table:main.levels", "source:erp", "alert:...", "dashboard:...".
class Links {
 public:
    void add(const std::string& from, const std::string& to, Json about = nullptr) {
        if (from == to) return;
        down_[from].insert(to);
        up_[to].insert(from);
        if (!about.is_null()) steps_[{from, to}] = std::move(about);
    }
    void describe(const std::string& node, Json about) { about_[node] = std::move(about); }

    /// Everything above and below `start`, not what lies beside it.
    Json around(const std::string& start) const {
        std::set<std::string> seen{start};
        walk(start, up_, seen);
        walk(start, down_, seen);
        Json nodes = Json::array(), edges = Json::array();
        for (const auto& id : seen) {
            Json node = {{"id", id},
                         {"kind", id.substr(0, id.find(':'))},
                         {"name", id.substr(id.find(':') + 1)}};
            if (const auto about = about_.find(id); about != about_.end())
                node.update(about->second);
            nodes.push_back(std::move(node));
            const auto below = down_.find(id);
            if (below == down_.end()) continue;
            for (const auto& to : below->second) {
                if (!seen.contains(to)) continue;
                Json edge = {{"from", id}, {"to", to}};
                if (const auto step = steps_.find({id, to}); step != steps_.end())
                    edge.update(step->second);
                edges.push_back(std::move(edge));
            }
        }
        return {{"nodes", std::move(nodes)},
                {"edges", std::move(edges)},
                {"truncated", seen.size() >= kNodesMax}};
    }

 private:
    using Edges = std::map<std::string, std::set<std::string>>;
    static void walk(const std::string& start, const Edges& edges, std::set<std::string>& seen) {
        std::deque<std::string> next{start};
        while (!next.empty() && seen.size() < kNodesMax) {
            const auto found = edges.find(next.front());
            next.pop_front();
            if (found == edges.end()) continue;
            for (const auto& one : found->second)
                if (seen.size() < kNodesMax && seen.insert(one).second) next.push_back(one);
        }
    }

    Edges up_, down_;
    std::map<std::pair<std::string, std::string>, Json> steps_;
    std::map<std::string, Json> about_;
};

std::string table_node(const flows::TableRef& table) {
    return "table:" + table.full_name();
}

bool may(const DoorParts& parts, const ApiRequest& request, std::string_view action) {
    const std::string lake =
        "arn:aws:tarn:" + parts.region + ":" + parts.users->account_id() + ":lake";
    return parts.authorizer->decide(request.caller, action, lake).ok();
}

void add_sources(const DoorParts& parts, Sight& sight, Links& links) {
    for (const auto& source : parts.sources->status()) {
        links.describe("source:" + source.name,
                       {{"how", source.kind}, {"state", ingest::to_string(source.state)}});
        for (const auto& table : source.tables)
            if (sight.any({table.database, table.name}))
                links.add("source:" + source.name, "table:" + table.database + "." + table.name);
    }
}

void add_steps(const DoorParts& parts, Sight& sight, bool may_list_alerts, Links& links) {
    for (const auto& step : parts.graph->status()) {
        const bool alert = step.name.starts_with("alerts.");
        if (alert ? !may_list_alerts : !step.output || !sight.any(*step.output)) continue;
        const std::string target =
            alert ? "alert:" + step.name.substr(7) : table_node(*step.output);
        const Json about = {{"step", step.name}, {"state", flows::to_string(step.state)}};
        links.describe(target, about);
        for (const auto& input : step.inputs)
            if (sight.any(input)) links.add(table_node(input), target, {{"step", step.name}});
    }
}

void add_dashboards(const DoorParts& parts, const security::Principal& who, Sight& sight,
                    Links& links) {
    for (const auto& spec : parts.dashboards->list()) {
        const auto tables = parts.dashboards->versions(spec.name, who);
        if (!tables.ok()) continue;
        links.describe("dashboard:" + spec.name, {{"title", spec.title}});
        for (const auto& [table, version] : *tables)
            if (table.find('.') != std::string::npos && sight.any(Sight::table_of(table)))
                links.add("table:" + table, "dashboard:" + spec.name);
    }
}

/// The columns of the computed table, each with the columns that it is made of; those of hidden
/// ones are left out.
Json columns_of(const CatalogView& view, const flows::TableSpec& spec,
                const std::vector<flows::TableRef>& inputs) {
    flows::InputColumns known;
    for (const auto& input : inputs) {
        auto seen = view.find(input.database, input.table);
        if (!seen.ok()) continue;
        for (const auto& column : seen->columns) known[input].push_back(column.name);
    }
    Json out = Json::array();
    for (const auto& column : flows::column_lineage(spec.sql, known)) {
        Json parts = Json::array();
        for (const auto& part : column.parts)
            parts.push_back({{"table", part.table.full_name()}, {"column", part.column}});
        out.push_back({{"table", spec.name.full_name()},
                       {"column", column.column},
                       {"from", std::move(parts)}});
    }
    return out;
}

/// Columns up: of the table itself; down: of the tables that read it.
void add_columns(const DoorParts& parts, const CatalogView& view, const flows::TableRef& table,
                 Sight& sight, Json& body) {
    body["columns_from"] = Json::array();
    body["columns_to"] = Json::array();
    const auto lake = parts.applier->current();
    std::map<flows::TableRef, std::vector<flows::TableRef>> inputs;
    for (const auto& step : parts.graph->status())
        if (step.output) inputs[*step.output] = step.inputs;
    for (const auto& spec : lake->tables) {
        const auto reads = inputs.find(spec.name);
        if (reads == inputs.end() || !sight.any(spec.name)) continue;
        const bool reads_it =
            std::find(reads->second.begin(), reads->second.end(), table) != reads->second.end();
        if (spec.name != table && !reads_it) continue;
        const auto visible = view.find(spec.name.database, spec.name.table);
        if (!visible.ok()) continue;
        for (auto& column : columns_of(view, spec, reads->second)) {
            const bool seen =
                std::any_of(visible->columns.begin(), visible->columns.end(),
                            [&](const auto& one) { return one.name == column["column"]; });
            if (seen)
                body[spec.name == table ? "columns_from" : "columns_to"].push_back(
                    std::move(column));
        }
        // What a table is computed by names columns and values: for who sees it and all that it
        // reads whole.
        if (spec.name == table && sight.whole(table) && sight.whole(reads->second)) {
            body["sql"] = spec.sql;
            body["checks"] = Json::array();
            for (const auto& check : spec.checks)
                body["checks"].push_back(
                    {{"expression", check.expression},
                     {"consequence", check.consequence == flows::Consequence::stop ? "stop"
                                     : check.consequence == flows::Consequence::set_aside
                                         ? "set_aside"
                                         : "warn"}});
        }
    }
}

}  // namespace

Result<ApiResponse> get_lineage(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr)
        return Error(Code::unimplemented, "this server was started without tables");
    request.caller.resource =
        parts.grants->table_arn(request.path_values[0], request.path_values[1]);
    const CatalogView view(parts, request.caller.principal);
    TARN_TRY(seen, view.find(request.path_values[0], request.path_values[1]));
    const flows::TableRef table{seen.info.database, seen.info.name};
    Sight sight(parts, request.caller.principal);
    Links links;
    if (parts.sources != nullptr && may(parts, request, "tarn:ListSources"))
        add_sources(parts, sight, links);
    if (parts.graph != nullptr)
        add_steps(parts, sight, may(parts, request, "tarn:ListAlerts"), links);
    if (parts.dashboards != nullptr) add_dashboards(parts, request.caller.principal, sight, links);
    Json body = links.around(table_node(table));
    if (parts.graph != nullptr && parts.applier != nullptr)
        add_columns(parts, view, table, sight, body);
    return ApiResponse{200, std::move(body), {}};
}

}  // namespace tarn::admin
