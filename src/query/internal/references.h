// Foreign keys: kept in the table's properties and shown to clients, not enforced
// (docs/decisions/0018).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tables/catalog.h"

namespace tarn::query {

/// [CONSTRAINT name] FOREIGN KEY (columns) REFERENCES table [(columns)] [ON DELETE ...] [ON UPDATE
/// ...] ..., as it was written.
struct WrittenReference {
    std::string name;  // empty: made of the table's
    std::vector<std::string> columns;
    std::string schema, table;                // schema empty: by search path
    std::vector<std::string> target_columns;  // empty: the primary key
    char on_update = 'a';                     // pg_constraint.confupdtype
    char on_delete = 'a';
};
/// nullopt: it is something else. Errors: 42601.
Result<std::optional<WrittenReference>> parse_reference(std::string_view sql);

struct TableReference {
    std::string name;
    std::vector<int> fields;
    std::string target_uuid;
    std::vector<int> target_fields;
    char on_update = 'a', on_delete = 'a';
};
std::vector<TableReference> references_of(const tables::Properties& properties);
/// Throws 42703, 42710, 42830.
void put_reference(const tables::TableState& table, const WrittenReference& written,
                   const tables::TableState& target, const std::vector<size_t>& target_shown,
                   const tables::Properties& taken, tables::Properties& into);
/// "ON UPDATE ... ON DELETE ...", as pg_get_constraintdef() prints it; begins with a space when
/// there is any.
std::string actions_text(const TableReference& reference);
/// What whoever makes one is told.
inline constexpr const char* kNotEnforcedNotice =
    "the foreign key is kept for those who ask, and not enforced: rows without a match are taken, "
    "and ON DELETE and ON UPDATE change nothing";

}  // namespace tarn::query
