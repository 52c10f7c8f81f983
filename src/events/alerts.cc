#include "events/alerts.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/log.h"
#include "base/mutex.h"
#include "codec/text.h"
#include "events/internal/deliverer.h"
#include "events/internal/delivery_ids.h"
#include "events/internal/records.h"
#include "events/internal/rows.h"
#include "events/internal/rule.h"
#include "events/internal/webhook.h"
#include "flows/inspect.h"
#include "meta/keys.h"

namespace tarn::events {
namespace {

constexpr size_t kRulesMax = 1000, kSessionsKept = 50, kWebhooksMax = 20, kRecordsShownMax = 1000;

/// A webhook in use by some rule.
struct TargetState {
    std::string secret;  // open: signing needs it
    bool made_here = false;
    std::string disabled;
};

std::string secret_name(std::string_view target) {
    return "webhook/" + std::string(target);
}

struct Webhook {
    WebhookUrl url;
    std::string secret;  // as declared
    bool allow_private = false;
};
using Webhooks = std::map<std::string, Webhook>;  // by target

/// A rule with what was worked out of its text.
struct Prepared {
    AlertSpec spec;
    std::vector<flows::TableRef> inputs;
    Webhooks webhooks;
    Status doubt;  // what only an evaluation can tell for sure
};

Status check_names(const std::vector<AlertSpec>& specs) {
    if (specs.size() > kRulesMax)
        return Error(Code::invalid_argument,
                     "more than " + std::to_string(kRulesMax) + " alert rules");
    std::set<std::string> names;
    for (const auto& spec : specs)
        if (!names.insert(spec.name).second)
            return Error(Code::already_exists, "two alerts have the name " + spec.name);
    return ok_status();
}

}  // namespace

class Alerts::Impl {
 public:
    Impl(AlertsParts parts, AlertsOptions options)
        : parts_(std::move(parts)),
          options_(std::move(options)),
          deliverer_({parts_.store, parts_.clock, parts_.metrics,
                      [this](const std::string& rule, const std::string& target) {
                          return find(rule, target);
                      },
                      [this](const std::string& target, const std::string& why,
                             meta::Batch& batch) { switch_off(target, why, batch); }},
                     options_.delivery),
          context_{parts_,
                   options_,
                   deliverer_,
                   [this](const std::string& rule) { return targets_in_use(rule); },
                   [this] { return ids_.next(parts_.clock.now()); },
                   [this] {
                       MutexLock lock(mutex_);
                       return lake_;
                   },
                   [this] {
                       MutexLock lock(mutex_);
                       return time_zone_;
                   },
                   [this] {
                       MutexLock lock(mutex_);
                       return rules_.size() <= kSessionsKept;
                   }} {}

    Status configure(std::vector<AlertSpec> specs, std::string lake, std::string time_zone);
    Status check(const std::vector<AlertSpec>& specs) const;
    std::vector<std::shared_ptr<flows::Step>> steps() const {
        MutexLock lock(mutex_);
        return steps_;
    }
    std::vector<std::shared_ptr<Rule>> rules() const;
    Result<std::shared_ptr<Rule>> rule(const std::string& name) const;
    std::vector<RuleStatus> status() const;
    void tell_newcomers(Timestamp before);
    Result<std::vector<AlertEvent>> history(const std::string& rule, size_t limit) const;
    Result<std::vector<Delivery>> deliveries(const std::string& rule, size_t limit) const;
    Result<std::string> webhook_secret(const std::string& rule, const std::string& target) const;
    Status enable_webhook(const security::Caller& caller, const std::string& rule,
                          const std::string& target);
    Result<Replay> replay(const AlertSpec& spec, int days) const {
        return replay_rule(parts_, options_, spec, days, context_.time_zone());
    }
    void stop() { deliverer_.stop(); }

 private:
    Result<Prepared> prepare(AlertSpec spec) const;
    Result<std::map<std::string, TargetState>> load_targets(const std::vector<Prepared>& rules,
                                                            meta::Batch& batch) const;
    Status stage_rules(const std::vector<Prepared>& rules,
                       const std::map<std::string, std::string>& broken, meta::Batch& batch) const;
    Status swap(std::vector<Prepared> rules, std::map<std::string, TargetState> targets,
                std::map<std::string, std::string> broken, std::string lake, std::string time_zone);

    Result<Receiver> find(const std::string& rule, const std::string& target) const;
    void switch_off(const std::string& target, const std::string& why, meta::Batch& batch);
    std::vector<WebhookUrl> targets_in_use(const std::string& rule) const;

    const AlertsParts parts_;
    const AlertsOptions options_;
    DeliveryIds ids_;
    Mutex configure_mutex_;  // one configure at a time; before all others
    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<Rule>> rules_ TARN_GUARDED_BY(mutex_);
    std::map<std::string, Webhooks> webhooks_ TARN_GUARDED_BY(mutex_);  // by rule
    std::map<std::string, TargetState> targets_ TARN_GUARDED_BY(mutex_);
    std::vector<std::shared_ptr<flows::Step>> steps_ TARN_GUARDED_BY(mutex_);
    std::map<std::string, std::string> broken_
        TARN_GUARDED_BY(mutex_);  // rule, why it does not run
    std::string lake_ TARN_GUARDED_BY(mutex_) = "lake", time_zone_ TARN_GUARDED_BY(mutex_) = "UTC";
    Deliverer deliverer_;  // its threads use what stands above
    const RuleContext context_;
};

Result<Prepared> Alerts::Impl::prepare(AlertSpec spec) const {
    const std::string where = "alerts." + spec.name;
    TARN_CHECK_OK(tables::check_name("alert", spec.name));
    auto inspected = flows::inspect_sql(parts_.engine, spec.when);
    if (!inspected.ok()) return std::move(inspected).error().within(where + ": when");
    if (!spec.stays.empty()) {
        auto stays = flows::inspect_sql(parts_.engine, spec.stays);
        if (!stays.ok()) return std::move(stays).error().within(where + ": while");
        if (stays->bindable && inspected->bindable) {
            auto found = find_columns(stays->columns, spec.one_per);
            if (!found.ok()) return std::move(found).error().within(where + ": while");
        }
        inspected->inputs.insert(inspected->inputs.end(), stays->inputs.begin(),
                                 stays->inputs.end());
    }
    if (spec.check_every < std::chrono::seconds(1))
        return Error(Code::invalid_argument, where + ": check_every is at least 1s");
    if (spec.to.size() > kWebhooksMax)
        return Error(Code::invalid_argument, where + ": to has more than 20 webhooks");
    std::set<std::string> columns(spec.one_per.begin(), spec.one_per.end());
    if (columns.size() != spec.one_per.size())
        return Error(Code::invalid_argument, where + ": one_per names a column twice");
    Prepared out;
    // A column that has gone from a table meanwhile is the evaluation's error, not the start's.
    if (inspected->bindable) {
        auto found = find_columns(inspected->columns, spec.one_per);
        if (!found.ok()) out.doubt = std::move(found).error().within(where);
    } else if (inspected->problem.reason != "42P01") {
        out.doubt = Error(inspected->problem).within(where + ": when");
    }
    for (const auto& input : inspected->inputs) out.inputs.push_back(input.name);
    std::sort(out.inputs.begin(), out.inputs.end());
    out.inputs.erase(std::unique(out.inputs.begin(), out.inputs.end()), out.inputs.end());
    for (const auto& webhook : spec.to) {
        auto url = parse_webhook_url(webhook.url);
        if (!url.ok()) return std::move(url).error().within(where + ": to");
        if (!webhook.secret.empty()) {
            const auto secret = decode_secret(webhook.secret);
            if (!secret.ok()) return Error(secret.error()).within(where + ": to");
        }
        if (!out.webhooks.emplace(url->target, Webhook{*url, webhook.secret, webhook.allow_private})
                 .second)
            return Error(Code::invalid_argument, where + ": to names " + url->where + " twice");
    }
    out.spec = std::move(spec);
    return out;
}

Result<std::map<std::string, TargetState>> Alerts::Impl::load_targets(
    const std::vector<Prepared>& rules, meta::Batch& batch) const {
    std::map<std::string, TargetState> out;
    for (const auto& rule : rules)
        for (const auto& [target, webhook] : rule.webhooks) {
            auto& state = out[target];
            if (state.secret.empty()) state.secret = webhook.secret;
        }
    for (auto& [target, state] : out) {
        TARN_TRY(stored, parts_.store.get(target_key(target)));
        TargetRecord record;
        if (stored) {
            TARN_TRY(parsed, parse_target(stored->value));
            record = std::move(parsed);
        }
        state.disabled = record.disabled;
        if (!state.secret.empty()) continue;
        state.made_here = true;
        if (!record.sealed_secret.empty()) {
            TARN_TRY(secret, parts_.keyring.unseal(secret_name(target), record.sealed_secret));
            state.secret = std::move(secret);
            continue;
        }
        state.secret = make_secret();
        record.sealed_secret = parts_.keyring.seal(secret_name(target), state.secret);
        batch.put(target_key(target), to_json(record));
    }
    return out;
}

Status Alerts::Impl::stage_rules(const std::vector<Prepared>& rules,
                                 const std::map<std::string, std::string>& broken,
                                 meta::Batch& batch) const {
    std::map<std::string, std::string> wanted;
    for (const auto& rule : rules) wanted[rule.spec.name] = rule_value(fingerprint_of(rule.spec));
    const std::string prefix = rule_key("");
    const auto walk = parts_.store.scan({prefix, meta::prefix_end(prefix), false});
    for (; walk->valid(); walk->next()) {
        const std::string name(walk->key().substr(prefix.size()));
        TARN_TRY(record, walk->record());
        if (broken.contains(name)) continue;
        const auto found = wanted.find(name);
        if (found != wanted.end()) {
            if (found->second == record.value) wanted.erase(found);
            continue;
        }
        batch.erase(rule_key(name));
        for (const auto& all : {open_prefix(name), silence_prefix(name), history_sequence(name),
                                delivery_prefix(name)})
            batch.erase_range(all, meta::prefix_end(all));
        batch.erase(meta::next_offset_key(history_sequence(name)));
        batch.erase(webhooks_key(name));
    }
    TARN_CHECK_OK(walk->status());
    for (const auto& [name, value] : wanted) batch.put(rule_key(name), value);
    return ok_status();
}

Status Alerts::Impl::check(const std::vector<AlertSpec>& specs) const {
    TARN_CHECK_OK(check_names(specs));
    std::map<std::string, std::string> secrets;  // by target
    for (const auto& spec : specs) {
        TARN_TRY(prepared, prepare(spec));
        TARN_CHECK_OK(prepared.doubt);
        for (const auto& [target, webhook] : prepared.webhooks) {
            if (webhook.secret.empty()) continue;
            if (secrets.try_emplace(target, webhook.secret).first->second != webhook.secret)
                return Error(Code::invalid_argument, "alerts." + spec.name + ": " +
                                                         webhook.url.where +
                                                         " has another secret in another alert");
        }
    }
    return ok_status();
}

Status Alerts::Impl::configure(std::vector<AlertSpec> specs, std::string lake,
                               std::string time_zone) {
    MutexLock one(configure_mutex_);
    TARN_CHECK_OK(check_names(specs));
    std::vector<Prepared> rules;
    std::map<std::string, std::string> broken;
    for (auto& spec : specs) {
        const std::string name = spec.name;
        auto prepared = prepare(std::move(spec));
        if (prepared.ok()) {
            rules.push_back(std::move(*prepared));
            continue;
        }
        // One rule that can't work does not keep the others from working; what it has open stays.
        broken[name] = prepared.error().message;
        log_error("events", "an alert rule does not run", {{"rule", name}, {"why", broken[name]}});
    }
    meta::Batch batch;
    TARN_TRY(targets, load_targets(rules, batch));
    TARN_CHECK_OK(stage_rules(rules, broken, batch));
    TARN_CHECK_OK(ids_.start(parts_.store));
    if (!batch.empty()) TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
    const Timestamp before = parts_.clock.now();
    TARN_CHECK_OK(swap(std::move(rules), std::move(targets), std::move(broken), std::move(lake),
                       std::move(time_zone)));
    TARN_CHECK_OK(deliverer_.start());
    tell_newcomers(before);
    return ok_status();
}

/// What opens after `before` is told to the new webhooks by the evaluation that opens it.
void Alerts::Impl::tell_newcomers(Timestamp before) {
    for (const auto& rule : rules()) {
        std::vector<std::string> declared;
        {
            MutexLock lock(mutex_);
            for (const auto& [target, webhook] : webhooks_[rule->name()])
                declared.push_back(target);
        }
        // The rule works all the same; the next configure tries again.
        if (const Status told = rule->tell_newcomers(declared, before); !told.ok())
            log_warning("events", "new webhooks were not told of what is open",
                        {{"rule", rule->name()}, {"why", told.error().message}});
    }
}

Status Alerts::Impl::swap(std::vector<Prepared> rules, std::map<std::string, TargetState> targets,
                          std::map<std::string, std::string> broken, std::string lake,
                          std::string time_zone) {
    std::map<std::string, std::shared_ptr<Rule>> now;
    {
        MutexLock lock(mutex_);
        now = rules_;
    }
    std::map<std::string, std::shared_ptr<Rule>> next;
    std::map<std::string, Webhooks> webhooks;
    std::vector<std::shared_ptr<flows::Step>> steps;
    for (auto& prepared : rules) {
        const std::string name = prepared.spec.name;
        const auto found = now.find(name);
        auto rule =
            found != now.end() ? found->second : std::make_shared<Rule>(context_, prepared.spec);
        if (found == now.end()) TARN_CHECK_OK(rule->prepare());
        webhooks[name] = std::move(prepared.webhooks);
        steps.push_back(make_rule_step(rule, prepared.spec, std::move(prepared.inputs)));
        next.emplace(name, std::move(rule));
    }
    for (auto& prepared : rules) next.at(prepared.spec.name)->set_spec(std::move(prepared.spec));
    MutexLock lock(mutex_);
    rules_ = std::move(next);
    webhooks_ = std::move(webhooks);
    targets_ = std::move(targets);
    steps_ = std::move(steps);
    broken_ = std::move(broken);
    lake_ = std::move(lake);
    time_zone_ = std::move(time_zone);
    return ok_status();
}

std::vector<std::shared_ptr<Rule>> Alerts::Impl::rules() const {
    MutexLock lock(mutex_);
    std::vector<std::shared_ptr<Rule>> out;
    for (const auto& [name, rule] : rules_) out.push_back(rule);
    return out;
}

Result<std::shared_ptr<Rule>> Alerts::Impl::rule(const std::string& name) const {
    MutexLock lock(mutex_);
    const auto found = rules_.find(name);
    if (found == rules_.end()) return Error(Code::not_found, "there is no alert rule " + name);
    return found->second;
}

// --- webhooks

Result<Receiver> Alerts::Impl::find(const std::string& rule, const std::string& target) const {
    const Error unused(Code::not_found,
                       "the rule does not use this webhook any more, or it was switched off");
    MutexLock lock(mutex_);
    if (const auto why = broken_.find(rule); why != broken_.end())
        return Error(Code::unavailable, why->second);
    const auto of_rule = webhooks_.find(rule);
    const auto state = targets_.find(target);
    if (of_rule == webhooks_.end() || state == targets_.end() || !state->second.disabled.empty())
        return unused;
    const auto webhook = of_rule->second.find(target);
    if (webhook == of_rule->second.end()) return unused;
    return Receiver{webhook->second.url, state->second.secret, webhook->second.allow_private};
}

std::vector<WebhookUrl> Alerts::Impl::targets_in_use(const std::string& rule) const {
    std::vector<WebhookUrl> out;
    MutexLock lock(mutex_);
    const auto of_rule = webhooks_.find(rule);
    if (of_rule == webhooks_.end()) return out;
    for (const auto& [target, webhook] : of_rule->second) {
        const auto state = targets_.find(target);
        if (state != targets_.end() && state->second.disabled.empty()) out.push_back(webhook.url);
    }
    return out;
}

void Alerts::Impl::switch_off(const std::string& target, const std::string& why,
                              meta::Batch& batch) {
    TargetRecord record;
    record.disabled = why;
    const auto stored = parts_.store.get(target_key(target));
    if (stored.ok() && *stored) {
        auto parsed = parse_target((*stored)->value);
        if (parsed.ok()) record.sealed_secret = std::move(parsed->sealed_secret);
    }
    batch.put(target_key(target), to_json(record));
    if (parts_.audit != nullptr) {
        auto caller = parts_.system_caller();
        caller.action = "tarn:DisableWebhook";
        caller.resource = "webhook/" + target;
        parts_.audit->attach(batch, caller);
    }
    log_warning("events", "a webhook is switched off", {{"webhook", target}, {"why", why}});
    MutexLock lock(mutex_);
    const auto found = targets_.find(target);
    if (found != targets_.end()) found->second.disabled = why;
}

Status Alerts::Impl::enable_webhook(const security::Caller& caller, const std::string& rule,
                                    const std::string& target) {
    MutexLock one(configure_mutex_);
    {
        MutexLock lock(mutex_);
        const auto found = webhooks_.find(rule);
        if (found == webhooks_.end() || !found->second.contains(target))
            return Error(Code::not_found, "the rule " + rule + " has no webhook " + target);
    }
    TARN_TRY(stored, parts_.store.get(target_key(target)));
    meta::Batch batch;
    if (stored) {
        TARN_TRY(record, parse_target(stored->value));
        record.disabled.clear();
        batch.put(target_key(target), to_json(record));
    }
    if (parts_.audit != nullptr) parts_.audit->attach(batch, caller);
    if (!batch.empty()) TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
    MutexLock lock(mutex_);
    targets_[target].disabled.clear();
    return ok_status();
}

Result<std::string> Alerts::Impl::webhook_secret(const std::string& rule,
                                                 const std::string& target) const {
    MutexLock lock(mutex_);
    const auto found = webhooks_.find(rule);
    if (found == webhooks_.end() || !found->second.contains(target))
        return Error(Code::not_found, "the rule " + rule + " has no webhook " + target);
    return targets_.at(target).secret;
}

// --- what is shown

std::vector<RuleStatus> Alerts::Impl::status() const {
    const auto waiting = deliverer_.waiting_by_target();
    std::vector<RuleStatus> out;
    for (const auto& rule : rules()) {
        auto one = rule->status();
        MutexLock lock(mutex_);
        const auto found = webhooks_.find(one.rule);
        if (found == webhooks_.end()) continue;
        for (const auto& [target, webhook] : found->second) {
            const auto state = targets_.find(target);
            if (state == targets_.end()) continue;
            const auto count = waiting.find(target);
            one.webhooks.push_back({target, webhook.url.where, state->second.made_here,
                                    count == waiting.end() ? 0 : count->second,
                                    state->second.disabled});
        }
        out.push_back(std::move(one));
    }
    MutexLock lock(mutex_);
    for (const auto& [name, why] : broken_) {
        RuleStatus one;
        one.rule = name;
        one.error = why;
        out.push_back(std::move(one));
    }
    return out;
}

Result<std::vector<AlertEvent>> Alerts::Impl::history(const std::string& rule, size_t limit) const {
    const std::string sequence = history_sequence(rule);
    const auto walk = parts_.store.scan({sequence, meta::prefix_end(sequence), true});
    std::vector<AlertEvent> out;
    for (; walk->valid() && out.size() < std::min(limit, kRecordsShownMax); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_TRY(event, parse_event(record.value, rule));
        out.push_back(std::move(event));
    }
    TARN_CHECK_OK(walk->status());
    return out;
}

Result<std::vector<Delivery>> Alerts::Impl::deliveries(const std::string& rule,
                                                       size_t limit) const {
    const std::string prefix = delivery_prefix(rule);
    const auto walk = parts_.store.scan({prefix, meta::prefix_end(prefix), true});
    std::vector<Delivery> out;
    for (; walk->valid() && out.size() < std::min(limit, kRecordsShownMax); walk->next()) {
        TARN_TRY(stored, walk->record());
        TARN_TRY(record,
                 parse_delivery(stored.value, std::string(walk->key().substr(prefix.size()))));
        out.push_back(std::move(record.delivery));
    }
    TARN_CHECK_OK(walk->status());
    return out;
}

// --- the face

Alerts::Alerts(AlertsParts parts, AlertsOptions options)
    : impl_(std::make_unique<Impl>(std::move(parts), std::move(options))) {}

Alerts::~Alerts() {
    stop();
}

Status Alerts::configure(std::vector<AlertSpec> specs, std::string lake, std::string time_zone) {
    return impl_->configure(std::move(specs), std::move(lake), std::move(time_zone));
}

Status Alerts::check(const std::vector<AlertSpec>& specs) const {
    return impl_->check(specs);
}

std::vector<std::shared_ptr<flows::Step>> Alerts::steps() const {
    return impl_->steps();
}

std::vector<RuleStatus> Alerts::status() const {
    return impl_->status();
}

std::vector<OpenAlert> Alerts::open(const std::string& rule) const {
    std::vector<OpenAlert> out;
    for (const auto& one : impl_->rules()) {
        if (!rule.empty() && one->name() != rule) continue;
        for (auto& alert : one->open()) out.push_back(std::move(alert));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.since < b.since; });
    return out;
}

Result<std::vector<SilencedKey>> Alerts::silences(const std::string& rule) const {
    TARN_TRY(found, impl_->rule(rule));
    return found->silences();
}

Result<std::vector<AlertEvent>> Alerts::history(const std::string& rule, size_t limit) const {
    return impl_->history(rule, limit);
}

Result<std::vector<Delivery>> Alerts::deliveries(const std::string& rule, size_t limit) const {
    return impl_->deliveries(rule, limit);
}

Status Alerts::silence(const security::Caller& caller, const std::string& rule,
                       const std::string& key, Timestamp until) {
    TARN_TRY(found, impl_->rule(rule));
    return found->silence(caller, key, until);
}

Result<std::vector<std::string>> Alerts::test_fire(const security::Caller& caller,
                                                   const std::string& rule) {
    TARN_TRY(found, impl_->rule(rule));
    return found->test_fire(caller);
}

Result<std::string> Alerts::webhook_secret(const std::string& rule,
                                           const std::string& target) const {
    return impl_->webhook_secret(rule, target);
}

Status Alerts::enable_webhook(const security::Caller& caller, const std::string& rule,
                              const std::string& target) {
    return impl_->enable_webhook(caller, rule, target);
}

Result<Replay> Alerts::replay(const AlertSpec& spec, int days) const {
    return impl_->replay(spec, days);
}

void Alerts::stop() {
    impl_->stop();
}

}  // namespace tarn::events
