#include "ingest/internal/capture_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace tarn::ingest {

namespace {

/// A column that the description may name.
struct Candidate {
    const PostgresAttribute* attribute = nullptr;
    std::optional<size_t> known;  // place in CaptureTable::columns
    bool sure = false;            // there from when it was added until now: not dropped since
};

/// True when transaction `a` got its number before `b`: numbers go around, and `next` is the one
/// that nobody has yet.
bool is_older(uint32_t a, uint32_t b, uint32_t next) {
    return next - a > next - b;
}

int known_numbers(const CaptureTable& known) {
    int highest = known.numbers;
    for (const auto& column : known.columns) highest = std::max(highest, column.number);
    return highest;
}

std::optional<size_t> known_by_number(const CaptureTable& known, int number) {
    for (size_t i = 0; i < known.columns.size(); ++i)
        if (known.columns[i].number == number) return i;
    return std::nullopt;
}

/// Looks for the ways in which the names of a description are columns of the table.
class Fitting {
 public:
    Fitting(const ShapeQuestion& question) : question_(question) {
        const int numbers = known_numbers(question.known);
        for (const auto& attribute : question.now->attributes) {
            Candidate one;
            one.attribute = &attribute;
            one.known = known_by_number(question.known, attribute.number);
            if (attribute.dropped && !one.known && attribute.number <= numbers) continue;
            if (attribute.generated) continue;
            const auto* progress = question.progress;
            if (progress && progress->dropped.count(attribute.number) != 0) continue;
            // One that was computed before, or hidden from us: only the log knows since when not.
            const bool turned =
                attribute.readable && !one.known && attribute.number <= question.known.numbers;
            one.sure = !attribute.dropped && !turned;
            candidates_.push_back(one);
        }
    }

    /// What has to be the same as it was or is: less for columns that had another name or type in
    /// between.
    enum class By { name_and_type, type, place };

    /// The candidate of each column, when there is one way only. `ways`: 0, 1, or 2 for more.
    std::optional<std::vector<size_t>> find(By by, int& ways) const {
        const auto& columns = question_.relation.columns;
        const size_t rows = columns.size(), all = candidates_.size();
        // ways_from[i][j]: ways to place the columns from i on among the candidates from j on.
        std::vector<std::vector<int>> ways_from(rows + 1, std::vector<int>(all + 1, 0));
        for (size_t j = 0; j <= all; ++j) ways_from[rows][j] = 1;  // what follows came later
        for (size_t i = rows; i-- > 0;)
            for (size_t j = all; j-- > 0;) {
                int count = fits(j, columns[i], by) ? ways_from[i + 1][j + 1] : 0;
                if (!candidates_[j].sure) count += ways_from[i][j + 1];
                ways_from[i][j] = std::min(count, 2);
            }
        ways = ways_from[0][0];
        if (ways != 1) return std::nullopt;
        std::vector<size_t> found;
        for (size_t i = 0, j = 0; i < rows; ++j) {
            if (!fits(j, columns[i], by) || ways_from[i + 1][j + 1] == 0) continue;
            found.push_back(j);
            ++i;
        }
        return found;
    }

    /// The catalog as it is now, when the description says the same and nothing has been done to
    /// the columns since its transaction began to write.
    std::optional<std::vector<size_t>> as_now() const {
        std::vector<size_t> found;
        for (size_t j = 0; j < candidates_.size(); ++j) {
            if (!candidates_[j].attribute->dropped) found.push_back(j);
            if (!is_older(candidates_[j].attribute->changed_by, question_.xid,
                          question_.now->next_xid))
                return std::nullopt;
        }
        const auto& columns = question_.relation.columns;
        if (found.size() != columns.size()) return std::nullopt;
        for (size_t i = 0; i < columns.size(); ++i) {
            const auto& attribute = *candidates_[found[i]].attribute;
            if (attribute.name != columns[i].name || attribute.type_oid != columns[i].type)
                return std::nullopt;
        }
        return found;
    }

    const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
    bool fits(size_t at, const RelationColumn& column, By by) const {
        const auto& [attribute, place, sure] = candidates_[at];
        if (by == By::place) return true;
        const auto* known = place ? &question_.known.columns[*place] : nullptr;
        const bool unnamed = !known || known->outside.empty();
        if (attribute->dropped && unnamed) return true;  // came and went: nobody knows its name
        const auto named = [&](const std::string& name) { return name == column.name; };
        const bool name =
            (!attribute->dropped && named(attribute->name)) ||
            (known && (named(known->outside) ||
                       std::any_of(known->before.begin(), known->before.end(), named)));
        const bool type = (!attribute->dropped && attribute->type_oid == column.type) ||
                          (known && (known->type == 0 || known->type == column.type));
        return type && (name || by == By::type);
    }

    const ShapeQuestion& question_;
    std::vector<Candidate> candidates_;
};

std::optional<size_t> find_known(const std::vector<KnownColumn>& known, const std::string& name) {
    for (size_t i = 0; i < known.size(); ++i)
        if (known[i].outside == name && !known[i].gone) return i;
    std::optional<size_t> found;
    for (size_t i = 0; i < known.size(); ++i) {
        const auto& names = known[i].before;
        const bool was = std::find(names.begin(), names.end(), name) != names.end();
        if (!was && !(known[i].gone && known[i].outside == name)) continue;
        if (found) return std::nullopt;  // two had the name
        found = i;
    }
    return found;
}

/// By the names that the columns have or had, in the order of their numbers: of a table that is
/// gone, or of which a publication by hand has some columns only.
bool place_by_name(const ShapeQuestion& question, ShapePlan& plan) {
    int last = 0;
    for (const auto& column : question.relation.columns) {
        const auto found = find_known(question.known.columns, column.name);
        if (!found || question.known.columns[*found].number <= last) {
            plan.places.clear();
            return false;
        }
        last = question.known.columns[*found].number;
        plan.places.push_back(found);
    }
    return true;
}

const PostgresColumn* column_of(const PostgresTable& table, int number) {
    for (const auto& column : table.columns)
        if (column.number == number) return &column;
    return nullptr;
}

/// Empty: the log, or the catalog, has what the rows of before hold in a column that is new.
std::string unknown_values(const ShapeQuestion& question, const PostgresColumn& column) {
    if (column.missing) return "";
    const bool there_before = column.number <= question.known.numbers;
    const auto& storage = question.known.storage;
    const bool plain = storage.empty() ? !column.has_default : storage == question.now->storage;
    if (!there_before && plain && !column.missing_differs) return "";
    return fmt::format(
        "column {} has values in the rows that were there before it, which the log does not send",
        column.outside);
}

/// Renames and additions up to what the catalog has by now, also those that the log has not come to
/// yet; a column is dropped when the log does so, since its rows have values until then.
void plan_steps(const ShapeQuestion& question, const std::vector<Candidate>& candidates,
                const std::vector<size_t>& found, ShapePlan& plan) {
    using Kind = ShapeStep::Kind;
    const auto& known = question.known.columns;
    std::set<size_t> named(found.begin(), found.end());
    for (const size_t at : found) {
        plan.places.push_back(candidates[at].known);
        plan.numbers.push_back(candidates[at].attribute->number);
    }
    std::set<int> there;  // numbers that are in the description, or come after it
    for (size_t at = 0; at < candidates.size(); ++at) {
        const auto& [attribute, place, sure] = candidates[at];
        const bool in_log = named.count(at) != 0;
        if (in_log || !attribute->dropped) there.insert(attribute->number);
        if (!in_log && !attribute->dropped && place) plan.later.push_back(*place);
        const auto* column =
            attribute->dropped ? nullptr : column_of(*question.now, attribute->number);
        if (!column) continue;  // or one that the user may not read
        if (place && known[*place].outside != column->outside)
            plan.steps.push_back({Kind::rename, *place, column});
        if (place || (!sure && !in_log)) continue;
        if (plan.reload.empty()) plan.reload = unknown_values(question, *column);
        plan.steps.push_back({Kind::add, 0, column});
    }
    for (size_t i = 0; i < known.size(); ++i)
        if (!known[i].gone && there.count(known[i].number) == 0)
            plan.steps.push_back({Kind::drop, i, nullptr});
}

KnownColumn known_column(const PostgresColumn& column) {
    KnownColumn known;
    known.number = column.number;
    known.outside = column.outside;
    known.type = column.type_oid;
    return known;
}

}  // namespace

ShapePlan plan_shape(const ShapeQuestion& question) {
    ShapePlan plan;
    int ways = 0;
    if (question.now) {
        const Fitting fitting(question);
        auto found = fitting.find(Fitting::By::name_and_type, ways);
        if (ways > 1) found = fitting.as_now();
        if (ways == 0 && place_by_name(question, plan)) return plan;
        if (ways == 0) found = fitting.find(Fitting::By::type, ways);
        if (ways == 0) found = fitting.find(Fitting::By::place, ways);
        if (found) {
            plan_steps(question, fitting.candidates(), *found, plan);
            return plan;
        }
    } else if (place_by_name(question, plan)) {
        return plan;
    }
    plan.reload = "its columns were changed several times, and the log does not say which is which";
    return plan;
}

void ShapeProgress::note(const std::vector<int>& numbers) {
    if (numbers.empty()) return;
    const std::set<int> now(numbers.begin(), numbers.end());
    for (const int number : seen)
        if (now.count(number) == 0) dropped.insert(number);
    seen.insert(now.begin(), now.end());
}

int highest_number(const PostgresTable& table) {
    return table.attributes.empty() ? 0 : table.attributes.back().number;
}

namespace {

/// All columns are known, of the types that they have now.
bool columns_known(const CaptureTable& known, const PostgresTable& now) {
    if (known.numbers == 0 || known.numbers != highest_number(now)) return false;
    return std::none_of(now.attributes.begin(), now.attributes.end(), [&](const auto& attribute) {
        return std::any_of(known.columns.begin(), known.columns.end(), [&](const auto& column) {
            return column.number == attribute.number && column.type != 0 && !attribute.dropped &&
                   column.type != attribute.type_oid;
        });
    });
}

}  // namespace

bool computed_anew(const CaptureTable& known, const PostgresTable& now) {
    return columns_known(known, now) && known.storage != now.storage && !known.touched.empty() &&
           known.touched != now.touched;
}

bool note_place(CaptureTable& known, const PostgresTable& now) {
    if (!columns_known(known, now) ||
        (known.storage == now.storage && known.touched == now.touched))
        return false;
    known.storage = now.storage;
    known.touched = now.touched;
    return true;
}

std::string partitions_moved(const CaptureTable& known, const PostgresTable& now) {
    if (known.partitions.empty()) return "";
    for (const auto& [oid, lies] : known.partitions) {
        const auto there = now.partitions.find(oid);
        if (there == now.partitions.end()) return "a partition was detached or dropped";
        if (there->second.storage != lies) return "a partition was truncated or written anew";
    }
    for (const auto& [oid, partition] : now.partitions)
        if (!partition.born && known.partitions.count(oid) == 0)
            return "a partition with rows was attached";
    return "";
}

std::map<uint32_t, std::string> partitions_of(const PostgresTable& table) {
    std::map<uint32_t, std::string> out;
    for (const auto& [oid, partition] : table.partitions) out[oid] = partition.storage;
    return out;
}

CaptureTable loaded_table(const PostgresTable& table, const tables::Schema& schema, Lsn lsn) {
    CaptureTable out;
    out.lsn = lsn;
    out.numbers = highest_number(table);
    out.storage = table.storage;
    out.touched = table.touched;
    out.partitions = partitions_of(table);
    for (const auto& column : table.columns) {
        if (column.generated) continue;
        const auto* field = schema.find(column.name);
        auto known = known_column(column);
        known.field_id = field ? field->id : 0;
        out.columns.push_back(std::move(known));
    }
    return out;
}

}  // namespace tarn::ingest
