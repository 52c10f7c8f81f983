// What stands in a table, asked for with the caller's own grants: a sample of its rows, and a
// profile of its columns.
#include <algorithm>
#include <atomic>
#include <chrono>

#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/catalog_view.h"
#include "protocols/admin/internal/row_text.h"

namespace tarn::admin {
namespace {

constexpr size_t kSampleRowsMax = 500;
constexpr size_t kSampleBytesMax = 8u << 20;
constexpr int kProfilesMax = 4;  // at once: each holds a thread of the lane of all SQL for a minute at most
constexpr uint64_t kProfileRowsMax = 5'000'000;
constexpr int64_t kExactRowsMax = 200'000;
constexpr size_t kProfileColumnsMax = 200;
constexpr int kBars = 24;
constexpr size_t kTopValues = 12;
/// Drawing of columns stops here; the rest is asked for one by one.
constexpr std::chrono::seconds kHistogramsFor{4};
constexpr const char* kStatementTimeout = "20s";

std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    return out + "\"";
}

/// "db"."table", as of the snapshot that the request asks for.
Result<std::string> from_of(const SeenTable& seen, ApiRequest& request) {
    std::string from = quoted(seen.info.database) + "." + quoted(seen.info.name);
    TARN_TRY(snapshot, number_in(request.http, "snapshot"));
    if (snapshot) from += " at (version => " + std::to_string(*snapshot) + ")";
    return from;
}

/// Who may not run statements does not read rows in this way either.
Result<SeenTable> asked_table(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr || parts.engine == nullptr)
        return Error(Code::unimplemented, "this server was started without SQL");
    TARN_CHECK_OK(
        parts.authorizer->decide(request.caller, "tarn:ExecuteStatement", request.caller.resource));
    request.caller.resource =
        parts.grants->table_arn(request.path_values[0], request.path_values[1]);
    return CatalogView(parts, request.caller.principal)
        .find(request.path_values[0], request.path_values[1]);
}

Result<std::unique_ptr<query::Session>> session_of(const DoorParts& parts,
                                                   const ApiRequest& request) {
    TARN_TRY(session, parts.engine->connect(request.caller));
    TARN_CHECK_OK(session->set_setting("statement_timeout", kStatementTimeout));
    return session;
}

Json text_cell(const query::Column& column, size_t row) {
    if (column.is_null(row)) return Json();
    std::string text;
    column.append_pg_text(row, text);
    return text.size() > 200 ? text.substr(0, 200) : text;
}

enum class Shape : uint8_t { number, time, text, truth, other };

Shape shape_of(const std::string& type) {
    for (const char* word : {"integer", "bigint", "real", "double precision", "smallint"})
        if (type == word) return Shape::number;
    if (type.starts_with("numeric")) return Shape::number;
    if (type == "date" || type == "timestamp" || type == "timestamp with time zone")
        return Shape::time;
    if (type == "text" || type == "uuid") return Shape::text;
    return type == "boolean" ? Shape::truth : Shape::other;
}

/// The column as a number that bars can be made of.
std::string as_number(const SeenColumn& column) {
    const std::string name = quoted(column.name);
    return shape_of(column.type) == Shape::time ? "epoch(" + name + "::timestamp)"
                                                : name + "::double";
}

/// Distinct values exactly where the rows are few enough to keep them all in mind.
std::string counts_sql(const std::vector<SeenColumn>& columns, const std::string& rows,
                       bool exact) {
    std::string sql = "select count(*)";
    for (const auto& column : columns) {
        const std::string name = quoted(column.name);
        const bool plain = shape_of(column.type) != Shape::other;
        const std::string distinct =
            exact ? "count(distinct " + name + ")" : "approx_count_distinct(" + name + ")";
        sql += ", count(" + name + ")";
        sql += ", " + (plain ? distinct : "null::bigint");
        sql += plain ? ", min(" + name + ")::text, max(" + name + ")::text"
                     : ", null::text, null::text";
    }
    return sql + " from " + rows;
}

/// Bars of equal width from the least value to the largest; of few whole numbers, one for each.
Result<Json> histogram(query::Session& session, const SeenColumn& column, const std::string& rows) {
    const std::string x = as_number(column);
    const std::string bars = std::to_string(kBars);
    const bool whole =
        column.type == "integer" || column.type == "bigint" || column.type == "smallint";
    const std::string width = "floor((x - low) / nullif(high - low, 0) * " + bars + ")";
    const std::string bar =
        whole ? "case when high - low < " + bars + " then x - low else " + width + " end" : width;
    const std::string sql =
        "with v as (select " + x + " as x from " + rows +
        "), b as (select min(x) as low, max(x) as high from v where isfinite(x)) "
        "select least(" +
        bars + " - 1, " + bar +
        ")::int as bar, count(*), any_value(low), any_value(high) "
        "from v, b where isfinite(x) group by 1 order by 1";
    TARN_TRY(found, session.query(sql, {}, 1000));
    if (found.rows() == 0) return Json();
    const double low = found.columns[2].real(0), high = found.columns[3].real(0);
    const bool one_each = whole && high - low < kBars;
    std::vector<int64_t> counts(one_each ? static_cast<size_t>(high - low) + 1 : kBars);
    for (size_t row = 0; row < found.rows(); ++row) {
        const int64_t at = found.columns[0].is_null(row) ? 0 : found.columns[0].number(row);
        counts[static_cast<size_t>(std::clamp<int64_t>(
            at, 0, static_cast<int64_t>(counts.size()) - 1))] += found.columns[1].number(row);
    }
    return Json{{"low", low},
                {"high", high},
                {"counts", counts},
                {"each", one_each},
                {"unit", shape_of(column.type) == Shape::time ? "epoch_s" : "value"}};
}

Result<Json> top_values(query::Session& session, const SeenColumn& column,
                        const std::string& rows) {
    const std::string name = quoted(column.name);
    TARN_TRY(found, session.query("select " + name + "::text, count(*) from " + rows + " where " +
                                      name + " is not null group by 1 order by 2 desc, 1 limit " +
                                      std::to_string(kTopValues),
                                  {}, 1000));
    Json top = Json::array();
    for (size_t row = 0; row < found.rows(); ++row)
        top.push_back(
            {{"value", text_cell(found.columns[0], row)}, {"count", found.columns[1].number(row)}});
    return top;
}

Status draw(query::Session& session, const SeenColumn& column, const std::string& rows, Json& out) {
    const Shape shape = shape_of(column.type);
    if (shape == Shape::number || shape == Shape::time) {
        TARN_TRY(bars, histogram(session, column, rows));
        out["histogram"] = std::move(bars);
    } else if (shape == Shape::text || shape == Shape::truth) {
        TARN_TRY(top, top_values(session, column, rows));
        out["top"] = std::move(top);
    }
    return ok_status();
}

std::atomic<int> profiles_now{0};

/// One of the few profiles that run at once.
class Place {
 public:
    Place() : got_(profiles_now.fetch_add(1) < kProfilesMax) {}
    ~Place() { profiles_now.fetch_sub(1); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    bool got() const { return got_; }

 private:
    const bool got_;
};

/// The columns that the request names, or all.
Result<std::vector<SeenColumn>> chosen(const SeenTable& seen, ApiRequest& request) {
    const auto only = request.http.query_value("column");
    if (!only) {
        auto columns = seen.columns;
        if (columns.size() > kProfileColumnsMax) columns.resize(kProfileColumnsMax);
        return columns;
    }
    for (const auto& column : seen.columns)
        if (column.name == *only) return std::vector<SeenColumn>{column};
    return Error(Code::not_found, seen.full_name() + " has no column " + only->substr(0, 100));
}

}  // namespace

Result<ApiResponse> sample_table(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, asked_table(parts, request));
    TARN_TRY(limit, number_in(request.http, "limit"));
    TARN_TRY(from, from_of(seen, request));
    TARN_TRY(session, session_of(parts, request));
    const size_t rows_max = std::clamp<size_t>(limit.value_or(50), 1, kSampleRowsMax);
    TARN_TRY(statement,
             session->prepare("select * from " + from + " limit " + std::to_string(rows_max), {}));
    TARN_TRY(cursor, session->execute(*statement, {}));
    std::string text = "[";
    bool full = false;
    while (!full) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        for (size_t row = 0; row < chunk->rows() && !full; ++row) {
            if (text.size() > 1) text.push_back(',');
            append_json_row(*chunk, row, text);
            full = text.size() >= kSampleBytesMax;
        }
    }
    Json rows = Json::parse(text + "]", nullptr, false);
    if (rows.is_discarded())
        return Error(Code::internal, "the sample could not be written as JSON");
    return ApiResponse{
        200, {{"columns", columns_json(cursor->columns())}, {"rows", std::move(rows)}, {"truncated", full}}, {}};
}

Result<ApiResponse> profile_table(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, asked_table(parts, request));
    TARN_TRY(columns, chosen(seen, request));
    TARN_TRY(from, from_of(seen, request));
    const Place place;
    if (!place.got())
        return Error(Code::exhausted, "several profiles are being made already: try again in a moment");
    TARN_TRY(session, session_of(parts, request));
    const auto begun = std::chrono::steady_clock::now();
    TARN_TRY(number, session->query("select count(*) from " + from, {}, 10));
    if (number.rows() != 1) return Error(Code::internal, "a count is one row");
    const int64_t all = number.columns[0].number(0);
    const bool partial = all > static_cast<int64_t>(kProfileRowsMax);
    const bool exact = all <= kExactRowsMax;
    const std::string rows =
        partial ? "(select * from " + from + " limit " + std::to_string(kProfileRowsMax) + ") t"
                : from;
    TARN_TRY(counts, session->query(counts_sql(columns, rows, exact), {}, 10));
    if (counts.rows() != 1) return Error(Code::internal, "the counts of a profile are one row");
    const auto counted = std::chrono::steady_clock::now();
    const int64_t total = counts.columns[0].number(0);
    Json profiles = Json::array();
    for (size_t i = 0; i < columns.size(); ++i) {
        const auto at = [&](size_t which) -> const query::Column& {
            return counts.columns[1 + 4 * i + which];
        };
        Json one = {{"name", columns[i].name},
                    {"type", columns[i].type},
                    {"masked", columns[i].masked},
                    {"nulls", total - at(0).number(0)},
                    {"distinct", at(1).is_null(0) ? Json() : Json(at(1).number(0))},
                    {"min", text_cell(at(2), 0)},
                    {"max", text_cell(at(3), 0)}};
        if (total > 0 && std::chrono::steady_clock::now() - counted < kHistogramsFor) {
            const Status drawn = draw(*session, columns[i], rows, one);
            // Without its picture a column still has its figures.
            if (!drawn.ok()) one["problem"] = drawn.error().message;
        } else if (total > 0) {
            one["not_drawn"] = true;
        }
        profiles.push_back(std::move(one));
    }
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    Json body = {{"rows", total},
                 {"partial", partial},
                 {"exact", exact},
                 {"columns", std::move(profiles)},
                 {"milliseconds", took.count()}};
    return ApiResponse{200, std::move(body), {}};
}

}  // namespace tarn::admin
