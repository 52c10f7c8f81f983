// The numbers of identity columns, as PostgreSQL's sequences give them: each once, never taken back, not by a rollback either; a stop of
// the server leaves a gap.
#pragma once

#include <map>

#include "base/mutex.h"
#include "meta/store.h"
#include "query/internal/duck.h"

namespace tarn::query {

/// The default of such a column: tarn_next_number(database, table, field id).
inline constexpr const char* kNextNumber = "tarn_next_number";

/// One per engine. Lane: any but a loop.
class IdentityNumbers {
 public:
    explicit IdentityNumbers(meta::Store& store) : store_(store) {}
    /// The first of `count` values in a row, counted from 0. Durably taken before it returns.
    Result<int64_t> take(const std::string& table_uuid, int field_id, int64_t count);

 private:
    struct Range {
        int64_t next = 0, end = 0;  // reserved in the store up to `end`
    };
    meta::Store& store_;
    Mutex mutex_;
    std::map<std::string, Range> ranges_ TARN_GUARDED_BY(mutex_);  // by the record's key
};

/// The record of a column's numbers.
std::string identity_key(const std::string& table_uuid, int field_id);

/// tarn_next_number(), and tarn_identity(), which only stands in CREATE TABLE.
void add_identity_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
