// The numbers of identity columns, as PostgreSQL's sequences give them: each once, never taken
// back, not by a rollback either; a stop of the server leaves a gap.
#pragma once

#include <map>

#include "base/mutex.h"
#include "meta/store.h"
#include "query/internal/duck.h"
#include "query/internal/table_rules.h"

namespace tarn::query {

class LakeTable;
class LakeTransaction;

/// The default of such a column: tarn_next_number(database, table, field id).
inline constexpr const char* kNextNumber = "tarn_next_number";

/// One per engine. Lane: any but a loop.
class IdentityNumbers {
 public:
    explicit IdentityNumbers(meta::Store& store) : store_(store) {}
    /// The first of `count` values in a row, counted from 0. Durably taken before it returns.
    Result<int64_t> take(const std::string& table_uuid, int field_id, int64_t count);
    /// How many were given, or set aside before the last start.
    Result<int64_t> taken(const std::string& table_uuid, int field_id);
    /// The next one is `count`. Durably so before it returns.
    Status set(const std::string& table_uuid, int field_id, int64_t count);
    /// The record was changed by others.
    void forget(const std::string& table_uuid, int field_id);

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

/// A name of SQL in one spelling.
std::string sequence_key(std::string_view text);
/// "t_c_seq": the name by which clients know what numbers a column.
std::string sequence_name(const std::string& table, const std::string& column);

/// A numbered column, found by that name.
struct Sequence {
    const LakeTable* table = nullptr;
    int field_id = 0;
    Identity how;

    const std::string& uuid() const;
    /// Whether the session may know how far the numbers are: who sees all rows, and who adds some.
    bool readable() const;
};
std::optional<Sequence> find_sequence(LakeTransaction& transaction, const std::string& database,
                                      const std::string& name);

/// tarn_next_number(), nextval() and its kin, and tarn_identity(), which only stands in CREATE
/// TABLE.
void add_identity_functions(duck::ClientContext& context, duck::Catalog& system);

}  // namespace tarn::query
