// Changes of columns one after the other, of which the log tells one and the catalog is ahead by
// any lead: each description's columns are told right, whenever the catalog was read and however
// often the log is read again. Seeds: TARN_SEED.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "ingest/internal/capture_schema.h"
#include "ingest/internal/capture_shape.h"
#include "ingest/internal/test_catalog.h"

namespace tarn::ingest {
namespace {

constexpr uint32_t kInt = 23, kText = 25, kNumeric = 1700;

struct Column {
    int number;
    std::string name;  // nothing: dropped
    uint32_t type = 0;
    std::optional<std::string> missing = {};
    uint32_t changed_by = 1;
};
using Columns = std::vector<Column>;

/// A transaction that has rows, as the log describes them.
struct Logged {
    Relation relation;
    std::vector<int> numbers;
    size_t state;  // of the catalog, in it
    size_t seen;   // the first that others can see when they see it
    uint32_t xid;
    DescriptionPlace at;
};

/// A database: states of its catalog, and the log.
class Source {
 public:
    explicit Source(Columns first) { states_.push_back(std::move(first)); }

    void add(const std::string& name, uint32_t type, std::optional<std::string> missing = {}) {
        auto& columns = next();
        const int number = columns.back().number + 1;
        columns.push_back({number, name, type, std::move(missing), xid_});
    }
    void rename(const std::string& from, const std::string& to) {
        auto& column = find(next(), from);
        column.name = to;
        column.changed_by = xid_;
    }
    void drop(const std::string& name) {
        auto& column = find(next(), name);
        column = {column.number, "", 0, {}, xid_};
    }
    /// What is done until `commit` is one transaction, which nobody sees before.
    void begin() {
        ++xid_;
        open_ = true;
    }
    void commit() {
        open_ = false;
        seen_.push_back(states_.size() - 1);
    }
    void write() {
        Logged one;
        for (const auto& column : states_.back()) {
            if (column.name.empty()) continue;
            one.relation.columns.push_back({column.name, column.type, -1, column.number == 1});
            one.numbers.push_back(column.number);
        }
        one.state = states_.size() - 1;
        one.seen = seen_.size() - (open_ ? 0 : 1);
        one.xid = open_ ? xid_ : ++xid_;
        one.at.commit = 100 + one.xid;
        if (!log.empty() && log.back().at.commit == one.at.commit) {
            const bool same = log.back().relation == one.relation;
            one.at.nth = log.back().at.nth + (same ? 0 : 1);
        }
        log.push_back(std::move(one));
    }
    const Columns& columns() const { return states_.back(); }
    size_t seen() const { return seen_.size(); }

    PostgresTable at(size_t seen) const {
        PostgresTable out;
        out.storage = "here";
        out.next_xid = xid_ + 1;
        for (const auto& one : states_[seen_[seen]])
            add_column(out, one.number, one.name, one.type, one.changed_by, one.missing);
        return out;
    }

    /// "id:23 a:23 | id:23 a:23 -": the catalog's states, and where transactions with rows are (*).
    std::string words() const {
        std::string out;
        for (size_t state = 0; state < states_.size(); ++state) {
            for (const auto& one : states_[state])
                out += one.name.empty() ? "- " : one.name + ":" + std::to_string(one.type) + " ";
            for (const auto& one : log) out += one.state == state ? "*" : "";
            const bool seen = std::find(seen_.begin(), seen_.end(), state) != seen_.end();
            out += seen ? "| " : "(not seen) | ";
        }
        return out;
    }

    std::vector<Logged> log;

 private:
    Columns& next() {
        states_.push_back(Columns(states_.back()));
        if (open_) return states_.back();
        ++xid_;
        seen_.push_back(states_.size() - 1);
        return states_.back();
    }
    static Column& find(Columns& columns, const std::string& name) {
        return *std::find_if(columns.begin(), columns.end(),
                             [&](const Column& one) { return one.name == name; });
    }
    std::vector<Columns> states_;
    std::vector<size_t> seen_ = {0};  // states that others could see
    bool open_ = false;
    uint32_t xid_ = 100;
};

/// The lake's side of it: the record of the table, and its fields.
class Follower {
 public:
    /// `lead`: statements by which the catalog is ahead at most.
    Follower(const Source& source, uint64_t seed, size_t lead)
        : source_(source), random_(seed), lead_(lead) {
        for (const auto& column : source.at(0).columns) {
            tables::Field field;
            field.id = ++last_id_;
            field.name = column.name;
            field.type = *iceberg_type(column.type);
            schema_.fields.push_back(field);
        }
        known_ = loaded_table(source.at(0), schema_, 1);
    }

    /// Empty: all of the log was told right. "load ...": a load would be needed.
    std::string follow() {
        size_t committed = 0;
        for (int readings = 0; committed < source_.log.size() && readings < 200; ++readings) {
            const Logged* before = nullptr;
            for (size_t at = committed; at < source_.log.size(); ++at) {
                const auto& one = source_.log[at];
                bool again = false;
                if (!before || before->state != one.state) {
                    const std::string wrong = adapt(one, again);
                    if (!wrong.empty()) return wrong + " at transaction " + std::to_string(at);
                }
                if (again) break;
                before = &one;
                const bool ends =
                    at + 1 == source_.log.size() || source_.log[at + 1].at.commit != one.at.commit;
                if (ends && chance(3)) committed = at + 1;
                if (chance(10)) break;
                if (at + 1 == source_.log.size()) committed = at + 1;
            }
        }
        return committed == source_.log.size() ? "" : "it never ended";
    }

    const CaptureTable& known() const { return known_; }

 private:
    bool chance(unsigned of) { return random_() % of == 0; }

    /// The catalog moves on while the log is read.
    const PostgresTable look(const Logged& one) {
        const size_t least = std::max(looked_, one.seen);
        const size_t lead = std::min(source_.seen() - least, lead_ + 1);
        looked_ = least + (chance(2) ? random_() % std::min<size_t>(lead, 3) : random_() % lead);
        return source_.at(looked_);
    }

    std::string adapt(const Logged& one, bool& again) {
        const auto now = look(one);
        const ShapeQuestion question{one.relation, known_, &now, one.xid, one.at};
        auto plan = plan_shape(question);
        if (!plan.reload.empty()) return "load: " + plan.reload;
        if (plan.numbers != one.numbers)
            return fmt::format("wrong columns by state {}: {}", looked_,
                               fmt::join(plan.numbers, " "));
        std::vector<query::Type> types;
        for (const auto& column : one.relation.columns)
            types.push_back(type_of_postgres(column.type, column.modifier));
        auto schema = plan_schema(question, plan, schema_, types);
        if (!schema.ok()) return schema.error().message;
        if (!schema->person.empty()) return "person: " + schema->person;
        if (!schema->reload.empty()) return "load: " + schema->reload;
        apply(*schema);
        if (schema->fill) {
            again = true;
            return "";
        }
        place_again(known_, &now, plan);
        for (size_t i = 0; i < plan.places.size(); ++i) {
            const int number = one.numbers[i];
            const bool dropped = now.attributes[static_cast<size_t>(number) - 1].dropped;
            if (!plan.places[i] && !dropped) return "a column is not kept";
            if (plan.places[i] && known_.columns[*plan.places[i]].number != number)
                return "wrong place";
        }
        note_told(known_, question, plan.numbers);
        return "";
    }

    void apply(SchemaPlan& plan) {
        using StepKind = tables::SchemaStep::Kind;
        for (const auto& step : plan.steps) {
            if (step.kind == StepKind::add) {
                tables::Field field;
                field.id = ++last_id_;
                field.name = step.name;
                field.type = step.type;
                schema_.fields.push_back(field);
            }
            for (auto& field : schema_.fields)
                if (step.kind == StepKind::rename && field.id == step.field_id)
                    field.name = step.name;
        }
        for (const auto& [place, name] : plan.added)
            plan.next.columns[place].field_id = schema_.find(name)->id;
        known_ = plan.next;
        for (auto& column : known_.columns) column.unfilled = false;
    }

    const Source& source_;
    std::mt19937_64 random_;
    const size_t lead_;
    tables::Schema schema_;
    CaptureTable known_;
    int last_id_ = 0;
    size_t looked_ = 0;
};

uint64_t first_seed() {
    const char* given = std::getenv("TARN_SEED");
    return given ? std::strtoull(given, nullptr, 10) : 1;
}

TEST(CaptureScheduleTest, AnyLeadOfTheCatalog) {
    Source source({{1, "id", kInt}, {2, "a", kInt}, {3, "b", kText}});
    source.write();
    source.add("c", kInt, "5");
    source.write();
    source.rename("a", "x");
    source.rename("b", "a");
    source.write();
    source.begin();
    source.add("d", kText, "d");
    source.add("n", kInt);
    source.commit();
    source.write();
    source.drop("c");
    source.write();
    source.add("c", kNumeric, "1.25");
    source.write();
    source.add("short", kInt, "1");
    source.write();
    source.drop("short");
    source.begin();
    source.rename("x", "aside");
    source.rename("a", "x");
    source.write();
    source.rename("aside", "a");
    source.commit();
    source.write();
    source.rename("d", "e");
    source.write();
    const uint64_t first = first_seed();
    for (uint64_t seed = first; seed < first + 3000; ++seed)
        ASSERT_EQ(Follower(source, seed, 100).follow(), "") << "TARN_SEED=" << seed;
}

/// Names and types are few, so that columns of one name come one after the other. No column gets
/// a name back that it had: between two looks that can't be told from one that kept its name.
Source any_source(std::mt19937_64& random, unsigned together_of) {
    const auto pick = [&](size_t of) { return random() % of; };
    const std::vector<std::string> names = {"a", "b", "c"};
    const std::vector<uint32_t> types = {kInt, kText, kNumeric};
    std::map<int, std::set<std::string>> had;
    Source source({{1, "id", kInt}, {2, "a", kInt}, {3, "b", kText}});
    const auto rename = [&](const std::string& from, const std::string& to) {
        for (const auto& column : source.columns())
            if (column.name == from) {
                had[column.number].insert(from);
                if (had[column.number].count(to) != 0) return;
            }
        source.rename(from, to);
    };
    source.write();
    for (size_t i = 0; i < 8; ++i) {
        const bool together = together_of > 0 && pick(together_of) == 0;
        if (together) source.begin();
        for (size_t k = together ? 2 : 1; k > 0; --k) {
            std::vector<std::string> there, free = names;
            for (const auto& column : source.columns()) {
                std::erase(free, column.name);
                if (column.number > 1 && !column.name.empty()) there.push_back(column.name);
            }
            const auto what = pick(3);
            if (what == 0 && !free.empty())
                source.add(free[pick(free.size())], types[pick(types.size())],
                           pick(2) == 0 ? std::optional<std::string>("1") : std::nullopt);
            else if (what == 1 && !there.empty() && !free.empty())
                rename(there[pick(there.size())], free[pick(free.size())]);
            else if (!there.empty())
                source.drop(there[pick(there.size())]);
            if (pick(3) != 0) source.write();
        }
        if (together) source.commit();
    }
    source.write();
    return source;
}

/// How many of these histories needed a load.
int loads_of(uint64_t histories, size_t lead, unsigned together_of) {
    const uint64_t first = first_seed();
    int loads = 0;
    for (uint64_t seed = first; seed < first + histories; ++seed) {
        std::mt19937_64 random(seed);
        const auto source = any_source(random, together_of);
        const std::string end = Follower(source, seed, lead).follow();
        const bool load = end.starts_with("load: ");
        EXPECT_TRUE(end.empty() || load)
            << end << ", TARN_SEED=" << seed << " lead " << lead << ": " << source.words();
        if (!end.empty() && !load) return 0;
        loads += load ? 1 : 0;
    }
    return loads;
}

TEST(CaptureScheduleTest, AnyChangesAreToldRightOrLoaded) {
    loads_of(20000, 100, 4);
    loads_of(10000, 3, 4);
}

TEST(CaptureScheduleTest, ACatalogThatIsNotAheadNeedsFewLoads) {
    EXPECT_LT(loads_of(10000, 0, 0), 500);
}

}  // namespace
}  // namespace tarn::ingest
