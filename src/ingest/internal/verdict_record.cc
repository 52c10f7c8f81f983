#include "ingest/internal/verdict_record.h"

#include <nlohmann/json.hpp>

#include "meta/keys.h"

namespace tarn::ingest {

namespace {

using Json = nlohmann::json;
using State = TableVerdict::State;
using What = KeyDifference::What;

constexpr State kStates[] = {State::waiting, State::running, State::equal, State::different,
                             State::unknown};
constexpr What kWhats[] = {What::missing, What::extra, What::different};

Json json_of(const TableVerdict& table) {
    Json keys = Json::array();
    for (const auto& one : table.keys)
        keys.push_back(
            {{"what", to_string(one.what)}, {"key", one.key}, {"repaired", one.repaired}});
    return {{"database", table.database},      {"name", table.name},
            {"state", to_string(table.state)}, {"rows_source", table.rows_source},
            {"rows_lake", table.rows_lake},    {"differences", table.differences},
            {"repaired", table.repaired},      {"unsettled", table.unsettled},
            {"keys", std::move(keys)},         {"note", table.note}};
}

TableVerdict table_of(const Json& json) {
    TableVerdict table;
    table.database = json.value("database", "");
    table.name = json.value("name", "");
    table.state = State::unknown;
    for (const auto state : kStates)
        if (to_string(state) == json.value("state", "")) table.state = state;
    table.rows_source = json.value("rows_source", uint64_t{0});
    table.rows_lake = json.value("rows_lake", uint64_t{0});
    table.differences = json.value("differences", uint64_t{0});
    table.repaired = json.value("repaired", uint64_t{0});
    table.unsettled = json.value("unsettled", uint64_t{0});
    table.note = json.value("note", "");
    for (const auto& one : json.value("keys", Json::array())) {
        KeyDifference key;
        for (const auto what : kWhats)
            if (to_string(what) == one.value("what", "")) key.what = what;
        key.key = one.value("key", "");
        key.repaired = one.value("repaired", false);
        table.keys.push_back(std::move(key));
    }
    return table;
}

}  // namespace

std::string verdict_key(const std::string& source) {
    return meta::Key("iv").rest(source);
}

std::string encode_verdict(const Verdict& verdict) {
    Json tables = Json::array();
    for (const auto& table : verdict.tables) tables.push_back(json_of(table));
    const Json json = {{"version", 1},
                       {"started", verdict.started.micros},
                       {"finished", verdict.finished.micros},
                       {"scheduled", verdict.scheduled},
                       {"repair", verdict.repair},
                       {"error", verdict.error},
                       {"tables", std::move(tables)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Verdict> decode_verdict(std::string_view bytes) {
    try {
        const auto json = Json::parse(bytes);
        Verdict verdict;
        verdict.started.micros = json.value("started", int64_t{0});
        verdict.finished.micros = json.value("finished", int64_t{0});
        verdict.scheduled = json.value("scheduled", false);
        verdict.repair = json.value("repair", false);
        verdict.error = json.value("error", "");
        for (const auto& table : json.value("tables", Json::array()))
            verdict.tables.push_back(table_of(table));
        return verdict;
    } catch (const Json::exception&) {
        return Error(Code::corrupted, "the last comparison of a source cannot be read");
    }
}

}  // namespace tarn::ingest
