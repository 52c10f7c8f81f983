#include "ingest/internal/leftovers.h"

#include <nlohmann/json.hpp>

#include "codec/json.h"
#include "meta/keys.h"
#include "tables/catalog.h"

namespace tarn::ingest {

namespace {

constexpr size_t kListed = 1000;

std::string staged_key(const std::string& source) {
    return meta::Key("is").rest(source);
}

Status remove_below(tables::Files& files, const std::string& location) {
    for (;;) {
        TARN_TRY(listed, files.list(location + "/", "", kListed));
        if (listed.empty()) return ok_status();
        std::vector<std::string> paths;
        for (auto& file : listed) paths.push_back(std::move(file.path));
        TARN_CHECK_OK(files.remove(paths));
    }
}

}  // namespace

Status remove_leftovers(const SourcesParts& parts, const std::string& source) {
    TARN_TRY(record, parts.store.get(staged_key(source)));
    if (!record) return ok_status();
    const auto json = nlohmann::json::parse(record->value, nullptr, false);
    if (!json.is_array())
        return Error(Code::corrupted, "the list of staged tables of source " + source);
    for (const auto& location : json)
        if (location.is_string())
            TARN_CHECK_OK(remove_below(parts.catalog.files(), location.get<std::string>()));
    meta::Batch batch;
    stage_forget_staged(batch, source);
    TARN_CHECK_OK(parts.store.commit(std::move(batch)));
    return ok_status();
}

Status note_staged(const SourcesParts& parts, const std::string& source,
                   const std::vector<std::string>& locations) {
    if (locations.empty()) return ok_status();
    codec::JsonWriter json;
    json.begin_array();
    for (const auto& location : locations) json.value(location);
    json.end_array();
    meta::Batch batch;
    batch.put(staged_key(source), json.take());
    TARN_CHECK_OK(parts.store.commit(std::move(batch)));
    return ok_status();
}

void stage_forget_staged(meta::Batch& batch, const std::string& source) {
    batch.erase(staged_key(source));
}

}  // namespace tarn::ingest
