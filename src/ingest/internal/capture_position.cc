#include "ingest/internal/capture_position.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "meta/keys.h"

namespace tarn::ingest {

namespace {

using Json = nlohmann::ordered_json;

std::string key_of(const std::string& source) {
    return meta::Key("il").rest(source);
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const nlohmann::json& json, const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

template <typename T = int>
T number_of(const nlohmann::json& json, const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_integer() ? found->get<T>() : 0;
}

}  // namespace

std::string DescriptionPlace::text() const {
    return nth == 0 ? to_text(commit) : to_text(commit) + ' ' + std::to_string(nth);
}

DescriptionPlace DescriptionPlace::of(std::string_view text) {
    const auto blank = text.find(' ');
    const auto commit = lsn_of(text.substr(0, blank));
    DescriptionPlace out;
    if (!commit.ok()) return out;
    out.commit = *commit;
    if (blank != std::string_view::npos)
        std::from_chars(text.data() + blank + 1, text.data() + text.size(), out.nth);
    return out;
}

std::string CapturePosition::encode() const {
    Json json;
    json["version"] = 1;
    json["slot"] = slot;
    json["system"] = system;
    json["lsn"] = to_text(lsn);
    if (timeline != 0) json["timeline"] = timeline;
    if (!publications.empty()) json["publications"] = publications;
    return dump(json);
}

Result<CapturePosition> CapturePosition::decode(std::string_view bytes) {
    const Error bad(Code::corrupted, "the position of a database's log cannot be read");
    const auto json = nlohmann::json::parse(bytes, nullptr, false);
    if (!json.is_object()) return bad;
    CapturePosition out;
    out.slot = text_of(json, "slot");
    out.system = text_of(json, "system");
    const auto lsn = lsn_of(text_of(json, "lsn"));
    if (!lsn.ok() || out.slot.empty()) return bad;
    out.lsn = *lsn;
    out.timeline = number_of<uint32_t>(json, "timeline");
    if (json.contains("publications") && json["publications"].is_array())
        for (const auto& oid : json["publications"])
            if (oid.is_number_unsigned()) out.publications.push_back(oid.get<uint32_t>());
    return out;
}

Result<std::optional<CapturePosition>> load_capture_position(const meta::Reader& state,
                                                             const std::string& source) {
    TARN_TRY(record, state.get(key_of(source)));
    if (!record) return std::optional<CapturePosition>();
    TARN_TRY(position, CapturePosition::decode(record->value));
    return std::optional<CapturePosition>(std::move(position));
}

void stage_capture_position(meta::Batch& batch, const std::string& source,
                            const std::optional<CapturePosition>& expected,
                            const CapturePosition& next) {
    std::optional<std::string> before;
    if (expected) before = expected->encode();
    batch.require_value(
        key_of(source), std::move(before),
        Error(Code::conflict,
              "source " + source + ": someone else has read on since: load the position again",
              "position_moved"));
    batch.put(key_of(source), next.encode());
}

void stage_forget_capture(meta::Batch& batch, const std::string& source) {
    batch.erase(key_of(source));
}

std::string CaptureTable::encode() const {
    Json json;
    json["by"] = "";
    json["lsn"] = to_text(lsn);
    if (pause != Pause::none) {
        json["pause"] = pause == Pause::reload ? "reload" : "person";
        json["why"] = why;
    }
    auto list = Json::array();
    for (const auto& column : columns) {
        Json one;
        one["number"] = column.number;
        one["name"] = column.outside;
        one["field"] = column.field_id;
        if (!column.before.empty()) one["before"] = column.before;
        if (column.gone) one["gone"] = true;
        if (column.type != 0) one["type"] = column.type;
        if (column.initial) one["initial"] = *column.initial;
        if (column.unfilled) one["unfilled"] = true;
        if (column.told) one["told"] = column.told.text();
        if (column.told_gone) one["told_gone"] = column.told_gone.text();
        list.push_back(std::move(one));
    }
    json["columns"] = std::move(list);
    if (numbers != 0) json["numbers"] = numbers;
    if (!storage.empty()) json["storage"] = storage;
    if (!touched.empty()) json["touched"] = touched;
    if (published != 0) json["published"] = published;
    for (const auto& [oid, lies] : partitions) json["partitions"][std::to_string(oid)] = lies;
    if (fills != 0) json["fills"] = fills;
    return dump(json);
}

std::optional<CaptureTable> CaptureTable::decode(std::string_view bytes) {
    const auto json = nlohmann::json::parse(bytes, nullptr, false);
    if (!json.is_object() || !json.contains("lsn") || !json.contains("columns") ||
        !json["columns"].is_array())
        return std::nullopt;
    CaptureTable out;
    const auto lsn = lsn_of(text_of(json, "lsn"));
    if (!lsn.ok()) return std::nullopt;
    out.lsn = *lsn;
    const std::string pause = text_of(json, "pause");
    if (!pause.empty()) out.pause = pause == "reload" ? Pause::reload : Pause::person;
    out.why = text_of(json, "why");
    out.numbers = number_of(json, "numbers");
    out.storage = text_of(json, "storage");
    out.touched = text_of(json, "touched");
    out.published = number_of<uint32_t>(json, "published");
    out.fills = number_of(json, "fills");
    if (json.contains("partitions") && json["partitions"].is_object())
        for (const auto& [oid, lies] : json["partitions"].items())
            if (lies.is_string())
                out.partitions[static_cast<uint32_t>(std::strtoul(oid.c_str(), nullptr, 10))] =
                    lies.get<std::string>();
    for (const auto& one : json["columns"]) {
        if (!one.is_object()) return std::nullopt;
        KnownColumn column;
        column.number = number_of(one, "number");
        column.outside = text_of(one, "name");
        column.field_id = number_of(one, "field");
        if (one.contains("before") && one["before"].is_array())
            for (const auto& name : one["before"])
                if (name.is_string()) column.before.push_back(name.get<std::string>());
        column.gone = one.contains("gone");
        column.type = number_of<uint32_t>(one, "type");
        if (one.contains("initial")) column.initial = text_of(one, "initial");
        column.unfilled = one.contains("unfilled");
        column.told = DescriptionPlace::of(text_of(one, "told"));
        column.told_gone = DescriptionPlace::of(text_of(one, "told_gone"));
        out.columns.push_back(std::move(column));
    }
    return out;
}

}  // namespace tarn::ingest
