#include "security/audit_chain.h"

#include <algorithm>

#include "base/lane.h"
#include "base/log.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "meta/keys.h"
#include "security/internal/audit_links.h"
#include "security/internal/audit_record.h"

namespace tarn::security {
namespace {

// One commit's worth: bounded memory, and little is lost when it fails.
constexpr size_t kBatchRecords = 16'384;
constexpr const char* kSealName = "audit signing key";
constexpr char kKeyVersion = 1;
constexpr size_t kPublicKeyBytes = 32;

Error chained_meanwhile() {
    return Error(Code::conflict, "the audit trail was chained by somebody else meanwhile");
}

}  // namespace

AuditChain::AuditChain(meta::Store& store, const Clock& clock, Metrics& metrics,
                       AuditChainOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      unsigned_records_(metrics.gauge("tarn_audit_unsigned_records",
                                      "Chained audit records that no signed digest covers yet")),
      unanchored_digests_(
          metrics.gauge("tarn_audit_unanchored_digests",
                        "Signed digests of the audit trail that the anchor has not yet")) {}

Result<std::unique_ptr<AuditChain>> AuditChain::open(meta::Store& store, const Keyring& keyring,
                                                     const Clock& clock, Metrics& metrics,
                                                     AuditChainOptions options) {
    std::unique_ptr<AuditChain> chain(new AuditChain(store, clock, metrics, std::move(options)));
    TARN_CHECK_OK(chain->load_key(keyring));
    TARN_CHECK_OK(chain->load_state());
    return chain;
}

Status AuditChain::load_key(const Keyring& keyring) {
    TARN_TRY(kept, store_.get(audit_signing_key_key()));
    if (kept) {
        const std::string_view value = kept->value;
        if (value.size() <= 1 + kPublicKeyBytes || value[0] != kKeyVersion)
            return Error(Code::corrupted, "the audit trail's signing key can't be read");
        key_.public_key = value.substr(1, kPublicKeyBytes);
        TARN_TRY(secret, keyring.unseal(kSealName, value.substr(1 + kPublicKeyBytes)));
        key_.private_key = std::move(secret);
        return ok_status();
    }
    key_ = make_signing_key();
    meta::Batch batch;
    batch.require_absent(audit_signing_key_key(), chained_meanwhile());
    batch.put(audit_signing_key_key(), std::string(1, kKeyVersion) + key_.public_key +
                                           keyring.seal(kSealName, key_.private_key));
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    return ok_status();
}

Status AuditChain::load_state() {
    MutexLock lock(mutex_);
    TARN_TRY(kept, store_.get(chain_state_key()));
    if (kept) {
        TARN_TRY(state, ChainState::from_json(kept->value));
        state_ = std::move(state);
        return ok_status();
    }
    // A trail that is older than its chain may have lost its beginning to retention.
    AuditBlocks blocks(*store_.snapshot(), 0);
    if (blocks.valid()) {
        TARN_TRY(first, blocks.first());
        state_.next = state_.signed_to = state_.oldest = first;
    }
    TARN_CHECK_OK(blocks.status());
    state_.chain = state_.previous = chain_start();
    state_.signed_at = clock_.now();
    return ok_status();
}

Result<bool> AuditChain::chain_some() {
    ChainState after = state_;
    meta::Batch batch;
    const auto snapshot = store_.snapshot();
    AuditBlocks blocks(*snapshot, state_.next);
    const uint64_t most = state_.signed_to + options_.digest_records_max;
    size_t records = 0;
    AuditBlock block;
    for (; blocks.valid() && records < kBatchRecords && after.next < most; blocks.next()) {
        TARN_CHECK_OK(blocks.read(block));
        // A gap is chained as it is found: check_audit() will name it.
        after.next = block.first;
        std::string links;
        for (const std::string_view line : block.lines) {
            const std::string hash = codec::sha256(line);
            after.chain = chain_next(after.chain, after.next++, hash);
            links.append(hash, 0, kLinkBytes);
        }
        records += block.lines.size();
        batch.put(links_key(block.first), std::move(links));
    }
    TARN_CHECK_OK(blocks.status());
    if (records == 0) return false;
    const bool more = blocks.valid() && after.next < most;
    batch.put(chain_state_key(), after.to_json());
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    state_ = std::move(after);
    unsigned_records_.set(static_cast<double>(state_.next - state_.signed_to));
    return more;
}

Result<AuditDigest> AuditChain::sign_chained() {
    AuditDigest digest;
    digest.account_id = options_.account_id;
    digest.number = state_.digests;
    digest.first = state_.signed_to;
    digest.next = state_.next;
    digest.oldest = state_.oldest;
    digest.at = clock_.now();
    digest.chain = state_.chain;
    digest.previous = state_.previous;
    digest.signature = sign_text(key_.private_key, digest.text());
    ChainState after = state_;
    ++after.digests;
    after.signed_to = digest.next;
    after.signed_at = digest.at;
    after.previous = digest.hash();
    meta::Batch batch;
    batch.require_absent(digest_key(digest.number), chained_meanwhile());
    batch.put(digest_key(digest.number), digest.to_json());
    batch.put(chain_state_key(), after.to_json());
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    state_ = std::move(after);
    unsigned_records_.set(0);
    return digest;
}

Status AuditChain::advance() {
    assert_may_block();
    MutexLock lock(mutex_);
    for (bool more = true; more;) {
        TARN_TRY(left, chain_some());
        more = left;
        const uint64_t waiting = state_.next - state_.signed_to;
        const bool due = clock_.now() >= state_.signed_at.plus(options_.sign_every);
        if (waiting >= options_.digest_records_max || (waiting > 0 && due && !more)) {
            TARN_CHECK_OK(sign_chained());
            more = true;
        }
    }
    return ok_status();
}

Result<std::optional<AuditDigest>> AuditChain::sign() {
    assert_may_block();
    MutexLock lock(mutex_);
    std::optional<AuditDigest> last;
    for (bool more = true; more;) {
        TARN_TRY(left, chain_some());
        more = left;
        if (more || state_.next == state_.signed_to) continue;
        TARN_TRY(digest, sign_chained());
        last = std::move(digest);
        more = true;
    }
    return last;
}

Status AuditChain::anchor() {
    assert_may_block();
    if (!options_.anchor) return ok_status();
    MutexLock turn(anchor_mutex_);
    uint64_t signed_now = 0;
    {
        MutexLock lock(mutex_);
        signed_now = state_.digests;
    }
    unanchored_digests_.set(static_cast<double>(signed_now - anchored_));
    if (!looked_) TARN_CHECK_OK(look_at_anchor());
    for (; anchored_ < signed_now; ++anchored_) {
        const std::string name = anchor_name(anchored_);
        if (there_.contains(name)) continue;  // what was written once is never written again
        TARN_TRY(record, store_.get(digest_key(anchored_)));
        if (!record)
            return Error(Code::corrupted, "digest " + std::to_string(anchored_) +
                                              " of the audit trail is missing; run: tarn audit "
                                              "verify");
        TARN_CHECK_OK(options_.anchor->put(name, record->value + "\n"));
    }
    there_.clear();
    unanchored_digests_.set(0);
    return ok_status();
}

Status AuditChain::look_at_anchor() {
    const std::string name = anchor_key_name(options_.account_id);
    const std::string key = codec::hex_encode(key_.public_key) + "\n";
    TARN_TRY(kept, options_.anchor->get(name));
    if (kept && *kept != key)
        return Error(Code::conflict,
                     "the anchor holds another public key (" + name +
                         "): it is of another trail, or this lake's key was replaced; nothing is "
                         "written there; run: tarn audit verify --anchor");
    if (!kept) TARN_CHECK_OK(options_.anchor->put(name, key));
    TARN_TRY(names, options_.anchor->names());
    there_ = {names.begin(), names.end()};
    looked_ = true;
    return ok_status();
}

Result<std::vector<AuditDigest>> AuditChain::digests(uint64_t from, size_t most) const {
    std::vector<AuditDigest> found;
    const auto snapshot = store_.snapshot();
    auto iterator = snapshot->scan({digest_key(from), meta::prefix_end(digests_prefix()), false});
    for (; iterator->valid() && found.size() < most; iterator->next()) {
        TARN_TRY(record, iterator->record());
        TARN_TRY(digest, AuditDigest::from_json(record.value));
        found.push_back(std::move(digest));
    }
    TARN_CHECK_OK(iterator->status());
    return found;
}

Result<uint64_t> AuditChain::last_end_until(uint64_t wanted) const {
    // Numbers and ends grow together.
    uint64_t low = 0, high = state_.digests, end = 0;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        TARN_TRY(record, store_.get(digest_key(middle)));
        if (!record)
            return Error(Code::corrupted, "digest " + std::to_string(middle) +
                                              " of the audit trail is missing: no record is "
                                              "removed before that is looked into");
        TARN_TRY(digest, AuditDigest::from_json(record->value));
        if (digest.next <= wanted) {
            end = digest.next;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return end;
}

Result<uint64_t> AuditChain::expire(uint64_t up_to, meta::Batch with) {
    assert_may_block();
    MutexLock lock(mutex_);
    TARN_TRY(end, last_end_until(up_to));
    if (end <= state_.oldest) return uint64_t{0};
    ChainState after = state_;
    after.oldest = end;
    meta::Batch batch = std::move(with);
    batch.erase_range(audit_sequence(), meta::sequence_key(audit_sequence(), end));
    batch.erase_range(links_prefix(), links_key(end));
    batch.put(chain_state_key(), after.to_json()).frees_space();
    TARN_CHECK_OK(store_.commit(std::move(batch)));
    const uint64_t removed = end - state_.oldest;
    state_ = std::move(after);
    return removed;
}

}  // namespace tarn::security
