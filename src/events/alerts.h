// Alert rules: each is a SELECT whose rows are reasons to be told. A row that is new opens an alert
// and tells the rule's webhooks; while it stays nobody is told again; when it is gone they hear of
// the recovery. What is open and what is still to be told are records of the lake, changed in one
// batch with the run that found them: after a crash nothing is lost and a message that may go out
// twice carries the same id.
//
//   Alerts alerts({store, engine, catalog, clock, metrics, keyring, &audit, system_caller}, {});
//   alerts.configure(specs, "beverages");   // as declared
//   graph gets alerts.steps();              // quiet steps, run on change and each check_every
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "events/spec.h"
#include "flows/step.h"
#include "meta/store.h"
#include "query/engine.h"
#include "security/audit.h"
#include "security/caller.h"
#include "security/keyring.h"
#include "tables/catalog.h"

namespace tarn::events {

struct DeliveryOptions {
    size_t threads = 8;
    size_t per_host_max = 2;            // requests at once to one host and port
    size_t waiting_max = 20'000;        // deliveries held in memory; more wait in the store
    size_t kept_per_rule_max = 10'000;  // finished deliveries that can still be read
    std::chrono::milliseconds timeout{15'000};
    /// Pause after the first, second ... failed attempt; the last repeats until give_up_after.
    std::vector<std::chrono::milliseconds> pauses = {
        std::chrono::seconds(1), std::chrono::seconds(5),  std::chrono::seconds(30),
        std::chrono::minutes(2), std::chrono::minutes(10), std::chrono::minutes(30),
        std::chrono::hours(1)};
    std::chrono::milliseconds give_up_after = std::chrono::hours(72);
    std::chrono::milliseconds retry_after_max =
        std::chrono::hours(1);  // what a receiver may ask for
    int refusals_max = 3;       // 4xx that no waiting mends: so many attempts
    std::string ca_file;        // empty: the system's
};

struct AlertsOptions {
    size_t open_per_rule_max = 10'000;  // beyond: one summary alert
    size_t rows_max = 100'000;          // read of one evaluation
    size_t history_per_rule_max = 10'000;
    DeliveryOptions delivery;
};

/// Everything given outlives Alerts.
struct AlertsParts {
    meta::Store& store;
    query::Engine& engine;
    tables::Catalog& catalog;
    const Clock& clock;
    Metrics& metrics;
    const security::Keyring& keyring;
    security::AuditTrail* audit = nullptr;  // silences, tests, webhooks that were switched off
    std::function<security::Caller()> system_caller;  // whom the server's own work is recorded for
};

struct OpenAlert {
    std::string rule;
    std::string id;   // the same in "opened" and "recovered"
    std::string key;  // JSON object: the one_per columns; "{}" for a rule without
    std::string row;  // JSON object: the row as the last evaluation saw it
    Timestamp since;
    std::optional<Timestamp>
        told;  // when "opened" was queued for the webhooks; nullopt: silenced so far
    std::optional<Timestamp> silenced_until;  // in force now
    bool summary = false;                     // stands for all beyond open_per_rule_max
};

struct AlertEvent {
    enum class Kind : uint8_t { opened, recovered, silenced, tested };

    Kind kind = Kind::opened;
    Timestamp at;
    std::string rule, id, key, row, by;  // by: who silenced or tested
};
std::string_view to_string(AlertEvent::Kind kind);

/// Nobody is told that the key opened until then.
struct SilencedKey {
    std::string key;  // JSON object; empty: all keys of the rule
    Timestamp until;
    std::string by;
};

struct Attempt {
    Timestamp at;
    int status = 0;      // HTTP; 0: no answer came
    std::string answer;  // the first 1 KiB of it, or the error
    int64_t took_ms = 0;
};

struct Delivery {
    enum class State : uint8_t { waiting, delivered, failed };

    std::string id;  // webhook-id
    std::string rule, type, key;
    std::string target;  // id of the webhook: of its URL
    std::string where;   // the webhook without its secrets: "https://hooks.example.com/..."
    State state = State::waiting;
    Timestamp made;
    std::optional<Timestamp> next_attempt;  // while waiting
    uint32_t attempt_count = 0;
    std::vector<Attempt> attempts;  // the last ten
    std::string body;
};
std::string_view to_string(Delivery::State state);

struct WebhookStatus {
    std::string target, where;
    bool secret_made_here = false;
    uint64_t waiting = 0;
    std::string disabled;  // why; empty: it is used
};

struct RuleStatus {
    std::string rule;
    uint64_t open = 0;
    uint64_t evaluations = 0;            // since start
    std::optional<Timestamp> evaluated;  // last time that went well
    std::string error;                   // of the last evaluation; empty: it went well
    std::vector<std::string> warnings;
    std::vector<WebhookStatus> webhooks;
};

/// How often a rule would have fired.
struct Replay {
    uint64_t evaluations = 0;
    uint64_t fired = 0;  // alerts opened
    uint64_t recovered = 0;
    uint64_t open_at_end = 0;
    Timestamp from, to;   // of the states that were looked at
    uint64_t states = 0;  // that there were; more than evaluations: sampled
    std::string note;     // what limits the answer; empty: nothing
};

/// Owner: wiring; stop the graph first, then this. Lane: any but a loop, any thread.
class Alerts {
 public:
    Alerts(AlertsParts parts, AlertsOptions options = {});
    /// stop().
    ~Alerts();
    Alerts(const Alerts&) = delete;
    Alerts& operator=(const Alerts&) = delete;

    /// Replaces the rules by these; rules that stay the same go on undisturbed. A rule that is gone
    /// has its open alerts and its waiting deliveries closed without a word. A webhook that a rule
    /// has got since the last call is told of what is open. One that check() would
    /// refuse does not run, keeps what it has open, and says why in status(). Nothing is delivered
    /// before the first call. `time_zone` is what the rules' SQL computes dates in. Errors:
    /// already_exists (a name twice), the store's; nothing has changed then.
    Status configure(std::vector<AlertSpec> specs, std::string lake = "lake",
                     std::string time_zone = "UTC");
    /// What is wrong with rules before they are configured, "alerts.<name>: ...": SQL, one_per,
    /// URL, secret. Tables need not exist yet. Changes nothing.
    Status check(const std::vector<AlertSpec>& specs) const;
    /// One per rule, "alerts.<name>". They refer to this object.
    std::vector<std::shared_ptr<flows::Step>> steps() const;

    std::vector<RuleStatus> status() const;
    /// Oldest first. Empty `rule`: of all.
    std::vector<OpenAlert> open(const std::string& rule = "") const;
    /// In force now. not_found.
    Result<std::vector<SilencedKey>> silences(const std::string& rule) const;
    /// Newest first.
    Result<std::vector<AlertEvent>> history(const std::string& rule, size_t limit = 100) const;
    Result<std::vector<Delivery>> deliveries(const std::string& rule, size_t limit = 100) const;

    /// Until then nobody is told that this key opened (empty: any key of the rule). An alert that
    /// is still open afterwards is told then. A recovery is told if the opening was, silence or
    /// not: no receiver keeps a dead alert. A time that is past ends the silence. not_found: no
    /// such rule.
    Status silence(const security::Caller& caller, const std::string& rule, const std::string& key,
                   Timestamp until);
    /// Queues a message of type "alert.test" for each webhook. Returns the deliveries' ids.
    Result<std::vector<std::string>> test_fire(const security::Caller& caller,
                                               const std::string& rule);
    /// The secret that receivers check signatures with ("whsec_..."). The caller must have
    /// authorised this.
    Result<std::string> webhook_secret(const std::string& rule, const std::string& target) const;
    /// Uses a webhook again that was switched off because it answered 410.
    Status enable_webhook(const security::Caller& caller, const std::string& rule,
                          const std::string& target);

    /// Evaluates the rule over the past states of its inputs that there still are, at most 200 of
    /// them and about 5 seconds. Changes nothing.
    Result<Replay> replay(const AlertSpec& spec, int days) const;

    /// Ends deliveries; what waits goes on at the next start. Idempotent.
    void stop();

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// A delivery's signature as Standard Webhooks has it: "v1,<base64>". `secret` begins with "whsec_"
/// or is plain base64. invalid_argument: the secret is no base64, or not 24 to 64 bytes.
Result<std::string> sign_webhook(const std::string& secret, const std::string& id, int64_t seconds,
                                 const std::string& body);

}  // namespace tarn::events
