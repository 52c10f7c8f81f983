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
    bool told = false;            // the log had it before, or has it here
    bool may_be_gone = false;     // it was there before the description, and may be there no more
    bool may_come = false;        // after the description
    bool comes = false;           // certainly so
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
    /// `by_transactions`: what was done to a column last by a transaction that is older than the
    /// description's was done before it. That is so unless a transaction changed a table long
    /// after it had changed others.
    Fitting(const ShapeQuestion& question, bool by_transactions)
        : question_(question), by_transactions_(by_transactions) {
        const int numbers = known_numbers(question.known);
        for (const auto& attribute : question.now->attributes) {
            Candidate one;
            one.attribute = &attribute;
            one.known = known_by_number(question.known, attribute.number);
            if (attribute.dropped && !one.known && attribute.number <= numbers) continue;
            if (attribute.generated) continue;
            const auto* known = one.known ? &question.known.columns[*one.known] : nullptr;
            // What the log told once is so when it is read again.
            if (known && known->told_gone && known->told_gone <= question.at) continue;
            const bool done = by_transactions && is_done(attribute);
            if (done && attribute.dropped) continue;
            one.told = known && known->told && known->told <= question.at;
            const bool there = one.told && known->told_gone;  // until that place
            // One that was computed before, or hidden from us: only the log knows since when not.
            const bool turned =
                attribute.readable && !one.known && attribute.number <= question.known.numbers;
            one.may_be_gone = (attribute.dropped && !there) || turned;
            one.may_come = !one.told && !done;
            one.comes = known && known->told > question.at;
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
        ways_from[rows][all] = 1;
        for (size_t i = rows + 1; i-- > 0;)
            for (size_t j = all; j-- > 0;) {
                int count = i < rows && fits(j, columns[i], by) ? ways_from[i + 1][j + 1] : 0;
                // Numbers rise: behind the last of a description's columns are those that came
                // later.
                const auto& one = candidates_[j];
                if (one.may_be_gone || one.comes || (i == rows && one.may_come))
                    count += ways_from[i][j + 1];
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

    const std::vector<Candidate>& candidates() const { return candidates_; }

 private:
    bool is_done(const PostgresAttribute& attribute) const {
        return is_older(attribute.changed_by, question_.xid, question_.now->next_xid);
    }

    bool fits(size_t at, const RelationColumn& column, By by) const {
        const auto& one = candidates_[at];
        const auto& attribute = *one.attribute;
        const bool as_now = !attribute.dropped && attribute.name == column.name &&
                            attribute.type_oid == column.type;
        if (one.comes) return false;
        if (by_transactions_ && is_done(attribute)) return as_now;
        if (as_now || by == By::place) return true;
        if (attribute.dropped && is_unseen(one)) return true;
        const auto* known = one.known ? &question_.known.columns[*one.known] : nullptr;
        const bool type = (!attribute.dropped && attribute.type_oid == column.type) ||
                          (known && (known->type == 0 || known->type == column.type));
        if (!type || by == By::type) return type;
        // It may have had names that nobody saw: before the log had it, since a rename, or before
        // it was dropped. One that has its name still kept it: not, when it was renamed and got
        // its name back between two looks.
        const bool same = one.told && known->before.empty() && known->outside == attribute.name;
        return !same || attribute.name == column.name;
    }

    /// It came and went: nobody knows its name.
    bool is_unseen(const Candidate& one) const {
        return !one.known || question_.known.columns[*one.known].outside.empty();
    }

    const ShapeQuestion& question_;
    const bool by_transactions_;
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

bool is_called(const PostgresTable& table, int number, const RelationColumn& column) {
    return std::any_of(table.attributes.begin(), table.attributes.end(), [&](const auto& one) {
        return one.number == number && one.name == column.name && one.type_oid == column.type;
    });
}

/// By the names that the columns have or had, in the order of their numbers: of a table that is
/// gone, or of which a publication by hand has some columns only, which are called so still.
bool place_by_name(const ShapeQuestion& question, ShapePlan& plan) {
    const auto& known = question.known.columns;
    int last = 0;
    for (const auto& column : question.relation.columns) {
        const auto found = find_known(known, column.name);
        const bool next = found && known[*found].number > last &&
                          (known[*found].type == 0 || known[*found].type == column.type);
        if (!next || (question.now && !is_called(*question.now, known[*found].number, column))) {
            plan.places.clear();
            return false;
        }
        last = known[*found].number;
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
        const auto* attribute = candidates[at].attribute;
        const auto& place = candidates[at].known;
        const bool in_log = named.count(at) != 0;
        if (in_log || !attribute->dropped) there.insert(attribute->number);
        if (!in_log && !attribute->dropped && place) plan.later.push_back(*place);
        const auto* column =
            attribute->dropped ? nullptr : column_of(*question.now, attribute->number);
        if (!column) continue;  // or one that the user may not read
        if (place && known[*place].outside != column->outside)
            plan.steps.push_back({Kind::rename, *place, column});
        if (place || (candidates[at].may_be_gone && !in_log)) continue;
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
    using By = Fitting::By;
    ShapePlan plan;
    if (question.now && !question.some_columns) {
        const Fitting fitting(question, false);
        for (const By by : {By::name_and_type, By::type, By::place}) {
            int ways = 0;
            auto found = fitting.find(by, ways);
            if (found) {
                plan_steps(question, fitting.candidates(), *found, plan);
                return plan;
            }
            if (ways == 0) continue;
            const Fitting surer(question, true);
            found = surer.find(by, ways);
            if (!found) break;
            plan_steps(question, surer.candidates(), *found, plan);
            return plan;
        }
    } else if (place_by_name(question, plan)) {
        return plan;
    }
    plan.reload = "its columns were changed several times, and the log does not say which is which";
    return plan;
}

void place_again(const CaptureTable& known, const PostgresTable* now, ShapePlan& plan) {
    if (plan.steps.empty() || !now) return;
    plan.steps.clear();
    plan.later.clear();
    for (size_t i = 0; i < plan.numbers.size(); ++i)
        plan.places[i] = known_by_number(known, plan.numbers[i]);
    for (const auto& attribute : now->attributes) {
        const auto place = known_by_number(known, attribute.number);
        const bool in_log = std::find(plan.numbers.begin(), plan.numbers.end(), attribute.number) !=
                            plan.numbers.end();
        if (place && !in_log && !attribute.dropped) plan.later.push_back(*place);
    }
}

bool note_told(CaptureTable& known, const ShapeQuestion& question,
               const std::vector<int>& numbers) {
    if (numbers.empty() || !question.now) return false;
    const auto before = known.columns;
    const auto& columns = question.relation.columns;
    for (size_t i = 0; i < numbers.size(); ++i) {
        auto place = known_by_number(known, numbers[i]);
        const auto attribute =
            std::find_if(question.now->attributes.begin(), question.now->attributes.end(),
                         [&](const PostgresAttribute& one) { return one.number == numbers[i]; });
        const bool dropped = attribute != question.now->attributes.end() && attribute->dropped;
        if (!place && !dropped) continue;  // one that is not kept
        if (!place) {
            place = known.columns.size();
            known.columns.emplace_back().number = numbers[i];
            known.columns.back().gone = true;
        }
        auto& one = known.columns[*place];
        if (one.outside.empty()) {
            one.outside = columns[i].name;
            one.type = columns[i].type;
        }
        const bool has_name =
            one.outside == columns[i].name ||
            std::find(one.before.begin(), one.before.end(), columns[i].name) != one.before.end();
        if (!has_name) one.before.push_back(columns[i].name);
        if (!one.told) one.told = question.at;
    }
    for (auto& one : known.columns) {
        const bool there = std::find(numbers.begin(), numbers.end(), one.number) != numbers.end();
        // Numbers rise: one of before the last column was there, too.
        const bool was = one.number < numbers.back() || (one.told && one.told < question.at);
        if (!there && was && !one.told_gone) one.told_gone = question.at;
    }
    return known.columns != before;
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
        known.told = {lsn, -1};
        out.columns.push_back(std::move(known));
    }
    return out;
}

}  // namespace tarn::ingest
