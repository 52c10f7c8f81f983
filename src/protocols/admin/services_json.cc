#include "protocols/admin/internal/services_json.h"

#include <algorithm>

namespace tarn::admin {
namespace {

Json snapshot_json(const std::optional<int64_t>& snapshot) {
    // Beyond 2^53: a text, as in answers to SQL.
    return snapshot ? Json(std::to_string(*snapshot)) : Json();
}

/// A position and an error may hold values, and counts are statistics: they are for who sees the
/// table whole.
Json source_table_json(const ingest::TableStatus& table, bool whole) {
    Json out = {{"table", table.database + "." + table.name},
                {"last_commit", time_or_null(table.last_commit)}};
    if (!whole) {
        out["last_error"] = table.last_error.empty() ? "" : kHidden;
        return out;
    }
    out["rows"] = table.rows;
    out["rows_estimated"] = table.rows_estimated;
    out["bytes"] = table.bytes;
    out["rows_rejected"] = table.rows_rejected;
    out["backlog"] = table.backlog;
    out["position"] = table.position;
    out["newest"] = time_or_null(table.newest);
    out["last_error"] = table.last_error;
    if (!table.note.empty()) out["note"] = table.note;
    if (!table.paused.empty()) out["paused"] = table.paused;
    return out;
}

Json capture_json(const ingest::CaptureStatus& capture) {
    return {{"position", capture.position},
            {"lag_bytes", capture.lag_bytes},
            {"lag_seconds", capture.lag_seconds},
            {"retained_bytes", capture.retained_bytes},
            {"transactions", capture.transactions},
            {"changes", capture.changes},
            {"changes_per_second", capture.changes_per_second},
            {"protocol_version", capture.protocol_version}};
}

}  // namespace

Json time_or_null(Timestamp at) {
    return at.micros == 0 ? Json() : Json(format_iso8601(at));
}

Json optional_time(const std::optional<Timestamp>& at) {
    return at ? Json(format_iso8601(*at)) : Json();
}

Json text_as_json(const std::string& text) {
    Json parsed = Json::parse(text, nullptr, false);
    return parsed.is_discarded() ? Json(text) : parsed;
}

Json run_json(const flows::RunRecord& run, const std::optional<flows::TableRef>& output,
              Sight& sight) {
    std::vector<flows::TableRef> behind;
    for (const auto& input : run.inputs) behind.push_back(input.name);
    if (output) behind.push_back(*output);
    Json out = {{"step", run.step},
                {"run", run.number},
                {"cause", flows::to_string(run.cause)},
                {"outcome", flows::to_string(run.outcome)},
                {"started", format_iso8601(run.started)},
                {"ended", time_or_null(run.ended)},
                {"mode", run.mode},
                {"output_snapshot", snapshot_json(run.output_snapshot)},
                {"inputs", Json::array()}};
    for (const auto& input : run.inputs)
        if (sight.any(input.name))
            out["inputs"].push_back({{"table", input.name.full_name()},
                                     {"before", snapshot_json(input.before)},
                                     {"now", snapshot_json(input.now)}});
    if (!sight.whole(behind)) {
        out["error"] = run.error.empty() ? "" : kHidden;
        return out;
    }
    out["rows_read"] = run.result.rows_read;
    out["rows_written"] = run.result.rows_written;
    out["rows_set_aside"] = run.result.rows_set_aside;
    out["bytes_written"] = run.result.bytes_written;
    out["warnings"] = run.result.warnings;
    out["log"] = Json::array();
    for (const auto& line : run.log)
        out["log"].push_back({{"at", format_iso8601(line.at)}, {"text", line.text}});
    out["error"] = run.error;
    return out;
}

bool is_seen(const flows::StepStatus& step, Sight& sight) {
    return !step.output || sight.any(*step.output);
}

Json step_json(const flows::StepStatus& step, Sight& sight) {
    Json out = {{"step", step.name},
                {"state", flows::to_string(step.state)},
                {"table", step.output ? Json(step.output->full_name()) : Json()},
                {"inputs", Json::array()},
                {"blocked_by", step.blocked_by},
                {"waits_for", step.waits_for},
                {"failures", step.failures},
                {"next", optional_time(step.next)},
                {"last", step.last ? run_json(*step.last, step.output, sight) : Json()}};
    for (const auto& input : step.inputs)
        if (sight.any(input)) out["inputs"].push_back(input.full_name());
    if (step.output && !sight.whole(*step.output)) return out;
    if (!step.progress_what.empty())
        out["progress"] = {{"what", step.progress_what},
                           {"done", step.progress_done},
                           {"total", step.progress_total}};
    return out;
}

Json source_json(const ingest::SourceStatus& source, Sight& sight) {
    Json tables = Json::array();
    std::vector<flows::TableRef> all;
    for (const auto& table : source.tables) {
        all.push_back({table.database, table.name});
        if (sight.any(all.back()))
            tables.push_back(source_table_json(table, sight.whole(all.back())));
    }
    const bool whole = sight.whole(all);
    const bool told = source.last_error.empty() || whole;
    Json out = {{"name", source.name},
                {"kind", source.kind},
                {"state", ingest::to_string(source.state)},
                {"last_error", told ? source.last_error : kHidden},
                {"tables", std::move(tables)}};
    // How much changes there is statistics of all its tables.
    if (source.capture && whole) out["capture"] = capture_json(*source.capture);
    return out;
}

RuleSight::RuleSight(const DoorParts& parts, const security::Principal& who)
    : root_(who.is_root()), sight_(parts, who) {
    if (parts.graph == nullptr) return;
    for (auto& step : parts.graph->status())
        if (step.name.starts_with("alerts.")) inputs_[step.name.substr(7)] = std::move(step.inputs);
}

bool RuleSight::whole(const std::string& rule) {
    if (root_) return true;
    const auto found = inputs_.find(rule);
    return found != inputs_.end() && sight_.whole(found->second);
}

std::vector<std::string> RuleSight::tables(const std::string& rule) {
    std::vector<std::string> out;
    for (const auto& input : inputs_[rule])
        if (sight_.any(input)) out.push_back(input.full_name());
    return out;
}

Json steps_json(const std::vector<flows::StepStatus>& steps, Sight& sight) {
    Json out = Json::array();
    std::set<std::string> seen;
    for (const auto& step : steps)
        if (is_seen(step, sight)) seen.insert(step.name);
    for (const auto& step : steps) {
        if (!seen.contains(step.name)) continue;
        out.push_back(step_json(step, sight));
        for (const char* other : {"blocked_by", "waits_for"})
            if (!seen.contains(out.back()[other].get<std::string>())) out.back()[other] = "";
    }
    return out;
}

Error without(const char* what) {
    return Error(Code::unimplemented, std::string("this server was started without ") + what);
}

Result<size_t> limit_in(ApiRequest& request) {
    TARN_TRY(limit, number_in(request.http, "limit"));
    return std::min<size_t>(limit.value_or(100), kListMax);
}

}  // namespace tarn::admin
