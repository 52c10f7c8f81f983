// The end of following a database: what was made there goes.
#include <fmt/format.h>

#include "base/log.h"
#include "ingest/internal/capture_position.h"
#include "ingest/internal/capture_runner.h"
#include "ingest/internal/replication_slot.h"
#include "ingest/internal/thread_runner.h"

namespace tarn::ingest {

namespace {

constexpr auto kTryFor = std::chrono::minutes(10);

class CaptureRemoval final : public ThreadRunner {
 public:
    CaptureRemoval(const SourceSpec& spec, const SourcesParts& parts)
        : name_(spec.name),
          identity_(spec.identity()),
          from_(std::get<PostgresSource>(spec.from)),
          parts_(parts),
          names_(capture_names(parts.lake_id, spec.identity())) {}
    ~CaptureRemoval() override { stop(); }
    SourceStatus status() const override { return {}; }

 private:
    void run() override {
        const auto deadline = std::chrono::steady_clock::now() + kTryFor;
        BackOff patience;
        for (;;) {
            const Status done = remove();
            if (done.ok()) {
                log_info("ingest", "a database is followed no more; its slot was removed",
                         {{"source", name_}, {"slot", names_.slot}});
                return;
            }
            const bool over = std::chrono::steady_clock::now() > deadline;
            if (over || stop_.stopped() || !passes_by_itself(done.error())) {
                log_warning(
                    "ingest",
                    "a replication slot may be left in a database that is followed no "
                    "more: run SELECT pg_drop_replication_slot there, or its disk fills",
                    {{"source", name_}, {"slot", names_.slot}, {"why", done.error().message}});
                return;
            }
            stop_.wait_for(patience.next());
        }
    }
    /// First the record: a slot that is made again later must not go on from it.
    Status remove() try {
        meta::Batch batch;
        stage_forget_capture(batch, identity_);
        TARN_CHECK_OK(parts_.store.commit(std::move(batch)));
        TARN_TRY(control, PostgresConnection::open(from_.url, stop_));
        return remove_capture(*control, names_);
    } catch (const std::exception& problem) {
        return Error(Code::internal, problem.what());
    }

    const std::string name_, identity_;
    const PostgresSource from_;
    const SourcesParts& parts_;
    const CaptureNames names_;
};

}  // namespace

std::unique_ptr<Runner> make_capture_removal(const SourceSpec& spec, const SourcesParts& parts) {
    return std::make_unique<CaptureRemoval>(spec, parts);
}

}  // namespace tarn::ingest
