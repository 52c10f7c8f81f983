// The risk that places run empty, as a step of the graph: rescored whenever a level, the forecast
// or a delivery changes.
#include <memory>
#include <mutex>

#include "codec/hash.h"
#include "codec/text.h"
#include "flows/run_session.h"
#include "models/internal/due.h"
#include "models/internal/stock_data.h"
#include "models/steps.h"

namespace tarn::models {

namespace {

using tables::TypeId;

constexpr std::chrono::minutes kLiveWithin{5};

class StockOutStep final : public flows::Step {
 public:
    StockOutStep(StockOutSpec spec, Parts parts, std::vector<flows::TableRef> inputs,
                 std::string fingerprint)
        : spec_(std::move(spec)),
          parts_(std::move(parts)),
          name_("models." + spec_.name.table),
          fingerprint_(std::move(fingerprint)),
          inputs_(std::move(inputs)),
          data_(spec_) {}

    const std::string& name() const override { return name_; }
    const std::string& fingerprint() const override { return fingerprint_; }
    const std::vector<flows::TableRef>& inputs() const override { return inputs_; }
    std::optional<flows::TableRef> output() const override { return spec_.name; }
    const flows::Refresh& refresh() const override { return spec_.refresh; }
    /// Sensors fall silent by time alone.
    std::chrono::seconds at_least_every() const override { return std::chrono::seconds(60); }
    bool quiet() const override { return true; }
    void set_time_zone(const std::string& zone) override {
        const std::lock_guard lock(mutex_);
        zone_ = zone;
    }
    Result<flows::StepResult> run(flows::StepRun& run) override;

 private:
    std::string zone() const {
        const std::lock_guard lock(mutex_);
        return zone_;
    }
    security::Caller caller(const flows::StepRun& run) const {
        security::Caller caller = parts_.system;
        caller.at = run.started();
        return caller;
    }
    const flows::InputState* input(const flows::StepRun& run, const flows::TableRef& name) const {
        for (const auto& each : run.inputs())
            if (each.name == name) return &each;
        return nullptr;
    }
    Timestamp event_time(const flows::StepRun& run, bool on_hand_changed);
    Result<query::Chunk> score(const StockColumns& columns, Timestamp now, Timestamp scored_at,
                               int64_t offset) const;

    const StockOutSpec spec_;
    const Parts parts_;
    const std::string name_, fingerprint_;
    const std::vector<flows::TableRef> inputs_;
    mutable std::mutex mutex_;
    std::string zone_;
    StockData data_;     // of the runs, one at a time
    bool live_ = false;  // readings come about when they are made
    int64_t offset_ = 0;
    Timestamp offset_at_;
};

/// The newest reading's time. Where readings come live it goes on with the clock, so that it shows
/// when all fall silent.
Timestamp StockOutStep::event_time(const flows::StepRun& run, bool on_hand_changed) {
    const Timestamp newest = data_.newest();
    const auto apart = run.started().since(newest);
    if (on_hand_changed) live_ = apart < kLiveWithin && -apart < kLiveWithin;
    return live_ ? std::max(newest, run.started()) : newest;
}

std::vector<OutputColumn> output_columns(const StockColumns& columns) {
    std::vector<OutputColumn> out = {columns.place};
    for (const auto& key : columns.keys) out.push_back(key);
    const auto instant = tables::Type::of(TypeId::timestamptz),
               number = tables::Type::of(TypeId::float64), text = tables::Type::of(TypeId::string);
    out.push_back({"read_at", instant});
    out.push_back({"units", number});
    out.push_back({"hours_to_empty", number});
    out.push_back({"p_empty", number});
    out.push_back({"next_delivery_at", instant});
    out.push_back({"state", text});
    out.push_back({"reasons", text});
    out.push_back({"scored_at", instant});
    return out;
}

Result<query::Chunk> StockOutStep::score(const StockColumns& columns, Timestamp now,
                                         Timestamp scored_at, int64_t offset) const {
    RiskOptions options;
    options.horizon = spec_.horizon;
    options.silent_after = spec_.silent_after;
    options.utc_offset = offset;
    query::Chunk chunk;
    for (const auto& column : output_columns(columns)) {
        TARN_TRY(type, query_type(column.type));
        chunk.columns.emplace_back(type);
    }
    const auto put = [&](size_t at, const std::optional<double>& number) {
        if (number)
            chunk.columns[at].append_real(*number);
        else
            chunk.columns[at].append_null();
    };
    for (const auto& [name, place] : data_.places()) {
        const Risk risk =
            assess(data_.stock_of(name, place), data_.profile(), data_.lateness(), now, options);
        size_t at = 0;
        for (const auto& value : place.values) chunk.columns[at++].append(value);
        chunk.columns[at++].append_number(place.read_at.micros);
        chunk.columns[at++].append_real(place.units);
        put(at++, risk.hours_to_empty);
        put(at++, risk.p_empty);
        if (risk.next_delivery)
            chunk.columns[at++].append_number(risk.next_delivery->micros);
        else
            chunk.columns[at++].append_null();
        chunk.columns[at++].append_text(to_string(risk.state));
        chunk.columns[at++].append_text(risk.reasons);
        chunk.columns[at++].append_number(scored_at.micros);
    }
    return chunk;
}

Result<flows::StepResult> StockOutStep::run(flows::StepRun& run) {
    flows::StepResult result;
    const auto* on_hand = input(run, spec_.on_hand);
    const auto* demand = input(run, spec_.demand);
    const auto* incoming = spec_.incoming.table.empty() ? nullptr : input(run, spec_.incoming);
    if (on_hand->table == nullptr || !on_hand->snapshot_now) {
        result.warnings.push_back(spec_.on_hand.full_name() + " has no rows yet");
        return result;
    }
    const auto schema_of = [](const flows::InputState* state) {
        return state == nullptr || state->table == nullptr ? nullptr : &state->table->schema();
    };
    TARN_TRY(columns, StockColumns::find(spec_, on_hand->table->schema(), schema_of(demand),
                                         schema_of(incoming)));
    bool changed = false;
    for (const auto& each : run.inputs()) changed = changed || each.changed();
    if (!changed && !live_) return result;  // event time stands still
    TARN_TRY(session,
             flows::open_run_session(parts_.engine, caller(run), run, spec_.name.database, zone()));
    if (offset_at_.micros == 0 || run.started().since(offset_at_) > std::chrono::hours(1)) {
        TARN_TRY(offset, utc_offset(*session, run.started()));
        offset_ = offset;
        offset_at_ = run.started();
    }
    auto read = data_.refresh(*session, columns, *on_hand, demand, incoming, offset_);
    if (!read.ok()) {
        data_.forget();  // half of it may be new
        return std::move(read).error();
    }
    result.rows_read = *read;
    const Timestamp now = event_time(run, on_hand->changed());
    TARN_TRY(rows, score(columns, now, run.started(), offset_));
    if (demand == nullptr || demand->table == nullptr)
        result.warnings.push_back(spec_.demand.full_name() +
                                  " has no forecast yet: nothing can be said of the places");
    TARN_TRY(change, replace_rows(parts_, spec_.name, "Chance that places run empty",
                                  output_columns(columns), rows, &result.bytes_written));
    result.rows_written = rows.rows();
    std::vector<tables::TableChange> changes;
    changes.push_back(std::move(change));
    const Status done = run.commit(std::move(changes));
    if (!done.ok()) {
        data_.forget();
        return done.error();
    }
    return result;
}

std::string fingerprint_of(const StockOutSpec& spec) {
    std::string all = "stock_out 1";
    for (const std::string& part :
         {spec.name.full_name(), spec.on_hand.full_name(), spec.on_hand_column, spec.place,
          spec.read_at, spec.demand.full_name(), spec.incoming.full_name(),
          std::to_string(spec.horizon.count()), std::to_string(spec.silent_after.count())})
        all += '\x1f' + part;
    return codec::hex_encode(codec::sha256(all));
}

}  // namespace

Result<std::unique_ptr<flows::Step>> make_stock_out_step(StockOutSpec spec, Parts parts) {
    const auto wrong = [&](const std::string& what) {
        return Error(Code::invalid_argument, "model " + spec.name.table + ": " + what);
    };
    if (spec.on_hand.table.empty() || spec.on_hand_column.empty())
        return wrong("`on_hand` names a table and its column, as in levels.units");
    if (spec.demand.table.empty()) return wrong("`demand` names a forecast");
    if (spec.horizon < std::chrono::hours(1) || spec.horizon > std::chrono::hours(14 * 24))
        return wrong("`horizon` is 1h to 14d");
    if (spec.silent_after < std::chrono::minutes(1)) return wrong("`silent_after` is at least 1m");
    std::vector<flows::TableRef> inputs = {spec.on_hand, spec.demand};
    if (!spec.incoming.table.empty()) inputs.push_back(spec.incoming);
    std::string fingerprint = fingerprint_of(spec);
    return std::unique_ptr<flows::Step>(std::make_unique<StockOutStep>(
        std::move(spec), std::move(parts), std::move(inputs), std::move(fingerprint)));
}

}  // namespace tarn::models
