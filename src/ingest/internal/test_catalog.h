// For tests: what a database's catalog has of a table's columns.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "ingest/internal/postgres_tables.h"

namespace tarn::ingest {

/// `name`: nothing, when it is dropped. `changed_by`: the transaction.
inline void add_column(PostgresTable& table, int number, const std::string& name, uint32_t type,
                       uint32_t changed_by, std::optional<std::string> missing = {}) {
    const bool there = !name.empty();
    table.attributes.push_back({number, name, type, !there, false, there, changed_by});
    if (!there) return;
    PostgresColumn column;
    column.number = number;
    column.outside = column.name = name;
    column.type_oid = type;
    column.type = type_of_postgres(type, -1);
    column.has_default = missing.has_value();
    column.missing = std::move(missing);
    table.columns.push_back(std::move(column));
}

}  // namespace tarn::ingest
