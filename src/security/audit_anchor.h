// Where copies of the audit trail's digests lie, out of reach of whoever holds this machine. Names
// and contents: docs/formats/audit.md, "The anchor".
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/disk.h"

namespace tarn::security {

/// Lane: any but a loop, one call at a time.
class AuditAnchor {
 public:
    virtual ~AuditAnchor() = default;
    /// Of all that is there, in no order.
    virtual Result<std::vector<std::string>> names() = 0;
    /// Whole or not at all, and durable when it returns. Only for what is not there.
    virtual Status put(const std::string& name, std::string_view text) = 0;
    /// nullopt: absent.
    virtual Result<std::optional<std::string>> get(const std::string& name) = 0;
};

constexpr uint64_t kAnchoredBytesMax = 1 << 16;

/// Names sort as the digests' numbers do.
std::string anchor_name(uint64_t digest);
std::string anchor_key_name(const std::string& account_id);

/// `disk` outlives it. put() makes the directory.
std::unique_ptr<AuditAnchor> open_folder_anchor(io::Disk& disk, std::string directory);

}  // namespace tarn::security
