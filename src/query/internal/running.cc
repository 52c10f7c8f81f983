#include "query/internal/running.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "duckdb/planner/planner.hpp"
#include "query/internal/session.h"

namespace tarn::query {

RunningCall::RunningCall(LakeSession& session) : session_(session) {
    const std::lock_guard<std::mutex> lock(session_.running_mutex_);
    session_.running_ = true;
    if (session_.cancelled_) session_.connection_->Interrupt();
}

RunningCall::~RunningCall() {
    const std::lock_guard<std::mutex> lock(session_.running_mutex_);
    session_.running_ = false;
}

void RunningCall::began() {
    const std::lock_guard<std::mutex> lock(session_.running_mutex_);
    if (session_.cancelled_) session_.connection_->Interrupt();
}

void LakeSession::cancel() {
    const std::lock_guard<std::mutex> lock(running_mutex_);
    cancelled_ = true;
    if (running_) connection_->Interrupt();
}

void LakeSession::forget_cancel() {
    const std::lock_guard<std::mutex> lock(running_mutex_);
    cancelled_ = false;
}

void LakeSession::track_progress() {
    auto& config = duck::ClientConfig::GetConfig(*connection_->context);
    config.enable_progress_bar = true;
    config.print_progress_bar = false;
    config.wait_time = 0;
}

std::optional<double> LakeSession::progress() const {
    const double percent = connection_->context->GetQueryProgress().GetPercentage();
    if (!(percent > 0)) return std::nullopt;  // 0: not begun, or a source that cannot tell
    return std::min(percent / 100, 1.0);
}

BoundFacts bind_statement(duck::ClientContext& context, duck::unique_ptr<duck::SQLStatement> statement,
                          const duck::vector<duck::LogicalType>& parameters) {
    BoundFacts facts;
    const auto bind = [&] {
        duck::Planner planner(context);  // the plan points into the transaction: it ends before it
        for (size_t i = 0; i < parameters.size(); ++i)  // NULLs of those types
            planner.parameter_data[std::to_string(i + 1)] = duck::BoundParameterData(duck::Value(parameters[i]));
        planner.CreatePlan(std::move(statement));
        facts.complete = planner.properties.bound_all_parameters;
        facts.origins = SessionState::of(context).origins;
        facts.names = planner.names;
        facts.types = planner.types;
        for (const auto& [name, parameter] : planner.value_map) facts.parameters.emplace(name, parameter->return_type);
        facts.gives_rows = planner.properties.return_type == duck::StatementReturnType::QUERY_RESULT;
    };
    context.RunFunctionInTransaction(bind, false);
    return facts;
}

duck::unique_ptr<duck::QueryResult> execute_pending(duck::PendingQueryResult& pending) {
    using std::chrono::microseconds;
    constexpr microseconds kLeast{20}, kMost{500};
    microseconds pause = kLeast;
    for (;;) {
        const auto state = pending.ExecuteTask();
        if (pending.HasError()) return duck::make_uniq<duck::MaterializedQueryResult>(pending.GetErrorObject());
        if (duck::PendingQueryResult::IsResultReady(state)) return pending.Execute();
        if (state == duck::PendingExecutionResult::BLOCKED) {
            pending.WaitForTask();
        } else if (state == duck::PendingExecutionResult::NO_TASKS_AVAILABLE) {
            std::this_thread::sleep_for(pause);
            pause = std::min(2 * pause, kMost);
        } else {
            pause = kLeast;
        }
    }
}

}  // namespace tarn::query
