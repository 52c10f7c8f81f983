// The catalog: what there is, each table's columns, history and files, and the words that describe
// it. Everything is filtered by the caller's grants: what is not seen is as if it were not there.
#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "lakefile/applier.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/catalog_view.h"
#include "protocols/admin/internal/sight.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::admin {
namespace {

constexpr size_t kFilesMax = 2'000;
constexpr size_t kSnapshotsMax = 1'000;
constexpr size_t kDescriptionBytesMax = 8'192;
constexpr size_t kTagsMax = 32;

Error without_catalog() {
    return Error(Code::unimplemented, "this server was started without tables");
}

Json time_of_snapshot(const tables::SnapshotPtr& snapshot) {
    return snapshot == nullptr ? Json() : Json(format_iso8601({snapshot->timestamp_ms * 1000}));
}

/// Table -> what makes its rows: a source, or a step of the graph. Each has tables beside its own:
/// rows that were set aside, and what is known of a forecast.
std::map<std::string, Json> makers(const DoorParts& parts) {
    std::map<std::string, Json> out;
    const auto add = [&out](const std::string& table, const Json& maker,
                            std::initializer_list<const char*> beside) {
        out[table] = maker;
        for (const char* end : beside) out.try_emplace(table + end, maker);
    };
    if (parts.sources != nullptr)
        for (const auto& source : parts.sources->status())
            for (const auto& table : source.tables)
                add(table.database + "." + table.name,
                    {{"kind", "source"}, {"name", source.name}, {"how", source.kind}},
                    {"_rejected"});
    if (parts.graph != nullptr)
        for (const auto& step : parts.graph->status())
            if (step.output)
                add(step.output->full_name(),
                    {{"kind", "step"}, {"name", step.name}, {"how", flows::to_string(step.state)}},
                    {"_rejected", "_backtest", "_outcomes"});
    return out;
}

Json maker_of(const std::map<std::string, Json>& all, const std::string& table) {
    const auto found = all.find(table);
    return found == all.end() ? Json() : found->second;
}

Json column_json(const SeenColumn& column) {
    return {{"name", column.name},
            {"type", column.type},
            {"description", column.description},
            {"required", column.required},
            {"masked", column.masked}};
}

/// How old the newest rows of tables may be.
using Fresh = std::map<std::string, std::chrono::seconds>;
Fresh promised(const DoorParts& parts) {
    const auto declared = parts.applier == nullptr ? nullptr : parts.applier->current();
    return declared == nullptr ? Fresh() : declared->fresh;
}

/// What the list and the table's own page both say.
Json summary_json(const DoorParts& parts, const SeenTable& seen, const std::map<std::string, Json>& made_by, const Fresh& fresh) {
    const auto snapshot = seen.table == nullptr ? nullptr : seen.table->current_snapshot();
    Json out = {{"database", seen.info.database},
                {"table", seen.info.name},
                {"kind", seen.info.kind == tables::RelationKind::view ? "view" : "table"},
                {"description", seen.info.comment},
                {"tags", seen.tags},
                {"owner", seen.info.owner},
                {"columns", seen.columns.size()},
                {"whole", seen.whole},
                {"updated", time_of_snapshot(snapshot)},
                {"made_by", maker_of(made_by, seen.full_name())}};
    if (seen.whole && seen.table != nullptr) out.update(snapshot_counts(snapshot));
    if (const auto limit = fresh.find(seen.full_name()); limit != fresh.end()) {
        out["fresh_s"] = limit->second.count();
        out["late"] = snapshot == nullptr || Timestamp{snapshot->timestamp_ms * 1000}.plus(limit->second) < parts.clock->now();
    }
    return out;
}

/// Where each word of a search is found; nullopt: one of them nowhere.
std::optional<Json> find_words(const SeenTable& seen, const std::vector<std::string>& words) {
    Json columns = Json::array();
    std::string about = lower_ascii(seen.full_name() + " " + seen.info.comment);
    for (const auto& tag : seen.tags) about += " " + lower_ascii(tag);
    for (const auto& word : words) {
        bool found = about.find(word) != std::string::npos;
        for (const auto& column : seen.columns) {
            if (lower_ascii(column.name + " " + column.description).find(word) == std::string::npos)
                continue;
            found = true;
            if (std::find(columns.begin(), columns.end(), column.name) == columns.end())
                columns.push_back(column.name);
        }
        if (!found) return std::nullopt;
    }
    return columns;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    std::string word;
    for (const char c : lower_ascii(text) + " ") {
        if (c != ' ') {
            word.push_back(c);
        } else if (!word.empty()) {
            words.push_back(std::exchange(word, {}));
        }
    }
    return words;
}

/// The trail then says which table was looked at.
Result<SeenTable> seen_table(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr) return without_catalog();
    request.caller.resource =
        parts.grants->table_arn(request.path_values[0], request.path_values[1]);
    return CatalogView(parts, request.caller.principal)
        .find(request.path_values[0], request.path_values[1]);
}

/// What says something of all rows is for who sees all rows.
Result<SeenTable> whole_table(const DoorParts& parts, ApiRequest& request, const char* what) {
    TARN_TRY(seen, seen_table(parts, request));
    if (!seen.whole)
        return Error(Code::permission_denied, std::string(what) + " of " + seen.full_name() +
                                                  " are for who may see the whole table");
    if (seen.table == nullptr)
        return Error(Code::invalid_argument, seen.full_name() + " is a view: it has no " + what);
    return seen;
}

/// Without what is made of columns that are not seen: the field's name has theirs.
Json partition_json(const SeenTable& seen) {
    const auto& metadata = *seen.table->metadata;
    Json out = Json::array();
    for (const auto& field : metadata.spec().fields) {
        const auto* source = metadata.schema().find(field.source_id);
        const bool shown = seen.whole || (source != nullptr &&
                                          std::any_of(seen.columns.begin(), seen.columns.end(),
                                                      [&](const auto& one) { return one.name == source->name; }));
        if (!shown) continue;
        out.push_back({{"name", field.name},
                       {"column", source == nullptr ? "" : source->name},
                       {"transform", tables::transform_name(field.transform)}});
    }
    return out;
}

Json snapshot_json(const tables::SnapshotPtr& snapshot, bool whole) {
    Json out = {{"id", std::to_string(snapshot->snapshot_id)},
                {"at", format_iso8601({snapshot->timestamp_ms * 1000})},
                {"operation", snapshot->operation()}};
    if (snapshot->parent_snapshot_id) out["parent"] = std::to_string(*snapshot->parent_snapshot_id);
    if (!whole) return out;
    out.update(snapshot_counts(snapshot));
    const auto number = [&](const char* name) {
        return snapshot->summary_number(name).value_or(0);
    };
    // A rewrite puts the same rows into other files.
    const bool same = snapshot->operation() == "replace";
    out["rows_added"] = same ? 0 : number("added-records");
    out["rows_removed"] = same ? 0 : number("deleted-records") + number("added-position-deletes");
    out["files_added"] = number("added-data-files");
    out["files_removed"] = number("deleted-data-files");
    out["bytes_added"] = number("added-files-size");
    return out;
}

}  // namespace

Result<ApiResponse> list_catalog(const DoorParts& parts, ApiRequest& request) {
    if (parts.catalog == nullptr) return without_catalog();
    const auto words = words_of(request.http.query_value("search").value_or("").substr(0, 200));
    bool truncated = false;
    TARN_TRY(all, CatalogView(parts, request.caller.principal).all(&truncated));
    const auto made_by = makers(parts);
    const auto fresh = promised(parts);
    Json found = Json::array();
    for (const auto& seen : all) {
        const auto columns = find_words(seen, words);
        if (!columns) continue;
        found.push_back(summary_json(parts, seen, made_by, fresh));
        if (!words.empty()) found.back()["found_columns"] = *columns;
    }
    return ApiResponse{200, {{"tables", std::move(found)}, {"truncated", truncated}}, {}};
}

Result<ApiResponse> get_table(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, seen_table(parts, request));
    Json body = summary_json(parts, seen, makers(parts), promised(parts));
    body["columns"] = Json::array();
    for (const auto& column : seen.columns) body["columns"].push_back(column_json(column));
    body["created"] = format_iso8601(seen.info.created);
    body["may"] = {{"insert", seen.access.insert},
                   {"update", seen.access.update && seen.whole},
                   {"delete", seen.access.remove && seen.whole},
                   {"alter", seen.access.alter}};
    if (seen.table == nullptr) {
        if (seen.whole) body["sql"] = seen.info.sql;
        return ApiResponse{200, std::move(body), {}};
    }
    const auto& metadata = *seen.table->metadata;
    body["partition"] = partition_json(seen);
    body["snapshot"] =
        metadata.current_snapshot_id ? Json(std::to_string(*metadata.current_snapshot_id)) : Json();
    if (seen.whole) {
        body["snapshots"] = metadata.snapshots.size();
        body["location"] = metadata.location;
        body["metadata_location"] = seen.table->metadata_location;
        body["properties"] = metadata.properties;
    }
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> list_snapshots(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, seen_table(parts, request));
    if (seen.table == nullptr)
        return Error(Code::invalid_argument, seen.full_name() + " is a view: it has no snapshots");
    TARN_TRY(limit, number_in(request.http, "limit"));
    const auto& metadata = *seen.table->metadata;
    Json found = Json::array();
    const size_t most = std::min<size_t>(limit.value_or(200), kSnapshotsMax);
    for (auto at = metadata.snapshots.rbegin();
         at != metadata.snapshots.rend() && found.size() < most; ++at) {
        found.push_back(snapshot_json(*at, seen.whole));
        found.back()["current"] = metadata.current_snapshot_id == (*at)->snapshot_id;
    }
    Json body = {{"snapshots", std::move(found)},
                 {"total", metadata.snapshots.size()},
                 {"whole", seen.whole}};
    return ApiResponse{200, std::move(body), {}};
}

Result<ApiResponse> list_table_files(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, whole_table(parts, request, "files"));
    TARN_TRY(plan, tables::plan_scan(*parts.catalog, seen.table));
    const auto& metadata = *seen.table->metadata;
    Json files = Json::array();
    std::map<std::string, std::array<int64_t, 3>> partitions;  // files, rows, bytes
    for (const auto& task : plan.tasks) {
        const auto& file = *task.file;
        std::string partition;
        if (const auto* spec = metadata.find_spec(file.spec_id);
            spec != nullptr && !spec->fields.empty())
            partition = tables::partition_text(
                *spec, tables::partition_types(*spec, metadata.schemas), file.partition);
        auto& sums = partitions[partition];
        sums[0] += 1;
        sums[1] += file.record_count;
        sums[2] += file.file_size_bytes;
        if (files.size() >= kFilesMax) continue;
        files.push_back({{"path", file.path},
                         {"partition", partition},
                         {"rows", file.record_count},
                         {"bytes", file.file_size_bytes},
                         {"format", file.format},
                         {"delete_files", task.deletes.size()}});
    }
    Json sums = Json::array();
    for (const auto& [partition, numbers] : partitions) {
        if (sums.size() >= kFilesMax) break;
        sums.push_back({{"partition", partition},
                        {"files", numbers[0]},
                        {"rows", numbers[1]},
                        {"bytes", numbers[2]}});
    }
    Json body = {{"files", std::move(files)},
                 {"partitions", std::move(sums)},
                 {"partitions_total", partitions.size()},
                 {"total", plan.tasks.size()},
                 {"bytes", plan.bytes}};
    return ApiResponse{200, std::move(body), {}};
}

namespace {

/// The "tags" of the body as the property's text.
Result<std::string> tags_in(const Json& tags) {
    if (!tags.is_array() || tags.size() > kTagsMax)
        return Error(Code::invalid_argument, "\"tags\" is a list of at most 32 words");
    std::string text;
    for (const auto& tag : tags) {
        const bool fits = tag.is_string() && !tag.get<std::string>().empty() &&
                          tag.get<std::string>().size() <= 64 &&
                          tag.get<std::string>().find(',') == std::string::npos;
        if (!fits) return Error(Code::invalid_argument, "a tag is 1 to 64 bytes without a comma");
        text += (text.empty() ? "" : ",") + tag.get<std::string>();
    }
    return text;
}

}  // namespace

Result<ApiResponse> put_description(const DoorParts& parts, ApiRequest& request) {
    TARN_TRY(seen, seen_table(parts, request));
    if (!seen.access.alter)
        return Error(Code::permission_denied,
                     "describing " + seen.full_name() + " needs a grant to alter it");
    const auto description = request.body.find("description");
    const auto tags = request.body.find("tags");
    if (description == request.body.end() && tags == request.body.end())
        return Error(Code::invalid_argument, "the body needs \"description\" or \"tags\"");
    std::string text;
    if (description != request.body.end()) {
        TARN_TRY(given, request.text("description"));
        if (given.size() > kDescriptionBytesMax)
            return Error(Code::invalid_argument, "a description has at most 8192 bytes");
        text = std::move(given);
    }
    const std::string column = request.text_or("column", "");
    if (tags != request.body.end() || !column.empty()) {
        if (seen.table == nullptr)
            return Error(Code::invalid_argument,
                         "a view's columns and tags are described where it is made");
        tables::TableChange change;
        change.table = seen.table;
        if (!column.empty()) {
            const auto* field = seen.table->schema().find(column);
            const bool known =
                field != nullptr &&
                std::any_of(seen.columns.begin(), seen.columns.end(),
                            [&](const auto& one) { return one.name == field->name; });
            if (!known)
                return Error(Code::not_found, seen.full_name() + " has no column " + column);
            change.schema = {tables::SchemaStep::set_doc(
                field->id, text.empty() ? std::nullopt : std::optional(text))};
        }
        if (tags != request.body.end()) {
            TARN_TRY(words, tags_in(*tags));
            if (words.empty())
                change.remove_properties = {kTagsProperty};
            else
                change.set_properties = {{kTagsProperty, words}};
        }
        TARN_TRY(done, parts.committer->commit(request.caller, {std::move(change)},
                                               audit_batch(parts, request)));
        static_cast<void>(done);
    }
    if (column.empty() && description != request.body.end())
        TARN_CHECK_OK(parts.catalog->set_comment(request.caller, seen.info, text));
    return ApiResponse{204, Json(), {}};
}

}  // namespace tarn::admin
