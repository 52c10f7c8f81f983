// How often a rule would have fired: the rule over the past states of its inputs.
#include <algorithm>
#include <set>

#include "events/internal/past.h"
#include "events/internal/rule.h"
#include "flows/inspect.h"

namespace tarn::events {
namespace {

constexpr size_t kEvaluationsMax = 200;
constexpr auto kTimeMax = std::chrono::seconds(5);

struct History {
    std::vector<Timestamp> states;  // ascending
    std::map<flows::TableRef, tables::TablePtr> tables;
    bool cut = false;  // older states were there and have expired
};

Result<History> find_history(const AlertsParts& parts,
                             const std::vector<flows::InspectedInput>& inputs, Timestamp from) {
    History out;
    const auto catalog = parts.catalog.snapshot();
    std::set<Timestamp> states;
    Timestamp known_from = from;
    for (const auto& input : inputs) {
        TARN_TRY(table, catalog.load_table(input.name.database, input.name.table));
        const auto& snapshots = table->metadata->snapshots;
        for (const auto& snapshot : snapshots) states.insert({snapshot->timestamp_ms * 1000});
        // An oldest snapshot that had a parent: what was before it is gone.
        if (!snapshots.empty() && snapshots.front()->parent_snapshot_id) {
            const Timestamp oldest{snapshots.front()->timestamp_ms * 1000};
            if (oldest > known_from) {
                known_from = oldest;
                out.cut = true;
            }
        }
        out.tables.emplace(input.name, std::move(table));
    }
    for (const auto& at : states)
        if (at >= known_from) out.states.push_back(at);
    return out;
}

PastState state_at(const History& history, Timestamp at) {
    PastState out;
    for (const auto& [name, table] : history.tables) {
        const auto snapshot = table->metadata->snapshot_at(at);
        out[name] = snapshot ? std::optional(snapshot->snapshot_id) : std::nullopt;
    }
    return out;
}

/// `count` of them, evenly, the last always.
std::vector<Timestamp> sample(const std::vector<Timestamp>& from, size_t count) {
    if (from.size() <= count) return from;
    std::vector<Timestamp> out;
    for (size_t i = 1; i <= count; ++i) out.push_back(from[i * from.size() / count - 1]);
    return out;
}

class Player {
 public:
    Player(const AlertsParts& parts, const AlertsOptions& options, const AlertSpec& spec)
        : parts_(parts), options_(options), spec_(spec) {}

    Status connect(const std::string& time_zone) {
        TARN_TRY(session, parts_.engine.connect(reader_of(spec_, parts_.system_caller())));
        TARN_CHECK_OK(session->set_setting("timezone", time_zone));
        TARN_CHECK_OK(
            session->set_setting("statement_timeout", std::to_string(kTimeMax.count()) + "s"));
        session_ = std::move(session);
        return ok_status();
    }

    /// What changes with that state: alerts that open, and that recover.
    Result<Changes> play(const History& history, Timestamp at) {
        TARN_TRY(found, rows(spec_.when, history, at));
        patience_.stays = {};
        if (!spec_.stays.empty() && !open_.empty()) {
            TARN_TRY(stays, rows(spec_.stays, history, at));
            patience_.stays = std::move(stays);
        }
        patience_.for_at_least = spec_.for_at_least;
        patience_.recover_after = spec_.recover_after;
        auto changes =
            find_changes(open_, found, {}, at, {options_.open_per_rule_max}, &patience_);
        apply_changes(changes, open_);
        return changes;
    }
    size_t open() const { return open_.size(); }
    /// The rows of `sql` at that state.
    Result<Found> rows(const std::string& sql, const History& history, Timestamp at) {
        TARN_TRY(past, sql_of_the_past(sql, named(sql, state_at(history, at)), at));
        TARN_TRY(statement, session_->prepare(past, {}));
        std::vector<std::string> warnings;
        return read_rows(*session_, *statement, spec_, options_, warnings);
    }

 private:
    static PastState named(const std::string& sql, PastState state) {
        const auto names = tables_named(sql, state);
        std::erase_if(state, [&](const auto& one) { return !names.contains(one.first); });
        return state;
    }

    OpenByKey open_;
    Patience patience_;
    const AlertsParts& parts_;
    const AlertsOptions& options_;
    const AlertSpec& spec_;
    std::unique_ptr<query::Session> session_;
};

void add_note(Replay& replay, const std::string& note) {
    replay.note += (replay.note.empty() ? "" : "; ") + note;
}

}  // namespace

Result<Replay> replay_rule(const AlertsParts& parts, const AlertsOptions& options,
                           const AlertSpec& spec, int days, const std::string& time_zone) {
    Replay out;
    out.to = parts.clock.now();
    out.from = out.to.plus(-std::chrono::hours(24) * std::max(days, 0));
    TARN_TRY(inspected, flows::inspect_sql(parts.engine, spec.when));
    if (!inspected.bindable) {
        add_note(out, "no history yet: " + inspected.problem.message);
        return out;
    }
    if (!spec.stays.empty()) {
        TARN_TRY(stays, flows::inspect_sql(parts.engine, spec.stays));
        inspected.inputs.insert(inspected.inputs.end(), stays.inputs.begin(), stays.inputs.end());
    }
    TARN_TRY(history, find_history(parts, inspected.inputs, out.from));
    out.states = history.states.size();
    if (history.states.empty()) {
        add_note(out, "not enough history: its tables have no states in that time");
        return out;
    }
    const auto now = state_at(history, out.to);
    auto names = tables_named(spec.when, now);
    if (!spec.stays.empty()) names.merge(tables_named(spec.stays, now));
    if (names.size() != now.size()) {
        add_note(out, "it reads a view, whose past can't be looked at");
        return out;
    }
    out.from = history.states.front();
    if (history.cut) add_note(out, "older states have expired");

    Player player(parts, options, spec);
    TARN_CHECK_OK(player.connect(time_zone));
    const auto begun = std::chrono::steady_clock::now();
    const auto left = [&] { return kTimeMax - (std::chrono::steady_clock::now() - begun); };
    // What one evaluation takes says how many there can be.
    const auto first = player.rows(spec.when, history, history.states.back());
    const auto once = kTimeMax - left();
    const size_t affordable =
        static_cast<size_t>(kTimeMax / std::max(once, std::chrono::nanoseconds(1'000'000))) / 2;
    const auto states = sample(history.states, std::clamp<size_t>(affordable, 1, kEvaluationsMax));
    uint64_t failed = first.ok() ? 0 : 1;
    std::string why = first.ok() ? "" : first.error().message;
    for (const Timestamp at : states) {
        if (left().count() <= 0) {
            add_note(out, "stopped after 5 s, at " + format_iso8601(at));
            break;
        }
        const auto changes = player.play(history, at);
        if (!changes.ok()) {
            ++failed;
            why = changes.error().message;
            continue;
        }
        ++out.evaluations;
        out.fired += changes->opened.size();
        out.recovered += changes->recovered.size();
    }
    out.open_at_end = player.open();
    if (states.size() < history.states.size())
        add_note(out,
                 std::to_string(states.size()) + " of " + std::to_string(history.states.size()) +
                     " states were looked at: what opened and recovered in between is not counted");
    if (failed > 0) add_note(out, "some states could not be looked at: " + why);
    return out;
}

}  // namespace tarn::events
