#include "protocols/admin/internal/sight.h"

#include <algorithm>

namespace tarn::admin {

Sight::Extent Sight::look(const flows::TableRef& table) {
    if (who_.is_root()) return Extent::whole;
    const auto known = known_.find(table);
    if (known != known_.end()) return known->second;
    const auto access = parts_.grants->table_access(who_, table.database, table.table);
    const Extent extent = !access.ok() || access->read.empty() ? Extent::none
                          : access->unrestricted()             ? Extent::whole
                                                               : Extent::part;
    return known_.emplace(table, extent).first->second;
}

bool Sight::whole(const std::vector<flows::TableRef>& tables) {
    if (who_.is_root()) return true;
    return !tables.empty() && std::all_of(tables.begin(), tables.end(),
                                          [this](const auto& table) { return whole(table); });
}

flows::TableRef Sight::table_of(const std::string& name) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return {"main", name};
    return {name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace tarn::admin
