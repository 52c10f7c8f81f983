// What SQL says of a table beyond the schema of Iceberg v2: defaults, numbered columns, enforced
// keys. It stands in the table's properties, by field id, so that it is committed with the table
// and survives renaming.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/declared_type.h"
#include "query/internal/duck.h"
#include "query/internal/statement.h"
#include "tables/catalog.h"

namespace tarn::query {

/// GENERATED ... AS IDENTITY and serial.
struct Identity {
    bool always = false;  // nobody gives values himself, unless OVERRIDING SYSTEM VALUE
    int64_t start = 1;
    int64_t increment = 1;
};

/// PRIMARY KEY or UNIQUE, checked whenever SQL changes the table.
struct TableKey {
    std::string name;
    bool primary = false;
    std::vector<int> fields;
};

/// What the type of a column says beyond Iceberg's: json and jsonb are strings there, smallint is
/// an int.
void put_type(tables::Properties& properties, int field_id, const duck::LogicalType& type);
/// None when the column is something else by now.
DeclaredType declared_type(const tables::Properties& properties, const tables::Field& field);
/// The type that SQL computes with.
duck::LogicalType column_type(const tables::Properties& properties, const tables::Field& field);

/// What stands behind DEFAULT, or for an identity. Throws 0A000.
void put_default(tables::Properties& properties, int field_id, const duck::ParsedExpression& given);
void put_key(tables::Properties& properties, const TableKey& key);

std::optional<Identity> identity_of(const tables::Properties& properties, int field_id);
/// As DuckDB binds it; null: none.
duck::unique_ptr<duck::ParsedExpression> default_of(const tables::TableState& table, int field_id);
/// To be computed, as the column's type. Throws as a CREATE TABLE with that default would.
duck::unique_ptr<duck::Expression> bind_default(duck::ClientContext& context,
                                                const duck::LogicalType& type,
                                                duck::unique_ptr<duck::ParsedExpression> given);
/// That the value is one of the column, as far as it is known before a row is there. Throws 22P02
/// and what binding does.
void check_default(duck::ClientContext& context, const duck::LogicalType& type,
                   const duck::ParsedExpression& given);
/// As catalogs show it; empty: none.
std::string default_text(const tables::Properties& properties, int field_id);
std::vector<TableKey> keys_of(const tables::Properties& properties);
/// Names of the properties that a column takes with it. Throws 2BP01 when it is of a key.
std::vector<std::string> properties_of_column(const tables::Properties& properties, int field_id);

/// "t_pkey", "t_a_b_key", as PostgreSQL names them.
std::string key_name(const std::string& table, bool primary,
                     const std::vector<std::string>& columns);

/// The property of a key that ALTER TABLE adds. Throws 42703, 42P16, 42P07.
tables::Properties key_added(const tables::TableState& table, const tables::Properties& properties,
                             const Utility::NewKey& wanted);

/// What an ALTER TABLE does to the properties.
struct RuleChanges {
    tables::Properties set;
    std::vector<std::string> remove;
};

/// The properties that a column is numbered by. Throws 42703.
RuleChanges identity_added(const tables::TableState& table, const Utility::NewIdentity& wanted);
/// The property of a constraint of that name; nullopt: there is none.
std::optional<std::string> constraint_property(const tables::Properties& properties,
                                               const std::string& name);

/// What SET DEFAULT and DROP DEFAULT do, and a change between types that are one to Iceberg.
/// nullopt: it is something else. Throws.
std::optional<RuleChanges> alter_rules(duck::ClientContext& context,
                                       const tables::TableState& table, duck::AlterInfo& info);

/// The property that the column's type has beyond Iceberg's, for one that gets another type.
std::string type_property(int field_id);

/// The table with more properties, or another comment on a column: for a transaction that has just
/// made it.
tables::TablePtr with_properties(const tables::TableState& table, const tables::Properties& more,
                                 const std::vector<std::string>& without = {});
tables::TablePtr with_doc(const tables::TableState& table, int field_id,
                          const std::optional<std::string>& doc);

}  // namespace tarn::query
