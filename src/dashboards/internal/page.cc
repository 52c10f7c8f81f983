#include "dashboards/internal/page.h"

#include <algorithm>

namespace tarn::dashboards {
namespace {

constexpr int kViewDepthMax = 8;

/// Whether a chart's answer depends on nothing but its tables and the hour: all its words are
/// columns of them or known. Anything else (current_user, a catalog, a model's function) may mean
/// something else to the next viewer.
bool is_common(const ChartSpec& chart, const std::set<std::string>& of_tables) {
    static const std::set<std::string> kWords = {
        "and", "asc",  "avg", "between", "case", "coalesce", "count", "desc", "distinct", "else",
        "end", "false", "first", "greatest", "in", "is", "last", "least", "like", "max", "median",
        "min", "not", "null", "nullif", "nulls", "or", "round", "sum", "then", "true", "when"};
    static const std::set<std::string> kOfTheViewer = {
        "current_catalog", "current_database", "current_role", "current_schema", "current_user",
        "session_user",    "user"};
    std::string text = chart.from + "\n" + chart.where + "\n" + chart.sql + "\n" + chart.colour +
                       "\n" + split_label(chart.by).first + "\n" + chart.order + "\n" +
                       split_label(chart.split).first + "\n" + split_label(chart.spark).first;
    for (const auto& measure : chart.measures) text += "\n" + split_label(measure).first;
    for (const auto& column : chart.columns) text += "\n" + split_label(column).first;
    const auto names = possible_tables(text);
    return std::all_of(names.begin(), names.end(), [&](const Name& name) {
        return !kOfTheViewer.contains(name.second) &&
               (kWords.contains(name.second) || of_tables.contains(name.second));
    });
}

/// A text that is the same for two principals only when they see the same of a table.
std::string fingerprint(const query::TableAccess& access, const security::Principal& principal) {
    if (access.unrestricted()) return "all";
    std::string text;
    for (const auto& grant : access.read) {
        text += grant.all_columns ? "[*" : "[";
        for (const auto& column : grant.columns) text += column + ",";
        text += "|" + grant.row_filter + "|";
        for (const auto& [column, mask] : grant.masks) text += column + "=" + mask + ",";
        text += "]";
    }
    text += principal.name;
    for (const auto& [name, value] : principal.attributes) text += "&" + name + "=" + value;
    return text;
}

/// Rows of several chunks in one.
void append(query::Chunk& to, query::Chunk from, size_t rows) {
    if (to.columns.empty() && from.rows() <= rows) {
        to = std::move(from);
        return;
    }
    for (size_t i = 0; i < from.columns.size(); ++i) {
        if (to.columns.size() <= i) to.columns.emplace_back(from.columns[i].type());
        for (size_t row = 0; row < std::min(rows, from.rows()); ++row) {
            if (from.columns[i].is_null(row))
                to.columns[i].append_null();
            else
                to.columns[i].append(from.columns[i].value(row));
        }
    }
}

}  // namespace

std::string text_of(const ChartSpec& chart) {
    std::string text =
        chart.from + "\n" + chart.where + "\n" + chart.sql + "\n" + chart.colour + "\n" + chart.by +
        "\n" + chart.order + "\n" + chart.split + "\n" + chart.spark;
    for (const auto& measure : chart.measures) text += "\n" + measure;
    for (const auto& column : chart.columns) text += "\n" + column;
    return text;
}

Status add_tables(const tables::CatalogSnapshot& state, const std::set<Name>& names, int depth,
                  std::map<std::string, tables::RelationInfo>& found) {
    for (const auto& [database, relation] : names) {
        if (found.contains(database + "." + relation)) continue;
        TARN_TRY(info, state.find_relation(database, relation));
        if (!info) continue;
        found.emplace(info->full_name(), *info);
        if (info->kind == tables::RelationKind::view && depth < kViewDepthMax)
            TARN_CHECK_OK(add_tables(state, possible_tables(info->sql), depth + 1, found));
    }
    return ok_status();
}

void note_query(const ChartQuery& query, ChartData& out) {
    out.filters_ignored = query.filters_ignored;
    out.notes = query.notes;
    // Whether series were left out is known by their number alone.
    if (query.series_max == 0 || out.rows->columns.size() < 2) return;
    std::set<std::string> names;
    for (size_t row = 0; row < out.rows->rows(); ++row)
        names.insert(std::string(out.rows->columns[1].text(row)));
    if (names.size() >= query.series_max)
        out.notes.push_back("the largest " + std::to_string(query.series_max) + " of " + out.columns[1].name);
}

double milliseconds_since(const Clock& clock, std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double, std::milli>(clock.steady() - begin).count();
}

Result<query::Session*> Page::connect() {
    if (session == nullptr) {
        TARN_TRY(opened, parts.engine.connect(viewer));
        TARN_CHECK_OK(opened->set_setting("statement_timeout",
                                          std::to_string(options.chart_timeout.count())));
        session = std::move(opened);
    }
    return session.get();
}

Result<std::vector<query::ResultColumn>> Page::describe(const std::string& relation) {
    const auto known = described.find(relation);
    if (known != described.end()) return known->second;
    TARN_TRY(open, connect());
    TARN_TRY(statement, open->prepare("select * from " + relation + " limit 0", {}));
    return described.emplace(relation, statement->columns()).first->second;
}

Status Page::note_tables(const ChartSpec& chart, ChartData& out, std::string& key) {
    std::map<std::string, tables::RelationInfo> found;
    TARN_CHECK_OK(add_tables(state, possible_tables(text_of(chart)), 0, found));
    std::set<std::string> words;  // that name nothing but these tables
    bool views = false;
    for (const auto& [name, info] : found) {
        views = views || info.kind == tables::RelationKind::view;
        words.insert({info.database, info.name});
        query::TableAccess access = query::TableAccess::everything();
        if (!viewer.principal.is_root()) {
            TARN_TRY(asked,
                     parts.access.table_access(viewer.principal, info.database, info.name));
            access = std::move(asked);
        }
        key += "\n" + name + "/" + info.uuid + "/" + fingerprint(access, viewer.principal);
        if (info.kind == tables::RelationKind::view) continue;
        TARN_TRY(table, state.load_table(info));
        key += "@" + table->metadata_location;
        for (const auto& field : table->schema().fields) words.insert(field.name);
        const auto snapshot = table->current_snapshot();
        if (access.read.empty()) continue;
        TableAsOf as_of{name, 0, std::nullopt};
        if (snapshot != nullptr)
            as_of = {name, snapshot->snapshot_id, Timestamp{snapshot->timestamp_ms * 1000}};
        out.tables.push_back(std::move(as_of));
    }
    if (views || !is_common(chart, words)) {
        key += "\nfor " + viewer.principal.arn;
        for (const auto& role : viewer.principal.roles) key += "," + role;
        for (const auto& [name, value] : viewer.principal.attributes)
            key += "&" + name + "=" + value;
    }
    return ok_status();
}

Status Page::run(const ChartQuery& query, ChartData& out) {
    TARN_TRY(open, connect());
    std::vector<std::optional<query::Type>> types(query.parameter_types.begin(),
                                                  query.parameter_types.end());
    TARN_TRY(statement, types.empty() ? open->prepare_once(query.sql) : open->prepare(query.sql, types));
    std::vector<query::Value> values;
    for (size_t i = 0; i < query.parameters.size(); ++i) {
        auto value = query::parse_pg_text(statement->parameters()[i], query.parameters[i]);
        if (!value.ok())
            return Error(Code::invalid_argument,
                         "a filter's value does not fit: " + value.error().message);
        values.push_back(std::move(value).value());
    }
    TARN_TRY(cursor, open->execute(*statement, values));
    auto rows = std::make_shared<query::Chunk>();
    for (;;) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        const size_t room = query.limit - std::min<size_t>(query.limit, rows->rows());
        out.truncated = query.limit_is_a_cut && chunk->rows() > room;
        append(*rows, std::move(*chunk), room);
        if (out.truncated) break;
    }
    const auto& columns = cursor->columns();
    if (rows->columns.empty())
        for (const auto& column : columns) rows->columns.emplace_back(column.type);
    out.columns = query.columns;
    out.columns.resize(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
        out.columns[i].type = columns[i].type;
        if (out.columns[i].name.empty()) out.columns[i].name = columns[i].name;
    }
    out.rows = std::move(rows);
    return ok_status();
}

}  // namespace tarn::dashboards
