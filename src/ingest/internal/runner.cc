#include "ingest/internal/runner.h"

#include <algorithm>

#include "base/log.h"

namespace tarn::ingest {

void StopFlag::stop() {
    const MutexLock lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
}

bool StopFlag::wait_for(std::chrono::milliseconds span) {
    const auto deadline = std::chrono::steady_clock::now() + span;
    const MutexLock lock(mutex_);
    while (!stopped() && std::chrono::steady_clock::now() < deadline)
        changed_.wait_until(mutex_, deadline);
    return !stopped();
}

SourceStatus StatusBox::get() const {
    const MutexLock lock(mutex_);
    return status_;
}

void StatusBox::set_state(SourceStatus::State state) {
    const MutexLock lock(mutex_);
    status_.state = state;
}

void StatusBox::set_error(SourceStatus::State state, const std::string& error) {
    std::string name;
    {
        const MutexLock lock(mutex_);
        const bool known = status_.last_error == error;
        status_.state = state;
        status_.last_error = error;
        if (known) return;
        name = status_.name;
    }
    log_warning("ingest", "a source has trouble", {{"source", name}, {"why", error}});
}

void StatusBox::clear_error() {
    const MutexLock lock(mutex_);
    status_.last_error.clear();
    for (auto& table : status_.tables) table.last_error.clear();
}

void StatusBox::set_problems(const std::string& database,
                             const std::vector<TableProblem>& problems) {
    change([](SourceStatus& status) {
        for (auto& table : status.tables) table.last_error.clear();
    });
    for (const auto& problem : problems)
        change_table(database, problem.table,
                     [&](TableStatus& status) { status.last_error = problem.error.message; });
    if (problems.empty())
        clear_error();
    else
        set_error(SourceStatus::State::following, problems.front().error.message);
}

void StatusBox::change(const std::function<void(SourceStatus&)>& change) {
    const MutexLock lock(mutex_);
    change(status_);
}

void StatusBox::change_table(const std::string& database, const std::string& table,
                             const std::function<void(TableStatus&)>& change) {
    const MutexLock lock(mutex_);
    auto& tables = status_.tables;
    auto found = std::find_if(tables.begin(), tables.end(), [&](const TableStatus& one) {
        return one.database == database && one.name == table;
    });
    if (found == tables.end()) {
        found = tables.emplace(tables.end());
        found->database = database;
        found->name = table;
    }
    change(*found);
}

std::chrono::milliseconds BackOff::next() {
    const auto now = next_;
    next_ = std::min(most_, next_ * 2);
    return now;
}

}  // namespace tarn::ingest
