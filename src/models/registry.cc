#include "models/registry.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "meta/keys.h"
#include "objects/acting.h"

namespace tarn::models {

namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;

std::string versions_of(const std::string& model) {
    return meta::Key("mv").text(model).str();
}
std::string version_key(const std::string& model, uint64_t number) {
    return meta::Key("mv").text(model).descending(number).str();
}
std::string current_key(const std::string& model) {
    return meta::Key("mc").rest(model).str();
}

Json score_to_json(const Score& score) {
    Json json = {{"method", score.method},
                 {"forecasts", score.forecasts},
                 {"mape", score.mape},
                 {"wape", score.wape},
                 {"bias", score.bias}};
    if (score.pinball) json["pinball"] = *score.pinball;
    if (score.coverage) json["coverage"] = *score.coverage;
    return json;
}

Json scores_to_json(const std::vector<Score>& scores) {
    Json list = Json::array();
    for (const auto& score : scores) list.push_back(score_to_json(score));
    return list;
}

Json to_json(const VersionInfo& version) {
    Json trained_on = Json::array(), rounds = Json::array(), importance = Json::array();
    for (const auto& table : version.trained_on)
        trained_on.push_back({{"table", table.table}, {"snapshot_id", table.snapshot_id}});
    for (const auto& round : version.back_test.rounds)
        rounds.push_back({{"round", round.round},
                          {"origin", round.origin},
                          {"scores", scores_to_json(round.scores)}});
    for (const auto& [feature, share] : version.importance)
        importance.push_back({{"feature", feature}, {"share", share}});
    return {{"v", kFormat},
            {"model", version.model},
            {"version", version.number},
            {"created", version.created.micros},
            {"fingerprint", version.fingerprint},
            {"trained_on", trained_on},
            {"trained_to", version.trained_to},
            {"trained_to_time", version.trained_to_time},
            {"series", version.series},
            {"rows", version.rows},
            {"seconds", version.seconds},
            {"parameters", version.parameters},
            {"features", version.features},
            {"importance", importance},
            {"back_test",
             {{"metric", version.back_test.metric},
              {"seconds", version.back_test.seconds},
              {"total", scores_to_json(version.back_test.total)},
              {"rounds", rounds}}},
            {"promoted", version.promoted},
            {"why", version.why},
            {"object", version.object_key},
            {"details", version.details}};
}

std::vector<Score> scores_from_json(const Json& list) {
    std::vector<Score> scores;
    for (const auto& json : list) {
        Score score;
        score.method = json.at("method");
        score.forecasts = json.at("forecasts");
        score.mape = json.at("mape");
        score.wape = json.at("wape");
        score.bias = json.at("bias");
        if (json.contains("pinball")) score.pinball = json.at("pinball").get<double>();
        if (json.contains("coverage")) score.coverage = json.at("coverage").get<double>();
        scores.push_back(std::move(score));
    }
    return scores;
}

Result<VersionInfo> parse_version(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        if (json.at("v").get<int>() != kFormat)
            return Error(Code::corrupted,
                         "a model's record has a format that this program does not know");
        VersionInfo version;
        version.model = json.at("model");
        version.number = json.at("version");
        version.created = {json.at("created").get<int64_t>()};
        version.fingerprint = json.at("fingerprint");
        for (const auto& table : json.at("trained_on"))
            version.trained_on.push_back({table.at("table"), table.at("snapshot_id")});
        version.trained_to = json.at("trained_to");
        version.trained_to_time = json.at("trained_to_time");
        version.series = json.at("series");
        version.rows = json.at("rows");
        version.seconds = json.at("seconds");
        version.parameters = json.at("parameters").get<std::map<std::string, std::string>>();
        version.features = json.at("features").get<std::vector<std::string>>();
        for (const auto& each : json.at("importance"))
            version.importance.emplace_back(each.at("feature"), each.at("share"));
        const Json& test = json.at("back_test");
        version.back_test.metric = test.at("metric");
        version.back_test.seconds = test.at("seconds");
        version.back_test.total = scores_from_json(test.at("total"));
        for (const auto& round : test.at("rounds"))
            version.back_test.rounds.push_back(
                {round.at("round"), round.at("origin"), scores_from_json(round.at("scores"))});
        version.promoted = json.at("promoted");
        version.why = json.at("why");
        version.object_key = json.at("object");
        version.details = json.at("details");
        return version;
    } catch (const std::exception& e) {
        return Error(Code::corrupted, std::string("a model's record can't be read: ") + e.what());
    }
}

/// 0: none is in use.
Result<uint64_t> current_number(const meta::Reader& state, const std::string& model) {
    TARN_TRY(record, state.get(current_key(model)));
    if (!record) return uint64_t{0};
    const Json json = Json::parse(record->value, nullptr, false);
    if (!json.is_object() || !json.contains("version") || !json["version"].is_number_unsigned())
        return Error(Code::corrupted,
                     "the record of the version in use of " + model + " can't be read");
    return json["version"].get<uint64_t>();
}

std::string use_json(uint64_t number, const security::Caller& caller) {
    return Json{{"v", kFormat}, {"version", number}, {"by", caller.principal.name}}.dump();
}

Error no_version(const std::string& model, uint64_t number) {
    return Error(Code::not_found, "model " + model + " has no version " + std::to_string(number),
                 "no_such_version");
}

}  // namespace

Registry::Registry(meta::Store& store, objects::ObjectStore& objects)
    : store_(store), objects_(objects) {}

Result<std::vector<std::string>> Registry::models() const {
    std::vector<std::string> names;
    const std::string all = meta::Key("mv").str();
    auto at = store_.scan({all, meta::prefix_end(all), false});
    while (at->valid()) {
        meta::KeyReader reader(at->key(), "mv");
        const auto name = reader.take_text();
        if (!name) return Error(Code::corrupted, "a key of a model's version can't be read");
        names.push_back(*name);
        at->seek(meta::prefix_end(versions_of(*name)));
    }
    TARN_CHECK_OK(at->status());
    return names;
}

Result<std::vector<VersionInfo>> Registry::versions(const std::string& model, size_t count) const {
    TARN_TRY(in_use, current_number(store_, model));
    std::vector<VersionInfo> all;
    const std::string prefix = versions_of(model);
    auto at = store_.scan({prefix, meta::prefix_end(prefix), false});
    for (; at->valid() && all.size() < count; at->next()) {
        TARN_TRY(record, at->record());
        TARN_TRY(version, parse_version(record.value));
        version.current = version.number == in_use;
        all.push_back(std::move(version));
    }
    TARN_CHECK_OK(at->status());
    return all;
}

Result<VersionInfo> Registry::version(const std::string& model, uint64_t number) const {
    TARN_TRY(in_use, current_number(store_, model));
    TARN_TRY(record, store_.get(version_key(model, number)));
    if (!record) return no_version(model, number);
    TARN_TRY(version, parse_version(record->value));
    version.current = number == in_use;
    return version;
}

Result<std::optional<VersionInfo>> Registry::current(const std::string& model) const {
    TARN_TRY(in_use, current_number(store_, model));
    if (in_use == 0) return std::optional<VersionInfo>();
    TARN_TRY(found, version(model, in_use));
    return std::optional<VersionInfo>(std::move(found));
}

Result<std::string> Registry::load_trees(const VersionInfo& version) const {
    auto reader = objects_.open(std::string(objects::kLakeBucket), version.object_key);
    if (!reader.ok())
        return std::move(reader).error().within("model " + version.model + ", version " +
                                                std::to_string(version.number));
    return (*reader)->read(0, (*reader)->info().size);
}

Status Registry::use(const security::Caller& caller, const std::string& model, uint64_t number,
                     meta::Batch with) {
    meta::Batch batch = std::move(with);
    batch.require_present(version_key(model, number), no_version(model, number));
    batch.put(current_key(model), use_json(number, caller));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return {};
}

Result<uint64_t> Registry::next_number(const std::string& model) const {
    const std::string prefix = versions_of(model);
    auto at = store_.scan({prefix, meta::prefix_end(prefix), false});
    if (!at->valid()) {
        TARN_CHECK_OK(at->status());
        return uint64_t{1};
    }
    TARN_TRY(record, at->record());
    TARN_TRY(newest, parse_version(record.value));
    return newest.number + 1;
}

Status Registry::stage(const security::Caller& caller, VersionInfo& version,
                       const std::string& trees, meta::Batch& batch) {
    char number[32];
    std::snprintf(number, sizeof number, "%06llu", static_cast<unsigned long long>(version.number));
    version.object_key = "models/" + version.model + "/" + number + ".ubj";
    const std::string bucket(objects::kLakeBucket);
    TARN_CHECK_OK(objects_.put(objects::acting(caller, "s3:PutObject", bucket, version.object_key),
                               bucket, version.object_key, trees));
    const std::string key = version_key(version.model, version.number);
    batch.require_absent(
        key,
        Error(Code::conflict, "model " + version.model + " got a version " + number + " meanwhile",
              "version_exists"));
    batch.put(key, to_json(version).dump());
    if (version.promoted) batch.put(current_key(version.model), use_json(version.number, caller));
    return {};
}

std::string version_json(const VersionInfo& version) {
    Json json = to_json(version);
    json.erase("v");
    json.erase("details");
    json.erase("trained_to_time");
    json["current"] = version.current;
    json["created"] = format_iso8601(version.created);
    return json.dump();
}

}  // namespace tarn::models
