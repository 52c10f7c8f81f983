#include "flows/internal/records.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "codec/json.h"
#include "meta/keys.h"

namespace tarn::flows {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

Error damaged(const char* what) {
    return {Code::corrupted, std::string("a record of ") + what + " cannot be read"};
}

void put_snapshot(codec::JsonWriter& out, const char* name,
                  const std::optional<int64_t>& snapshot) {
    if (snapshot) out.member(name, *snapshot);
}

std::optional<int64_t> snapshot_of(const Json& json, const char* name) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
}

template <typename Enum>
Enum enum_of(const std::string& word, Enum last) {
    for (int i = 0; i <= static_cast<int>(last); ++i)
        if (to_string(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
    return Enum{};
}

}  // namespace

std::string step_key(const std::string& step) {
    return meta::Key("fs").rest(step);
}

std::string runs_prefix(const std::string& step) {
    meta::Key key("fr");
    if (!step.empty()) key.text(step);
    return key;
}

std::string run_key(const std::string& step, uint64_t number) {
    return meta::Key("fr").text(step).descending(number);
}

std::string encode(const StepRecord& record) {
    codec::JsonWriter out;
    out.begin_object()
        .member("version", kVersion)
        .member("fingerprint", std::string_view(record.fingerprint));
    out.member("started", record.started.micros)
        .member("number", static_cast<int64_t>(record.number));
    out.member("output_uuid", std::string_view(record.output_uuid));
    out.key("inputs").begin_array();
    for (const auto& [name, mark] : record.inputs) {
        out.begin_object()
            .member("database", std::string_view(name.database))
            .member("table", std::string_view(name.table));
        out.member("uuid", std::string_view(mark.uuid));
        put_snapshot(out, "snapshot", mark.snapshot);
        out.end_object();
    }
    return out.end_array().end_object().take();
}

Result<StepRecord> decode_step(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        StepRecord record;
        if (json.at("version").get<int>() != kVersion)
            return damaged("a step (of another version)");
        record.fingerprint = json.at("fingerprint").get<std::string>();
        record.started = {json.at("started").get<int64_t>()};
        record.number = json.at("number").get<uint64_t>();
        record.output_uuid = json.at("output_uuid").get<std::string>();
        for (const auto& each : json.at("inputs"))
            record.inputs[{each.at("database").get<std::string>(),
                           each.at("table").get<std::string>()}] = {
                each.at("uuid").get<std::string>(), snapshot_of(each, "snapshot")};
        return record;
    } catch (const std::exception&) {
        return damaged("a step");
    }
}

std::string encode(const RunRecord& record) {
    codec::JsonWriter out;
    out.begin_object().member("version", kVersion).member("step", std::string_view(record.step));
    out.member("number", static_cast<int64_t>(record.number));
    out.member("cause", to_string(record.cause)).member("outcome", to_string(record.outcome));
    out.member("started", record.started.micros).member("ended", record.ended.micros);
    out.member("rows_read", static_cast<int64_t>(record.result.rows_read));
    out.member("rows_written", static_cast<int64_t>(record.result.rows_written));
    out.member("rows_set_aside", static_cast<int64_t>(record.result.rows_set_aside));
    out.member("bytes_written", static_cast<int64_t>(record.result.bytes_written));
    out.key("warnings").begin_array();
    for (const auto& warning : record.result.warnings) out.value(std::string_view(warning));
    out.end_array()
        .member("mode", std::string_view(record.mode))
        .member("error", std::string_view(record.error));
    out.key("inputs").begin_array();
    for (const auto& input : record.inputs) {
        out.begin_object().member("database", std::string_view(input.name.database));
        out.member("table", std::string_view(input.name.table));
        put_snapshot(out, "before", input.before);
        put_snapshot(out, "now", input.now);
        out.end_object();
    }
    out.end_array();
    put_snapshot(out, "output_snapshot", record.output_snapshot);
    if (!record.log.empty()) {
        out.key("log").begin_array();
        for (const auto& line : record.log)
            out.begin_object()
                .member("at", line.at.micros)
                .member("text", std::string_view(line.text))
                .end_object();
        out.end_array();
    }
    return out.end_object().take();
}

Result<RunRecord> decode_run(std::string_view text) {
    try {
        const Json json = Json::parse(text);
        if (json.at("version").get<int>() != kVersion) return damaged("a run (of another version)");
        RunRecord record;
        record.step = json.at("step").get<std::string>();
        record.number = json.at("number").get<uint64_t>();
        record.cause = enum_of(json.at("cause").get<std::string>(), Cause::request);
        record.outcome = enum_of(json.at("outcome").get<std::string>(), RunOutcome::cancelled);
        record.started = {json.at("started").get<int64_t>()};
        record.ended = {json.at("ended").get<int64_t>()};
        record.result.rows_read = json.at("rows_read").get<uint64_t>();
        record.result.rows_written = json.at("rows_written").get<uint64_t>();
        record.result.rows_set_aside = json.at("rows_set_aside").get<uint64_t>();
        record.result.bytes_written = json.at("bytes_written").get<uint64_t>();
        record.result.warnings = json.at("warnings").get<std::vector<std::string>>();
        record.mode = json.at("mode").get<std::string>();
        record.error = json.at("error").get<std::string>();
        for (const auto& each : json.at("inputs"))
            record.inputs.push_back(
                {{each.at("database").get<std::string>(), each.at("table").get<std::string>()},
                 snapshot_of(each, "before"),
                 snapshot_of(each, "now")});
        record.output_snapshot = snapshot_of(json, "output_snapshot");
        if (const auto log = json.find("log"); log != json.end())
            for (const auto& line : *log)
                record.log.push_back({{line.at("at").get<int64_t>()}, line.at("text")});
        return record;
    } catch (const std::exception&) {
        return damaged("a run");
    }
}

Result<std::optional<StepRecord>> load_step(const meta::Reader& state, const std::string& step) {
    TARN_TRY(record, state.get(step_key(step)));
    if (!record) return std::optional<StepRecord>();
    TARN_TRY(decoded, decode_step(record->value));
    return std::optional<StepRecord>(std::move(decoded));
}

Result<std::vector<RunRecord>> load_runs(const meta::Reader& state, const std::string& step,
                                         size_t limit) {
    const std::string prefix = runs_prefix(step);
    std::vector<RunRecord> runs;
    const auto walk = state.scan({prefix, meta::prefix_end(prefix)});
    for (; walk->valid() && (step.empty() || runs.size() < limit); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_TRY(run, decode_run(record.value));
        runs.push_back(std::move(run));
    }
    TARN_CHECK_OK(walk->status());
    if (step.empty()) {
        std::stable_sort(runs.begin(), runs.end(), [](const RunRecord& a, const RunRecord& b) {
            return a.started > b.started;
        });
        if (runs.size() > limit) runs.resize(limit);
    }
    return runs;
}

}  // namespace tarn::flows
