#include "query/touched.h"

#include "query/internal/session.h"

namespace tarn::query {

std::string touched_resources(const Session& session, std::string_view lake_arn) {
    const auto* ours = dynamic_cast<const LakeSession*>(&session);
    if (!ours || ours->touched().empty()) return std::string(lake_arn);
    const auto base = lake_arn.substr(0, lake_arn.rfind(':') + 1);
    std::string out;
    for (const auto& [table, columns] : ours->touched()) {
        if (!out.empty()) out += ' ';
        out.append(base).append("table/").append(table.first).append("/").append(table.second);
        out += '#';
        bool first = true;
        for (const auto& column : columns) {
            if (!std::exchange(first, false)) out += ',';
            out += column;
        }
    }
    return out;
}

}  // namespace tarn::query
