#include "meta/internal/record_cache.h"

#include "meta/internal/record.h"

namespace tarn::meta {

Result<const Overlay::State*> RecordCache::get(std::string_view key) {
    const auto found = records_.find(key);
    if (found != records_.end()) return &found->second;
    Overlay::State state;
    TARN_TRY(present, database_.get(key, bytes_));
    if (present) {
        const auto record = decode_record(bytes_);
        if (!record) return Error(Code::corrupted, "a record of the index is damaged");
        state = {true, record->version, std::string(record->value), record->body};
    }
    value_bytes_ += state.value.size();
    return &records_.emplace(key, std::move(state)).first->second;
}

void RecordCache::changed(std::string_view key, const Overlay::State& state) {
    const auto found = records_.find(key);
    if (found == records_.end()) return;  // what nobody asked for is not kept
    value_bytes_ -= found->second.value.size();
    if (!found->second.present) return void(records_.erase(found));
    value_bytes_ += state.value.size();
    found->second = state;
}

}  // namespace tarn::meta
