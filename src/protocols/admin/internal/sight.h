// What a caller may be told of tables beside their rows: states, counts, errors and alerts say something of the cells
// behind them, so "unlisted means unseen" holds for them too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "flows/spec.h"
#include "protocols/admin/internal/api.h"

namespace tarn::admin {

/// One request's look at its caller's grants. A question that cannot be answered counts as "sees nothing".
class Sight {
 public:
    Sight(const DoorParts& parts, const security::Principal& who) : parts_(parts), who_(who) {}

    /// The table exists for the caller.
    bool any(const flows::TableRef& table) { return look(table) != Extent::none; }
    /// Every row and column of it, unmasked: what was computed of it may be shown.
    bool whole(const flows::TableRef& table) { return look(table) == Extent::whole; }
    /// An empty list is no reason to show anything: only root sees whole what nobody can name.
    bool whole(const std::vector<flows::TableRef>& tables);
    /// "main.levels"; without a dot: of main.
    static flows::TableRef table_of(const std::string& name);

 private:
    enum class Extent : uint8_t { none, part, whole };
    Extent look(const flows::TableRef& table);

    const DoorParts& parts_;
    const security::Principal& who_;
    std::map<flows::TableRef, Extent> known_;
};

}  // namespace tarn::admin
