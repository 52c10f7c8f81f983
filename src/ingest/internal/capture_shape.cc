#include "ingest/internal/capture_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tarn::ingest {

namespace {

/// The catalog's columns that the log has too.
std::vector<const PostgresColumn*> logged(const PostgresTable& table) {
    std::vector<const PostgresColumn*> out;
    for (const auto& column : table.columns)
        if (!column.generated) out.push_back(&column);
    return out;
}

/// The log and the catalog speak of the same columns. (Columns that the user may not read are in
/// the log only.)
bool agree(const Relation& relation, const std::vector<const PostgresColumn*>& now) {
    size_t at = 0;
    for (const auto& column : relation.columns)
        if (at < now.size() && now[at]->outside == column.name) ++at;
    return at == now.size();
}

std::optional<size_t> find_known(const std::vector<KnownColumn>& known, const std::string& name) {
    for (size_t i = 0; i < known.size(); ++i)
        if (known[i].outside == name && !known[i].gone) return i;
    std::optional<size_t> found;
    for (size_t i = 0; i < known.size(); ++i) {
        const auto& before = known[i].before;
        const bool was = std::find(before.begin(), before.end(), name) != before.end();
        if (!was && !(known[i].gone && known[i].outside == name)) continue;
        if (found) return std::nullopt;  // two had the name
        found = i;
    }
    return found;
}

/// By the names that the columns have or had: a description of before, met again.
bool place_by_name(const Relation& relation, const std::vector<KnownColumn>& known,
                   ShapePlan& plan) {
    std::set<size_t> taken;
    for (const auto& column : relation.columns) {
        const auto found = find_known(known, column.name);
        if (!found || !taken.insert(*found).second) return false;
        plan.places.push_back(found);
    }
    return true;
}

/// By the catalog's numbers.
void place_by_number(const Relation& relation, const std::vector<KnownColumn>& known,
                     const std::vector<const PostgresColumn*>& now, ShapePlan& plan) {
    std::set<size_t> alive;
    for (const auto& column : relation.columns) {
        const auto in_catalog = std::find_if(now.begin(), now.end(), [&](const PostgresColumn* c) {
            return c->outside == column.name;
        });
        const PostgresColumn* here = in_catalog == now.end() ? nullptr : *in_catalog;
        std::optional<size_t> place;
        for (size_t i = 0; i < known.size() && !place; ++i)
            if (here ? known[i].number == here->number
                     : known[i].outside == column.name && !known[i].gone)
                place = i;
        plan.places.push_back(place);
        if (place) {
            alive.insert(*place);
            if (here && known[*place].outside != here->outside)
                plan.steps.push_back({ShapeStep::Kind::rename, *place, here});
            continue;
        }
        if (!here) continue;  // the user may not read it
        if (here->has_value)
            plan.reload = fmt::format(
                "column {} was added with values for the rows that were "
                "there",
                here->outside);
        plan.steps.push_back({ShapeStep::Kind::add, 0, here});
    }
    for (size_t i = 0; i < known.size(); ++i)
        if (alive.count(i) == 0 && !known[i].gone)
            plan.steps.push_back({ShapeStep::Kind::drop, i, nullptr});
}

}  // namespace

ShapePlan plan_shape(const Relation& relation, const std::vector<KnownColumn>& known,
                     const PostgresTable* now) {
    ShapePlan plan;
    const auto columns = now ? logged(*now) : std::vector<const PostgresColumn*>();
    if (now && agree(relation, columns)) {
        place_by_number(relation, known, columns, plan);
        return plan;
    }
    if (place_by_name(relation, known, plan)) return plan;
    plan.places.clear();
    plan.reload = "its columns were changed several times, faster than they could be followed";
    return plan;
}

std::vector<KnownColumn> known_columns(const PostgresTable& table, const tables::Schema& schema) {
    std::vector<KnownColumn> out;
    for (const auto& column : table.columns) {
        if (column.generated) continue;
        const auto* field = schema.find(column.name);
        KnownColumn known;
        known.number = column.number;
        known.outside = column.outside;
        known.field_id = field ? field->id : 0;
        out.push_back(std::move(known));
    }
    return out;
}

}  // namespace tarn::ingest
