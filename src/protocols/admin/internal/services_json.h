// What services say of sources, steps and runs, as JSON for a caller: only of tables that the
// caller sees, counts and errors only of those that it sees whole. services_json.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "events/spec.h"
#include "flows/graph.h"
#include "ingest/sources.h"
#include "protocols/admin/internal/api.h"
#include "protocols/admin/internal/sight.h"

namespace tarn::admin {

inline constexpr size_t kListMax = 1000;
inline constexpr const char* kHidden =
    "it failed; why is told to who sees all of the tables behind it";

Json time_or_null(Timestamp at);
Json optional_time(const std::optional<Timestamp>& at);
/// JSON that is kept as text; the text itself when it is none.
Json text_as_json(const std::string& text);

/// `output` as for the step. Counts, warnings, log and errors of a table speak of its rows.
Json run_json(const flows::RunRecord& run, const std::optional<flows::TableRef>& output,
              Sight& sight);
/// A step that makes no table (an alert) is seen by name.
bool is_seen(const flows::StepStatus& step, Sight& sight);
Json step_json(const flows::StepStatus& step, Sight& sight);
/// All steps that are seen; names of others are left out of them.
Json steps_json(const std::vector<flows::StepStatus>& steps, Sight& sight);
Json source_json(const ingest::SourceStatus& source, Sight& sight);

/// Rules whose tables the caller sees whole: an alert's row, its key and what came of it are cells.
class RuleSight {
 public:
    RuleSight(const DoorParts& parts, const security::Principal& who);
    /// A rule that reads no table, or does not run, shows nothing: its open alerts are of another
    /// text.
    bool whole(const std::string& rule);
    /// Tables that the rule reads, as far as the caller may know of them.
    std::vector<std::string> tables(const std::string& rule);

 private:
    const bool root_;
    Sight sight_;
    std::map<std::string, std::vector<flows::TableRef>> inputs_;
};

/// What a lakefile says of a rule, without its webhooks: an address may hold a secret.
Json alert_definition(const events::AlertSpec& spec);
/// unimplemented: "this server was started without ...".
Error without(const char* what);
/// The query's limit: 100, at most kListMax.
Result<size_t> limit_in(ApiRequest& request);

}  // namespace tarn::admin
