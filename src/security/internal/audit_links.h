// The records behind the chain of the audit trail: docs/formats/audit.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "meta/store.h"

namespace tarn::security {

/// The first bytes of a record's SHA-256, kept beside the trail: they tell which record is another.
/// What proves that one is, is the chain.
constexpr size_t kLinkBytes = 8;

std::string links_prefix();
/// The links of the block of records that begins at `first`.
std::string links_key(uint64_t first);
std::string chain_state_key();
std::string digests_prefix();
std::string digest_key(uint64_t number);
std::string audit_signing_key_key();

/// One stored block of records.
struct AuditBlock {
    uint64_t first = 0;
    std::string bytes;
    std::vector<std::string_view> lines;  // into bytes
};

/// The blocks of a trail from the first that begins at or after `from`. Lane: any but a loop.
class AuditBlocks {
 public:
    AuditBlocks(const meta::Reader& reader, uint64_t from);
    bool valid() const { return iterator_->valid(); }
    /// corrupted: a malformed key.
    Result<uint64_t> first() const;
    /// Fills `block`, whose lines point into itself.
    Status read(AuditBlock& block) const;
    void next() { iterator_->next(); }
    Status status() const { return iterator_->status(); }

 private:
    std::unique_ptr<meta::Iterator> iterator_;
};

}  // namespace tarn::security
