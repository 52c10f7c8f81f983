// What makes a changed audit trail visible: every committed record is chained to the ones before,
// and a digest of the chain is signed at least once an hour (audit_digest.h). The chain is computed
// behind the commits, so that they never wait for each other; what is not signed yet is chained.
// Records: docs/formats/audit.md, kinds "al", "ac", "ad", "ak".
//
// What it shows: a record that was changed, removed, moved or cut off after it was signed, by who
// has not the signing key (audit_check.h). The key lies sealed in the same data folder: against
// somebody who can read root.key too, copies of the digests elsewhere (audit_anchor.h) are the
// evidence.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/mutex.h"
#include "base/result.h"
#include "base/time.h"
#include "meta/store.h"
#include "security/audit_anchor.h"
#include "security/audit_digest.h"
#include "security/keyring.h"

namespace tarn::security {

struct AuditChainOptions {
    std::string account_id;
    std::chrono::seconds sign_every{3600};
    uint64_t digest_records_max = 100'000;  // signed earlier when so many wait
    std::shared_ptr<AuditAnchor> anchor;    // each digest is copied there; null: nowhere
};

/// Where the chain stands, as kept under "ac".
struct ChainState {
    uint64_t next = 0;     // first record that is not chained yet
    std::string chain;     // over all before
    uint64_t digests = 0;  // number of the next digest
    uint64_t signed_to = 0;
    uint64_t oldest = 0;  // records below were removed by retention
    Timestamp signed_at;
    std::string previous;  // hash of the last digest

    std::string to_json() const;
    static Result<ChainState> from_json(std::string_view json);
};

/// Owner: wiring. Lane: any but a loop.
class AuditChain {
 public:
    /// Makes the signing key at the first start. The references outlive it.
    static Result<std::unique_ptr<AuditChain>> open(meta::Store& store, const Keyring& keyring,
                                                    const Clock& clock, Metrics& metrics,
                                                    AuditChainOptions options);

    /// Chains what was committed since the last call, and signs when it is time.
    Status advance();
    /// Chains and signs all that is committed now. nullopt: nothing is new since the last digest.
    Result<std::optional<AuditDigest>> sign();
    /// Copies the signed digests that the anchor has not to it. May wait for another machine; the
    /// others do not wait for it. conflict: the anchor is of a trail with another key.
    Status anchor();

    /// 32 bytes, Ed25519.
    const std::string& public_key() const { return key_.public_key; }
    /// Up to `most` digests from number `from` on.
    Result<std::vector<AuditDigest>> digests(uint64_t from, size_t most) const;

    /// Retention: removes the records below `up_to`, as far as whole digests cover them, and says
    /// how many. `with` commits with it.
    Result<uint64_t> expire(uint64_t up_to, meta::Batch with);

 private:
    AuditChain(meta::Store& store, const Clock& clock, Metrics& metrics, AuditChainOptions options);
    Status load_key(const Keyring& keyring);
    Status load_state();
    /// Chains up to the end, at most to `signed_to` + digest_records_max; true: more is waiting.
    Result<bool> chain_some() TARN_REQUIRES(mutex_);
    Result<AuditDigest> sign_chained() TARN_REQUIRES(mutex_);
    /// The key, and which digests are there, once.
    Status look_at_anchor() TARN_REQUIRES(anchor_mutex_);
    /// Where the last digest ends that covers nothing at or above `wanted`; 0: there is none.
    Result<uint64_t> last_end_until(uint64_t wanted) const TARN_REQUIRES(mutex_);

    meta::Store& store_;
    const Clock& clock_;
    const AuditChainOptions options_;
    Gauge& unsigned_records_;
    Gauge& unanchored_digests_;
    SigningKey key_;
    mutable Mutex mutex_;  // one advance at a time; held over its commits
    ChainState state_ TARN_GUARDED_BY(mutex_);
    Mutex anchor_mutex_;  // held over calls to the anchor
    bool looked_ TARN_GUARDED_BY(anchor_mutex_) = false;
    std::set<std::string> there_ TARN_GUARDED_BY(anchor_mutex_);  // what stood there at first
    uint64_t anchored_ TARN_GUARDED_BY(anchor_mutex_) = 0;        // digests below are there
};

}  // namespace tarn::security
