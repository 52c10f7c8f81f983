// Is all that is stored as it was stored? A look over a whole lake, module by module: the log, the
// index, objects, tables, streams, the audit trail.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "base/findings.h"
#include "base/mutex.h"
#include "protocols/admin/lake_verdict.h"

namespace tarn::app {

struct Lake;

/// Looks at everything once, on the calling thread. Lane: background; others may read and write
/// meanwhile.
void verify_lake(Lake& lake, Findings& findings);

/// One look at a time, on a thread of its own. Owner: Server. Lane: any.
class LakeVerifier {
 public:
    explicit LakeVerifier(Lake& lake) : lake_(lake) {}
    ~LakeVerifier();
    LakeVerifier(const LakeVerifier&) = delete;
    LakeVerifier& operator=(const LakeVerifier&) = delete;

    /// conflict: one goes on.
    Status start();
    /// Of the one that goes on, or the last; nullopt: there was none.
    std::optional<admin::LakeVerdict> verdict() const;
    /// Ends the one that goes on, for good. Idempotent.
    void stop();

 private:
    void run(Findings& findings);

    Lake& lake_;
    mutable Mutex mutex_;
    std::optional<admin::LakeVerdict> last_ TARN_GUARDED_BY(mutex_);
    std::unique_ptr<Findings> findings_ TARN_GUARDED_BY(mutex_);  // of the newest look
    std::thread thread_ TARN_GUARDED_BY(mutex_);
    bool stopped_ TARN_GUARDED_BY(mutex_) = false;
};

}  // namespace tarn::app
