#include "app/audit_anchor.h"

#include <chrono>
#include <filesystem>

#include "base/lane.h"
#include "base/log.h"

namespace tarn::app {
namespace {

constexpr std::chrono::seconds kEvery{10};
constexpr std::chrono::seconds kFinish{3};

class BucketAnchor final : public security::AuditAnchor {
 public:
    explicit BucketAnchor(std::unique_ptr<archive::Destination> bucket)
        : bucket_(std::move(bucket)) {}

    Result<std::vector<std::string>> names() override {
        std::vector<std::string> names;
        TARN_CHECK_OK(bucket_->list("", [&](const archive::Listed& listed) -> Status {
            names.push_back(listed.name);
            return ok_status();
        }));
        return names;
    }

    Status put(const std::string& name, std::string_view text) override {
        return bucket_->put(name, text);
    }

    Result<std::optional<std::string>> get(const std::string& name) override {
        auto text = bucket_->get(name, security::kAnchoredBytesMax);
        if (text.ok()) return std::optional<std::string>(std::move(text).value());
        if (text.error().code == Code::not_found && text.error().reason == "NoSuchKey")
            return std::optional<std::string>();
        return std::move(text).error();
    }

 private:
    const std::unique_ptr<archive::Destination> bucket_;
};

}  // namespace

Result<std::shared_ptr<security::AuditAnchor>> open_anchor(io::Disk& disk, const Clock& clock,
                                                           const archive::Place& place,
                                                           const std::atomic<bool>* cancel) {
    if (!place.to.starts_with("s3://")) {
        auto folder = std::filesystem::absolute(place.to).lexically_normal().string();
        return std::shared_ptr<security::AuditAnchor>(
            security::open_folder_anchor(disk, std::move(folder)));
    }
    TARN_TRY(bucket, archive::open_destination(disk, clock, place, archive::Use::write, cancel));
    return std::shared_ptr<security::AuditAnchor>(
        std::make_shared<BucketAnchor>(std::move(bucket)));
}

AnchorKeeper::AnchorKeeper(security::AuditChain& chain, std::atomic<bool>& cancel)
    : chain_(chain), cancel_(cancel), thread_([this] { run(); }) {}

void AnchorKeeper::run() {
    name_thread("audit anchor");
    std::string told;  // once, not every ten seconds
    for (;;) {
        bool last = false;
        {
            MutexLock lock(mutex_);
            last = finishing_;
        }
        const Status copied = chain_.anchor();
        const std::string why = copied.ok() ? "" : copied.error().message;
        if (why != told && !copied.ok())
            log_warning("audit", "the anchor lacks digests; it will be tried again",
                        {{"why", why}});
        if (why != told && copied.ok()) log_info("audit", "the anchor has all digests again");
        told = why;
        MutexLock lock(mutex_);
        if (last) {
            finished_ = true;
            changed_.notify_all();
            return;
        }
        if (!finishing_) changed_.wait_for(mutex_, kEvery);
    }
}

void AnchorKeeper::finish() {
    if (!thread_.joinable()) return;
    {
        MutexLock lock(mutex_);
        finishing_ = true;
        changed_.notify_all();
        const auto deadline = std::chrono::steady_clock::now() + kFinish;
        while (!finished_ && changed_.wait_until(mutex_, deadline)) {
        }
    }
    cancel_ = true;
    thread_.join();
}

}  // namespace tarn::app
