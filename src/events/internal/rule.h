// One rule at work: evaluates its SELECT, compares with what is open, commits the difference with
// its messages.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "events/alerts.h"
#include "events/internal/changes.h"
#include "events/internal/deliverer.h"
#include "flows/step.h"
#include "query/engine.h"

namespace tarn::events {

/// What the rules of one Alerts share. All of it outlives them.
struct RuleContext {
    const AlertsParts& parts;
    const AlertsOptions& options;
    Deliverer& deliverer;
    /// The webhooks of a rule that are in use now.
    std::function<std::vector<WebhookUrl>(const std::string& rule)> targets;
    std::function<std::string()> new_delivery_id;  // grows
    std::function<std::string()> lake;
    std::function<std::string()> time_zone;
    std::function<bool()> keep_sessions;  // between evaluations: faster, while there are few rules
};

/// A message's body: {"type", "timestamp", "data": {...}}.
struct Message {
    std::string type;  // alert.opened, alert.recovered, alert.test
    Timestamp at;
    std::string lake, rule;
    OpenRecord alert;
    std::optional<Timestamp> recovered_at;
};
std::string to_json(const Message& message);

/// Reads a rule's rows through a session. run_as: as that role sees them.
security::Caller reader_of(const AlertSpec& spec, const security::Caller& system);
Result<Found> read_rows(query::Session& session, query::Statement& statement, const AlertSpec& spec,
                        const AlertsOptions& options, std::vector<std::string>& warnings);

/// The state of one rule, for as long as there is a rule of that name; steps of it come and go.
/// Lane: any but a loop.
class Rule {
 public:
    Rule(const RuleContext& context, AlertSpec spec);
    ~Rule();
    Rule(const Rule&) = delete;
    Rule& operator=(const Rule&) = delete;

    const std::string& name() const { return name_; }
    /// Reads what is open and silenced. Once, before anything else.
    Status prepare();
    AlertSpec spec() const;
    void set_spec(AlertSpec spec);

    /// One evaluation on behalf of a step whose definition is `fingerprint`.
    Result<flows::StepResult> evaluate(flows::StepRun& run, const AlertSpec& as,
                                       const std::string& fingerprint);
    std::vector<OpenAlert> open() const;
    std::vector<SilencedKey> silences() const;
    /// Queues what has been open since before `before` for the webhooks of the rule that were not
    /// there at the last call.
    Status tell_newcomers(const std::vector<std::string>& declared, Timestamp before);
    Status silence(const security::Caller& caller, const std::string& key, Timestamp until);
    Result<std::vector<std::string>> test_fire(const security::Caller& caller);
    RuleStatus status() const;

 private:
    struct Staged {
        meta::Batch batch;
        std::vector<QueuedDelivery> deliveries;
    };

    Status load() TARN_REQUIRES(run_mutex_);
    Result<Found> read(const AlertSpec& as, std::vector<std::string>& warnings)
        TARN_REQUIRES(run_mutex_);
    /// Rows of AlertSpec::stays, where they matter: an open alert has no row in `found`.
    Status read_stays(const AlertSpec& as, const Found& found, std::vector<std::string>& warnings)
        TARN_REQUIRES(run_mutex_);
    void show_rows(const Found& found) TARN_REQUIRES(run_mutex_, mutex_);
    Result<Staged> stage(const Changes& changes, const AlertSpec& spec, Timestamp now,
                         const std::string& fingerprint) TARN_REQUIRES(run_mutex_);
    void stage_message(Staged& staged, const Message& message,
                       const std::vector<WebhookUrl>& targets) const;
    Status stage_history(meta::Batch& batch, const std::vector<AlertEvent>& events) const;
    Result<flows::StepResult> compare_and_commit(flows::StepRun& run, const AlertSpec& as,
                                                 const std::string& fingerprint)
        TARN_REQUIRES(run_mutex_);

    const RuleContext& context_;
    const std::string name_;
    Gauge& open_gauge_;

    Mutex run_mutex_;  // one evaluation or change at a time, held over its commit; before mutex_
    bool loaded_ TARN_GUARDED_BY(run_mutex_) = false;
    std::string session_for_ TARN_GUARDED_BY(run_mutex_);  // what session_ was made for
    std::unique_ptr<query::Session> session_ TARN_GUARDED_BY(run_mutex_);
    std::unique_ptr<query::Statement> statement_ TARN_GUARDED_BY(run_mutex_);
    std::unique_ptr<query::Statement> stays_statement_ TARN_GUARDED_BY(run_mutex_);
    Patience patience_ TARN_GUARDED_BY(run_mutex_);

    mutable Mutex mutex_;  // what others read while a run goes on
    AlertSpec spec_ TARN_GUARDED_BY(mutex_);
    OpenByKey open_ TARN_GUARDED_BY(mutex_);  // changed with run_mutex_ held too
    Silences silences_ TARN_GUARDED_BY(mutex_);
    std::map<std::string, std::string> rows_now_
        TARN_GUARDED_BY(mutex_);  // by key id: rows that changed since
    uint64_t evaluations_ TARN_GUARDED_BY(mutex_) = 0;
    std::optional<Timestamp> evaluated_ TARN_GUARDED_BY(mutex_);
    std::string error_ TARN_GUARDED_BY(mutex_);
    std::vector<std::string> warnings_ TARN_GUARDED_BY(mutex_);
};

std::string fingerprint_of(const AlertSpec& spec);
/// The quiet step of a rule.
std::shared_ptr<flows::Step> make_rule_step(std::shared_ptr<Rule> rule, AlertSpec spec,
                                            std::vector<flows::TableRef> inputs);

/// Alerts::replay.
Result<Replay> replay_rule(const AlertsParts& parts, const AlertsOptions& options,
                           const AlertSpec& spec, int days, const std::string& time_zone);

}  // namespace tarn::events
