// Who reads what: the reads of the audit trail summed by hour, so that the question costs a few
// sums and not a day's records. The sums are made of the committed records alone, behind the
// commits, and kept in the store with the place up to which they were made: a restart goes on
// there. Records: docs/formats/audit.md, kinds "au", "as".
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/audit.h"

namespace tarn::security {

/// What one principal read in some hours.
struct ReadSums {
    uint64_t times = 0, refused = 0, failed = 0;  // requests: allowed, denied, failed
    uint64_t bytes = 0;
    Timestamp last;
    std::map<std::string, uint64_t> doors;  // requests by door
    std::map<std::string, uint64_t> what;   // by "table/erp/sales", of objects the bucket

    void add(const ReadSums& other);
};

/// Of one hour, or of several together.
struct UsageSums {
    std::map<std::string, ReadSums> readers;  // by the last part of the principal's ARN
    uint64_t records = 0;                     // audit records that are counted
    bool truncated = false;  // more readers or things than are told apart: their counts are missing

    void add(const UsageSums& other);
    std::string to_json() const;
    static Result<UsageSums> from_json(std::string_view json);
};

/// Owner: wiring. `store` and `clock` outlive it. Lane: any but a loop.
class AuditUsage {
 public:
    static constexpr std::chrono::hours kKept{24 * 31};
    static constexpr size_t kReadersPerHour = 500;
    static constexpr size_t kThingsPerHour = 4'000;  // of all its readers together

    static Result<std::unique_ptr<AuditUsage>> open(meta::Store& store, const Clock& clock);

    /// Sums what was committed since the last call, keeps the sums, forgets hours that are over or
    /// whose records retention took.
    Status advance();

    struct Report {
        Timestamp from;  // the beginning of an hour
        UsageSums sums;
        bool behind = false;  // newer records wait to be summed
    };
    /// Of the hour that was `span` ago and all since, with what is committed now.
    Result<Report> since(std::chrono::hours span);

 private:
    AuditUsage(meta::Store& store, const Clock& clock) : store_(store), clock_(clock) {}
    /// Sums up to about `records_max` records; true: more is waiting.
    Result<bool> sum_some(uint64_t records_max) TARN_REQUIRES(mutex_);
    Status sum(const AuditRecord& record) TARN_REQUIRES(mutex_);
    Status keep() TARN_REQUIRES(mutex_);

    meta::Store& store_;
    const Clock& clock_;
    Mutex mutex_;                                     // held over reads and commits of the sums
    uint64_t next_ TARN_GUARDED_BY(mutex_) = 0;       // the first record that is not summed
    uint64_t kept_next_ TARN_GUARDED_BY(mutex_) = 0;  // the same of the sums in the store
    std::map<int64_t, UsageSums> changed_ TARN_GUARDED_BY(mutex_);  // hours that are not kept yet
};

}  // namespace tarn::security
