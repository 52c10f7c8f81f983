// Is the audit trail as it was signed? Compares records, links and digests; names what is not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "meta/store.h"

namespace tarn::security {

/// One thing that is not as it was signed.
struct AuditProblem {
    enum class Kind {
        changed,    // records hold something else than they did
        removed,    // records are missing
        moved,      // records stand at another's place
        truncated,  // records at the end are missing
        digest,     // digests are missing, forged, or do not follow each other
        chain,      // records do not chain up to what was signed, and the links do not tell which
    };
    Kind kind = Kind::changed;
    uint64_t first = 0, last = 0;  // records, or of Kind::digest digests; inclusive
    std::string text;              // a sentence for people
};

const char* to_string(AuditProblem::Kind kind);

/// What one call found.
struct AuditCheck {
    uint64_t digests = 0, records = 0;   // looked at
    std::vector<AuditProblem> problems;  // at most kAuditProblemsMax
    std::optional<uint64_t> next;        // digest to go on with; nullopt: this was the end
    // Where the trail stands, told at the end:
    uint64_t signed_to = 0;   // records below stand under a signature
    uint64_t chained_to = 0;  // those below are chained, the rest is younger than a minute
    uint64_t end = 0;         // one past the newest record
    uint64_t oldest = 0;      // records below were removed by retention
};
inline constexpr size_t kAuditProblemsMax = 100;

/// Looks at the digests from number `from` on and at their records, until about `records_max`
/// records were looked at. What is wrong with the trail is in `problems`; an error is one of
/// reading. Lane: any but a loop.
Result<AuditCheck> check_audit(const meta::Snapshot& trail, std::string_view public_key,
                               uint64_t from, uint64_t records_max);

}  // namespace tarn::security
