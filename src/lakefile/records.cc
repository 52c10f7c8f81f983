#include "lakefile/internal/records.h"

#include <nlohmann/json.hpp>

#include "lakefile/keys.h"
#include "meta/keys.h"

namespace tarn::lakefile {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kKind = "lf";
constexpr int kVersion = 1;

std::optional<Kind> kind_of(std::string_view section) {
    for (size_t i = 0; i < sections().size(); ++i)
        if (section == sections()[i].name) return static_cast<Kind>(i);
    return std::nullopt;
}

std::string text_in(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Status read_one(const std::string& section, const std::string& name, const meta::Record& record,
                Applied& out) {
    const Json json = Json::parse(record.value, nullptr, false);
    const Error broken(Code::corrupted,
                       "the record of " + section + "." + name + " does not decode");
    if (!json.is_object() || json.value("v", 0) != kVersion) return broken;
    if (section == "lake") {
        out.exists = true;
        out.name = text_in(json, "name");
        out.timezone = text_in(json, "timezone");
        out.at = text_in(json, "at");
        out.by = text_in(json, "by");
        out.version = record.version;
        for (const auto& role : json.value("roles_pending", Json::array()))
            out.roles_pending.push_back(role.get<std::string>());
        return ok_status();
    }
    if (section == "kept") {
        out.kept[name] = text_in(json, "by");
        return ok_status();
    }
    if (section == "identities") {
        out.identities[name] = text_in(json, "id");
        return ok_status();
    }
    const auto kind = kind_of(section);
    if (!kind || !json.contains("definition") || !json.contains("outputs")) return broken;
    AppliedItem applied;
    applied.item.kind = *kind;
    applied.item.name = name;
    applied.item.definition = json["definition"].dump();
    for (const auto& output : json["outputs"]) {
        const auto full = output.get<std::string>();
        const size_t dot = full.find('.');
        applied.item.outputs.push_back({full.substr(0, dot), full.substr(dot + 1)});
    }
    applied.at = text_in(json, "at");
    applied.by = text_in(json, "by");
    applied.version = record.version;
    out.items[applied.item.id()] = std::move(applied);
    return ok_status();
}

}  // namespace

std::vector<Item> Applied::all() const {
    std::vector<Item> out;
    for (const auto& [id, applied] : items) out.push_back(applied.item);
    return out;
}

bool Applied::identity_taken(const std::string& identity, const std::string& but_by) const {
    for (const auto& [other, taken] : identities)
        if (other != but_by && taken == identity) return true;
    const auto item = items.find(std::string(section_of(Kind::source)) + "." + identity);
    return identity != but_by && item != items.end() && !identities.contains(identity);
}

std::string Applied::identity_of(const std::string& source) const {
    const auto known = identities.find(source);
    if (known != identities.end()) return known->second;
    std::string out = source;
    for (int i = 2; identity_taken(out, source); ++i) out = source + "_" + std::to_string(i);
    return out;
}

void Applied::identify(std::vector<ingest::SourceSpec>& sources) const {
    for (auto& source : sources) source.id = identity_of(source.name);
}

Result<Applied> load_applied(const meta::Reader& state) {
    Applied out;
    const std::string all = meta::Key(kKind).str();
    auto walk = state.scan({all, meta::prefix_end(all), false});
    for (; walk->valid(); walk->next()) {
        meta::KeyReader key(walk->key(), kKind);
        const auto section = key.take_text();
        if (!section)
            return Error(Code::corrupted, "a key of the lakefile's records does not decode");
        TARN_TRY(record, walk->record());
        try {
            TARN_CHECK_OK(read_one(*section, std::string(key.rest()), record, out));
        } catch (const Json::exception&) {
            return Error(Code::corrupted, "a record of the lakefile does not decode: " + *section +
                                              "." + std::string(key.rest()));
        }
    }
    TARN_CHECK_OK(walk->status());
    return out;
}

std::string head_key() {
    return meta::Key(kKind).text("lake").str();
}

std::string item_key(Kind kind, const std::string& name) {
    return meta::Key(kKind).text(section_of(kind)).rest(name).str();
}

std::string kept_key(const std::string& table) {
    return meta::Key(kKind).text("kept").rest(table).str();
}

std::string identity_key(const std::string& source) {
    return meta::Key(kKind).text("identities").rest(source).str();
}

std::string encode_head(const Applied& applied) {
    Json json = {{"v", kVersion},
                 {"name", applied.name},
                 {"timezone", applied.timezone},
                 {"at", applied.at},
                 {"by", applied.by}};
    if (!applied.roles_pending.empty()) json["roles_pending"] = applied.roles_pending;
    return json.dump();
}

std::string encode_item(const AppliedItem& applied) {
    Json json = {{"v", kVersion},
                 {"definition", Json::parse(applied.item.definition)},
                 {"outputs", Json::array()},
                 {"at", applied.at},
                 {"by", applied.by}};
    for (const auto& output : applied.item.outputs) json["outputs"].push_back(output.full_name());
    return json.dump();
}

std::string encode_kept(const std::string& by) {
    return Json{{"v", kVersion}, {"by", by}}.dump();
}

std::string encode_identity(const std::string& identity) {
    return Json{{"v", kVersion}, {"id", identity}}.dump();
}

}  // namespace tarn::lakefile
