// The engine over a real lake in a folder: object store, catalog, committer, and DuckDB.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "query/test_lake.h"

namespace tarn::query {
namespace {

class Query : public ::testing::Test {
 protected:
    static security::Caller caller(const std::string& name) {
        security::Caller caller;
        caller.principal.name = name;
        caller.principal.kind =
            name == "root" ? security::Principal::Kind::root : security::Principal::Kind::user;
        caller.door = "postgres";
        return caller;
    }
    std::unique_ptr<Session> session(const std::string& name = "root") {
        return must(lake_.engine->connect(caller(name)));
    }

    /// The rows as "a,b;c,d", or "!sqlstate: message".
    static std::string ask(Session& session, const std::string& sql,
                           const std::vector<Value>& parameters = {}) {
        const auto rows = session.query(sql, parameters);
        if (!rows.ok()) return "!" + rows.error().reason + ": " + rows.error().message;
        return text_of(*rows);
    }
    static std::string state(Session& session, const std::string& sql) {
        return ask(session, sql).substr(0, 6);
    }

    SystemClock clock_;
    TestGrants grants_;
    TestFolder folder_{"query"};
    TestLake lake_{folder_.path(), clock_, {.access = &grants_}};
};

TEST_F(Query, SelectWithoutTables) {
    auto s = session();
    EXPECT_EQ(ask(*s, "select 1, 'a', null, 5/2, true"), "1,a,NULL,2,t");
    EXPECT_EQ(ask(*s, "select 1/0").substr(0, 6), "!22012");
    EXPECT_EQ(ask(*s, "select 'xaby' ~ 'ab', 'xaby' OPERATOR(pg_catalog.~) '^ab'"), "t,f");
}

TEST_F(Query, CreateInsertSelect) {
    auto s = session();
    EXPECT_EQ(ask(*s, "create table t(id bigint, g int, v varchar)"), "");
    EXPECT_EQ(ask(*s, "select count(*) from t"), "0");
    EXPECT_EQ(must(s->run("insert into t values (1,1,'a'),(2,1,'b'),(3,2,null)")), 3u);
    EXPECT_EQ(must(s->run("insert into t(g,id) select i%3, i from range(4,10) r(i)")), 6u);
    EXPECT_EQ(ask(*s, "select * from t where id<5 order by id"), "1,1,a;2,1,b;3,2,NULL;4,1,NULL");
    auto other = session();
    EXPECT_EQ(ask(*other, "select count(*), sum(id) from main.t"), "9,45");
    EXPECT_EQ(ask(*other, "select lake.main.t.id, t.v from t where t.id = 2"), "2,b");
}

TEST_F(Query, UpdateDeleteTruncateMerge) {
    auto s = session();
    must(
        s->run("create table t as select i::bigint as id, (i%3)::int as g, 'v'||i as v from "
               "range(10) r(i)"));
    EXPECT_EQ(must(s->run("delete from t where id in (2,5)")), 2u);
    EXPECT_EQ(must(s->run("update t set v='upd', g=g+10 where id>=8")), 2u);
    EXPECT_EQ(ask(*s, "select * from t order by id"),
              "0,0,v0;1,1,v1;3,0,v3;4,1,v4;6,0,v6;7,1,v7;8,12,upd;9,10,upd");
    EXPECT_EQ(
        must(s->run(
            "merge into t using (values (1,99,'m'),(3,null,'x'),(100,5,'new')) as s(id,g,v) on "
            "t.id=s.id "
            "when matched and s.g is null then delete when matched then update set g=s.g, v=s.v "
            "when not matched then insert values (s.id,s.g,s.v)")),
        3u);
    EXPECT_EQ(ask(*s, "select * from t where id in (1,3,100) order by id"), "1,99,m;100,5,new");
    EXPECT_EQ(must(s->run("truncate t")), 8u);
    EXPECT_EQ(ask(*s, "select count(*) from t"), "0");
    must(s->run("drop table t"));
    EXPECT_EQ(state(*s, "select * from t"), "!42P01");
}

TEST_F(Query, TransactionsSeeTheirOwnWritesOnly) {
    auto a = session();
    auto b = session();
    must(a->run("create table t(id int)"));
    must(a->run("begin"));
    must(a->run("insert into t values (1),(2)"));
    must(a->run("update t set id = 20 where id = 2"));
    EXPECT_EQ(ask(*a, "select id from t order by id"), "1;20");
    EXPECT_EQ(ask(*b, "select count(*) from t"), "0");
    must(a->run("commit"));
    EXPECT_EQ(ask(*b, "select id from t order by id"), "1;20");

    must(a->run("begin"));
    must(a->run("insert into t values (3)"));
    must(a->run("rollback"));
    EXPECT_EQ(ask(*a, "select count(*) from t"), "2");

    must(a->run("begin"));
    EXPECT_EQ(state(*a, "select nope from t"), "!42703");
    EXPECT_EQ(a->transaction_state(), TransactionState::failed);
    EXPECT_EQ(state(*a, "select 1"), "!25P02");
    must(a->run("rollback"));
    EXPECT_EQ(ask(*a, "select 1"), "1");
}

TEST_F(Query, FirstCommitterWins) {
    auto a = session();
    auto b = session();
    must(a->run("create table t as select i as id from range(10) r(i)"));
    must(a->run("begin"));
    must(b->run("begin"));
    must(a->run("update t set id = 100 where id = 1"));
    must(b->run("update t set id = 200 where id = 1"));
    must(a->run("commit"));
    EXPECT_EQ(state(*b, "commit"), "!40001");
    EXPECT_EQ(ask(*a, "select count(*), max(id) from t"), "10,100");
    // Appends rebase.
    must(a->run("begin"));
    must(b->run("begin"));
    must(a->run("insert into t values (11)"));
    must(b->run("insert into t values (12)"));
    must(a->run("commit"));
    must(b->run("commit"));
    EXPECT_EQ(ask(*a, "select count(*) from t"), "12");
}

TEST_F(Query, AllTypes) {
    auto s = session();
    must(
        s->run("create table t(b boolean, i smallint, j int, k bigint, r real, d double precision, "
               "n numeric(10,2), "
               "m numeric(38,4), t text, y bytea, da date, ti time, ts timestamp, tz timestamptz, "
               "u uuid, l int[], "
               "st struct(a int, b varchar), mp map(varchar, int))"));
    must(
        s->run("insert into t values (true, -3, 4, 5000000000, 1.5, -2.25, 12.34, "
               "123456789012345678901234567890.1234, "
               "'tëxt', '\\xAA\\x01'::blob, '2024-02-29', '01:02:03.5', '2024-01-01 00:00:01', "
               "'2024-01-01 00:00:01+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', [1,null,3], "
               "{'a':1,'b':'x'}, "
               "map{'k':7}), "
               "(null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
               "null,null)"));
    EXPECT_EQ(ask(*s, "select * from t where b"),
              "t,-3,4,5000000000,1.5,-2.25,12.34,123456789012345678901234567890.1234,tëxt,\\xaa01,"
              "2024-02-29,01:02:03.5,"
              "2024-01-01 00:00:01,2023-12-31 "
              "22:00:01+00,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,{1,NULL,3},"
              "{\"a\":1,\"b\":\"x\"},{\"k\":7}");
    EXPECT_EQ(ask(*s, "select count(*) from t where st is null and l is null and u is null"), "1");
    EXPECT_EQ(ask(*s, "select st.b, l[3], mp['k'] from t where b"), "x,3,7");
}

TEST_F(Query, SchemaEvolution) {
    auto s = session();
    must(s->run("create table t(a int, b varchar)"));
    must(s->run("insert into t values (1,'x')"));
    must(s->run("alter table t add column c double"));
    must(s->run("alter table t rename column b to bb"));
    must(s->run("alter table t alter column a type bigint"));
    must(s->run("insert into t values (5000000000,'y',2.5)"));
    EXPECT_EQ(ask(*s, "select a, bb, c from t order by a"), "1,x,NULL;5000000000,y,2.5");
    must(s->run("alter table t drop column bb"));
    EXPECT_EQ(ask(*s, "select * from t order by a"), "1,NULL;5000000000,2.5");
}

TEST_F(Query, TimeTravel) {
    auto s = session();
    must(s->run("create table t(a int)"));
    must(s->run("insert into t values (1)"));
    const auto first =
        must(lake_.catalog->snapshot().load_table("main", "t"))->current_snapshot()->snapshot_id;
    must(s->run("insert into t values (2)"));
    EXPECT_EQ(ask(*s, "select count(*) from t"), "2");
    EXPECT_EQ(ask(*s, "select count(*) from t at (version => " + std::to_string(first) + ")"), "1");
}

TEST_F(Query, PartitionedTable) {
    auto s = session();
    must(s->run("create table t(d date, g varchar, v int) partitioned by (month(d), g)"));
    must(
        s->run("insert into t select date '2024-01-01' + (i*20)::int, case when i%3=0 then null "
               "else 'g'||(i%3) end, i "
               "from range(9) r(i)"));
    EXPECT_EQ(ask(*s, "select count(*), sum(v) from t"), "9,36");
    EXPECT_EQ(ask(*s, "select v from t where d >= '2024-05-01' and g = 'g1' order by v"), "7");
    const auto table = must(lake_.catalog->snapshot().load_table("main", "t"));
    EXPECT_GT(must(tables::plan_scan(*lake_.catalog, table)).tasks.size(), 3u);
}

TEST_F(Query, Parameters) {
    auto s = session();
    must(s->run("create table t(id bigint, v varchar)"));
    auto insert = must(s->prepare("insert into t values ($1, $2)", {}));
    EXPECT_EQ(insert->parameters(), (std::vector<Type>{Kind::int64, Kind::text}));
    for (int64_t i = 0; i < 3; ++i)
        must(s->execute(*insert, {Value(i), i == 1 ? Value() : Value("v")}));
    EXPECT_EQ(ask(*s, "select v from t where id = $1", {Value(int64_t{2})}), "v");
    auto select = must(s->prepare("select $1, $2 || 'x'", {Type(Kind::int32)}));
    EXPECT_EQ(select->columns()[0].type, Type(Kind::int32));
    EXPECT_EQ(select->columns()[1].type, Type(Kind::text));
}

TEST_F(Query, ErrorsHaveStateAndPosition) {
    auto s = session();
    must(s->run("create table t(a int)"));
    EXPECT_EQ(state(*s, "selec 1"), "!42601");
    EXPECT_EQ(s->error_position(), 1u);
    EXPECT_EQ(state(*s, "select 'é', nope from t"), "!42703");
    EXPECT_EQ(s->error_position(), 13u);
    EXPECT_EQ(state(*s, "select nofunc(1)"), "!42883");
    EXPECT_EQ(state(*s, "select 'a'::int"), "!22P02");
    EXPECT_EQ(state(*s, "create table t(a int)"), "!42P07");
    EXPECT_EQ(state(*s, "savepoint x"), "!25P01");  // outside of a transaction
    EXPECT_EQ(state(*s, "select * from nodb.x"), "!42P01");
}

TEST_F(Query, CopyInAndOut) {
    auto s = session();
    must(s->run("create table t(id int, v varchar, d double)"));
    auto statement = must(s->prepare("copy t from stdin", {}));
    ASSERT_EQ(statement->command(), Command::copy_in);
    auto in = must(s->copy_in(*statement));
    ASSERT_TRUE(in->push("1\tone\t1.5\n2\t\\N").ok());
    ASSERT_TRUE(in->push("\t\\N\n3\ttab\\there\t-1\n\\.\n").ok());
    EXPECT_EQ(must(in->finish()), 3u);
    EXPECT_EQ(ask(*s, "select * from t order by id"), "1,one,1.5;2,NULL,NULL;3,tab\there,-1");

    statement = must(s->prepare("copy t(v, id) from stdin with (format csv, header true)", {}));
    in = must(s->copy_in(*statement));
    ASSERT_TRUE(in->push("v,id\n\"a \"\"q\"\", b\",7\n,8\n").ok());
    EXPECT_EQ(must(in->finish()), 2u);

    statement = must(s->prepare(
        "copy (select id, v from t where id >= 3 order by id) to stdout (format csv, header)", {}));
    auto out = must(s->copy_out(*statement));
    std::string all;
    while (auto piece = must(out->next())) all += *piece;
    EXPECT_EQ(all, "id,v\n3,tab\there\n7,\"a \"\"q\"\", b\"\n8,\n");

    statement = must(s->prepare("copy t from stdin", {}));
    in = must(s->copy_in(*statement));
    const Status bad = in->push("x\ty\tz\n");
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().reason, "22P02");
    in.reset();
    EXPECT_EQ(ask(*s, "select count(*) from t"), "5");
}

TEST_F(Query, CursorsStreamAndSurviveOtherStatements) {
    auto s = session();
    auto statement = must(s->prepare("select i from range(10000) r(i)", {}));
    auto cursor = must(s->execute(*statement, {}));
    ASSERT_TRUE(must(cursor->next()).has_value());
    EXPECT_EQ(ask(*s, "select 5"), "5");
    size_t rows = 0;
    while (auto chunk = must(cursor->next())) rows += chunk->rows();
    EXPECT_GT(rows, 7000u);
    EXPECT_EQ(cursor->tag(), "SELECT 10000");
    must(s->run("begin"));
    must(s->run("declare c cursor for select i from range(10) r(i)"));
    EXPECT_EQ(ask(*s, "fetch 3 from c"), "0;1;2");
    EXPECT_EQ(ask(*s, "fetch all from c"), "3;4;5;6;7;8;9");
    must(s->run("commit"));
}

TEST_F(Query, CancelAndTimeout) {
    auto s = session();
    must(s->run("set statement_timeout = 100"));
    const std::string endless =
        "select count(*) from range(1000000) a(i), range(1000000) b(j) where (i*j)%7=3";
    EXPECT_EQ(ask(*s, endless), "!57014: canceling statement due to statement timeout");
    must(s->run("set statement_timeout = 0"));
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) s->cancel(), std::this_thread::yield();
    });
    EXPECT_EQ(state(*s, endless), "!57014");
    done = true;
    other.join();
    s->forget_cancel();
    EXPECT_EQ(ask(*s, "select 1"), "1");
    s->cancel();  // of a statement that is about to run
    EXPECT_EQ(state(*s, endless), "!57014");
    s->forget_cancel();
    EXPECT_EQ(ask(*s, "select 1"), "1");
}

TEST_F(Query, RowWriterAndUpsert) {
    auto s = session();
    must(s->run("create table t(id bigint, v varchar, seen timestamptz)"));
    auto writer = must(lake_.engine->write_rows("main", "t", {"v", "id"}));
    Chunk rows;
    rows.columns = {Column(Kind::text), Column(Kind::int64)};
    for (int64_t i = 0; i < 5000; ++i) {
        rows.columns[0].append_text("v" + std::to_string(i));
        rows.columns[1].append_number(i);
    }
    ASSERT_TRUE(writer->append(rows).ok());
    auto files = must(writer->finish());
    ASSERT_EQ(files.size(), 1u);
    EXPECT_EQ(files[0].record_count, 5000);
    EXPECT_FALSE(files[0].lower_bounds.empty());
    must(lake_.committer->commit(caller("root"),
                                 {tables::TableChange::append_to(writer->table(), files)}));
    EXPECT_EQ(ask(*s, "select count(*), min(v), count(seen) from t"), "5000,v0,0");

    Chunk changed;
    changed.columns = {Column(Kind::int64), Column(Kind::text)};
    for (const auto& [id, v] :
         std::vector<std::pair<int64_t, std::string>>{{7, "old"}, {7, "new"}, {9000, "added"}}) {
        changed.columns[0].append_number(id);
        changed.columns[1].append_text(v);
    }
    auto change = must(lake_.engine->upsert("main", "t", {"id"}, changed, {"id", "v"}));
    std::vector<tables::TableChange> changes;
    changes.push_back(std::move(change));
    must(lake_.committer->commit(caller("root"), std::move(changes)));
    EXPECT_EQ(ask(*s, "select count(*) from t"), "5001");
    EXPECT_EQ(ask(*s, "select id, v from t where id in (7, 9000) order by id"), "7,new;9000,added");
}

TEST_F(Query, AnUpsertOpensOnlyFilesThatMayHoldItsKeys) {
    auto s = session();
    must(s->run("create table t(shelf varchar, seq bigint, seen timestamptz, v int)"));
    for (int i = 0; i < 3; ++i)
        must(
            s->run(fmt::format("insert into t select 's'||(i%10), i, to_timestamp(i), 0 from "
                               "range({},{}) r(i)",
                               i * 1000, i * 1000 + 1000)));
    const auto table = must(lake_.catalog->snapshot().load_table("main", "t"));
    const auto tasks = must(tables::plan_scan(*lake_.catalog, table)).tasks;
    ASSERT_EQ(tasks.size(), 3u);
    ASSERT_TRUE(lake_.files->remove({tasks[0].file->path}).ok());  // whoever opens it fails

    const auto change = [&](int64_t from) {
        Chunk rows;
        rows.columns = {Column(Kind::text), Column(Kind::int64), Column(Kind::timestamptz),
                        Column(Kind::int32)};
        for (int64_t seq = from; seq < from + 10; ++seq) {
            rows.columns[0].append_text("s" + std::to_string(seq % 10));
            rows.columns[1].append_number(seq);
            rows.columns[2].append_number(seq * 1'000'000);
            rows.columns[3].append_number(1);
        }
        return lake_.engine->upsert("main", "t", {"shelf", "seq", "seen"}, rows);
    };
    EXPECT_FALSE(change(995).ok());
    EXPECT_EQ(must(change(2990)).position_deletes.size(), 1u);
    EXPECT_TRUE(must(change(3000)).position_deletes.empty());
    std::vector<tables::TableChange> changes;
    changes.push_back(must(change(2995)));
    must(lake_.committer->commit(caller("root"), std::move(changes)));
    EXPECT_EQ(ask(*s, "select count(*), sum(v) from t where seq >= 2000"), "1005,10");
}

TEST_F(Query, Compaction) {
    auto s = session();
    must(s->run("create table t(id int)"));
    for (int i = 0; i < 6; ++i) must(s->run("insert into t values (" + std::to_string(i) + ")"));
    must(s->run("delete from t where id = 3"));
    const auto table = must(lake_.catalog->snapshot().load_table("main", "t"));
    tables::CompactionOptions options;
    options.files_min = 2;
    const auto report = must(tables::compact(
        *lake_.catalog, *lake_.committer, caller("root"), table,
        [&](const tables::CompactionGroup& group) { return lake_.engine->rewrite(group); },
        options));
    EXPECT_EQ(report.groups, 1u);
    EXPECT_EQ(ask(*s, "select id from t order by id"), "0;1;2;4;5");
    EXPECT_EQ(must(tables::plan_scan(*lake_.catalog,
                                     must(lake_.catalog->snapshot().load_table("main", "t"))))
                  .tasks.size(),
              1u);
}

TEST_F(Query, BoundsPrune) {
    auto s = session();
    must(s->run("create table t(id int)"));
    for (int i = 0; i < 4; ++i)
        must(s->run("insert into t select i from range(" + std::to_string(i * 100) + "," +
                    std::to_string(i * 100 + 100) + ") r(i)"));
    const std::string plan = ask(*s, "explain analyze select count(*) from t where id = 150");
    EXPECT_THAT(plan, ::testing::HasSubstr("Total Files Read: 1"));
    EXPECT_EQ(ask(*s, "select count(*) from t where id between 150 and 250"), "101");
}

TEST_F(Query, CatalogsAsToolsReadThem) {
    auto s = session();
    must(s->run("create table t(a bigint not null, b numeric(10,2), c text)"));
    must(s->run("create view w as select a from t"));
    EXPECT_EQ(ask(*s,
                  "select n.nspname, c.relname, c.relkind from pg_catalog.pg_class c left join "
                  "pg_catalog.pg_namespace n "
                  "on n.oid = c.relnamespace where c.relkind in ('r','v') and "
                  "pg_catalog.pg_table_is_visible(c.oid) "
                  "and n.nspname !~ '^pg_toast' order by 1,2"),
              "main,t,r;main,w,v");
    EXPECT_EQ(
        ask(*s,
            "select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull from "
            "pg_catalog.pg_attribute a where a.attrelid = 't'::regclass and a.attnum > 0 order by "
            "a.attnum"),
        "a,bigint,t;b,numeric(10,2),f;c,text,f");
    EXPECT_EQ(ask(*s, "select table_name, table_type from information_schema.tables order by 1"),
              "t,BASE TABLE;w,VIEW");
    EXPECT_EQ(ask(*s,
                  "select column_name, data_type, is_nullable from information_schema.columns "
                  "where table_name = 't' "
                  "order by ordinal_position"),
              "a,bigint,NO;b,numeric,YES;c,text,YES");
    EXPECT_EQ(ask(*s, "select current_user, current_database(), current_schema()"),
              "root,lake,main");
    EXPECT_EQ(ask(*s, "select typname from pg_type where oid = 1700"), "numeric");
    EXPECT_THAT(ask(*s, "select pg_catalog.version()"), ::testing::StartsWith("PostgreSQL 15"));
    EXPECT_EQ(ask(*s, "show server_version"), "15.0");
    auto other = session("ana");
    EXPECT_EQ(ask(*other, "select count(*) from pg_class"), "0");
    EXPECT_EQ(ask(*other, "select count(*) from information_schema.columns"), "0");
}

TEST_F(Query, PsqlDescribes) {
    auto s = session();
    must(s->run("create table t(a bigint not null, b text)"));
    // What psql 15 sends for \\d, \\dt, \\dn, \\l, \\du, \\df.
    for (const char* sql : {
             "SELECT n.nspname as \"Schema\", c.relname as \"Name\", CASE c.relkind WHEN 'r' THEN "
             "'table' WHEN 'v' THEN 'view' "
             "END as \"Type\", pg_catalog.pg_get_userbyid(c.relowner) as \"Owner\" FROM "
             "pg_catalog.pg_class c LEFT JOIN "
             "pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_am am ON "
             "am.oid = c.relam WHERE "
             "c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND "
             "n.nspname !~ '^pg_toast' AND "
             "n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY "
             "1,2",
             "SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN "
             "pg_catalog.pg_namespace n ON n.oid = "
             "c.relnamespace WHERE c.relname OPERATOR(pg_catalog.~) '^(t)$' COLLATE "
             "pg_catalog.default AND "
             "pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3",
             "SELECT c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, "
             "c.relrowsecurity, "
             "c.relforcerowsecurity, false AS relhasoids, c.relispartition, '', c.reltablespace, "
             "CASE WHEN c.reloftype = 0 THEN "
             "'' ELSE c.reloftype::pg_catalog.regtype::pg_catalog.text END, c.relpersistence, "
             "c.relreplident, am.amname FROM "
             "pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class tc ON (c.reltoastrelid = tc.oid) "
             "LEFT JOIN pg_catalog.pg_am am "
             "ON (c.relam = am.oid) WHERE c.oid = '16385'",
             "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), (SELECT "
             "pg_catalog.pg_get_expr(d.adbin, "
             "d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND "
             "d.adnum = a.attnum AND a.atthasdef), "
             "a.attnotnull, (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type "
             "t WHERE c.oid = a.attcollation "
             "AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation, "
             "a.attidentity, a.attgenerated FROM "
             "pg_catalog.pg_attribute a WHERE a.attrelid = '16385' AND a.attnum > 0 AND NOT "
             "a.attisdropped ORDER BY a.attnum",
             "SELECT n.nspname AS \"Name\", pg_catalog.pg_get_userbyid(n.nspowner) AS \"Owner\" "
             "FROM pg_catalog.pg_namespace n "
             "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1",
             "SELECT d.datname as \"Name\", pg_catalog.pg_get_userbyid(d.datdba) as \"Owner\", "
             "pg_catalog.pg_encoding_to_char(d.encoding) as \"Encoding\", d.datcollate, d.datctype "
             "FROM pg_catalog.pg_database d "
             "ORDER BY 1",
             "SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c, pg_catalog.pg_inherits "
             "i WHERE c.oid = i.inhparent AND "
             "i.inhrelid = '16385' AND c.relkind != 'p' AND c.relkind != 'I' ORDER BY inhseqno",
         })
        EXPECT_NE(ask(*s, sql).substr(0, 1), "!") << sql << " -> " << ask(*s, sql);
}

class Governed : public Query {
 protected:
    Governed() {
        root_ = session();
        must(
            root_->run("create table t as select i::bigint as id, (case when i%100=7 then 2 else 1 "
                       "end)::int as g, "
                       "(case when i%100=7 then '(SECRET'||i else (2000+i%20)::varchar end) as v, "
                       "'HIDDEN'||i as h "
                       "from range(20000) r(i)"));
        must(root_->run("create table other(x int)"));
        TableAccess access;
        access.read = {ReadGrant{false, {"id", "g", "v"}, "g = 1", {}}};
        grants_.tables["main.t"] = access;
        user_ = session("ana");
    }
    std::unique_ptr<Session> root_;
    std::unique_ptr<Session> user_;
};

TEST_F(Governed, SeesItsRowsAndColumns) {
    EXPECT_EQ(ask(*user_, "select count(*) from t"), "19800");
    EXPECT_EQ(ask(*user_, "select * from t order by id limit 1"), "0,1,2000");
    EXPECT_EQ(ask(*user_, "select t.id, main.t.g, lake.main.t.v, t.* from t where id = 5"),
              "5,1,2005,5,1,2005");
    EXPECT_EQ(state(*user_, "select h from t"), "!42703");
    EXPECT_EQ(state(*user_, "select * from other"), "!42P01");
    EXPECT_EQ(ask(*user_, "select count(*) from t a join t b using (id) where b.g = 2"), "0");
    EXPECT_EQ(ask(*user_, "with x as (select * from t) select max(v) from x"), "2019");
    EXPECT_EQ(state(*user_, "explain analyze select * from t"), "!42501");
    const std::string plan = ask(*user_, "explain select * from t where id > 7");
    EXPECT_NE(plan.find("POLICY"), std::string::npos) << plan;
    EXPECT_EQ(plan.find("SCAN"), std::string::npos) << plan;
    EXPECT_EQ(state(*user_, "delete from t"), "!42501");
    EXPECT_EQ(state(*user_, "update t set v = 'x'"), "!42501");
    EXPECT_EQ(state(*user_, "insert into t values (1,1,'x')"), "!42501");
    EXPECT_EQ(state(*user_, "drop table t"), "!42501");
    EXPECT_EQ(state(*user_, "create table mine(x int)"), "!42501");
    EXPECT_EQ(state(*user_, "select _file from t"), "!42703");
}

TEST_F(Governed, ProbesTellNothing) {
    const std::vector<std::string> filters = {"g = 1", "g <> 2", "g in (1)", "not (g = 2)",
                                              "g = 1 and v not like '(%'"};
    const std::vector<std::string> probes = {
        "select v from t where v like '(SECRET%'",
        "select count(*) from t where len([v]::int[]) > 0",
        "select count(*) from t where v::int > 0",
        "select max(v::int) from t",
        "select sum(cast(v as decimal(10,2))) from t",
        "select count(*) from t where ({'a': v}::struct(a int)).a > 0",
        "select count(*) from t where map{'k': v}::map(varchar,int)['k'] > 0",
        "select list_transform([v], lambda x: x::int) from t order by id limit 1",
        "select count(*) from t where list_sum(list_transform([v], lambda x: x::int)) > 0",
        "select count(*) from t where list_filter([v], lambda x: x::int > 0) is not null",
        "select min(v), max(v) from t",
        "select v from t order by v limit 1",
        "select first(v order by id desc) from t",
        "select string_agg(v, ',') from t where g = 2",
        "select count(*) from t where g = 2",
        "select distinct g from t",
        "select a.v from t a where exists (select 1 from t b where b.g = 2 and b.id = a.id)",
        "select (select max(v) from t b where b.g = 2)",
        "select v from t where id = 7",
        "select v from t where id in (select id from t where g = 2)",
        "select * from t where id = 7",
        "select t from t where id = 107",
        "select v from (select * from t union all select * from t) where g = 2",
        "select max(v) over (order by id desc) from t limit 1",
        "select count(*) from t a, t b where a.id = 7 and b.id = 107",
        "select count(*) from t a left join t b on b.id = 7 where b.id is not null",
        "select count(*) from t a, lateral (select b.v from t b where b.id = a.id + 7 and b.g = 2) "
        "x",
        "with recursive r as (select id, v from t where id = 7 union select t.id, t.v from t join "
        "r on t.id = r.id + 100) "
        "select count(*) from r",
        "pivot t on g using count(*)",
        "select * from t where regexp_matches(v, 'SECRET')",
        "select count(*) from t where 1/(case when v like '(%' then 0 else 1 end) = 1",
        "select count(*) from t where strptime(case when v like '(%' then v else '2020' end, '%Y') "
        "is not null",
        "select approx_quantile(g, 1.0) from t",
        "select histogram(g) from t",
        "select summary from (select mode(g) as summary from t)",
        "summarize t",
        "describe t",
        "select columns('h.*') from t",
        "select columns(*) from t where id = 7",
        "select t.h from t",
        "select h from t",
        "select * exclude (id) from t where id = 107",
        "select * replace (h as v) from t",
        "select count(h) from t",
        "select id from t order by h limit 1",
        "select id from t group by id, h",
        "select u.h from t as u",
        "select x.d from t as x(a,b,c,d)",
        "select hash(t) from t where g = 2",
        "select to_json(t) from t where id = 7",
        "select count(*) from t where v[1:1] = '('",
        "select count(*) from t using sample 50% where g = 2",
        "select stats(v) from t limit 1",
        "from t where g = 2 select v",
        "select json_each.value from t, json_each(to_json([v])) where g = 2",
    };
    for (const auto& filter : filters) {
        grants_.tables["main.t"].read[0].row_filter = filter;
        for (const auto& probe : probes) {
            const std::string answer = ask(*user_, probe);
            EXPECT_THAT(answer, ::testing::Not(::testing::HasSubstr("SECRET")))
                << filter << " | " << probe;
            EXPECT_THAT(answer, ::testing::Not(::testing::HasSubstr("HIDDEN")))
                << filter << " | " << probe;
            EXPECT_THAT(answer, ::testing::Not(::testing::HasSubstr("\"h\":")))
                << filter << " | " << probe;
        }
        EXPECT_EQ(ask(*user_, "select count(*) from t where g = 2"), "0") << filter;
    }
}

TEST_F(Governed, MasksAndAttributesAndSeveralGrants) {
    auto& access = grants_.tables["main.t"];
    access.read = {ReadGrant{false, {"id", "v"}, "", {{"v", "md5(t.v)"}}}};
    EXPECT_EQ(ask(*user_, "select v from t where id = 7"),
              ask(*root_, "select md5(v) from t where id = 7"));
    EXPECT_EQ(ask(*user_, "select count(*) from t where v like '(SECRET%'"), "0");
    access.read = {ReadGrant{false, {"id", "v"}, "id < 10", {}},
                   ReadGrant{false, {"id", "g"}, "id < 20", {}}};
    EXPECT_EQ(ask(*user_, "select id, g, v from t where id in (5, 15, 25) order by id"),
              "5,1,2005;15,1,NULL");
    access.read = {ReadGrant{true, {}, "v = user.code", {}}};
    EXPECT_EQ(ask(*user_, "select count(*) from t"), "0");
    auto who = caller("ana");
    who.principal.attributes["code"] = "2005";
    auto with_code = must(lake_.engine->connect(who));
    EXPECT_EQ(ask(*with_code, "select distinct v from t"), "2005");
    who.principal.attributes["code"] = "x' or true or 'a' = 'a";
    auto inject = must(lake_.engine->connect(who));
    EXPECT_EQ(ask(*inject, "select count(*) from t"), "0");
}

TEST_F(Governed, CatalogsObeyThePolicy) {
    EXPECT_EQ(
        ask(*user_, "select column_name from information_schema.columns order by ordinal_position"),
        "id;g;v");
    EXPECT_EQ(ask(*user_, "select attname from pg_attribute where attnum > 0 order by attnum"),
              "id;g;v");
    EXPECT_EQ(ask(*user_, "select relname from pg_class"), "t");
    EXPECT_EQ(ask(*user_, "select column_name from (describe t)"), "id;g;v");
    grants_.tables["main.t"].read.clear();
    EXPECT_EQ(ask(*user_, "select count(*) from pg_class"), "0");
    EXPECT_EQ(state(*user_, "select * from t"), "!42P01");
}

TEST_F(Governed, MayInsertWithoutSeeing) {
    TableAccess access;
    access.insert = true;
    grants_.tables["main.t"] = access;
    EXPECT_EQ(must(user_->run("insert into t values (-1, 1, 'x', 'y')")), 1u);
    EXPECT_EQ(ask(*user_, "select count(*) from t"), "0");
    EXPECT_EQ(ask(*root_, "select v, h from t where id = -1"), "x,y");
}

TEST_F(Governed, ViewsRunWithTheCallersRights) {
    must(root_->run("create view w as select id, v from t"));
    must(root_->run("create view wh as select id, h from t"));
    TableAccess seen;
    seen.read = {ReadGrant{true, {}, "", {}}};
    grants_.tables["main.w"] = seen;
    grants_.tables["main.wh"] = seen;
    EXPECT_EQ(ask(*root_, "select count(*) from w"), "20000");
    EXPECT_EQ(ask(*user_, "select count(*) from w"), "19800");
    EXPECT_EQ(ask(*user_, "select * from wh").substr(0, 1), "!");
}

TEST_F(Query, NothingReachesOutOfTheLake) {
    auto s = session();
    must(s->run("create table t(a int)"));
    must(s->run("insert into t values (1)"));
    for (const char* sql : {"select * from read_csv('/etc/passwd')",
                            "select * from '/etc/passwd'",
                            "select * from read_text('/etc/hostname')",
                            "select * from glob('/*')",
                            "select * from read_parquet('s3://lake/x.parquet')",
                            "select * from parquet_scan('s3://lake/x.parquet')",
                            "select * from read_json('/etc/passwd')",
                            "select * from read_blob('/etc/passwd')",
                            "select * from sniff_csv('/etc/passwd')",
                            "select * from parquet_metadata('s3://lake/x')",
                            "select * from query('select 1')",
                            "select * from query_table('t')",
                            "select getenv('HOME')",
                            "select current_setting('temp_directory')",
                            "select * from duckdb_settings()",
                            "select * from duckdb_tables()",
                            "select * from duckdb_secrets()",
                            "select * from duckdb_functions()",
                            "select * from duckdb_databases()",
                            "select * from duckdb_logs",
                            "select * from pragma_database_list()",
                            "select * from pragma_storage_info('t')",
                            "select * from duckdb_external_file_cache()",
                            "select * from duckdb_temporary_files()",
                            "select stats(1)",
                            "select write_log('x')",
                            "copy t to '/tmp/x.csv'",
                            "copy t from '/etc/passwd'",
                            "copy (select 1) to 's3://lake/x.parquet'",
                            "attach ':memory:' as x",
                            "attach '/tmp/x.db'",
                            "detach lake",
                            "install httpfs",
                            "load httpfs",
                            "pragma threads=1",
                            "pragma disable_optimizer",
                            "pragma database_list",
                            "set threads=1",
                            "set enable_external_access=true",
                            "set memory_limit='1TB'",
                            "reset threads",
                            "create macro m(x) as x",
                            "create temp macro md5(x) as x",
                            "create function f(x) as x",
                            "create table memory.main.x as select 1",
                            "create secret s (type s3)",
                            "create type e as enum ('a')",
                            "export database '/tmp/x'",
                            "import database '/tmp/x'",
                            "call pragma_version()",
                            "checkpoint",
                            "use memory",
                            "execute x",
                            "prepare x as create table u (a int)",
                            "explain analyze insert into t values (2)",
                            "explain copy t to '/tmp/x.csv'",
                            "select * from test_all_types()",
                            "select * from read_duckdb('x.db')",
                            "select * from system.main.duckdb_tables",
                            "select * from memory.information_schema.tables",
                            "select nextval('q')",
                            "select getvariable('x')",
                            "call enable_logging()",
                            "drop table memory.main.x",
                            "update extensions",
                            "select * from json_execute_serialized_sql('{}')"})
        EXPECT_EQ(ask(*s, sql).substr(0, 1), "!") << sql;
}

}  // namespace
}  // namespace tarn::query
