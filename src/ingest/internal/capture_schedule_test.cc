// Changes of columns one after the other, of which the log tells one and the catalog is ahead by
// any lead: each description's columns are told right, whenever the catalog was read and however
// often the log is read again. Seeds: TARN_SEED.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "ingest/internal/capture_schema.h"
#include "ingest/internal/capture_shape.h"

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
        log.push_back(std::move(one));
    }
    const Columns& columns() const { return states_.back(); }
    size_t seen() const { return seen_.size(); }

    PostgresTable at(size_t seen) const {
        PostgresTable out;
        out.storage = "here";
        out.next_xid = xid_ + 1;
        for (const auto& one : states_[seen_[seen]]) {
            out.attributes.push_back({one.number, one.name, one.type, one.name.empty(), false,
                                      !one.name.empty(), one.changed_by});
            if (one.name.empty()) continue;
            PostgresColumn column;
            column.number = one.number;
            column.outside = column.name = one.name;
            column.type_oid = one.type;
            column.type = type_of_postgres(one.type, -1);
            column.has_default = column.missing.has_value();
            column.missing = one.missing;
            out.columns.push_back(column);
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
    Follower(const Source& source, uint64_t seed) : source_(source), random_(seed) {
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
            ShapeProgress progress;
            const Logged* before = nullptr;
            for (size_t at = committed; at < source_.log.size(); ++at) {
                const auto& one = source_.log[at];
                bool again = false;
                if (!before || before->state != one.state) {
                    const std::string wrong = adapt(one, progress, again);
                    if (!wrong.empty()) return wrong + " at transaction " + std::to_string(at);
                }
                if (again) break;
                before = &one;
                if (chance(3)) committed = at + 1;
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
        const size_t lead = source_.seen() - least;
        looked_ = least + (chance(2) ? random_() % std::min<size_t>(lead, 3) : random_() % lead);
        return source_.at(looked_);
    }

    std::string adapt(const Logged& one, ShapeProgress& progress, bool& again) {
        const auto now = look(one);
        const ShapeQuestion question{one.relation, known_, &now, one.xid, &progress};
        const auto plan = plan_shape(question);
        if (!plan.reload.empty()) return "load: " + plan.reload;
        if (plan.numbers != one.numbers) return "wrong columns";
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
        const auto after = plan_shape(question);
        if (after.numbers != one.numbers) return "wrong columns after the change";
        for (size_t i = 0; i < after.places.size(); ++i) {
            const int number = one.numbers[i];
            const bool kept = after.places[i].has_value();
            const bool came_and_went = !kept && now.attributes[number - 1].dropped;
            if (!kept && !came_and_went) return "a column is not kept";
            if (kept && known_.columns[*after.places[i]].number != number) return "wrong place";
        }
        progress.note(plan.numbers);
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
        ASSERT_EQ(Follower(source, seed).follow(), "") << "TARN_SEED=" << seed;
}

}  // namespace
}  // namespace tarn::ingest
