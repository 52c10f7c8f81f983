#include "tables/internal/partition_key.h"

#include "base/bytes.h"

namespace tarn::tables {

std::string partition_key(int spec_id, const Partition& partition) {
    std::string key;
    append_le(key, static_cast<int32_t>(spec_id));
    for (const auto& value : partition) {
        key.push_back(static_cast<char>(value.value.index()));
        if (const auto* truth = std::get_if<bool>(&value.value)) key.push_back(*truth ? 1 : 0);
        if (const auto* integer = std::get_if<int64_t>(&value.value)) append_le(key, *integer);
        if (const auto* real = std::get_if<double>(&value.value)) append_le(key, *real);
        if (const auto* unscaled = std::get_if<Int128>(&value.value)) append_le(key, *unscaled);
        if (const auto* text = std::get_if<std::string>(&value.value)) {
            append_le(key, static_cast<uint64_t>(text->size()));
            key += *text;
        }
    }
    return key;
}

}  // namespace tarn::tables
