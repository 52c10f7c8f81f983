#include "lakefile/internal/sample.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "flows/inspect.h"

namespace tarn::lakefile {

namespace {

using Json = nlohmann::ordered_json;

std::string in_quotes(const std::string& text, char with) {
    std::string out(1, with);
    for (const char c : text) out.append(c == with ? 2 : 1, c);
    return out + with;
}

/// A table's SQL with what it reads before it: what no table of the lake has yet comes from the
/// same file, sources by a sample and tables by their own SQL, as common table expressions.
class Chain {
 public:
    Chain(const ApplierParts& parts, const Parsed& parsed, const Sampling& what)
        : parts_(parts), parsed_(parsed), what_(what), catalog_(parts.catalog.snapshot()) {}

    Result<std::string> sql_of(const flows::TableSpec& table) {
        TARN_CHECK_OK(add_inputs(table));
        std::string with;
        for (const auto& [name, text] : parts_before_)
            with += (with.empty() ? "WITH " : ",\n") + in_quotes(name, '"') + " AS (" + text + "\n)";
        return with + (with.empty() ? "" : "\n") + "SELECT * FROM (" + table.sql +
               "\n) AS sample LIMIT " + std::to_string(what_.rows);
    }
    /// What the sample leans on, for the reader.
    const std::vector<std::string>& notes() const { return notes_; }

 private:
    Status add_inputs(const flows::TableSpec& table) {
        TARN_TRY(inspected, flows::inspect_sql(parts_.engine, table.sql));
        for (const auto& input : inspected.inputs) {
            TARN_TRY(found, catalog_.find_relation(input.name.database, input.name.table));
            if (!found && met_.insert(input.name.full_name()).second)
                TARN_CHECK_OK(add(input.name));
        }
        return ok_status();
    }

    Status add(const flows::TableRef& name) {
        for (const auto& table : parsed_.lakefile.tables) {
            if (table.name != name) continue;
            if (name.database != "main") break;
            TARN_CHECK_OK(add_inputs(table));
            parts_before_.emplace_back(name.table, table.sql);
            notes_.push_back(name.table + " is computed for this sample, it is no table yet");
            return ok_status();
        }
        for (const auto& source : parsed_.lakefile.sources) {
            const bool database = std::holds_alternative<ingest::PostgresSource>(source.from);
            if (database ? source.name != name.database
                         : source.name != name.table || source.database != name.database)
                continue;
            if (database || name.database != "main") break;
            return add_source(source);
        }
        // The engine says better what is wrong with a name that nothing declares.
        return ok_status();
    }

    Status add_source(const ingest::SourceSpec& source) {
        if (!what_.may_read_sources)
            return Error(Code::permission_denied,
                         "it reads source " + source.name +
                             ", which has no rows here yet; who may tarn:Apply can try it on a "
                             "sample of the source");
        if (!parts_.try_source)
            return Error(Code::unimplemented, "sources cannot be tried on this server");
        TARN_TRY(text, parts_.try_source(source, kSourceRows));
        const Json sample = Json::parse(text);
        for (const auto& table : sample.at("tables")) {
            if (table.at("name").get<std::string>() != source.database + "." + source.name)
                continue;
            parts_before_.emplace_back(source.name, select_of(table));
            notes_.push_back(source.name + " is a sample of " +
                             std::to_string(table.at("rows").size()) + " rows of the source");
        }
        return ok_status();
    }

    /// SELECT of the sample's rows, each value a text that is cast.
    static std::string select_of(const Json& table) {
        std::string columns, casts, values, nulls;
        for (const auto& column : table.at("columns")) {
            const auto name = in_quotes(column.at("name").get<std::string>(), '"');
            const std::string comma = columns.empty() ? "" : ", ";
            columns += comma + name;
            nulls += comma + "NULL";
            casts += comma + "CAST(" + name + " AS " + column.at("type").get<std::string>() +
                     ") AS " + name;
        }
        for (const auto& row : table.at("rows")) {
            std::string cells;
            for (const auto& cell : row)
                cells += (cells.empty() ? "" : ", ") +
                         (cell.is_null() ? "NULL" : in_quotes(cell.get<std::string>(), '\''));
            values += (values.empty() ? "(" : ", (") + cells + ")";
        }
        const bool none = values.empty();
        return "SELECT " + casts + " FROM (VALUES " + (none ? "(" + nulls + ")" : values) +
               ") AS v(" + columns + ")" + (none ? " WHERE false" : "");
    }

    static constexpr size_t kSourceRows = 1000;

    const ApplierParts& parts_;
    const Parsed& parsed_;
    const Sampling& what_;
    const tables::CatalogSnapshot catalog_;
    std::set<std::string> met_;
    std::vector<std::pair<std::string, std::string>> parts_before_;  // in the order of need
    std::vector<std::string> notes_;
};

Result<Json> sample_table(const ApplierParts& parts, const Parsed& parsed,
                          const security::Caller& caller, const flows::TableSpec& table,
                          const Sampling& what) {
    Chain chain(parts, parsed, what);
    TARN_TRY(sql, chain.sql_of(table));
    TARN_TRY(session, parts.engine.connect(caller, "main"));
    TARN_CHECK_OK(session->set_setting("statement_timeout", "30000"));
    TARN_TRY(statement, session->prepare(sql, {}));
    TARN_TRY(cursor, session->execute(*statement, {}));
    Json out = {
        {"name", table.name.full_name()}, {"columns", Json::array()}, {"rows", Json::array()}};
    if (!chain.notes().empty()) out["notes"] = chain.notes();
    for (const auto& column : cursor->columns())
        out["columns"].push_back({{"name", column.name}, {"type", query::pg_name(column.type)}});
    for (;;) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        for (size_t row = 0; row < chunk->rows(); ++row) {
            Json cells = Json::array();
            for (const auto& column : chunk->columns) {
                std::string text;
                if (!column.is_null(row)) column.append_pg_text(row, text);
                cells.push_back(column.is_null(row) ? Json() : Json(text));
            }
            out["rows"].push_back(std::move(cells));
        }
    }
    return out;
}

}  // namespace

Result<std::string> sample_items(const ApplierParts& parts, const Parsed& parsed,
                                 const security::Caller& caller, const Sampling& what) {
    const auto wanted = [&](const std::string& id) {
        return what.name.empty() || id == what.name || id.substr(id.find('.') + 1) == what.name;
    };
    Json out = Json::array();
    const auto add = [&](const std::string& id, Result<Json> sample) {
        if (sample.ok()) {
            sample->emplace("item", id);
            out.push_back(std::move(sample).value());
        } else {
            out.push_back({{"item", id}, {"error", sample.error().message}});
        }
    };
    for (const auto& source : parsed.lakefile.sources) {
        if (!wanted("sources." + source.name)) continue;
        if (!parts.try_source)
            return Error(Code::unimplemented, "sources cannot be tried on this server");
        auto sample = parts.try_source(source, what.rows);
        add("sources." + source.name, sample.ok() ? Result<Json>(Json::parse(*sample))
                                                  : Result<Json>(std::move(sample).error()));
    }
    for (const auto& item : parsed.lakefile.items)
        for (const auto& table : parsed.lakefile.tables)
            if (item.kind == Kind::table && table.name == item.outputs[0] && wanted(item.id()))
                add(item.id(), sample_table(parts, parsed, caller, table, what));
    if (out.empty())
        return Error(Code::not_found,
                     "the lakefile has no source and no table '" + what.name + "'");
    return Json{{"items", out}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tarn::lakefile
