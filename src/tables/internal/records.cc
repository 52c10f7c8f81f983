#include "tables/internal/records.h"

#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "meta/keys.h"
#include "tables/internal/json_parts.h"

namespace tarn::tables {

namespace {

using Json = nlohmann::json;
using meta::Key;

constexpr int kVersion = 1;

Error corrupted_record(std::string what) {
    return Error(Code::corrupted, "catalog record: " + std::move(what));
}

codec::JsonWriter begin() {
    codec::JsonWriter json;
    json.begin_object().member("v", kVersion);
    return json;
}

/// Parses, checks the version, and turns nlohmann's exceptions into errors.
template <typename Value, typename Read>
Result<Value> decode(std::string_view text, const Read& read) {
    try {
        const Json json = Json::parse(text, nullptr, false);
        if (!json.is_object()) return corrupted_record("not a JSON object");
        const int version = small_of(json.at("v"));
        if (version != kVersion) return corrupted_record(fmt::format("version {} is not known", version));
        return read(json);
    } catch (const Json::exception& e) {
        return corrupted_record(e.what());
    }
}

}  // namespace

std::string database_key(std::string_view name) {
    return Key("td").rest(name);
}
std::string databases_prefix() {
    return Key("td");
}
std::string relation_key(std::string_view database, std::string_view name) {
    return Key("tr").text(database).rest(name);
}
std::string relations_prefix(std::string_view database) {
    return Key("tr").text(database);
}
std::string pointer_key(std::string_view table_uuid) {
    return Key("tp").rest(table_uuid);
}
std::string oid_key() {
    return Key("to");
}
std::string purge_key(Timestamp due, std::string_view unique) {
    return Key("tx").number(static_cast<uint64_t>(due.micros)).rest(unique);
}
std::string purge_prefix() {
    return Key("tx");
}
std::string position_key(std::string_view table_uuid, std::string_view source,
                         std::string_view partition) {
    return Key("ts").text(table_uuid).text(source).rest(partition);
}
std::string positions_prefix(std::string_view table_uuid) {
    return Key("ts").text(table_uuid);
}

std::string encode(const DatabaseInfo& database) {
    auto json = begin();
    json.member("name", database.name).member("oid", static_cast<int64_t>(database.oid));
    json.member("comment", database.comment).member("owner", database.owner);
    json.member("created", database.created.micros).key("properties").begin_object();
    for (const auto& [name, value] : database.properties) json.member(name, value);
    json.end_object().end_object();
    return json.take();
}

Result<DatabaseInfo> decode_database(std::string_view value) {
    return decode<DatabaseInfo>(value, [](const Json& json) -> Result<DatabaseInfo> {
        DatabaseInfo database;
        database.name = json.at("name").get<std::string>();
        database.oid = static_cast<Oid>(integer_of(json.at("oid")));
        database.comment = json.at("comment").get<std::string>();
        database.owner = json.at("owner").get<std::string>();
        database.created.micros = integer_of(json.at("created"));
        database.properties = json.at("properties").get<Properties>();
        return database;
    });
}

std::string encode(const RelationInfo& relation) {
    auto json = begin();
    json.member("kind", relation.kind == RelationKind::view ? "view" : "table");
    json.member("database", relation.database).member("name", relation.name);
    json.member("oid", static_cast<int64_t>(relation.oid)).member("uuid", relation.uuid);
    json.member("comment", relation.comment).member("owner", relation.owner);
    json.member("created", relation.created.micros);
    if (relation.kind == RelationKind::view) {
        json.member("sql", relation.sql)
            .member("definer", relation.definer)
            .key("columns")
            .begin_array();
        for (const auto& column : relation.columns) {
            json.begin_object()
                .member("name", column.name)
                .member("comment", column.comment)
                .key("type");
            write_type(json, column.type);
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
    return json.take();
}

Result<RelationInfo> decode_relation(std::string_view value) {
    return decode<RelationInfo>(value, [](const Json& json) -> Result<RelationInfo> {
        RelationInfo relation;
        relation.kind =
            json.at("kind").get<std::string>() == "view" ? RelationKind::view : RelationKind::table;
        relation.database = json.at("database").get<std::string>();
        relation.name = json.at("name").get<std::string>();
        relation.oid = static_cast<Oid>(integer_of(json.at("oid")));
        relation.uuid = json.at("uuid").get<std::string>();
        relation.comment = json.at("comment").get<std::string>();
        relation.owner = json.at("owner").get<std::string>();
        relation.created.micros = integer_of(json.at("created"));
        if (relation.kind == RelationKind::table) return relation;
        relation.sql = json.at("sql").get<std::string>();
        relation.definer = json.at("definer").get<std::string>();
        for (const auto& part : json.at("columns")) {
            TARN_TRY(type, read_type(part.at("type")));
            relation.columns.push_back({part.at("name").get<std::string>(), std::move(type),
                                        part.at("comment").get<std::string>()});
        }
        return relation;
    });
}

std::string encode(const Pointer& pointer) {
    auto json = begin();
    json.member("metadata", pointer.metadata_location)
        .member("location", pointer.location)
        .end_object();
    return json.take();
}

Result<Pointer> decode_pointer(std::string_view value) {
    return decode<Pointer>(value, [](const Json& json) -> Result<Pointer> {
        return Pointer{json.at("metadata").get<std::string>(),
                       json.at("location").get<std::string>()};
    });
}

std::string encode(const Purge& purge) {
    auto json = begin();
    json.member("prefix", purge.prefix).key("paths").begin_array();
    for (const auto& path : purge.paths) json.value(path);
    json.end_array().end_object();
    return json.take();
}

Result<Purge> decode_purge(std::string_view value) {
    return decode<Purge>(value, [](const Json& json) -> Result<Purge> {
        return Purge{json.at("paths").get<std::vector<std::string>>(),
                     json.at("prefix").get<std::string>()};
    });
}

Error no_such_database(std::string_view name) {
    return Error(Code::not_found, fmt::format("database \"{}\" does not exist", name),
                 "no_such_database");
}

Error no_such_relation(RelationKind kind, std::string_view database, std::string_view name) {
    const bool view = kind == RelationKind::view;
    return Error(
        Code::not_found,
        fmt::format("{} \"{}.{}\" does not exist", view ? "view" : "table", database, name),
        view ? "no_such_view" : "no_such_table");
}

Error relation_exists(std::string_view database, std::string_view name) {
    return Error(Code::already_exists, fmt::format("\"{}.{}\" exists already", database, name),
                 "relation_exists");
}

}  // namespace tarn::tables
