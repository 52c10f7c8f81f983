#include "dashboards/dashboards.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "dashboards/embed_links.h"
#include "lakefile/applier.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/live.h"

namespace tarn::admin {
namespace {

const char* word(dashboards::Role role) {
    switch (role) {
        case dashboards::Role::value:
            return "value";
        case dashboards::Role::x:
            return "x";
        case dashboards::Role::measure:
            return "measure";
        case dashboards::Role::forecast:
            return "forecast";
        case dashboards::Role::low:
            return "low";
        case dashboards::Role::high:
            return "high";
        case dashboards::Role::label:
            return "label";
        case dashboards::Role::latitude:
            return "latitude";
        case dashboards::Role::longitude:
            return "longitude";
        case dashboards::Role::series:
            return "series";
        case dashboards::Role::trend:
            return "trend";
    }
    return "";
}

/// Numbers that a browser can hold exactly are numbers (sums are decimals here); everything else is
/// text.
Json number_or_text(const std::string& text) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = failed == std::errc() && end == text.data() + text.size();
    if (!whole || number - number != 0 || text.size() > 16) return text;
    if (text.find_first_of(".eE") == std::string::npos) return static_cast<int64_t>(number);
    return number;
}

Json cell(const query::Column& column, size_t row) {
    if (column.is_null(row)) return nullptr;
    if (column.type().kind == query::Kind::boolean) return column.number(row) != 0;
    if (column.type().kind == query::Kind::float64 || column.type().kind == query::Kind::float32) {
        const double real = column.real(row);
        if (real - real == 0) return real;
    }
    if (column.type().kind == query::Kind::list) {
        Json out = Json::array();
        const query::Value list = column.value(row);
        for (const auto& value : std::get<query::Values>(list.of))
            out.push_back(value.is_null() ? Json(nullptr)
                          : std::holds_alternative<double>(value.of)
                              ? Json(std::get<double>(value.of))
                              : number_or_text(query::pg_text(column.type().children[0].second, value)));
        return out;
    }
    std::string text;
    column.append_pg_text(row, text);
    switch (column.type().kind) {
        case query::Kind::int16:
        case query::Kind::int32:
        case query::Kind::int64:
        case query::Kind::oid:
        case query::Kind::decimal:
            return number_or_text(text);
        default:
            return text;
    }
}

Json rows_of(const query::Chunk& chunk) {
    Json rows = Json::array();
    for (size_t row = 0; row < chunk.rows(); ++row) {
        Json one = Json::array();
        for (const auto& column : chunk.columns) one.push_back(cell(column, row));
        rows.push_back(std::move(one));
    }
    return rows;
}

Json as_of(const std::vector<dashboards::TableAsOf>& tables) {
    Json out = Json::array();
    for (const auto& table : tables) {
        // As text: a snapshot id has more digits than a browser's numbers.
        Json one = {{"name", table.name}, {"snapshot_id", std::to_string(table.snapshot_id)}};
        if (table.at) one["at"] = format_iso8601(*table.at);
        out.push_back(std::move(one));
    }
    return out;
}

Json chart_json(const dashboards::ChartData& chart) {
    Json out = {{"title", chart.spec.title},      {"kind", dashboards::word(chart.spec.kind)},
                {"width", dashboards::word(chart.spec.width)},
                {"unit", chart.spec.unit},        {"milliseconds", chart.milliseconds},
                {"from_cache", chart.from_cache}, {"tables", as_of(chart.tables)}};
    if (chart.error) {
        out["error"] = error_body(*chart.error)["error"];
        return out;
    }
    if (!chart.spec.from.empty()) out["from"] = chart.spec.from;
    if (!chart.spec.where.empty()) out["where"] = chart.spec.where;
    if (!chart.spec.by.empty()) out["by"] = chart.spec.by;
    if (!chart.spec.split.empty()) out["split"] = chart.spec.split;
    Json columns = Json::array();
    for (const auto& column : chart.columns) {
        Json one = {{"name", column.name},
                    {"type", query::pg_name(column.type)},
                    {"role", word(column.role)}};
        if (!column.of.empty()) one["of"] = column.of;
        columns.push_back(std::move(one));
    }
    out["columns"] = std::move(columns);
    out["rows"] = rows_of(*chart.rows);
    out["truncated"] = chart.truncated;
    out["filters_ignored"] = chart.filters_ignored;
    out["notes"] = chart.notes;
    return out;
}

Error no_dashboards() {
    return Error(Code::unimplemented, "this server was started without dashboards");
}

}  // namespace

Result<ApiResponse> list_dashboards(const DoorParts& parts, ApiRequest&) {
    if (parts.dashboards == nullptr) return no_dashboards();
    Json list = Json::array();
    for (const auto& spec : parts.dashboards->list())
        list.push_back({{"name", spec.name},
                        {"title", spec.title.empty() ? spec.name : spec.title},
                        {"filters", spec.filters},
                        {"charts", spec.charts.size()}});
    Json body = {{"dashboards", list}};
    if (parts.applier != nullptr) {
        TARN_TRY(applied, parts.applier->describe_current());
        body["lake"] = Json::parse(applied).value("lake", "");
    }
    return ApiResponse{200, std::move(body), {}};
}

/// What the lakefile counts of its tables, by table and name; of main without the database's name.
Result<ApiResponse> list_measures(const DoorParts& parts, ApiRequest& request) {
    if (parts.dashboards == nullptr) return no_dashboards();
    TARN_TRY(all, parts.dashboards->measures(request.caller.principal));
    Json out = Json::object();
    for (const auto& [table, named] : all)
        out[table.starts_with("main.") ? table.substr(5) : table] = named;
    return ApiResponse{200, {{"measures", std::move(out)}}, {}};
}

Result<ApiResponse> get_dashboard(const DoorParts& parts, ApiRequest& request) {
    if (parts.dashboards == nullptr) return no_dashboards();
    dashboards::Filters filters;
    for (const auto& parameter : request.http.query_parameters())
        if (!parameter.value.empty()) filters[parameter.name].push_back(parameter.value);
    for (const auto& [column, values] : request.fixed_filters) filters[column] = values;
    TARN_TRY(page, parts.dashboards->data(request.path_values[0], filters, request.caller));
    Json choices = Json::array();
    for (const auto& filter : page.filters) {
        // Other values of what a link fixes are nothing that its viewer can choose, or is told.
        const bool fixed = request.fixed_filters.contains(filter.name);
        choices.push_back({{"name", filter.name},
                           {"values", fixed ? filter.selected : filter.values},
                           {"selected", filter.selected},
                           {"more", !fixed && filter.more}});
    }
    Json charts = Json::array();
    for (const auto& chart : page.charts) charts.push_back(chart_json(chart));
    return ApiResponse{200,
                       {{"name", page.name},
                        {"title", page.title},
                        {"filters", std::move(choices)},
                        {"charts", std::move(charts)},
                        {"milliseconds", page.milliseconds},
                        {"at", format_iso8601(parts.clock->now())}},
                       {}};
}

namespace {

Json chart_words(const dashboards::ChartSpec& chart) {
    const std::string kind = dashboards::word(chart.kind);
    Json out = {{"title", chart.title}};
    if (chart.kind != dashboards::ChartSpec::Kind::table)
        out[kind] = chart.measures.size() == 1 ? Json(chart.measures[0]) : Json(chart.measures);
    else if (!chart.columns.empty())
        out[kind] = chart.columns;
    const std::pair<const char*, const std::string*> texts[] = {
        {"by", &chart.by},       {"split", &chart.split},   {"spark", &chart.spark}, {"from", &chart.from},
        {"where", &chart.where}, {"order", &chart.order},   {"sql", &chart.sql},     {"unit", &chart.unit},
        {"colour", &chart.colour}};
    for (const auto& [key, text] : texts)
        if (!text->empty()) out[key] = *text;
    if (chart.limit != 0) out["limit"] = chart.limit;
    if (chart.width != dashboards::ChartSpec::Width::automatic) out["width"] = dashboards::word(chart.width);
    return out;
}

Result<dashboards::DashboardSpec> spec_named(const DoorParts& parts, const std::string& name) {
    for (auto& spec : parts.dashboards->list())
        if (spec.name == name) return spec;
    return Error(Code::not_found, "there is no dashboard '" + name.substr(0, 100) + "'");
}

/// A filter that were left out because it is no list of texts would be a link that shows more than was asked for.
Result<dashboards::Filters> fixed_filters(const Json& body, const dashboards::DashboardSpec& spec) {
    dashboards::Filters filters;
    const auto given = body.find("filters");
    if (given == body.end() || given->is_null()) return filters;
    const Error wrong(Code::invalid_argument, "\"filters\" is {column: [text, ...]}, with one value at least for each");
    if (!given->is_object()) return wrong;
    for (const auto& [column, values] : given->items()) {
        if (std::find(spec.filters.begin(), spec.filters.end(), column) == spec.filters.end())
            return Error(Code::invalid_argument, "the dashboard has no filter '" + column + "'");
        if (!values.is_array() || values.empty()) return wrong;
        for (const auto& value : values) {
            if (!value.is_string()) return wrong;
            filters[column].push_back(value.get<std::string>());
        }
    }
    return filters;
}

Json embed_json(const dashboards::EmbedRecord& link) {
    return {{"id", link.id},
            {"dashboard", link.dashboard},
            {"user", link.user},
            {"by", link.by},
            {"filters", link.filters},
            {"made", format_iso8601(link.made)},
            {"expires", format_iso8601(link.expires)}};
}

}  // namespace

/// As a lakefile has it, to be edited and written back there.
Result<ApiResponse> get_dashboard_spec(const DoorParts& parts, ApiRequest& request) {
    if (parts.dashboards == nullptr) return no_dashboards();
    TARN_TRY(spec, spec_named(parts, request.path_values[0]));
    Json charts = Json::array();
    for (const auto& chart : spec.charts) charts.push_back(chart_words(chart));
    return ApiResponse{200,
                       {{"name", spec.name},
                        {"title", spec.title},
                        {"filters", spec.filters},
                        {"embed", spec.embed},
                        {"charts", std::move(charts)}},
                       {}};
}

Result<ApiResponse> create_embed(const DoorParts& parts, ApiRequest& request) {
    if (parts.dashboards == nullptr || parts.embeds == nullptr) return no_dashboards();
    TARN_TRY(spec, spec_named(parts, request.path_values[0]));
    if (spec.embed.empty())
        return Error(Code::precondition_failed,
                     "no page may frame this dashboard: list the origins that may in the lakefile, "
                     "dashboards." + spec.name + ".embed: [https://intranet.example]");
    const auto& principal = request.caller.principal;
    const std::string user = request.text_or("user", principal.name);
    if (user != principal.name && !principal.is_root())
        return Error(Code::permission_denied, "only root makes links with the grants of somebody else");
    int64_t life = 24 * 3600;
    if (const auto given = request.body.find("expires_in_s"); given != request.body.end()) {
        if (!given->is_number_integer())
            return Error(Code::invalid_argument, "expires_in_s is a number of seconds");
        life = given->get<int64_t>();
    }
    TARN_TRY(filters, fixed_filters(request.body, spec));
    dashboards::EmbedRecord link;
    link.dashboard = spec.name;
    link.user = user;
    link.by = principal.name;
    link.filters = std::move(filters);
    TARN_TRY(token, parts.embeds->sign(link, std::chrono::seconds(life), audit_batch(parts, request)));
    Json body = embed_json(link);
    body["path"] = "/embed/" + spec.name + "#" + token;
    body["origins"] = spec.embed;
    return ApiResponse{201, std::move(body), {}};
}

Result<ApiResponse> list_embeds(const DoorParts& parts, ApiRequest&) {
    if (parts.embeds == nullptr) return no_dashboards();
    TARN_TRY(links, parts.embeds->list());
    Json out = Json::array();
    for (const auto& link : links) out.push_back(embed_json(link));
    return ApiResponse{200, {{"embeds", std::move(out)}}, {}};
}

Result<ApiResponse> revoke_embed(const DoorParts& parts, ApiRequest& request) {
    if (parts.embeds == nullptr) return no_dashboards();
    TARN_CHECK_OK(parts.embeds->revoke(request.path_values[0], audit_batch(parts, request)));
    return ApiResponse{204, Json(), {}};
}

Status watch_dashboard(const DoorParts& parts, ApiRequest& request, http::Responder& responder) {
    if (parts.live == nullptr) return no_dashboards();
    LiveWatch watch;
    watch.dashboard = request.http.query_value("dashboard").value_or("");
    std::string table;
    for (const char c : request.http.query_value("tables").value_or("") + ",") {
        if (c != ',')
            table.push_back(c);
        else if (!table.empty())
            watch.tables.push_back(std::exchange(table, {}));
    }
    if (watch.tables.size() > LiveWatch::kTablesMax)
        return Error(Code::invalid_argument, "a page watches at most 2,000 tables; tables=* is all that you see");
    if (watch.dashboard.empty() && watch.tables.empty())
        return Error(Code::invalid_argument,
                     "say which: /api/v1/events?dashboard=NAME, or ?tables=main.levels,erp.sales or ?tables=*");
    return parts.live->open(request.caller, watch, request.http, responder);
}

}  // namespace tarn::admin
