// Where each source stands in each table.
#include "tables/commit.h"
#include "tables/internal/records.h"

namespace tarn::tables {

Result<std::optional<std::string>> load_position(const meta::Reader& state,
                                                 const SourcePosition& of) {
    TARN_TRY(record, state.get(position_key(of.table_uuid, of.source, of.partition)));
    if (!record) return std::optional<std::string>();
    return std::optional<std::string>(std::move(record->value));
}

void stage_position(meta::Batch& batch, const SourcePosition& of,
                    std::optional<std::string> expected, std::string next) {
    const std::string key = position_key(of.table_uuid, of.source, of.partition);
    batch.require_value(key, std::move(expected),
                        Error(Code::conflict,
                              "source " + of.source + ", " + of.partition +
                                  ": someone else has read on since: load the position again",
                              "position_moved"));
    batch.put(key, std::move(next));
}

}  // namespace tarn::tables
