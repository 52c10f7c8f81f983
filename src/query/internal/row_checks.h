// CHECK constraints: an expression over the columns of a row that must not be false. It stands in
// the table's properties, with the columns as their field ids, so that it survives renaming.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/internal/duck.h"
#include "tables/catalog.h"

namespace tarn::query {

struct TableCheck {
    std::string name;
    std::string expression;  // columns are named by their field ids: ("3" > 0)
};

std::vector<TableCheck> checks_of(const tables::Properties& properties);
/// As catalogs show it and a query computes it; nullopt: it names a column that is not among
/// `shown` (positions in the schema).
std::optional<std::string> check_text(const TableCheck& check, const tables::Schema& schema,
                                      const std::vector<size_t>& shown);
std::vector<int> columns_of(const TableCheck& check);

/// The property of a check. `name`: empty for PostgreSQL's choice, in which `taken` counts. Throws
/// 42601, 42703, 0A000.
void put_check(duck::ClientContext& context, const tables::TableState& table, std::string name,
               const std::string& given, const tables::Properties& taken, tables::Properties& into);

/// Computes a table's checks on rows that are about to be written. One thread at a time.
class RowChecks {
 public:
    /// `columns`: positions in the schema's fields, in the order of the chunks' columns; the others
    /// are NULL.
    RowChecks(duck::ClientContext& context, const tables::TableState& table,
              const tables::Properties& properties, const std::vector<size_t>& columns);
    /// Throws 23514, which tells the constraint and no value.
    void verify(duck::DataChunk& rows);

 private:
    struct Bound {
        std::string name;
        duck::unique_ptr<duck::Expression> expression;
        std::unique_ptr<duck::ExpressionExecutor> executor;
    };
    const std::string table_name_;
    std::vector<Bound> checks_;
};

}  // namespace tarn::query
