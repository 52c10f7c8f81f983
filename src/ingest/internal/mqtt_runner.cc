// From a stream to its table: one thread per source, one commit per interval. Rows, rejected rows,
// position and trim are one batch, so that a record is in the table exactly once, whenever the
// server dies.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "ingest/internal/mqtt_batch.h"
#include "ingest/internal/runner.h"
#include "ingest/internal/target.h"
#include "ingest/internal/thread_runner.h"
#include "ingest/routes.h"
#include "query/engine.h"
#include "streams/streams.h"

namespace tarn::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// One commit: work that is left over from a downtime is done in pieces of this size.
constexpr size_t kRecordsMax = 100'000, kBytesMax = 32u << 20;
constexpr milliseconds kLook(200);  // how long a stop may go unnoticed
constexpr int kConflictsMax = 20;   // in a row, before it is called trouble

bool is_conflict(const Error& error) {
    return error.code == Code::conflict;
}

std::vector<std::string> names_of(const MqttShape& shape) {
    std::vector<std::string> names;
    for (const auto& column : shape.columns) names.push_back(column.name);
    return names;
}

/// Files that no commit will name.
void discard(tables::Catalog& catalog, const std::vector<std::string>& paths) {
    if (paths.empty()) return;
    const Status removed = catalog.files().remove(paths);
    if (!removed.ok())
        log_warning("ingest", "files of a commit that failed stay behind",
                    {{"why", removed.error().message}});
}

class MqttRunner final : public ThreadRunner {
 public:
    MqttRunner(const SourceSpec& spec, const SourcesParts& parts)
        : spec_(spec),
          from_(std::get<MqttSource>(spec_.from)),
          parts_(parts),
          stream_(stream_of_source(spec.identity())),
          rows_(parts.metrics.counter("tarn_mqtt_rows_total", "Readings taken into tables")),
          rejected_(parts.metrics.counter("tarn_mqtt_rejected_total", "Readings set aside")),
          status_(first_status(spec, "mqtt")) {}
    ~MqttRunner() override { stop(); }
    SourceStatus status() const override;

 private:
    void run() override;
    Status prepare();
    void wait_for_records();
    Status step();
    Result<MqttBatch> gather(const MqttPosition& from);
    Result<std::vector<tables::TableChange>> changes_of(const MqttBatch& batch,
                                                        const tables::TablePtr& table);
    Status commit(const MqttBatch& batch, const tables::TablePtr& table,
                  std::optional<std::string> expected);
    void note(const MqttBatch& batch);
    void fail(const Error& error);

    const SourceSpec spec_;
    const MqttSource& from_;
    const SourcesParts& parts_;
    const std::string stream_;
    Counter& rows_;
    Counter& rejected_;
    StatusBox status_;
    // Of the thread:
    std::optional<MqttShape> shape_;
    bool prepared_ = false;
    uint64_t next_ = 0;                  // offset that the table waits for
    steady_clock::time_point due_ = {};  // not before: the commit interval
    int conflicts_ = 0;
    BackOff patience_;
};

SourceStatus MqttRunner::status() const {
    auto status = status_.get();
    const auto end = parts_.streams.end(stream_);
    for (auto& table : status.tables) {
        const auto position = MqttPosition::parse(table.position);
        if (!end.ok() || !position.ok()) continue;
        table.backlog = *end > position->next ? *end - position->next : 0;
        table.position = fmt::format("{} of {} records", position->next, *end);
    }
    return status;
}

void MqttRunner::run() {
    while (!stop_.stopped()) {
        const Status done = prepared_ ? step() : prepare();
        if (stop_.stopped()) return;
        if (done.ok()) {
            conflicts_ = 0;
            patience_.reset();
            if (prepared_) wait_for_records();
        } else if (is_conflict(done.error()) && ++conflicts_ < kConflictsMax) {
            // Somebody changed the same rows, or the position: read again.
            stop_.wait_for(milliseconds(conflicts_));
        } else {
            fail(done.error());
        }
    }
}

void MqttRunner::fail(const Error& error) {
    const bool ours_to_mend = error.code == Code::invalid_argument;
    status_.set_error(ours_to_mend ? SourceStatus::State::failed : SourceStatus::State::waiting,
                      error.message);
    prepared_ = false;  // the table may be gone, or another one
    conflicts_ = 0;
    stop_.wait_for(patience_.next());
}

/// The table exists from now on: SQL over it works before the first reading.
Status MqttRunner::prepare() {
    TARN_TRY(shape, MqttShape::make(spec_));
    TargetTable wanted;
    wanted.database = spec_.database;
    wanted.name = spec_.name;
    wanted.key = from_.key;
    wanted.source = spec_.identity();
    wanted.comment = "readings published on " + shape.topic.text();
    for (const auto& column : shape.columns)
        wanted.columns.push_back({column.name, column.type, column.key, ""});
    TARN_TRY(table, ensure_table(parts_, wanted));
    TARN_TRY(expected,
             tables::load_position(parts_.store, {spec_.identity(), stream_, table->info.uuid}));
    TARN_TRY(position, MqttPosition::parse(expected));
    next_ = position.next;
    shape_ = std::move(shape);
    prepared_ = true;
    status_.change_table(spec_.database, spec_.name, [&](TableStatus& status) {
        status.position = position.text();
        if (position.newest_micros) status.newest = Timestamp{*position.newest_micros};
    });
    status_.clear_error();
    status_.set_state(SourceStatus::State::following);
    return ok_status();
}

/// Until there is a record and the interval since the last commit is over, or a whole batch waits.
void MqttRunner::wait_for_records() {
    while (!stop_.stopped() && !parts_.streams.wait_for(stream_, next_, kLook)) {
    }
    while (!stop_.stopped()) {
        const auto now = steady_clock::now();
        if (now >= due_) return;
        const auto end = parts_.streams.end(stream_);
        if (end.ok() && *end >= next_ + kRecordsMax) return;
        const auto left = std::chrono::ceil<milliseconds>(due_ - now);
        stop_.wait_for(std::min(left, kLook));
    }
}

Status MqttRunner::step() {
    due_ = steady_clock::now() + from_.commit;
    TARN_TRY(table, parts_.catalog.snapshot().load_table(spec_.database, spec_.name));
    TARN_TRY(expected,
             tables::load_position(parts_.store, {spec_.identity(), stream_, table->info.uuid}));
    TARN_TRY(position, MqttPosition::parse(expected));
    TARN_TRY(batch, gather(position));
    next_ = position.next;
    if (batch.records() == 0 || stop_.stopped()) return ok_status();
    TARN_CHECK_OK(commit(batch, table, std::move(expected)));
    note(batch);
    return ok_status();
}

Result<MqttBatch> MqttRunner::gather(const MqttPosition& from) {
    MqttBatch batch(*shape_, from_.late, from);
    while (!stop_.stopped() && batch.records() < kRecordsMax && batch.bytes() < kBytesMax) {
        TARN_TRY(page, parts_.streams.read(stream_, batch.position().next, kPageBytes));
        if (page.records.empty()) break;
        for (const auto& record : page.records) batch.add(record);
    }
    return batch;
}

Result<std::vector<tables::TableChange>> MqttRunner::changes_of(const MqttBatch& batch,
                                                                const tables::TablePtr& table) {
    std::vector<tables::TableChange> changes;
    if (batch.rows().rows() > 0) {
        auto made = from_.key.empty() ? append_rows(parts_, table, batch.rows(), names_of(*shape_))
                                      : parts_.engine.upsert(spec_.database, spec_.name, from_.key,
                                                             batch.rows(), names_of(*shape_));
        if (!made.ok()) return std::move(made).error();
        changes.push_back(std::move(made).value());
    }
    if (!batch.rejected().empty()) {
        TARN_TRY(set_aside, reject_rows(parts_, spec_.database, spec_.name, spec_.identity(),
                                        batch.rejected()));
        changes.push_back(std::move(set_aside));
    }
    return changes;
}

Status MqttRunner::commit(const MqttBatch& batch, const tables::TablePtr& table,
                          std::optional<std::string> expected) {
    TARN_TRY(changes, changes_of(batch, table));
    std::vector<std::string> files;
    for (const auto& change : changes) {
        for (const auto& file : change.append) files.push_back(file.path);
        for (const auto& file : change.position_deletes) files.push_back(file.path);
    }
    meta::Batch extra;
    tables::stage_position(extra, {spec_.identity(), stream_, table->info.uuid},
                           std::move(expected), batch.position().text());
    TARN_CHECK_OK(parts_.streams.stage_trim(extra, stream_, batch.position().next));
    auto done = parts_.committer.commit(parts_.caller(), std::move(changes), std::move(extra));
    if (done.ok()) return ok_status();
    // After any other error the outcome is open, and the files may be in use.
    const Code code = done.error().code;
    if (code == Code::conflict || code == Code::not_found || code == Code::invalid_argument)
        discard(parts_.catalog, files);
    return std::move(done).error();
}

void MqttRunner::note(const MqttBatch& batch) {
    const auto& position = batch.position();
    next_ = position.next;
    rows_.add(static_cast<double>(batch.rows().rows()));
    rejected_.add(static_cast<double>(batch.rejected().size()));
    status_.change_table(spec_.database, spec_.name, [&](TableStatus& status) {
        status.rows += batch.rows().rows();
        status.rows_rejected += batch.rejected().size();
        status.bytes += batch.bytes();
        status.position = position.text();
        status.last_commit = parts_.clock.now();
        if (position.newest_micros) status.newest = Timestamp{*position.newest_micros};
    });
    status_.clear_error();
    status_.set_state(SourceStatus::State::following);
}

}  // namespace

std::unique_ptr<Runner> make_mqtt_runner(const SourceSpec& spec, const SourcesParts& parts) {
    return std::make_unique<MqttRunner>(spec, parts);
}

}  // namespace tarn::ingest
