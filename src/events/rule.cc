#include "events/internal/rule.h"

#include <algorithm>

#include "base/log.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/text.h"
#include "events/internal/rows.h"
#include "meta/keys.h"

namespace tarn::events {
namespace {

constexpr int64_t kHistorySlack = 500;  // so many beyond the limit go in one sweep
constexpr auto kEvaluationTimeout = "60000";

/// All of a range's records, by what follows the prefix in their key.
template <typename Take>
Status read_all(const meta::Reader& state, const std::string& prefix, Take take) {
    const auto walk = state.scan({prefix, meta::prefix_end(prefix), false});
    for (; walk->valid(); walk->next()) {
        TARN_TRY(record, walk->record());
        TARN_CHECK_OK(take(std::string(walk->key().substr(prefix.size())), record.value));
    }
    return walk->status();
}

}  // namespace

std::string to_json(const Message& message) {
    codec::JsonWriter out;
    out.begin_object().member("type", message.type);
    out.member("timestamp", format_iso8601(message.at)).key("data").begin_object();
    out.member("lake", message.lake).member("rule", message.rule);
    if (!message.alert.id.empty()) out.member("alert_id", message.alert.id);
    out.key("key").raw(message.alert.key).key("row").raw(message.alert.row);
    out.member("since", format_iso8601(message.alert.since));
    if (message.recovered_at) out.member("recovered_at", format_iso8601(*message.recovered_at));
    if (message.alert.summary()) out.member("summary", true);
    out.end_object().end_object();
    return out.take();
}

std::string fingerprint_of(const AlertSpec& spec) {
    codec::JsonWriter out;
    out.begin_array().value(spec.when).value(spec.run_as);
    for (const auto& column : spec.one_per) out.value(column);
    // Rules of before this key keep the fingerprint that they have.
    if (!spec.stays.empty()) out.begin_object().member("while", spec.stays).end_object();
    out.end_array();
    return codec::hex_encode(codec::sha256(out.text())).substr(0, 32);
}

security::Caller reader_of(const AlertSpec& spec, const security::Caller& system) {
    security::Caller out = system;
    if (spec.run_as.empty()) return out;
    // Nobody but the role: its grants and policies alone decide.
    out.principal.kind = security::Principal::Kind::session;
    out.principal.name = "alert/" + spec.name;
    out.principal.arn += "/alert/" + spec.name;
    out.principal.roles = {spec.run_as};
    return out;
}

Result<Found> read_rows(query::Session& session, query::Statement& statement, const AlertSpec& spec,
                        const AlertsOptions& options, std::vector<std::string>& warnings) {
    TARN_TRY(cursor, session.execute(statement, {}));
    const auto& columns = cursor->columns();
    TARN_TRY(key, find_columns(columns, spec.one_per));
    Found out;
    size_t rows = 0, doubles = 0;
    while (out.all) {
        TARN_TRY(chunk, cursor->next());
        if (!chunk) break;
        for (size_t i = 0; i < chunk->rows(); ++i) {
            if (++rows > options.rows_max) {
                out.all = false;
                break;
            }
            std::string values = key_json(columns, *chunk, key, i);
            auto [place, fresh] = out.rows.try_emplace(key_id_of(values));
            if (!fresh) {
                ++doubles;
                continue;
            }
            place->second = {std::move(values), row_json(columns, *chunk, i)};
        }
    }
    // Without one_per any number of rows is one alert.
    if (doubles > 0 && !spec.one_per.empty())
        warnings.push_back(
            std::to_string(doubles) +
            " rows have the one_per values of a row before them and were passed over");
    if (!out.all)
        warnings.push_back("more than " + std::to_string(options.rows_max) +
                           " rows: the rest was not read, and no recovery is told meanwhile");
    return out;
}

Rule::Rule(const RuleContext& context, AlertSpec spec)
    : context_(context),
      name_(spec.name),
      open_gauge_(context.parts.metrics.gauge("tarn_alerts_open", "Alerts that are open")),
      spec_(std::move(spec)) {}

Rule::~Rule() {
    MutexLock lock(mutex_);
    open_gauge_.add(-static_cast<double>(open_.size()));
}

AlertSpec Rule::spec() const {
    MutexLock lock(mutex_);
    return spec_;
}

void Rule::set_spec(AlertSpec spec) {
    MutexLock lock(mutex_);
    spec_ = std::move(spec);
}

Status Rule::load() {
    if (loaded_) return ok_status();
    const auto state = context_.parts.store.snapshot();
    OpenByKey open;
    Silences silences;
    TARN_CHECK_OK(read_all(*state, open_prefix(name_),
                           [&](std::string id, const std::string& value) -> Status {
                               TARN_TRY(record, parse_open(value, id));
                               open.emplace(std::move(id), std::move(record));
                               return ok_status();
                           }));
    TARN_CHECK_OK(read_all(*state, silence_prefix(name_),
                           [&](std::string id, const std::string& value) -> Status {
                               TARN_TRY(silence, parse_silence(value));
                               silences.emplace(std::move(id), std::move(silence));
                               return ok_status();
                           }));
    MutexLock lock(mutex_);
    open_gauge_.add(static_cast<double>(open.size()) - static_cast<double>(open_.size()));
    open_ = std::move(open);
    silences_ = std::move(silences);
    loaded_ = true;
    return ok_status();
}

Status Rule::prepare() {
    MutexLock one(run_mutex_);
    return load();
}

Result<Found> Rule::read(const AlertSpec& as, std::vector<std::string>& warnings) {
    const std::string wanted = fingerprint_of(as) + context_.time_zone();
    if (session_ == nullptr || session_for_ != wanted) {
        stays_statement_.reset();
        statement_.reset();
        session_.reset();
        TARN_TRY(session,
                 context_.parts.engine.connect(reader_of(as, context_.parts.system_caller())));
        TARN_CHECK_OK(session->set_setting("statement_timeout", kEvaluationTimeout));
        TARN_CHECK_OK(session->set_setting("timezone", context_.time_zone()));
        TARN_TRY(statement, session->prepare(as.when, {}));
        session_ = std::move(session);
        statement_ = std::move(statement);
        session_for_ = wanted;
    }
    return read_rows(*session_, *statement_, as, context_.options, warnings);
}

Status Rule::read_stays(const AlertSpec& as, const Found& found,
                        std::vector<std::string>& warnings) {
    patience_.stays = {};
    if (as.stays.empty()) return ok_status();
    bool missing = false;
    {
        MutexLock lock(mutex_);
        for (const auto& [key_id, record] : open_)
            missing = missing || !found.rows.contains(key_id);
    }
    if (!missing) return ok_status();
    if (stays_statement_ == nullptr) {
        TARN_TRY(statement, session_->prepare(as.stays, {}));
        stays_statement_ = std::move(statement);
    }
    auto rows = read_rows(*session_, *stays_statement_, as, context_.options, warnings);
    if (!rows.ok()) return std::move(rows).error().within("while");
    patience_.stays = std::move(*rows);
    return ok_status();
}

Result<flows::StepResult> Rule::evaluate(flows::StepRun& run, const AlertSpec& as,
                                         const std::string& fingerprint) {
    MutexLock one(run_mutex_);
    auto result = compare_and_commit(run, as, fingerprint);
    // Whatever went wrong, the next evaluation begins with what is on disk and a session of its
    // own.
    if (!result.ok()) loaded_ = false;
    if (!result.ok() || !context_.keep_sessions()) {
        stays_statement_.reset();
        statement_.reset();
        session_.reset();
    }
    MutexLock lock(mutex_);
    ++evaluations_;
    error_ = result.ok() ? "" : result.error().message;
    if (result.ok()) {
        evaluated_ = context_.parts.clock.now();
        warnings_ = result->warnings;
    }
    return result;
}

Result<flows::StepResult> Rule::compare_and_commit(flows::StepRun& run, const AlertSpec& as,
                                                   const std::string& fingerprint) {
    TARN_CHECK_OK(load());
    flows::StepResult result;
    TARN_TRY(found, read(as, result.warnings));
    TARN_CHECK_OK(read_stays(as, found, result.warnings));
    result.rows_read = found.rows.size();
    const Timestamp now = context_.parts.clock.now();
    Changes changes;
    AlertSpec spec;
    {
        MutexLock lock(mutex_);
        spec = spec_;  // its webhooks are those of now, whatever step this is
        patience_.for_at_least = spec.for_at_least;
        patience_.recover_after = spec.recover_after;
        changes = find_changes(open_, found, silences_, now, {context_.options.open_per_rule_max},
                               &patience_);
        // A recovery shows the row as it was seen last.
        for (auto& record : changes.recovered)
            if (const auto seen = rows_now_.find(record.key_id); seen != rows_now_.end())
                record.row = seen->second;
    }
    if (!changes.empty()) {
        TARN_TRY(staged, stage(changes, spec, now, fingerprint));
        TARN_CHECK_OK(run.commit({}, std::move(staged.batch)));
        context_.deliverer.add(std::move(staged.deliveries));
        result.rows_written = changes.opened.size() + changes.recovered.size();
    }
    MutexLock lock(mutex_);
    const auto before = static_cast<double>(open_.size());
    apply_changes(changes, open_);
    open_gauge_.add(static_cast<double>(open_.size()) - before);
    show_rows(found);
    return result;
}

/// The rows of now of what is open, where they are others than at its opening.
void Rule::show_rows(const Found& found) {
    rows_now_.clear();
    const auto& stays = patience_.stays.rows;
    for (const auto& [key_id, record] : open_) {
        const auto& rows = found.rows.contains(key_id) ? found.rows : stays;
        const auto row = rows.find(key_id);
        if (row != rows.end() && row->second.row != record.row)
            rows_now_[key_id] = row->second.row;
    }
}

Result<Rule::Staged> Rule::stage(const Changes& changes, const AlertSpec& spec, Timestamp now,
                                 const std::string& fingerprint) {
    Staged out;
    // A step of an older definition, or of a rule that is gone, changes nothing any more.
    out.batch.require_value(rule_key(name_), rule_value(fingerprint),
                            Error(Code::conflict, "the rule " + name_ + " was changed meanwhile"));
    const auto targets = context_.targets(name_);
    std::vector<AlertEvent> events;
    const auto event = [&](AlertEvent::Kind kind, const OpenRecord& record) {
        events.push_back({kind, now, name_, record.id, record.key, record.row, {}});
    };
    const auto tell = [&](std::string type, const OpenRecord& record,
                          std::optional<Timestamp> recovered) {
        stage_message(out, {std::move(type), now, context_.lake(), name_, record, recovered},
                      targets);
    };
    for (const auto& record : changes.recovered) {
        out.batch.erase(open_key(name_, record.key_id));
        event(AlertEvent::Kind::recovered, record);
        if (record.told && spec.tell_recovery) tell("alert.recovered", record, now);
    }
    for (const auto& record : changes.opened) {
        out.batch.put(open_key(name_, record.key_id), to_json(record));
        event(AlertEvent::Kind::opened, record);
        if (record.told) tell("alert.opened", record, std::nullopt);
    }
    for (const auto& record : changes.told) {
        out.batch.put(open_key(name_, record.key_id), to_json(record));
        tell("alert.opened", record, std::nullopt);
    }
    TARN_CHECK_OK(stage_history(out.batch, events));
    return out;
}

void Rule::stage_message(Staged& staged, const Message& message,
                         const std::vector<WebhookUrl>& targets) const {
    for (const auto& target : targets) {
        DeliveryRecord record;
        record.key_id = message.alert.key_id;
        record.delivery.id = context_.new_delivery_id();
        record.delivery.rule = name_;
        record.delivery.type = message.type;
        record.delivery.key = message.alert.key;
        record.delivery.target = target.target;
        record.delivery.where = target.where;
        record.delivery.made = message.at;
        record.delivery.next_attempt = message.at;
        record.delivery.body = to_json(message);
        staged.batch.put(delivery_key(name_, record.delivery.id), to_json(record));
        staged.batch.put(waiting_key(record.delivery.id), name_);
        staged.deliveries.push_back(
            {record.delivery.id, name_, record.key_id, target.target, target.host, message.at});
    }
}

Status Rule::stage_history(meta::Batch& batch, const std::vector<AlertEvent>& events) const {
    const std::string sequence = history_sequence(name_);
    for (const auto& event : events) batch.append(sequence, 1, to_json(event));
    TARN_TRY(next, context_.parts.store.get(meta::next_offset_key(sequence)));
    const auto kept = static_cast<int64_t>(context_.options.history_per_rule_max);
    const int64_t count = next ? meta::decode_counter(next->value) : 0;
    const int64_t after = count + static_cast<int64_t>(events.size());
    if (count > kept && after / kHistorySlack > count / kHistorySlack)
        batch.erase_range(sequence,
                          meta::sequence_key(sequence, static_cast<uint64_t>(count - kept)));
    return ok_status();
}

std::vector<OpenAlert> Rule::open() const {
    const Timestamp now = context_.parts.clock.now();
    std::vector<OpenAlert> out;
    MutexLock lock(mutex_);
    for (const auto& [key_id, record] : open_) {
        OpenAlert alert{name_,        record.id,   record.key, record.row,
                        record.since, record.told, {},         record.summary()};
        if (const auto row = rows_now_.find(key_id); row != rows_now_.end())
            alert.row = row->second;
        for (const auto& of : {std::string(), key_id})
            if (const auto silence = silences_.find(of);
                silence != silences_.end() && silence->second.until > now)
                alert.silenced_until =
                    std::max(alert.silenced_until.value_or(now), silence->second.until);
        out.push_back(std::move(alert));
    }
    return out;
}

std::vector<SilencedKey> Rule::silences() const {
    const Timestamp now = context_.parts.clock.now();
    std::vector<SilencedKey> out;
    MutexLock lock(mutex_);
    for (const auto& [key_id, silence] : silences_)
        if (silence.until > now) out.push_back({key_id, silence.until, silence.by});
    return out;
}

Status Rule::tell_newcomers(const std::vector<std::string>& declared, Timestamp before) {
    MutexLock one(run_mutex_);
    TARN_CHECK_OK(load());
    TARN_TRY(stored, context_.parts.store.get(webhooks_key(name_)));
    const std::string now_known = webhooks_value(declared);
    if (stored && stored->value == now_known) return ok_status();
    std::vector<WebhookUrl> fresh;
    // A lake of an older program, or a new rule: all of them count as known.
    if (stored) {
        TARN_TRY(known, parse_webhooks(stored->value));
        for (auto& target : context_.targets(name_))
            if (!known.contains(target.target)) fresh.push_back(std::move(target));
    }
    OpenByKey open;
    {
        MutexLock lock(mutex_);
        open = open_;
    }
    const Timestamp now = context_.parts.clock.now();
    Staged staged;
    staged.batch.require_present(rule_key(name_),
                                 Error(Code::not_found, "there is no rule " + name_));
    if (!fresh.empty())
        for (const auto& [key_id, record] : open)
            if (record.told && *record.told < before)
                stage_message(staged, {"alert.opened", now, context_.lake(), name_, record, {}},
                              fresh);
    staged.batch.put(webhooks_key(name_), now_known);
    TARN_CHECK_OK(context_.parts.store.commit(std::move(staged.batch)));
    context_.deliverer.add(std::move(staged.deliveries));
    return ok_status();
}

namespace {

/// A key as a client wrote it, in the form that the records have. invalid_argument.
Result<std::string> as_recorded(const std::string& key, const std::vector<std::string>& one_per) {
    auto canonical = canonical_key(key, one_per);
    if (canonical) return *canonical;
    std::string columns;
    for (const auto& column : one_per) columns += (columns.empty() ? "" : ", ") + column;
    return Error(Code::invalid_argument, one_per.empty()
                                             ? "the rule has no one_per: its key is {}"
                                             : "a key is a JSON object with exactly " + columns);
}

}  // namespace

Status Rule::silence(const security::Caller& caller, const std::string& key, Timestamp until) {
    MutexLock one(run_mutex_);
    TARN_CHECK_OK(load());
    const Timestamp now = context_.parts.clock.now();
    std::string recorded;
    if (!key.empty()) {
        TARN_TRY(canonical, as_recorded(key, spec().one_per));
        recorded = std::move(canonical);
    }
    const std::string key_id = recorded.empty() ? "" : key_id_of(recorded);
    const Silence silence{until, caller.principal.name};
    meta::Batch batch;
    batch.require_present(rule_key(name_), Error(Code::not_found, "there is no rule " + name_));
    std::vector<std::string> over;
    {
        MutexLock lock(mutex_);
        for (const auto& [id, old] : silences_)
            if (old.until <= now) over.push_back(id);
    }
    for (const auto& id : over) batch.erase(silence_key(name_, id));
    if (until > now)
        batch.put(silence_key(name_, key_id), to_json(silence));
    else
        batch.erase(silence_key(name_, key_id));
    TARN_CHECK_OK(stage_history(batch, {{AlertEvent::Kind::silenced,
                                         now,
                                         name_,
                                         {},
                                         key,
                                         "{\"until\":\"" + format_iso8601(until) + "\"}",
                                         caller.principal.name}}));
    if (context_.parts.audit != nullptr) context_.parts.audit->attach(batch, caller);
    TARN_CHECK_OK(context_.parts.store.commit(std::move(batch)));
    MutexLock lock(mutex_);
    for (const auto& id : over) silences_.erase(id);
    if (until > now)
        silences_[key_id] = silence;
    else
        silences_.erase(key_id);
    return ok_status();
}

Result<std::vector<std::string>> Rule::test_fire(const security::Caller& caller) {
    MutexLock one(run_mutex_);
    const auto targets = context_.targets(name_);
    if (targets.empty())
        return Error(Code::precondition_failed,
                     "the rule " + name_ + " has no webhook in use: give it one with `to`");
    const Timestamp now = context_.parts.clock.now();
    Staged staged;
    staged.batch.require_present(rule_key(name_),
                                 Error(Code::not_found, "there is no rule " + name_));
    Message message{"alert.test", now, context_.lake(), name_, {}, {}};
    message.alert.key = message.alert.row = "{}";
    message.alert.since = now;
    message.alert.key_id = "!test";
    stage_message(staged, message, targets);
    TARN_CHECK_OK(stage_history(
        staged.batch, {{AlertEvent::Kind::tested, now, name_, {}, {}, {}, caller.principal.name}}));
    if (context_.parts.audit != nullptr) context_.parts.audit->attach(staged.batch, caller);
    TARN_CHECK_OK(context_.parts.store.commit(std::move(staged.batch)));
    std::vector<std::string> out;
    for (const auto& delivery : staged.deliveries) out.push_back(delivery.id);
    context_.deliverer.add(std::move(staged.deliveries));
    return out;
}

RuleStatus Rule::status() const {
    RuleStatus out;
    out.rule = name_;
    MutexLock lock(mutex_);
    out.open = open_.size();
    out.evaluations = evaluations_;
    out.evaluated = evaluated_;
    out.error = error_;
    out.warnings = warnings_;
    return out;
}

namespace {

class RuleStep final : public flows::Step {
 public:
    RuleStep(std::shared_ptr<Rule> rule, AlertSpec spec, std::vector<flows::TableRef> inputs)
        : rule_(std::move(rule)),
          spec_(std::move(spec)),
          name_("alerts." + spec_.name),
          fingerprint_(fingerprint_of(spec_)),
          inputs_(std::move(inputs)) {}

    const std::string& name() const override { return name_; }
    const std::string& fingerprint() const override { return fingerprint_; }
    const std::vector<flows::TableRef>& inputs() const override { return inputs_; }
    std::optional<flows::TableRef> output() const override { return std::nullopt; }
    const flows::Refresh& refresh() const override { return refresh_; }
    bool quiet() const override { return true; }
    /// A row that must be there for a while is looked at again when that is over.
    std::chrono::seconds at_least_every() const override {
        auto most = spec_.check_every;
        for (const auto wait : {spec_.for_at_least, spec_.recover_after})
            if (wait.count() > 0) most = std::min(most, wait);
        return most;
    }
    Result<flows::StepResult> run(flows::StepRun& run) override {
        return rule_->evaluate(run, spec_, fingerprint_);
    }

 private:
    const std::shared_ptr<Rule> rule_;
    const AlertSpec spec_;
    const std::string name_, fingerprint_;
    const std::vector<flows::TableRef> inputs_;
    const flows::Refresh refresh_;
};

}  // namespace

std::shared_ptr<flows::Step> make_rule_step(std::shared_ptr<Rule> rule, AlertSpec spec,
                                            std::vector<flows::TableRef> inputs) {
    return std::make_shared<RuleStep>(std::move(rule), std::move(spec), std::move(inputs));
}

}  // namespace tarn::events
