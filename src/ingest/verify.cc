#include "ingest/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "ingest/internal/postgres_verify.h"
#include "ingest/internal/verdict_record.h"

namespace tarn::ingest {

namespace {

constexpr auto kTryAgain = std::chrono::minutes(10);  // a scheduled one that could not be done

const PostgresSource* followed(const SourceSpec& spec) {
    const auto* from = std::get_if<PostgresSource>(&spec.from);
    return from && from->follow == PostgresSource::Follow::changes ? from : nullptr;
}

struct Job {
    SourceSpec spec;
    VerifyRequest what;
    bool scheduled = false;
    /// Ends it alone: its source is gone or another.
    std::shared_ptr<StopFlag> stop;
};

}  // namespace

uint64_t Verdict::differences() const {
    uint64_t sum = 0;
    for (const auto& table : tables) sum += table.differences - table.repaired;
    return sum;
}

bool Verdict::equal() const {
    return error.empty() &&
           std::all_of(tables.begin(), tables.end(), [](const TableVerdict& table) {
               return table.state == TableVerdict::State::equal ||
                      (table.state == TableVerdict::State::different &&
                       table.repaired == table.differences);
           });
}

std::string_view to_string(TableVerdict::State state) {
    switch (state) {
        case TableVerdict::State::waiting:
            return "waiting";
        case TableVerdict::State::running:
            return "running";
        case TableVerdict::State::equal:
            return "equal";
        case TableVerdict::State::different:
            return "different";
        case TableVerdict::State::unknown:
            return "unknown";
    }
    return "unknown";
}

std::string_view to_string(KeyDifference::What what) {
    switch (what) {
        case KeyDifference::What::missing:
            return "missing";
        case KeyDifference::What::extra:
            return "extra";
        case KeyDifference::What::different:
            return "different";
    }
    return "different";
}

struct Verifications::Impl {
    explicit Impl(SourcesParts given) : parts(std::move(given)) {
        thread = std::thread([this] { work(); });
    }

    void work();
    bool take(Job& job) TARN_REQUIRES(mutex);
    void plan_scheduled() TARN_REQUIRES(mutex);
    void run(const Job& job);
    Status compare(const Job& job, Verdict& verdict);
    void show(const std::string& source, const Verdict& verdict);
    void finish(const std::string& source, const std::string& identity, Verdict verdict);

    SourcesParts parts;
    StopFlag stop;
    Mutex mutex;
    std::map<std::string, SourceSpec> specs TARN_GUARDED_BY(mutex);
    std::deque<Job> waiting TARN_GUARDED_BY(mutex);
    std::map<std::string, Verdict> running TARN_GUARDED_BY(mutex);  // waiting ones too
    std::map<std::string, Timestamp> not_before TARN_GUARDED_BY(mutex);
    std::string current TARN_GUARDED_BY(mutex);
    std::shared_ptr<StopFlag> current_stop TARN_GUARDED_BY(mutex);
    std::thread thread;
};

void Verifications::Impl::work() {
    while (!stop.stopped()) {
        Job job;
        bool found = false;
        {
            const MutexLock lock(mutex);
            plan_scheduled();
            found = take(job);
        }
        if (found)
            run(job);
        else
            stop.wait_for(std::chrono::milliseconds(200));
    }
}

bool Verifications::Impl::take(Job& job) {
    if (waiting.empty()) return false;
    job = std::move(waiting.front());
    waiting.pop_front();
    current = job.spec.name;
    current_stop = job.stop;
    return true;
}

void Verifications::Impl::plan_scheduled() {
    const Timestamp now = parts.clock.now();
    for (const auto& [name, spec] : specs) {
        const auto* from = followed(spec);
        if (!from || from->verify_every.count() == 0 || running.count(name) > 0) continue;
        auto due = not_before.find(name);
        if (due == not_before.end()) {
            // Since the last one; the first comes one interval after the source is declared.
            Timestamp last = now;
            const auto record = parts.store.get(verdict_key(spec.identity()));
            if (record.ok() && *record) {
                const auto verdict = decode_verdict((*record)->value);
                if (verdict.ok()) last = verdict->finished;
            }
            due = not_before.emplace(name, last.plus(from->verify_every)).first;
        }
        if (now.micros < due->second.micros) continue;
        not_before.erase(due);
        Verdict verdict;
        verdict.running = true;
        verdict.scheduled = true;
        verdict.started = now;
        running[name] = verdict;
        waiting.push_back(
            {spec, {{}, from->verify_repairs}, true, std::make_shared<StopFlag>(&stop)});
    }
}

void Verifications::Impl::show(const std::string& source, const Verdict& verdict) {
    const MutexLock lock(mutex);
    running[source] = verdict;
}

Status Verifications::Impl::compare(const Job& job, Verdict& verdict) {
    const auto& from = *followed(job.spec);
    TARN_TRY(connection, PostgresConnection::open(from.url, *job.stop));
    std::vector<TableProblem> problems;
    TARN_TRY(tables, find_postgres_tables(*connection, from.tables, &problems));
    std::vector<PostgresTable> chosen;
    for (auto& table : tables) {
        const auto& names = job.what.tables;
        if (!names.empty() && std::find(names.begin(), names.end(), table.name) == names.end())
            continue;
        TableVerdict one;
        one.database = job.spec.name;
        one.name = table.name;
        one.rows_estimated = table.rows_estimated;
        verdict.tables.push_back(std::move(one));
        chosen.push_back(std::move(table));
    }
    for (const auto& name : job.what.tables)
        if (std::none_of(chosen.begin(), chosen.end(),
                         [&](const PostgresTable& table) { return table.name == name; }))
            return Error(Code::not_found,
                         fmt::format("source {} has no table {}", job.spec.name, name));
    if (chosen.empty() && !problems.empty()) return problems.front().error;
    for (size_t i = 0; i < chosen.size(); ++i) {
        TableVerifier verifier({job.spec.name, job.spec.identity(), from, parts, *job.stop,
                                [&](const TableVerdict& now) {
                                    verdict.tables[i] = now;
                                    show(job.spec.name, verdict);
                                }},
                               *connection, std::move(chosen[i]));
        TARN_TRY(done, verifier.run(job.what.repair));
        verdict.tables[i] = std::move(done);
        show(job.spec.name, verdict);
    }
    return ok_status();
}

void Verifications::Impl::run(const Job& job) {
    Verdict verdict;
    verdict.running = true;
    verdict.started = parts.clock.now();
    verdict.scheduled = job.scheduled;
    verdict.repair = job.what.repair;
    show(job.spec.name, verdict);
    Status done = ok_status();
    try {
        done = compare(job, verdict);
    } catch (const std::exception& problem) {
        done = Error(Code::internal, problem.what());
    }
    if (!done.ok()) {
        verdict.error = done.error().message;
        for (auto& table : verdict.tables)
            if (table.state == TableVerdict::State::waiting ||
                table.state == TableVerdict::State::running)
                table.state = TableVerdict::State::unknown;
    }
    finish(job.spec.name, job.spec.identity(), std::move(verdict));
}

void Verifications::Impl::finish(const std::string& source, const std::string& identity,
                                 Verdict verdict) {
    verdict.running = false;
    verdict.finished = parts.clock.now();
    if (!verdict.equal())
        log_warning(
            "ingest", "a comparison with the source found differences, or did not end",
            {{"source", source}, {"differences", verdict.differences()}, {"why", verdict.error}});
    parts.metrics
        .gauge("tarn_source_differences", "Rows that differed from the source when last compared",
               {{"source", source}})
        .set(static_cast<double>(verdict.differences()));
    parts.metrics
        .gauge("tarn_source_verified_time_seconds",
               "When a source was last compared to the end, as seconds since 1970",
               {{"source", source}})
        .set(verdict.error.empty() ? static_cast<double>(verdict.finished.micros) / 1e6 : 0);
    meta::Batch batch;
    batch.put(verdict_key(identity), encode_verdict(verdict));
    const bool cancelled = stop.stopped();
    const auto kept =
        cancelled ? Result<meta::Commit>(meta::Commit()) : parts.store.commit(std::move(batch));
    if (!kept.ok())
        log_warning("ingest", "what a comparison found was not kept",
                    {{"source", source}, {"why", kept.error().message}});
    const MutexLock lock(mutex);
    running.erase(source);
    current.clear();
    current_stop.reset();
    if (!verdict.error.empty())
        not_before[source] = verdict.finished.plus(kTryAgain);
    else
        not_before.erase(source);
}

Verifications::Verifications(SourcesParts parts)
    : impl_(std::make_unique<Impl>(std::move(parts))) {}

Verifications::~Verifications() {
    stop();
}

void Verifications::configure(const std::vector<SourceSpec>& specs) {
    const MutexLock lock(impl_->mutex);
    std::map<std::string, SourceSpec> now;
    for (const auto& spec : specs) now[spec.name] = spec;
    // Held above; the analysis does not see that where a lambda looks through the pointer.
    const auto changed = [&](const std::string& name) TARN_REQUIRES(impl_->mutex) {
        const auto before = impl_->specs.find(name);
        const auto after = now.find(name);
        return after == now.end() || before == impl_->specs.end() ||
               !(before->second == after->second);
    };
    for (auto it = impl_->waiting.begin(); it != impl_->waiting.end();) {
        const bool gone = changed(it->spec.name);
        if (gone) impl_->running.erase(it->spec.name);
        it = gone ? impl_->waiting.erase(it) : std::next(it);
    }
    if (impl_->current_stop && changed(impl_->current)) impl_->current_stop->stop();
    for (const auto& [name, spec] : now)
        if (changed(name)) impl_->not_before.erase(name);
    impl_->specs = std::move(now);
}

Status Verifications::request(const std::string& source, VerifyRequest what) {
    const MutexLock lock(impl_->mutex);
    const auto found = impl_->specs.find(source);
    if (found == impl_->specs.end()) return Error(Code::not_found, "there is no source " + source);
    if (!followed(found->second))
        return Error(Code::precondition_failed,
                     "source " + source +
                         " is not followed by its changes, so it may differ at any time: only a "
                         "PostgreSQL source with follow: changes can be verified");
    if (impl_->running.count(source) > 0)
        return Error(Code::conflict, "source " + source + " is being compared already");
    Verdict verdict;
    verdict.running = true;
    verdict.started = impl_->parts.clock.now();
    verdict.repair = what.repair;
    impl_->running[source] = verdict;
    impl_->waiting.push_back(
        {found->second, std::move(what), false, std::make_shared<StopFlag>(&impl_->stop)});
    return ok_status();
}

Result<std::optional<Verdict>> Verifications::verdict(const std::string& source) const {
    std::string identity = source;
    {
        const MutexLock lock(impl_->mutex);
        const auto found = impl_->running.find(source);
        if (found != impl_->running.end()) return std::optional<Verdict>(found->second);
        const auto spec = impl_->specs.find(source);
        if (spec != impl_->specs.end()) identity = spec->second.identity();
    }
    TARN_TRY(record, impl_->parts.store.get(verdict_key(identity)));
    if (!record) return std::optional<Verdict>();
    TARN_TRY(verdict, decode_verdict(record->value));
    return std::optional<Verdict>(std::move(verdict));
}

void Verifications::stop() {
    impl_->stop.stop();
    {
        // What waits for a part of the work is not woken by the whole's end.
        const MutexLock lock(impl_->mutex);
        if (impl_->current_stop) impl_->current_stop->stop();
    }
    if (impl_->thread.joinable()) impl_->thread.join();
}

}  // namespace tarn::ingest
