// What is declared, durably: plan says what a lakefile would do, apply does exactly that. One
// record per item (kind "lf"), all records of one apply in one batch with its audit record; then
// the services are configured from them, and again from them at each start.
// docs/formats/lakefile.md has the bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "govern/grants.h"
#include "lakefile/lakefile.h"
#include "meta/store.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/caller.h"
#include "security/secrets.h"
#include "tables/catalog.h"

namespace tarn::lakefile {

struct Change {
    enum class Kind : uint8_t { add, change, rename, remove, same };
    Kind kind = Kind::same;
    std::string item;                // "tables.levels"
    std::string was;                 // rename
    std::vector<std::string> keys;   // change: which
    std::vector<std::string> notes;  // defaults in force, what happens to the data
    uint64_t rows_in = 0;            // that are read to compute it (again)
    double minutes = 0;              // of computing it (again), estimated
    uint64_t rows_dropped = 0;       // with drop_data
};

struct Plan {
    std::string id;  // of this file against this state
    std::vector<Change> changes;
    std::vector<std::string> visibility;  // who gains or loses sight of what
    std::vector<std::string> drift;       // what others changed since the last apply
    std::vector<std::string> replays;     // per alert: how often it would have fired
    std::vector<std::string> warnings;
    std::vector<Problem> problems;  // any: cannot be applied

    bool changes_something() const;
};

struct PlanOptions {
    std::optional<std::chrono::seconds> replay;  // alerts over so much history
};

/// What of a lakefile is tried. A table may read sources and tables that are only declared beside
/// it.
struct Sampling {
    std::string name;               // "prices", "sources.prices"; empty: all
    size_t rows = 20;               // shown of each
    bool may_read_sources = false;  // for a table that reads a source without rows yet
};

/// All outlive the applier. Functions may be empty.
struct ApplierParts {
    meta::Store& store;
    tables::Catalog& catalog;
    query::Engine& engine;
    govern::Grants& grants;
    security::Secrets& secrets;
    const security::AuditTrail& audit;
    const Clock& clock;
    security::Caller system;
    /// "arn:aws:tarn:<region>:<account>:", what ARNs of alerts begin with.
    std::string account_arn = {};
    /// Brings the services to what is declared (roles are the applier's own business).
    std::function<Status(const Lakefile&)> configure = {};
    /// Has a source stand still until the next configure(), so that its tables can be renamed.
    std::function<void(const std::string& source)> rest_source = {};
    /// What the services would refuse (a circle of tables, SQL that cannot be read), before
    /// anything is changed.
    std::function<std::vector<Problem>(const Lakefile&)> check = {};
    /// Users that hold a role.
    std::function<std::vector<std::string>(const std::string& role)> holders = {};
    /// One sentence: how often the alert would have fired.
    std::function<Result<std::string>(const Lakefile&, const events::AlertSpec&,
                                      std::chrono::seconds)>
        replay = {};
    /// Rows a second that a step ("tables.levels") read in its largest run that is remembered;
    /// nullopt: none is.
    std::function<std::optional<double>(const std::string& step)> rows_per_second = {};
    /// A sample of a source, as a JSON object; nothing is kept.
    std::function<Result<std::string>(const ingest::SourceSpec&, size_t rows)> try_source = {};
};

/// Owner: wiring. Lane: any but a loop; one change at a time.
class Applier {
 public:
    /// Loads what is declared. Nothing runs yet.
    static Result<std::unique_ptr<Applier>> open(ApplierParts parts);
    ~Applier();

    /// Configures the services with what is declared. A problem (a secret that is gone) is logged
    /// and kept in the status.
    Status start();
    /// A secret changed: what refers to it is configured anew.
    Status secrets_changed();

    Result<Plan> plan(const Text& text, const PlanOptions& options = {}) const;
    /// Does what `plan_id` said; an empty one takes the plan of this moment. conflict, reason
    /// "plan_moved": the file or the lake is another than in the plan. invalid_argument: the plan
    /// has problems. The tables of an item that is gone from the file stay as they are, unless
    /// `drop_data`.
    Result<Plan> apply(const security::Caller& caller, const Text& text, const std::string& plan_id,
                       bool drop_data);
    /// Sources and tables of the text on a sample, as JSON: {"items": [{"name", "columns", "rows",
    /// "rejected", ...}]}. Reads with the caller's own grants; nothing is kept.
    Result<std::string> try_out(const security::Caller& caller, const Text& text,
                                const Sampling& what) const;

    /// What is applied, with secrets resolved; immutable.
    std::shared_ptr<const Lakefile> current() const;
    /// JSON for GET /api/v1/lakefile: items with definitions (no secrets), who, when,
    /// what cannot run.
    Result<std::string> describe_current() const;

 private:
    struct Impl;
    explicit Applier(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

std::string to_json(const Plan& plan, const std::string& file_name);

}  // namespace tarn::lakefile
