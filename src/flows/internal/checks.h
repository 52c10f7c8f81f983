// Checks of a computed table, on the table as it will be: its new rows are staged in the session's
// transaction.
//
// A check fails when it is FALSE; NULL passes, as in SQL's own CHECK.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "flows/spec.h"
#include "flows/step.h"
#include "query/engine.h"

namespace tarn::flows {

struct ParsedCheck {
    enum class Kind : uint8_t {
        expression,  // of each row, or of the whole table: binding tells
        unique,
        newest,
    };
    Kind kind = Kind::expression;
    Check check;
    std::vector<std::string> columns;  // unique
    std::string column;                // newest
    std::chrono::seconds within{0};
};
/// invalid_argument: not one expression, or unique(key) without a key.
Result<ParsedCheck> parse_check(const Check& check, const std::vector<std::string>& key);

/// What the checks need to know of the run.
struct CheckContext {
    query::Session& session;  // the run's, with the new rows staged
    query::Engine& engine;
    const security::Caller& system;
    TableRef table;
    std::vector<query::ResultColumn> columns;
    bool all_rows_new = false;  // the table has no other rows than those staged
    Timestamp now;
    /// Expression -> is it about each row; what binding told before, for these columns.
    std::map<std::string, bool>& kinds;
};

struct CheckResult {
    uint64_t rows_set_aside = 0;
    std::vector<std::string> warnings;
};
/// Error precondition_failed with reason "check_failed": a check that stops failed; the message has
/// what was seen.
Result<CheckResult> run_checks(const std::vector<ParsedCheck>& checks, const CheckContext& context);

/// "<table>_rejected" in the same database.
TableRef rejected_table(const TableRef& table);

std::string quoted(const std::string& name);
std::string quoted(const TableRef& table);
std::string literal(const std::string& text);

}  // namespace tarn::flows
