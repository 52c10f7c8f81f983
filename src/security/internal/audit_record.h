// Audit records as they stand in the store: docs/formats/audit.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "security/audit.h"

namespace tarn::security {

/// The key of the trail's sequence.
std::string audit_sequence();

std::string_view to_string(AuditOutcome outcome);

/// Long texts are cut: a record has at most about 4 KiB.
AuditRecord make_record(const Caller& caller, const AuditResult& result, uint64_t count);
/// One stored value: records of consecutive offsets from `first`, one a line. corrupted.
Result<std::vector<AuditRecord>> decode_block(std::string_view block, uint64_t first);
/// One line, when `wanted` says so of its action; its offset stays 0. Much cheaper than
/// decode_block, also of what is wanted. corrupted.
Result<std::optional<AuditRecord>> decode_if(std::string_view line,
                                             bool (*wanted)(std::string_view));

}  // namespace tarn::security
