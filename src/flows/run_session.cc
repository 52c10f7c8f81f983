#include "flows/run_session.h"

#include "query/work.h"

namespace tarn::flows {

Result<std::unique_ptr<query::Session>> open_run_session(query::Engine& engine,
                                                         const security::Caller& system,
                                                         const StepRun& run,
                                                         const std::string& database,
                                                         const std::string& time_zone) {
    if (run.cancelled()) return Error{Code::cancelled, "the run was cancelled"};
    TARN_TRY(session, engine.connect(system, database));
    if (!time_zone.empty() && time_zone != "UTC")
        TARN_CHECK_OK(query::set_time_zone(*session, time_zone));
    if (const auto* state = run.state())
        TARN_CHECK_OK(query::begin_at(*session, *state));
    else
        TARN_CHECK_OK(session->begin());
    return session;
}

Status commit_session(query::Session& session, StepRun& run, tables::Catalog& catalog,
                      meta::Batch extra, const std::function<void(tables::TableChange&)>& adjust) {
    TARN_TRY(taken, query::take_changes(session));
    std::vector<std::string> files;
    for (auto& change : taken.changes) {
        if (adjust) adjust(change);
        for (const auto& file : change.append) files.push_back(file.path);
        for (const auto& file : change.position_deletes) files.push_back(file.path);
    }
    taken.extra.merge(std::move(extra));
    const Status done = run.commit(std::move(taken.changes), std::move(taken.extra));
    if (done.ok()) return {};
    // After an answer that leaves the outcome open the files may be in use; find_orphans() tells of
    // them.
    const Code code = done.error().code;
    const bool certain = code == Code::conflict || code == Code::not_found ||
                         code == Code::invalid_argument || code == Code::cancelled ||
                         code == Code::already_exists;
    if (certain && !files.empty()) static_cast<void>(catalog.files().remove(files));
    return done;
}

}  // namespace tarn::flows
