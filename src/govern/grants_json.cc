#include <nlohmann/json.hpp>

#include "govern/grants.h"

namespace tarn::govern {
namespace {

using Json = nlohmann::json;

constexpr size_t kGrantsBytesMax = 1u << 20;

Error wrong(const std::string& table, const std::string& what) {
    return Error(Code::invalid_argument, "grant on " + table + ": " + what);
}

Result<std::vector<std::string>> names(const Json& list, const std::string& table,
                                       const std::string& key) {
    if (!list.is_array()) return wrong(table, "\"" + key + "\" is a list of names");
    std::vector<std::string> out;
    for (const auto& item : list) {
        if (!item.is_string()) return wrong(table, "\"" + key + "\" is a list of names");
        out.push_back(item.get<std::string>());
    }
    return out;
}

Status read_write(const Json& list, const std::string& table, TableGrant& grant) {
    TARN_TRY(words, names(list, table, "write"));
    for (const auto& word : words) {
        if (word == "insert")
            grant.insert = true;
        else if (word == "update")
            grant.update = true;
        else if (word == "delete")
            grant.remove = true;
        else if (word == "alter")
            grant.alter = true;
        else
            return wrong(table,
                         "\"write\" knows insert, update, delete and alter, not '" + word + "'");
    }
    return ok_status();
}

Status read_masks(const Json& masks, const std::string& table, TableGrant& grant) {
    if (!masks.is_object()) return wrong(table, "\"masks\" is an object of column: SQL");
    for (const auto& [column, sql] : masks.items()) {
        if (!sql.is_string()) return wrong(table, "the mask of " + column + " is not a text");
        grant.masks[column] = sql.get<std::string>();
    }
    return ok_status();
}

Result<TableGrant> read_one(const std::string& table, const Json& value) {
    TableGrant grant;
    if (!value.is_object()) return wrong(table, "not an object");
    for (const auto& [key, part] : value.items()) {
        if (key == "columns" || key == "hide") {
            TARN_TRY(list, names(part, table, key));
            (key == "hide" ? grant.hide : grant.columns) = std::move(list);
        } else if (key == "rows" && part.is_string()) {
            grant.rows = part.get<std::string>();
        } else if (key == "masks") {
            TARN_CHECK_OK(read_masks(part, table, grant));
        } else if (key == "write") {
            TARN_CHECK_OK(read_write(part, table, grant));
        } else if (key == "read" && part.is_boolean()) {
            grant.read = part.get<bool>();
        } else {
            return wrong(table, "'" + key +
                                    "' is no key of a grant, or has the wrong type; there are "
                                    "columns, hide, rows, masks, "
                                    "write, read");
        }
    }
    if (!grant.columns.empty() && !grant.hide.empty())
        return wrong(table, "give columns or hide, not both");
    return grant;
}

bool is_pattern(const std::string& name) {
    if (name == "*") return true;
    const size_t dot = name.find('.');
    if (dot == std::string::npos || !tables::check_name("database", name.substr(0, dot)).ok())
        return false;
    const std::string table = name.substr(dot + 1);
    return table == "*" || tables::check_name("table", table).ok();
}

}  // namespace

Result<RoleGrants> parse_grants(std::string_view json) {
    if (json.size() > kGrantsBytesMax)
        return Error(Code::invalid_argument, "the grants of one role have at most 1 MiB");
    const Json parsed = Json::parse(json, nullptr, false);
    if (!parsed.is_object())
        return Error(Code::invalid_argument, "grants are an object of table: grant");
    RoleGrants grants;
    for (const auto& [table, value] : parsed.items()) {
        if (!is_pattern(table))
            return wrong(table, "name a table as database.table, a database as database.*, or *");
        TARN_TRY(one, read_one(table, value));
        grants[table] = std::move(one);
    }
    return grants;
}

std::string to_json(const RoleGrants& grants) {
    Json out = Json::object();
    for (const auto& [table, grant] : grants) {
        Json one = {{"read", grant.read}};
        if (!grant.columns.empty()) one["columns"] = grant.columns;
        if (!grant.hide.empty()) one["hide"] = grant.hide;
        if (!grant.rows.empty()) one["rows"] = grant.rows;
        if (!grant.masks.empty()) one["masks"] = grant.masks;
        Json write = Json::array();
        if (grant.insert) write.push_back("insert");
        if (grant.update) write.push_back("update");
        if (grant.remove) write.push_back("delete");
        if (grant.alter) write.push_back("alter");
        if (!write.empty()) one["write"] = write;
        out[table] = std::move(one);
    }
    return out.dump();
}

}  // namespace tarn::govern
