// The one DuckDB of an engine: opened on first use, locked down before any SQL reaches it.
#pragma once

#include "query/internal/file_cache.h"
#include "query/internal/services.h"

namespace tarn::query {

class Database {
 public:
    /// Throws.
    explicit Database(Services& services);

    /// False after an error inside of DuckDB: it refuses all further work, a new one must take its
    /// place.
    bool healthy() const;
    /// A new connection, with the lake as its catalog and `database` as its search path.
    std::unique_ptr<duck::Connection> connect(security::Caller caller, bool internal,
                                              const std::vector<std::string>& search_path);
    FileCache& file_cache() { return *file_cache_; }

 private:
    duck::unique_ptr<duck::DuckDB> duck_;
    std::unique_ptr<FileCache> file_cache_;
};

void set_search_path(duck::ClientContext& context, const std::vector<std::string>& databases);

/// Statement kinds that SQL may use; everything else is 0A000 or 42501. Looks into EXPLAIN.
Status check_statement(const duck::SQLStatement& statement);

/// Removes what reaches out of the lake (files, settings, other databases, code) from DuckDB's own
/// catalog, and makes a few functions PostgreSQL's: division by zero is an error, ~ matches a part.
void lock_down(duck::Connection& connection);

/// Functions whose values can be far larger than their arguments refuse to build more than 256 MiB
/// in one call (54000).
void bound_large_values(duck::ClientContext& context, duck::Catalog& system);
/// Functions that could keep a thread for minutes with one chunk of rows look for a cancel on their way; LIKE takes a bounded time.
void bound_long_calls(duck::ClientContext& context, duck::Catalog& system);

/// Table functions that a bound plan may contain.
bool table_function_allowed(const std::string& name);

/// Registers the rewriting of governed scans and the last look at bound plans.
void register_governance(duck::DBConfig& config);

}  // namespace tarn::query
