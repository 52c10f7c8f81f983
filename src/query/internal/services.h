// What everything behind the seam shares: one per engine.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "objects/store.h"
#include "query/engine.h"
#include "query/internal/admission.h"
#include "query/internal/duck.h"
#include "query/internal/session_numbers.h"
#include "tables/catalog.h"
#include "tables/commit.h"
#include "tables/scan.h"

namespace tarn::query {

class DeleteCache;
class IdentityNumbers;

inline constexpr const char* kLake = "lake";
inline constexpr const char* kDefaultDatabase = "main";

struct Services {
    EngineOptions options;
    EngineParts parts;
    // Taken from DuckDB's own catalog before it is locked down.
    std::unique_ptr<duck::TableFunction> parquet_scan;
    std::unique_ptr<duck::CopyFunction> parquet_copy;
    std::unique_ptr<DeleteCache> deletes;
    std::unique_ptr<IdentityNumbers> identities;

    Services(EngineOptions o, EngineParts p);
    ~Services();
};

/// What a connection knows about its session; kept in its ClientContext.
struct SessionState : duck::ClientContextState {
    security::Caller caller;
    /// The engine's own connections: no access checks at all.
    bool internal = false;
    /// The transaction, or without one the next statement, may change nothing.
    bool reads_only = false;
    /// Why the last commit failed: on its way through DuckDB an error loses all but its message.
    std::optional<Error> commit_error;
    /// The table (uuid) whose rows it was to change, when that was the only one.
    std::string commit_table;
    /// What currval() and lastval() tell, and sequences that are known by another name than their
    /// column's.
    SessionNumbers numbers;
    /// Of the statement that runs.
    std::weak_ptr<Admission::Slot> slot;
    /// What the statement that was bound last reads: (database, table) -> columns; "*": all, or too
    /// many to tell.
    std::map<std::pair<std::string, std::string>, std::set<std::string>> touched;
    /// And of what tables' columns its result is made.
    std::vector<ColumnOrigin> origins;

    static constexpr const char* kKey = "tarn_session";
    static SessionState& of(duck::ClientContext& context) {
        return *context.registered_state->GetOrCreate<SessionState>(kKey);
    }
    bool sees_everything() const { return internal || caller.principal.is_root(); }
};

/// The caller that the engine's own writes of objects are made as.
security::Caller system_caller(Timestamp at);

/// Throws what an Error of ours says as the DuckDB exception that error.cc maps back to it.
[[noreturn]] void throw_error(const Error& error);

template <typename T>
T value_or_throw(Result<T> result) {
    if (!result.ok()) throw_error(result.error());
    return std::move(result).value();
}
inline void ok_or_throw(const Status& status) {
    if (!status.ok()) throw_error(status.error());
}

}  // namespace tarn::query
