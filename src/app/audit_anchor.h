// The audit trail's anchor as settings and commands name it, and what keeps it up to date.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "archive/destination.h"
#include "base/mutex.h"
#include "base/result.h"
#include "security/audit_anchor.h"
#include "security/audit_chain.h"

namespace tarn::app {

/// The prefix of the environment's variables with an anchor's key.
constexpr const char* kAnchorKeyPrefix = "TARN_AUDIT_ANCHOR_";

/// A folder, or s3://bucket/prefix (archive::Place says what else it needs). `disk`, `clock` and
/// `cancel` (or null) outlive it.
Result<std::shared_ptr<security::AuditAnchor>> open_anchor(io::Disk& disk, const Clock& clock,
                                                           const archive::Place& place,
                                                           const std::atomic<bool>* cancel);

/// Copies new digests to the anchor every ten seconds, on a thread of its own: another machine that
/// does not answer holds up nobody else. Owner: Lake.
class AnchorKeeper {
 public:
    /// `cancel` ends the anchor's calls; both outlive it.
    AnchorKeeper(security::AuditChain& chain, std::atomic<bool>& cancel);
    ~AnchorKeeper() { finish(); }
    AnchorKeeper(const AnchorKeeper&) = delete;
    AnchorKeeper& operator=(const AnchorKeeper&) = delete;
    /// Copies what there is, for three seconds at most; the next start copies the rest.
    void finish();

 private:
    void run();

    security::AuditChain& chain_;
    std::atomic<bool>& cancel_;
    Mutex mutex_;
    Condition changed_;
    bool finishing_ TARN_GUARDED_BY(mutex_) = false;
    bool finished_ TARN_GUARDED_BY(mutex_) = false;
    std::thread thread_;  // last: works with the above
};

}  // namespace tarn::app
