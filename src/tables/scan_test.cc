#include "tables/scan.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>

#include "base/random.h"
#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;
using Op = Predicate::Op;

struct Row {
    Literal id, name, day;
};

const Literal& column(const Row& row, int id) {
    return id == 1 ? row.id : id == 2 ? row.name : row.day;
}

/// SQL's own answer.
bool matches(const Predicate& predicate, const Type& type, const Literal& value) {
    if (predicate.op == Op::is_null) return value.is_null();
    if (value.is_null()) return false;
    const auto order = [&](const Literal& other) { return compare(type, value, other); };
    switch (predicate.op) {
        case Op::eq:
            return order(predicate.values[0]) == 0;
        case Op::ne:
            return order(predicate.values[0]) != 0;
        case Op::lt:
            return order(predicate.values[0]) < 0;
        case Op::le:
            return order(predicate.values[0]) <= 0;
        case Op::gt:
            return order(predicate.values[0]) > 0;
        case Op::ge:
            return order(predicate.values[0]) >= 0;
        case Op::in:
            for (const auto& one : predicate.values)
                if (order(one) == 0) return true;
            return false;
        case Op::starts_with:
            return std::get<std::string>(value.value)
                .starts_with(std::get<std::string>(predicate.values[0].value));
        default:
            return true;
    }
}

Literal random_value(Random& random, int id) {
    if (id != 1 && random.one_in(6)) return Literal::null();
    if (id == 2) {
        std::string text;
        for (size_t i = random.below(22); i > 0; --i)
            text += random.one_in(9) ? "\xc3\xa4" : random.one_in(2) ? "a" : "b";
        return Literal::text(text);
    }
    return Literal::integer(static_cast<int64_t>(random.below(200)) - 100);
}

DataFile file_of(Lake& lake, const TablePtr& table, const std::vector<Row>& rows) {
    const Schema& schema = table->schema();
    DataFile file = lake.file(table, static_cast<int64_t>(rows.size()));
    for (const auto& part : table->metadata->spec().fields)
        file.partition.push_back(apply_transform(part.transform, schema.find(part.source_id)->type,
                                                 column(rows[0], part.source_id)));
    for (const auto& field : schema.fields) {
        Literal low, high;
        int64_t nulls = 0;
        for (const auto& row : rows) {
            const Literal& value = column(row, field.id);
            if (value.is_null())
                ++nulls;
            else if (low.is_null() || compare(field.type, value, low) < 0)
                low = value;
            if (!value.is_null() && (high.is_null() || compare(field.type, value, high) > 0))
                high = value;
        }
        file.value_counts.emplace_back(field.id, file.record_count);
        file.null_value_counts.emplace_back(field.id, nulls);
        if (low.is_null()) continue;
        file.lower_bounds.emplace_back(
            field.id, truncate_lower_bound(field.type, encode_bound(field.type, low)));
        if (auto upper = truncate_upper_bound(field.type, encode_bound(field.type, high)))
            file.upper_bounds.emplace_back(field.id, *upper);
    }
    return file;
}

Predicate random_predicate(Random& random) {
    Predicate predicate;
    predicate.field_id = 1 + static_cast<int>(random.below(3));
    predicate.op = static_cast<Op>(random.below(predicate.field_id == 2 ? 10 : 9));
    const size_t values = predicate.op == Op::in ? 1 + random.below(4) : 1;
    while (predicate.values.size() < values) {
        Literal value = random_value(random, predicate.field_id);
        if (!value.is_null()) predicate.values.push_back(std::move(value));
    }
    return predicate;
}

/// Rows of one partition each, in files; every file with a matching row must be in the plan.
void check_against_brute_force(uint64_t seed, const std::vector<PartitionField>& partition) {
    Random random(seed);
    Lake lake;
    const TablePtr table = lake.create("t", shop_columns(), partition);
    std::map<std::string, std::vector<Row>> rows_of;
    const auto partition_of = [&](const Row& row) {
        Partition values;
        for (const auto& part : table->metadata->spec().fields)
            values.push_back(apply_transform(part.transform,
                                             table->schema().find(part.source_id)->type,
                                             column(row, part.source_id)));
        return values;
    };
    for (int commit = 0; commit < 8; ++commit) {
        std::vector<DataFile> files;
        for (int f = 0; f < 5; ++f) {
            std::vector<Row> rows;
            for (int i = 0; i < 40 && rows.size() < 4; ++i) {
                Row row{random_value(random, 1), random_value(random, 2), random_value(random, 3)};
                if (rows.empty() || partition_of(row) == partition_of(rows[0]))
                    rows.push_back(std::move(row));
            }
            files.push_back(file_of(lake, table, rows));
            rows_of[files.back().path] = std::move(rows);
        }
        ASSERT_TRUE(lake.append(table, files).ok());
    }
    const TablePtr now = lake.again(table);
    uint64_t pruned = 0;
    for (int i = 0; i < 300; ++i) {
        ScanOptions options;
        for (size_t n = 1 + random.below(2); n > 0; --n)
            options.filter.push_back(random_predicate(random));
        auto plan = plan_scan(lake.catalog, now, options);
        ASSERT_TRUE(plan.ok());
        pruned += plan->files_pruned;
        std::set<std::string> planned;
        for (const auto& task : plan->tasks) planned.insert(task.file->path);
        for (const auto& [path, rows] : rows_of)
            for (const auto& row : rows) {
                bool match = true;
                for (const auto& predicate : options.filter)
                    match =
                        match && matches(predicate, now->schema().find(predicate.field_id)->type,
                                         column(row, predicate.field_id));
                ASSERT_TRUE(!match || planned.count(path) > 0)
                    << "seed " << seed << ", filter " << i;
            }
    }
    EXPECT_GT(pruned, 500u);
}

TEST(ScanTest, PruningNeverLosesARow) {
    const auto by = [](int id, const char* transform) {
        return PartitionField{id, 0, "", *parse_transform(transform)};
    };
    check_against_brute_force(1, {});
    check_against_brute_force(2, {by(1, "bucket[4]")});
    check_against_brute_force(3, {by(3, "month")});
    check_against_brute_force(4, {by(2, "truncate[2]"), by(3, "year")});
    check_against_brute_force(5, {by(1, "truncate[25]"), by(2, "identity")});
    check_against_brute_force(6, {by(3, "day")});
    check_against_brute_force(7, {by(3, "identity"), by(1, "void")});
}

TEST(ScanTest, NaNIsGreaterThanEveryBound) {
    Lake lake;
    const TablePtr table = lake.create("t", {{1, "x", Type::of(TypeId::float64), false, {}}});
    DataFile file = lake.file(table, 2);
    file.value_counts = {{1, 2}};
    file.null_value_counts = {{1, 0}};
    file.lower_bounds = {{1, encode_bound(Type::of(TypeId::float64), Literal::real(-0.0))}};
    file.upper_bounds = file.lower_bounds;
    ASSERT_TRUE(lake.append(table, {file}).ok());
    const auto files = [&](Op op, double value) {
        ScanOptions options;
        options.filter = {{1, op, {Literal::real(value)}}};
        return plan_scan(lake.catalog, lake.again(table), options)->tasks.size();
    };
    EXPECT_EQ(files(Op::gt, 5), 1u);  // how many NaN there are is not known
    EXPECT_EQ(files(Op::lt, -5), 0u);
    EXPECT_EQ(files(Op::eq, 0.0), 1u);  // -0 = +0
    EXPECT_EQ(files(Op::ne, 0.0), 1u);
}

TEST(ScanTest, TenThousandFilesArePlannedFast) {
    Lake lake;
    const TablePtr table =
        lake.create("t", shop_columns(), {{3, 0, "", *parse_transform("identity")}});
    for (int commit = 0; commit < 10; ++commit) {
        std::vector<DataFile> files;
        for (int i = 0; i < 1000; ++i) {
            const Row row{Literal::integer(commit * 1000 + i), Literal::text("some name"),
                          Literal::integer(i % 50)};
            files.push_back(file_of(lake, table, {row}));
        }
        ASSERT_TRUE(lake.append(table, std::move(files)).ok());
    }
    const TablePtr now = lake.again(table);
    ScanOptions options;
    options.filter = {{3, Op::eq, {Literal::integer(7)}}, {1, Op::lt, {Literal::integer(5000)}}};
    EXPECT_EQ(plan_scan(lake.catalog, now, options)->tasks.size(), 100u);
    options.filter = {{1, Op::ge, {Literal::integer(0)}}};
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(plan_scan(lake.catalog, now, options)->tasks.size(), 10'000u);
    const auto took = std::chrono::steady_clock::now() - begin;
    RecordProperty(
        "plan_us",
        static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds(
                        2));  // the goal, 50 ms, is measured on a machine that is not busy
}

}  // namespace
}  // namespace tarn::tables
