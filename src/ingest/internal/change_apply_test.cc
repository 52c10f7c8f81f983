// Changes of a followed table against a map that says what must be there.
#include "ingest/internal/change_apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "base/random.h"
#include "ingest/internal/change_history.h"
#include "ingest/internal/key_index.h"
#include "ingest/internal/key_index_moved.h"
#include "ingest/internal/key_index_table.h"
#include "ingest/internal/test_folder_lake.h"
#include "io/faulty_disk.h"
#include "query/compaction.h"
#include "tables/compaction.h"

namespace tarn::ingest {
namespace {

namespace fs = std::filesystem;
using query::Kind;
using ::testing::HasSubstr;

using Text = std::optional<std::string>;
using Row = std::vector<Text>;
const std::string kUnchanged = "\x01unchanged";

/// A row of the log, with its texts alive.
struct LogRow {
    explicit LogRow(Row row) : texts(std::move(row)) {
        for (const auto& text : texts) {
            Cell cell;
            if (text && *text == kUnchanged)
                cell.kind = Cell::Kind::unchanged;
            else if (text)
                cell = {Cell::Kind::text, *text};
            cells.push_back(cell);
        }
    }
    Row texts;
    Cells cells;
};

std::vector<ColumnSpec> all_types() {
    return {{"id", Kind::int64},
            {"part", Kind::text},
            {"small", Kind::int32},
            {"price", query::Type::decimal(10, 2)},
            {"wide", query::Type::decimal(38, 9)},
            {"ok", Kind::boolean},
            {"real", Kind::float64},
            {"day", Kind::date},
            {"at", Kind::timestamptz},
            {"clock", Kind::time},
            {"uid", Kind::uuid},
            {"raw", Kind::binary},
            {"many", query::Type::list(Kind::int32)},
            {"note", Kind::text}};
}

/// Compaction's tools, with something in between.
class InterruptedTools final : public tables::CompactionTools {
 public:
    InterruptedTools(query::Engine& engine, std::function<void()> meanwhile)
        : tools_(query::compaction_tools(engine)), meanwhile_(std::move(meanwhile)) {}
    Result<std::vector<tables::DataFile>> rewrite(const tables::CompactionGroup& group) override {
        auto written = tools_->rewrite(group);
        if (meanwhile_) meanwhile_();
        return written;
    }
    Result<std::vector<tables::DataFile>> carry_deletes(
        const tables::CompactionGroup& group, const std::vector<tables::DataFile>& written,
        const std::vector<tables::ScanTask>& now) override {
        return tools_->carry_deletes(group, written, now);
    }
    Result<tables::DataFile> merge_deletes(const tables::TablePtr& table,
                                           const tables::ScanTask& file) override {
        return tools_->merge_deletes(table, file);
    }

 private:
    std::unique_ptr<tables::CompactionTools> tools_;
    std::function<void()> meanwhile_;
};

class ChangeApplyTest : public ::testing::Test {
 protected:
    ChangeApplyTest() : folder_(fs::temp_directory_path() / ("change-" + random_hex(6))) {
        fs::create_directories(folder_);
        lake_ = std::make_unique<TestLake>(folder_, &extents_);
        open_index();
    }
    ~ChangeApplyTest() override {
        apply_.reset();
        index_.reset();
        lake_.reset();
        fs::remove_all(folder_);
    }

    void open_index() {
        apply_.reset();
        index_.reset();
        index_ = must(KeyIndex::open({(folder_ / "index").string(), *lake_->catalog, *lake_->engine,
                                      64ull << 20, moved_min_, renewal_}));
    }
    /// What the index on disk knows of files that are gone. The index is closed for it.
    size_t files_gone() {
        apply_.reset();
        index_.reset();
        rocksdb::DB* opened = nullptr;
        must(status_of(rocksdb::DB::OpenForReadOnly({}, (folder_ / "index").string(), &opened)));
        const std::unique_ptr<rocksdb::DB> db(opened);
        const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator({}));
        size_t count = 0;
        for (rows->Seek("\x04"); rows->Valid() && rows->key()[0] == 4; rows->Next()) ++count;
        return count;
    }
    /// What a kill leaves of the index: what it has written to its files so far.
    void crash_index() {
        const auto copy = folder_ / ("index-" + random_hex(4));
        fs::copy(folder_ / "index", copy, fs::copy_options::recursive);
        apply_.reset();
        index_.reset();
        fs::remove_all(folder_ / "index");
        fs::rename(copy, folder_ / "index");
        open_index();
    }
    void make_table(std::vector<ColumnSpec> columns, std::vector<std::string> key,
                    ChangeShape::Mode mode = ChangeShape::Mode::upsert) {
        TargetTable wanted;
        wanted.database = "shop";
        wanted.name = "sales";
        for (const auto& column : columns)
            wanted.columns.push_back({column.name, column.type, false, ""});
        wanted.key = key;
        table_ = must(ensure_table(lake_->parts, wanted));
        if (with_history_) history_ = must(ensure_table(lake_->parts, history_target(wanted)));
        shape_ = {};
        shape_.mode = mode;
        for (size_t i = 0; i < columns.size(); ++i) {
            shape_.columns.push_back({columns[i].name, stored_type(columns[i].type)});
            shape_.field_ids.push_back(table_->schema().find(columns[i].name)->id);
            if (key.empty() || std::find(key.begin(), key.end(), columns[i].name) != key.end())
                shape_.key.push_back(i);
        }
    }
    ChangeApply& apply() {
        if (!apply_)
            apply_ = std::make_unique<ChangeApply>(
                ChangeApply::Parts{lake_->parts, *index_, memory_max_}, table_, shape_, history_);
        return *apply_;
    }
    void insert(Row row) { must(apply().insert(transaction_, LogRow(std::move(row)).cells)); }
    void update(Row row, Before kind = Before::none, Row before = {}) {
        must(apply().update(transaction_, kind, LogRow(std::move(before)).cells,
                            LogRow(std::move(row)).cells));
    }
    void remove(Row before, Before kind = Before::key) {
        must(apply().remove(transaction_, kind, LogRow(std::move(before)).cells));
    }
    void commit() {
        auto changes = must(apply().finish());
        tables::TablePtr mine, told;
        if (!changes.empty()) {
            auto done = must(lake_->committer->commit(root(), changes));
            for (size_t i = 0; i < changes.size(); ++i)
                (changes[i].table->info.uuid == table_->info.uuid ? mine : told) = done.tables[i];
        }
        must(apply().committed(mine, told));
        EXPECT_TRUE(apply().empty());
        ++transaction_.xid;
        transaction_.commit_lsn += 100;
    }
    std::string ask(const std::string& sql) { return lake_->ask(sql); }
    /// All rows, ordered by the first column.
    std::vector<Row> rows() {
        auto session = must(lake_->engine->connect(root()));
        const auto found = must(session->query("select * from shop.sales order by 1"));
        std::vector<Row> out(found.rows());
        for (size_t row = 0; row < found.rows(); ++row)
            for (const auto& column : found.columns) {
                std::string text;
                if (!column.is_null(row)) column.append_pg_text(row, text);
                out[row].push_back(column.is_null(row) ? Text() : Text(text));
            }
        return out;
    }
    std::vector<tables::ScanTask> files() {
        const auto state = must(lake_->catalog->snapshot().load_table("shop", "sales"));
        return must(tables::plan_scan(*lake_->catalog, state)).tasks;
    }
    /// One step of compaction, where there is any; `meanwhile` runs when the new files are written
    /// and not yet in place.
    void compact(std::function<void()> meanwhile = {}) {
        tables::CompactionPolicy policy;
        policy.worth_min = 0;
        policy.files_min = 2;
        const auto state = must(lake_->catalog->snapshot().load_table("shop", "sales"));
        const auto step = must(tables::next_compaction(*lake_->catalog, state, policy));
        if (!step) return;
        InterruptedTools tools(*lake_->engine, std::move(meanwhile));
        must(tables::run_compaction(*lake_->catalog, *lake_->committer, root(), *step, tools));
    }
    size_t objects() {
        const auto state = must(lake_->catalog->snapshot().load_table("shop", "sales"));
        return must(lake_->files->list(state->metadata->location + "/data/", "", 100000)).size();
    }

    const fs::path folder_;
    io::FaultyDisk extents_;
    std::unique_ptr<TestLake> lake_;
    std::unique_ptr<KeyIndex> index_;
    std::unique_ptr<ChangeApply> apply_;
    tables::TablePtr table_, history_;
    bool with_history_ = false;
    ChangeShape shape_;
    uint64_t memory_max_ = 64ull << 20;
    uint64_t moved_min_ = 20'000;
    KeyIndex::Renewal renewal_;
    TransactionInfo transaction_{7, 1000, 0, Timestamp{1'700'000'000'000'000}};
};

using PlainTable = ChangeApplyTest;

TEST_F(PlainTable, LastWordOfEachKey) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    insert({"1", "a"});
    insert({"2", "b"});
    update({"1", "a2"});
    remove({"2", {}});
    insert({"2", "b2"});
    insert({"3", {}});
    remove({"3", {}});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,a2;2,b2");
    update({"1", "a3"});
    update({"9", "b3"}, Before::key, {"2", {}});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,a3;9,b3");
    // A swap of keys by way of a third.
    update({"-1", "a3"}, Before::key, {"1", {}});
    update({"1", "b3"}, Before::key, {"9", {}});
    update({"9", "a3"}, Before::key, {"-1", {}});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,b3;9,a3");
    remove({"1", {}});
    remove({"9", {}});
    commit();
    EXPECT_EQ(ask("select count(*) from shop.sales"), "0");
    EXPECT_TRUE(files().empty());
}

TEST_F(PlainTable, UnchangedValuesAreCarriedOver) {
    make_table({{"id", Kind::int64}, {"n", Kind::int32}, {"big", Kind::text}}, {"id"});
    insert({"1", "1", "large one"});
    update({"1", "2", kUnchanged});  // from the buffer
    update({"1", "3", kUnchanged});
    insert({"2", "1", "large two"});
    insert({"3", "1", {}});
    commit();
    update({"1", "4", kUnchanged});  // from the table
    update({"1", "5", kUnchanged});  // from a row that waits itself
    update({"4", "2", kUnchanged}, Before::key, {"2", {}, {}});
    update({"3", "2", kUnchanged});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,5,large one;3,2,NULL;4,2,large two");
    // Rows trade their keys, and their values with them.
    update({"-1", "5", kUnchanged}, Before::key, {"1", {}, {}});
    update({"1", "2", kUnchanged}, Before::key, {"4", {}, {}});
    update({"4", "5", kUnchanged}, Before::key, {"-1", {}, {}});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,2,large two;3,2,NULL;4,5,large one");
}

TEST_F(PlainTable, AMissingRowIsALoudError) {
    make_table({{"id", Kind::int64}, {"n", Kind::int32}, {"big", Kind::text}}, {"id"});
    insert({"1", "1", "x"});
    commit();
    const size_t before = objects();
    update({"77", "1", kUnchanged});
    const auto done = apply().finish();
    ASSERT_FALSE(done.ok());
    EXPECT_THAT(done.error().message, HasSubstr("shop.sales"));
    EXPECT_THAT(done.error().message, HasSubstr("id = 77"));
    EXPECT_FALSE(apply().insert(transaction_, LogRow({"5", "1", "x"}).cells).ok());
    apply().discard();
    remove({"1", {}, {}});
    EXPECT_FALSE(
        apply().update(transaction_, Before::none, {}, LogRow({"1", "1", kUnchanged}).cells).ok());
    apply().discard();
    EXPECT_EQ(objects(), before);
    EXPECT_EQ(ask("select * from shop.sales"), "1,1,x");
    EXPECT_FALSE(apply().insert(transaction_, LogRow({"5", "no number", "x"}).cells).ok());
    apply().discard();
}

TEST_F(PlainTable, TruncateTakesAllAndWhatComesAfterStays) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    for (int i = 0; i < 100; ++i) insert({std::to_string(i), "x"});
    commit();
    insert({"200", "gone too"});
    must(apply().truncate(transaction_));
    insert({"1", "new"});
    commit();
    EXPECT_EQ(ask("select * from shop.sales"), "1,new");
    update({"1", "newer"});
    insert({"2", "b"});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,newer;2,b");
    must(apply().truncate(transaction_));
    apply().discard();
    update({"2", "c"});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,newer;2,c");
    must(apply().truncate(transaction_));
    commit();
    EXPECT_EQ(ask("select count(*) from shop.sales"), "0");
}

TEST_F(PlainTable, EqualRowsWithoutAKey) {
    make_table({{"a", Kind::int64}, {"b", Kind::text}}, {}, ChangeShape::Mode::whole_rows);
    for (int i = 0; i < 3; ++i) insert({"1", "x"});
    insert({"1", {}});
    insert({{}, {}});
    insert({"2", "y"});
    commit();
    remove({"1", "x"}, Before::row);
    update({"2", "z"}, Before::row, {"2", "y"});
    remove({{}, {}}, Before::row);
    commit();
    EXPECT_EQ(ask("select a, b, count(*) from shop.sales group by all order by all"),
              "1,x,2;1,NULL,1;2,z,1");
    open_index();
    insert({"1", "x"});
    remove({"1", "x"}, Before::row);
    remove({"1", "x"}, Before::row);
    remove({"1", "x"}, Before::row);
    commit();
    EXPECT_EQ(ask("select a, b, count(*) from shop.sales group by all order by all"),
              "1,NULL,1;2,z,1");
}

TEST_F(PlainTable, HistoryTellsBeforeAndAfter) {
    with_history_ = true;
    make_table({{"id", Kind::int64}, {"n", Kind::int32}, {"big", Kind::text}}, {"id"});
    insert({"1", "1", "x"});
    insert({"2", "1", "y"});
    update({"1", "2", kUnchanged});
    commit();
    update({"1", "3", kUnchanged});
    remove({"2", {}, {}});
    insert({"2", "9", "z"});
    commit();
    must(apply().truncate(transaction_));
    insert({"5", "5", "five"});
    commit();
    EXPECT_EQ(ask("select operation, transaction_id, commit_lsn, ordinal, before_id, before_n, "
                  "before_big, after_id, after_n, after_big from shop.sales_history "
                  "order by commit_lsn, ordinal"),
              "I,7,1000,1,NULL,NULL,NULL,1,1,x;I,7,1000,2,NULL,NULL,NULL,2,1,y;"
              "U,7,1000,3,1,1,x,1,2,x;U,8,1100,1,1,2,x,1,3,x;D,8,1100,2,2,1,y,NULL,NULL,NULL;"
              "I,8,1100,3,NULL,NULL,NULL,2,9,z;T,9,1200,1,NULL,NULL,NULL,NULL,NULL,NULL;"
              "I,9,1200,2,NULL,NULL,NULL,5,5,five");
    EXPECT_EQ(ask("select * from shop.sales"), "5,5,five");
}

TEST(ChangeHistory, LongNamesThatBeginAlikeStayTwo) {
    const std::string name(60, 'a');
    TargetTable of;
    of.name = name + "123";
    for (const auto& column : {name + "x", name + "y", std::string("n")})
        of.columns.push_back({column, Kind::int64, false, ""});
    const auto made = history_target(of);
    std::set<std::string> names;
    for (const auto& column : made.columns) {
        EXPECT_LE(column.name.size(), 63u);
        EXPECT_TRUE(names.insert(column.name).second) << column.name;
    }
    EXPECT_TRUE(names.contains("before_n") && names.contains("after_n"));
    EXPECT_TRUE(made.name.size() == 63 && made.name.ends_with("_history"));
    of.name = name + "124";
    EXPECT_NE(history_target(of).name, made.name);
}

TEST_F(PlainTable, SomebodyElseWasFirst) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    for (int i = 0; i < 10; ++i) insert({std::to_string(i), "x"});
    commit();
    const size_t before = objects();
    update({"3", "mine"});
    auto changes = must(apply().finish());
    EXPECT_EQ(ask("delete from shop.sales where id = 3"), "");
    const size_t theirs = objects() - before;
    const auto done = lake_->committer->commit(root(), std::move(changes));
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Code::conflict);
    apply().discard();
    EXPECT_EQ(objects() + 2, before + theirs);  // less the row's file and its delete file
    update({"3", "mine"});
    insert({"10", "y"});
    // Rows that were only added by others do no harm.
    changes = must(apply().finish());
    EXPECT_EQ(ask("insert into shop.sales values (11, 'by sql')"), "");
    auto result = must(lake_->committer->commit(root(), std::move(changes)));
    must(apply().committed(result.tables.front()));
    update({"11", "mine too"});
    update({"10", "z"});
    commit();
    EXPECT_EQ(ask("select string_agg(note, ',' order by id) from shop.sales where id in (3,10,11)"),
              "mine,z,mine too");
    EXPECT_EQ(ask("select count(*) from shop.sales"), "12");
}

TEST_F(PlainTable, TheSourceChangesItsTableInTheMiddle) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    insert({"1", "a"});
    insert({"2", "b"});
    commit();
    update({"1", "a2"});
    insert({"3", "c"});
    TargetTable wider;
    wider.database = "shop";
    wider.name = "sales";
    wider.columns = {{"id", Kind::int64, false, ""},
                     {"note", Kind::text, false, ""},
                     {"n", Kind::int32, false, ""}};
    table_ = must(ensure_table(lake_->parts, wider));
    shape_.columns.push_back({"n", Kind::int32});
    shape_.field_ids.push_back(table_->schema().find("n")->id);
    must(apply().reshape(table_, shape_));
    update({"3", kUnchanged, "33"});
    update({"2", kUnchanged, "22"});
    commit();
    EXPECT_EQ(ask("select * from shop.sales order by id"), "1,a2,NULL;2,b,22;3,c,33");
}

TEST_F(PlainTable, OnlyAdded) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"}, ChangeShape::Mode::append_only);
    insert({"1", "a"});
    insert({"1", "a"});
    commit();
    EXPECT_EQ(ask("select count(*) from shop.sales"), "2");
    EXPECT_FALSE(apply().remove(transaction_, Before::key, LogRow({"1", {}}).cells).ok());
    apply().discard();
    must(apply().truncate(transaction_));
    insert({"2", "b"});
    commit();
    EXPECT_EQ(ask("select * from shop.sales"), "2,b");
}

TEST_F(PlainTable, ManyRowsAreIndexedPastTheMemtables) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    EXPECT_EQ(ask("insert into shop.sales select (i * 7919) % 200003, 'x' from range(200003) "
                  "as r(i)"),
              "");
    for (int i = 0; i < 200; ++i) update({std::to_string(i * 997), "y"});
    commit();
    EXPECT_EQ(ask("select count(*), count(distinct id), count(*) filter (note = 'y') "
                  "from shop.sales"),
              "200003,200003,200");
    crash_index();
    for (int i = 0; i < 200; ++i) remove({std::to_string(i * 997), {}});
    commit();
    EXPECT_EQ(ask("select count(*), count(*) filter (note = 'y') from shop.sales"), "199803,0");
    for (int i = 0; i < 30'000; ++i)
        i % 3 == 0 && i % 997 != 0 ? remove({std::to_string(i), {}})
                                   : insert({std::to_string(i), "z"});
    commit();
    crash_index();  // nothing was flushed: what went past the memtables is there
    for (int i = 0; i < 30'000; i += 2) insert({std::to_string(i), "w"});
    commit();
    EXPECT_EQ(ask("select count(*) - count(distinct id), count(*) filter (note = 'w'), "
                  "count(*) filter (note = 'z') from shop.sales"),
              "0,15000,10005");
}

TEST_F(PlainTable, RowsAreFoundAfterManyCompactions) {
    moved_min_ = 0;
    renewal_.slice = {};  // 64 entries a commit: of 3,000
    open_index();
    make_table({{"id", Kind::int64}, {"n", Kind::int64}}, {"id"});
    std::vector<int> model(3000, 0);
    for (size_t id = 0; id < model.size(); ++id) insert({std::to_string(id), "0"});
    commit();
    Random random(5);
    // Far more rounds than steps that a way may have; rows of the first file are moved in each.
    for (int round = 1; round <= 120; ++round) {
        for (int i = 0; i < 20; ++i) {
            const auto id = random.below(model.size());
            update({std::to_string(id), std::to_string(round)});
            model[id] = round;
        }
        commit();
        compact();
        if (round == 7) open_index();  // what is noted of moved rows is kept
        if (round == 20) crash_index();
    }
    // Renewed meanwhile, and what it was renewed for is forgotten.
    EXPECT_LT(files_gone(), 110u);
    open_index();
    for (size_t id = 0; id < model.size(); id += 2) remove({std::to_string(id), {}});
    commit();
    int64_t sum = 0;
    for (size_t id = 1; id < model.size(); id += 2) sum += model[id];
    EXPECT_EQ(ask("select count(*), count(distinct id), sum(n) from shop.sales"),
              "1500,1500," + std::to_string(sum));
}

/// Who follows a source opens the table again when compaction has changed it: a renewal goes on.
TEST_F(PlainTable, ARenewalOutlivesTheHandleOfItsTable) {
    moved_min_ = 0;
    renewal_ = {0, {}};  // at once, 64 entries a commit: of 1,000
    open_index();
    make_table({{"id", Kind::int64}, {"n", Kind::int64}}, {"id"});
    for (int id = 0; id < 1000; ++id) insert({std::to_string(id), "0"});
    commit();
    for (int round = 1; round <= 40; ++round) {
        update({std::to_string(round), "1"});
        commit();
        compact();
        apply_.reset();
    }
    EXPECT_LT(files_gone(), 35u);
    open_index();
    for (int id = 0; id < 1000; id += 2) remove({std::to_string(id), {}});
    commit();
    EXPECT_EQ(ask("select count(*), count(distinct id), sum(n) from shop.sales"), "500,500,20");
}

TEST(MovedRowsTest, PlacesAreRanksOfRowsThatWereLeft) {
    MovedRows moved;
    moved.left_out.add(uint64_t{2});
    moved.left_out.add(uint64_t{3});
    moved.first = 4;  // rows of another file come before
    moved.to = {{6, 10}, {9, 11}};
    const auto same = must(MovedRows::decode(moved.encode()));
    for (const auto& one : {moved, same}) {
        EXPECT_EQ(one.place_of(0), (RowPlace{10, 4}));
        EXPECT_EQ(one.place_of(1), (RowPlace{10, 5}));
        EXPECT_EQ(one.place_of(2), std::nullopt);
        EXPECT_EQ(one.place_of(4), (RowPlace{11, 0}));
        EXPECT_EQ(one.place_of(7), std::nullopt);  // behind the last row
    }
    const std::string text = moved.encode();
    for (size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(MovedRows::decode(text.substr(0, size)).ok()) << size;
}

TEST_F(PlainTable, KeysAreFoundHoweverFarApartTheyLie) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    EXPECT_EQ(ask("insert into shop.sales select i * 2, 'x' from range(20000) as r(i)"), "");
    const auto state = must(lake_->catalog->snapshot().load_table("shop", "sales"));
    const auto opened = must(index_->open_table(state->info.uuid, {{shape_.field_ids[0]}, false}));
    must(opened->sync(state));
    KeyMaker maker(index_->seed());
    Random random(3);
    for (const int64_t step : {1, 2, 3, 40, 1000}) {
        query::Chunk ids;
        ids.columns.emplace_back(Kind::int64);
        for (int64_t id = -5; id < 50'000; id += step) {
            ids.columns[0].append_number(id);
            if (random.below(20) == 0) ids.columns[0].append_number(id);  // asked for twice
            if (random.below(50) == 0) id += 3000;
        }
        std::vector<RowKey> keys;
        for (size_t row = 0; row < ids.rows(); ++row) keys.push_back(*maker.make(ids, {0}, row));
        const auto found = must(opened->find(keys));
        for (size_t row = 0; row < keys.size(); ++row) {
            const int64_t id = ids.columns[0].number(row);
            const bool there = id >= 0 && id < 40'000 && id % 2 == 0;
            ASSERT_EQ(found[row].has_value(), there) << id;
            if (!there) continue;
            ASSERT_EQ(found[row]->position, static_cast<uint64_t>(id / 2));
        }
    }
}

TEST(KeyMakerTest, EqualValuesAndOnlyThoseAreEqual) {
    query::Chunk rows;
    rows.columns.emplace_back(Kind::text);
    rows.columns.emplace_back(Kind::text);
    for (const auto& [a, b] :
         std::vector<std::pair<std::string, std::string>>{{"a", "bc"},
                                                          {"ab", "c"},
                                                          {"", "abc"},
                                                          {"abc", ""},
                                                          {std::string(40, 'x'), "y"},
                                                          {std::string(40, 'x'), "z"},
                                                          {"a", "bc"}}) {
        rows.columns[0].append_text(a);
        rows.columns[1].append_text(b);
    }
    KeyMaker keys("seed"), other("another");
    std::vector<RowKey> made;
    for (size_t row = 0; row < rows.rows(); ++row) made.push_back(*keys.make(rows, {0, 1}, row));
    for (size_t a = 0; a < made.size(); ++a)
        for (size_t b = 0; b < a; ++b)
            EXPECT_EQ(made[a] == made[b], a == 6 && b == 0) << a << " " << b;
    EXPECT_FALSE(*other.make(rows, {0, 1}, 4) == made[4]);

    query::Chunk numbers;
    numbers.columns.emplace_back(Kind::float64);
    numbers.columns[0].append_real(0.0);
    numbers.columns[0].append_real(-0.0);
    numbers.columns[0].append_null();
    EXPECT_EQ(*keys.make(numbers, {0}, 0), *keys.make(numbers, {0}, 1));
    EXPECT_FALSE(keys.make(numbers, {0}, 2));
    EXPECT_TRUE(KeyMaker("seed", true).make(numbers, {0}, 2));
}

TEST_F(PlainTable, FewDeleteFilesForEachDataFile) {
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    for (int i = 0; i < 5000; ++i) insert({std::to_string(i), "x"});
    commit();
    for (int round = 0; round < 60; ++round) {
        for (int i = 0; i < 1 + round % 7; ++i)
            update({std::to_string((round * 37 + i * 11) % 5000), "y" + std::to_string(round)});
        commit();
        for (const auto& task : files()) EXPECT_LE(task.deletes.size(), query::kDeleteFilesMax);
    }
    EXPECT_EQ(ask("select count(*), count(distinct id) from shop.sales"), "5000,5000");
}

/// Random changes of a table of all types; the model says what must be there.
class RandomChanges : public ChangeApplyTest {
 protected:
    Row random_row(int64_t id) {
        const auto maybe = [&](std::string text) -> Text {
            return random_.one_in(8) ? Text() : Text(std::move(text));
        };
        const auto number = [&](uint64_t below) { return std::to_string(random_.below(below)); };
        return {std::to_string(id),
                "p" + std::to_string(id % 3),
                maybe(number(1000)),
                maybe(number(9999) + ".25"),
                maybe(number(99999) + "123456789012.123456789"),
                maybe(random_.one_in(2) ? "t" : "f"),
                maybe(number(1000) + ".5"),
                maybe(random_.one_in(5) ? "infinity" : "2024-02-1" + number(10)),
                maybe("2024-02-1" + number(10) + " 10:11:12.25+00"),
                maybe("10:11:1" + number(10)),
                maybe("00000000-0000-4000-8000-00000000000" + number(10)),
                maybe("\\x00ff0" + number(10)),
                maybe("{1,NULL," + number(10) + "}"),
                maybe("note " + number(1'000'000) + std::string(random_.below(40), 'x'))};
    }
    void step() {
        const int64_t id = static_cast<int64_t>(random_.below(ids_));
        const auto found = model_.find(id);
        Row key(14);
        key[0] = std::to_string(id);
        key[1] = "p" + std::to_string(id % 3);
        if (found == model_.end()) {
            insert(model_[id] = random_row(id));
        } else if (random_.one_in(4)) {
            remove(key);
            model_.erase(found);
        } else if (random_.one_in(4)) {
            const auto to = static_cast<int64_t>(random_.below(ids_));
            if (model_.contains(to)) return;
            Row row = random_row(to);
            row[13] = found->second[13];
            model_.erase(found);
            model_[to] = row;
            row[13] = kUnchanged;
            update(row, Before::key, key);
        } else {
            Row row = random_row(id);
            const bool keep = random_.one_in(3);
            if (keep) row[13] = found->second[13];
            found->second = row;
            if (keep) row[13] = kUnchanged;
            update(row);
        }
    }
    void others() {
        const auto id = static_cast<int64_t>(random_.below(ids_));
        switch (random_.below(5)) {
            case 0:
                EXPECT_EQ(ask("delete from shop.sales where id % 17 = " + std::to_string(id % 17)),
                          "");
                std::erase_if(model_, [&](const auto& row) { return row.first % 17 == id % 17; });
                break;
            case 1:
                EXPECT_EQ(ask("update shop.sales set note = 'by sql' where id % 13 = " +
                              std::to_string(id % 13)),
                          "");
                for (auto& [key, row] : model_)
                    if (key % 13 == id % 13) row[13] = "by sql";
                break;
            case 2:
                if (random_.one_in(2)) {
                    compact();
                    break;
                }
                compact([&] {  // between reading and putting in place: the log's changes, and SQL's
                    for (int i = 0; i < 20; ++i) step();
                    commit();
                    if (!random_.one_in(2)) return;
                    EXPECT_EQ(
                        ask("delete from shop.sales where id % 19 = " + std::to_string(id % 19)),
                        "");
                    std::erase_if(model_,
                                  [&](const auto& row) { return row.first % 19 == id % 19; });
                });
                break;
            case 3:
                random_.one_in(2) ? open_index() : crash_index();
                break;
            default:
                break;
        }
    }
    void check() {
        const auto found = rows();
        ASSERT_EQ(found.size(), model_.size());
        size_t i = 0;
        for (const auto& [id, row] : model_) EXPECT_EQ(found[i++], row) << id;
    }
    void run(uint64_t seed, int rounds, int steps) {
        if (const char* other = std::getenv("TARN_SEED")) seed = std::stoull(other);
        random_ = Random(seed);
        for (int round = 0; round < rounds; ++round) {
            const auto before = model_;
            const size_t files = objects();
            for (int i = 0; i < steps; ++i) step();
            if (random_.one_in(6)) {
                if (random_.one_in(2)) static_cast<void>(apply().finish());
                random_.one_in(2) ? apply().discard() : crash_index();
                EXPECT_EQ(objects(), files);
                model_ = before;
            } else {
                commit();
            }
            check();
            others();
            if (HasFailure()) FAIL() << "round " << round;
        }
    }

    Random random_{1};
    uint64_t ids_ = 300;
    std::map<int64_t, Row> model_;
};

/// Keys go to the index by tens of thousands, rows of one transaction are changed long after that.
TEST_F(ChangeApplyTest, RowsOfOneTransactionAreFoundAfterTheirKeysSpilled) {
    memory_max_ = 5 << 20;
    make_table({{"id", Kind::int64}, {"note", Kind::text}}, {"id"});
    for (int i = 0; i < 1000; ++i) insert({std::to_string(i), "old"});
    commit();
    constexpr int kRows = 150'000;
    for (int i = 1000; i < kRows; ++i) insert({std::to_string(i), "new"});
    // The log describes the table again whenever the database has forgotten that it did.
    must(apply().reshape(must(lake_->catalog->snapshot().load_table("shop", "sales")), shape_));
    for (int i = 0; i < kRows; i += 10) update({std::to_string(i), "changed"});
    for (int i = 0; i < kRows; i += 9) remove({std::to_string(i), {}});
    commit();
    EXPECT_EQ(ask("select count(*) from shop.sales"), std::to_string(kRows - (kRows + 8) / 9));
    EXPECT_EQ(ask("select count(*) - count(distinct id) from shop.sales"), "0");
    EXPECT_EQ(ask("select count(*) from shop.sales where id % 9 = 0"), "0");
    EXPECT_EQ(ask("select count(*) from shop.sales where id % 10 = 0 and note <> 'changed'"), "0");
}

TEST_F(RandomChanges, AllTypes) {
    make_table(all_types(), {"id"});
    run(11, 20, 60);
}

TEST_F(RandomChanges, WithLittleMemory) {
    memory_max_ = 12 << 10;  // every few dozen keys spill
    make_table(all_types(), {"id"});
    run(12, 10, 120);
}

/// Places of rows that compaction moved are computed, whatever else happens to them.
TEST_F(RandomChanges, WithWaysThroughCompactedFiles) {
    moved_min_ = 0;
    open_index();
    make_table(all_types(), {"id"});
    run(15, 20, 40);
}

/// Entries are put anew a few at each commit, and the index dies in the middle of it.
TEST_F(RandomChanges, WhileEntriesArePutAnew) {
    moved_min_ = 0;
    renewal_ = {0, {}};
    open_index();
    make_table(all_types(), {"id"});
    run(16, 60, 40);
}

TEST_F(RandomChanges, KeyOfSeveralColumnsThatIsHashed) {
    make_table(all_types(), {"id", "part"});
    run(13, 12, 60);
}

TEST_F(RandomChanges, Partitioned) {
    make_table(all_types(), {"id"});
    tables::TableChange change;
    change.table = table_;
    tables::PartitionField field;
    field.source_id = table_->schema().find("part")->id;
    field.name = "part";
    change.partition = std::vector<tables::PartitionField>{field};
    table_ = must(lake_->committer->commit(root(), {change})).tables.front();
    run(14, 10, 60);
}

}  // namespace
}  // namespace tarn::ingest
