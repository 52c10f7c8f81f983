// What a session keeps for itself: settings and temporary tables; and statements that PostgreSQL's
// clients expect: DROP SCHEMA CASCADE, INSERT ... ON CONFLICT.
#include <gtest/gtest.h>

#include "query/test_lake.h"

namespace tarn::query {
namespace {

class SessionTest : public ::testing::Test {
 protected:
    std::unique_ptr<Session> session(const std::string& name = "root") {
        auto caller = test_caller(name, name == "root" ? security::Principal::Kind::root
                                                       : security::Principal::Kind::user);
        return must(lake_.engine->connect(std::move(caller)));
    }
    /// The rows as "a,b;c,d", or "!sqlstate".
    static std::string ask(Session& session, const std::string& sql) {
        const auto rows = session.query(sql);
        return rows.ok() ? text_of(*rows) : "!" + rows.error().reason;
    }
    SystemClock clock_;
    TestGrants grants_;
    TestFolder folder_{"session"};
    TestLake lake_{folder_.path(), clock_, {.access = &grants_}};
};

TEST_F(SessionTest, SetLocalEndsWithTheTransaction) {
    auto s = session();
    must(s->run("set my.key = 'session'"));
    must(s->run("begin"));
    must(s->run("set local my.key = 'local'"));
    must(s->run("set local statement_timeout = '7s'"));
    EXPECT_EQ(ask(*s, "select current_setting('my.key')"), "local");
    EXPECT_EQ(s->setting("statement_timeout"), "7000ms");
    must(s->run("commit"));
    EXPECT_EQ(ask(*s, "select current_setting('my.key')"), "session");
    EXPECT_EQ(s->setting("statement_timeout"), "0");

    must(s->run("begin"));
    must(s->run("set local my.key = 'local'"));
    must(s->run("set my.key = 'lasting'"));
    must(s->run("set local my.key = 'local'"));
    must(s->run("set local my.key to default"));
    EXPECT_EQ(s->setting("my.key"), std::nullopt);
    must(s->run("commit"));
    EXPECT_EQ(s->setting("my.key"), "lasting");
}

TEST_F(SessionTest, SetLocalOutsideOfATransactionDoesNothingAndSaysSo) {
    auto s = session();
    must(s->run("set local my.key = 'x'"));
    EXPECT_EQ(s->take_notices(),
              std::vector<std::string>{"SET LOCAL can only be used in transaction blocks"});
    EXPECT_EQ(s->setting("my.key"), std::nullopt);
    EXPECT_EQ(ask(*s, "set local nonsense = 1"), "!42704");
    EXPECT_EQ(ask(*s, "select set_config('my.key', 'x', true)"), "x");
    EXPECT_EQ(ask(*s, "select current_setting('my.key', true)"), "NULL");
}

TEST_F(SessionTest, RollbackTakesSettingsBack) {
    auto s = session();
    must(s->run("create schema desk"));
    must(s->run("create table desk.here as select 1 as x"));
    must(s->run("begin"));
    must(s->run("set search_path = desk"));
    EXPECT_EQ(ask(*s, "select x from here"), "1");
    must(s->run("savepoint one"));
    must(s->run("set my.key = 'x'"));
    must(s->run("set local search_path = main"));
    EXPECT_EQ(ask(*s, "select x from here"), "!42P01");
    must(s->run("rollback to one"));
    EXPECT_EQ(s->setting("my.key"), std::nullopt);
    EXPECT_EQ(ask(*s, "select x from here"), "1");
    EXPECT_EQ(ask(*s, "select set_config('my.key', 'y', true)"), "y");
    must(s->run("rollback"));
    EXPECT_EQ(s->setting("search_path"), "main");
    EXPECT_EQ(ask(*s, "select x from here"), "!42P01");
    EXPECT_EQ(s->setting("my.key"), std::nullopt);

    must(s->run("begin"));
    must(s->run("set search_path = desk"));
    EXPECT_EQ(ask(*s, "select 1/0"), "!22012");
    must(s->run("commit"));  // of a failed transaction: a rollback
    EXPECT_EQ(s->setting("search_path"), "main");
}

TEST_F(SessionTest, ALongSearchPathIsSearchedInItsOrder) {
    auto s = session();
    const std::string first = std::string(40, 'a'), second = std::string(40, 'b');
    for (const auto& schema : {first, second}) must(s->run("create schema " + schema));
    must(s->run("create table " + second + ".here as select 2 as x"));
    must(s->run("set search_path = " + first + ", " + second));
    EXPECT_EQ(ask(*s, "select x from here"), "2");
    must(s->run("create table here as select 1 as x"));
    EXPECT_EQ(ask(*s, "select x from here"), "1");
    EXPECT_EQ(ask(*s, "select x from " + first + ".here"), "1");
    must(s->run("set search_path = " + second + ", " + first));
    EXPECT_EQ(ask(*s, "select x from here"), "2");
}

TEST_F(SessionTest, DiscardAllForgetsAndDeallocateDoesNot) {
    auto s = session();
    must(s->run("set statement_timeout = '7s'"));
    must(s->run("create temp table t as select 1 as x"));
    must(s->run("deallocate all"));
    EXPECT_EQ(s->setting("statement_timeout"), "7000ms");
    EXPECT_EQ(ask(*s, "select x from t"), "1");
    must(s->run("begin"));
    EXPECT_EQ(ask(*s, "discard all"), "!25001");
    must(s->run("rollback"));
    must(s->run("discard all"));
    EXPECT_EQ(s->setting("statement_timeout"), "0");
    EXPECT_EQ(ask(*s, "select x from t"), "!42P01");
}

TEST_F(SessionTest, DropSchemaCascade) {
    auto s = session();
    must(s->run("create schema shop"));
    must(s->run("create table shop.a as select 1 as x"));
    must(s->run("create table shop.b as select 2 as x"));
    must(s->run("create view shop.v as select x from shop.a"));
    EXPECT_EQ(ask(*s, "drop schema shop"), "!2BP01");
    EXPECT_EQ(ask(*session("bob"), "drop schema shop cascade"), "!42501");
    must(s->run("begin"));
    must(s->run("drop schema shop cascade"));
    EXPECT_EQ(ask(*session(), "select x from shop.a"), "1");
    EXPECT_EQ(ask(*s, "select x from shop.a").substr(0, 1), "!");
    must(s->run("rollback"));
    EXPECT_EQ(ask(*s, "select x from shop.b"), "2");

    // A table that somebody adds meanwhile is not lost.
    must(s->run("begin"));
    must(s->run("drop schema shop cascade"));
    must(session()->run("create table shop.between as select 3 as x"));
    EXPECT_EQ(ask(*s, "commit"), "!40001");
    EXPECT_EQ(ask(*s, "select a.x, m.x from shop.a a, shop.between m"), "1,3");

    must(s->run("begin"));
    must(s->run("drop table shop.between"));
    must(s->run("create table shop.own as select 4 as x"));
    must(s->run("drop schema shop cascade"));
    must(s->run("commit"));
    EXPECT_EQ(ask(*s, "select x from shop.a").substr(0, 1), "!");
    EXPECT_EQ(ask(*s, "drop schema shop cascade"), "!3F000");
    must(s->run("create schema shop"));
    EXPECT_EQ(ask(*s,
                  "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace "
                  "where nspname = 'shop'"),
              "0");
}

TEST_F(SessionTest, TemporaryTables) {
    auto s = session();
    auto other = session();
    must(s->run("create table t as select 'lake' as x"));
    must(s->run("create temp table t (id int primary key, x text default 'd', check (id < 100))"));
    EXPECT_EQ(must(s->run("insert into t (id) values (1), (2)")), 2u);
    must(s->run("insert into t select 3, x from main.t"));
    EXPECT_EQ(must(s->run("update t set x = 'u' where t.id = 2")), 1u);
    EXPECT_EQ(must(s->run("delete from t where id = 1")), 1u);
    EXPECT_EQ(ask(*s, "select id, t.x from t order by id"), "2,u;3,lake");
    EXPECT_EQ(ask(*s, "select x from pg_temp.t where id = 2"), "u");
    EXPECT_EQ(ask(*s, "with a as (select * from t) select count(*) from a join a b on a.id = b.id"),
              "2");
    EXPECT_EQ(ask(*s, "with t as (select 9 as id) select id from t"), "9");
    EXPECT_EQ(ask(*s, "select x from main.t"), "lake");
    EXPECT_EQ(ask(*s, "insert into t (id) values (2)"), "!23505");
    EXPECT_EQ(ask(*s, "insert into t (id) values (200)"), "!23514");
    EXPECT_EQ(
        ask(*s, "insert into t values (2, 'again') on conflict (id) do update set x = excluded.x"),
        "");
    EXPECT_EQ(ask(*s, "insert into t (id) values (4) returning id, x"), "4,d");
    EXPECT_EQ(ask(*s,
                  "merge into t using (values (4, 'm')) as s(id, x) on t.id = s.id when matched "
                  "then update set x = s.x"),
              "");
    EXPECT_EQ(ask(*s, "select x from t where id in (2, 4) order by id"), "again;m");
    EXPECT_EQ(ask(*other, "select x from t"), "lake");
    EXPECT_EQ(ask(*other, "select x from pg_temp.t"), "!42P01");
    EXPECT_EQ(ask(*s, "select count(*) from pg_class where relname like '%t' and relnamespace = 0"),
              "0");
    must(s->run("alter table t add column more int"));
    must(s->run("truncate t"));
    must(s->run("alter table t rename to u"));
    EXPECT_EQ(ask(*s, "select count(more) from u"), "0");
    EXPECT_EQ(ask(*s, "select x from t"), "lake");
    must(s->run("drop table u"));
    EXPECT_EQ(ask(*s, "select * from u"), "!42P01");
    EXPECT_EQ(ask(*s, "select x from t"), "lake");
}

TEST_F(SessionTest, TemporaryTablesInTransactions) {
    auto s = session();
    must(s->run("create table t as select 1 as x"));
    must(s->run("begin"));
    must(s->run("create temp table gone as select 1 as x"));
    EXPECT_EQ(ask(*s, "select x from gone"), "1");
    must(s->run("rollback"));
    EXPECT_EQ(ask(*s, "select x from gone"), "!42P01");

    must(s->run("begin"));
    must(s->run("create temp table d (x int) on commit drop"));
    must(s->run("create temporary table r on commit delete rows as select 2 as x"));
    must(s->run("create local temp table p on commit preserve rows as select 3 as x"));
    EXPECT_EQ(ask(*s, "select r.x, p.x from r, p"), "2,3");
    must(s->run("commit"));
    EXPECT_EQ(ask(*s, "select x from d"), "!42P01");
    EXPECT_EQ(ask(*s, "select count(*) from r"), "0");
    must(s->run("insert into r values (1)"));  // a transaction by itself
    EXPECT_EQ(ask(*s, "select count(*) from r"), "0");
    EXPECT_EQ(ask(*s, "select x from p"), "3");

    // What the lake refuses at COMMIT is not left in temporary tables either.
    must(s->run("begin"));
    must(s->run("update t set x = 2"));
    must(s->run("insert into p values (4)"));
    must(session()->run("update t set x = 3"));
    EXPECT_EQ(ask(*s, "commit"), "!40001");
    EXPECT_EQ(ask(*s, "select x from p"), "3");

    must(s->run("begin"));
    must(s->run("savepoint a"));
    must(s->run("insert into p values (5)"));
    EXPECT_EQ(ask(*s, "rollback to a"), "");
    EXPECT_EQ(ask(*s, "select x from p"), "3");
    must(s->run("insert into p values (6)"));
    must(s->run("savepoint b"));
    must(s->run("drop table p"));
    EXPECT_EQ(ask(*s, "rollback to b"), "");
    EXPECT_EQ(ask(*s, "select x from p order by x"), "3;6");
    must(s->run("rollback"));
    EXPECT_EQ(ask(*s, "select x from p"), "3");
    must(s->run("discard temp"));
    EXPECT_EQ(ask(*s, "select x from p"), "!42P01");
}

TEST_F(SessionTest, TemporaryTablesStayWhereTheyAre) {
    auto s = session();
    must(s->run("create table t as select 1 as x"));
    must(s->run("create view v as select x from t"));
    must(s->run("create temp table t as select 2 as x"));
    EXPECT_EQ(ask(*s, "select x from v"), "1");  // a view means what it meant
    EXPECT_EQ(ask(*s, "create view w as select x from t"), "");
    EXPECT_EQ(ask(*s, "select x from w"), "2");
    EXPECT_EQ(ask(*session(), "select x from w"), "!42P01");
    EXPECT_EQ(ask(*s, "drop view w"), "");
    EXPECT_EQ(ask(*s, "create temp table main.u (x int)"), "!42P16");
    EXPECT_EQ(ask(*s, "create temp table u (x int references t (x))"), "!0A000");
    EXPECT_EQ(ask(*s, "alter table t rename to \"pg_temp.v\""), "");
    EXPECT_EQ(ask(*s, "select x from pg_temp.v"), "2");
    EXPECT_EQ(ask(*s, "select x from v"), "2");
    must(s->run("drop table v"));
    EXPECT_EQ(ask(*s, "select x from v"), "1");
    for (size_t i = 0; i < 256; ++i)
        must(s->run("create temp table n" + std::to_string(i) + " (x int)"));
    EXPECT_EQ(ask(*s, "create temp table more (x int)"), "!54000");
}

TEST_F(SessionTest, APolicyNeverMeetsATemporaryTable) {
    auto root = session();
    must(root->run("create table regions as select 'north' as region, true as open"));
    must(root->run(
        "create table orders as select * from (values ('north', 1), ('south', 2)) t(region, n)"));
    TableAccess access;
    access.read.push_back({true, {}, "region in (select region from regions where open)", {}});
    grants_.tables["main.orders"] = access;
    auto bob = session("bob");
    EXPECT_EQ(ask(*bob, "select n from orders"), "1");
    for (const char* name : {"regions", "\"pg_temp.regions\"", "pg_temp.regions"}) {
        must(bob->run(std::string("create temp table ") + name +
                      " as select 'south' as region, true as open"));
        EXPECT_EQ(ask(*bob, "select n from orders"), "1");
        EXPECT_EQ(ask(*bob, "create temp table mine as select n from orders"), "");
        EXPECT_EQ(ask(*bob, "select n from mine"), "1");
        must(bob->run("discard all"));
        must(bob->run(std::string("create temp view ") + name +
                      " as select 'south' as region, true as open"));
        EXPECT_EQ(ask(*bob, "create temp view mine as select n from orders"), "");
        EXPECT_EQ(ask(*bob, "select n from mine"), "1");
        must(bob->run("discard all"));
    }
    must(bob->run("create temp table mine (region text, open boolean)"));
    for (const char* statement :
         {"alter table mine rename to regions", "alter table \"pg_temp.regions\" rename to regions",
          "alter table temp.\"pg_temp.regions\" rename to regions"}) {
        ask(*bob, statement);
        ask(*bob, "insert into regions values ('south', true)");
        EXPECT_EQ(ask(*bob, "select n from orders"), "1");
    }
    EXPECT_EQ(ask(*bob, "update orders set n = 3"), "!42501");
    EXPECT_EQ(ask(*bob, "create table temp.regions as select 'south' as region, true as open")
                  .substr(0, 1),
              "!");
    EXPECT_EQ(ask(*bob, "create view temp.regions as select 'south' as region, true as open")
                  .substr(0, 1),
              "!");
    EXPECT_EQ(ask(*bob, "select n from orders"), "1");
}

TEST_F(SessionTest, CopyIntoATemporaryTable) {
    auto s = session();
    must(s->run("create table t (id int, v text)"));
    must(s->run("create temp table t (id smallint, v text default 'd', n int default 7)"));
    auto statement = must(s->prepare("copy t (id, v) from stdin", {}));
    auto copy = must(s->copy_in(*statement));
    must(copy->push("1\ta\n2\t\\N\n"));
    EXPECT_EQ(must(copy->finish()), 2u);
    EXPECT_EQ(ask(*s, "select id, v, n from t order by id"), "1,a,7;2,NULL,7");
    EXPECT_EQ(ask(*s, "select count(*) from main.t"), "0");
    copy = must(s->copy_in(*statement));
    EXPECT_FALSE(copy->push("1000000\ta\n").ok() && copy->finish().ok());
    EXPECT_EQ(ask(*s, "select count(*) from t"), "2");
}

TEST_F(SessionTest, OnConflict) {
    auto s = session();
    EXPECT_EQ(ask(*s, "create table t (id double primary key not enforced)"), "!42P16");
    must(s->run("create table t (id bigint primary key not enforced, v text, n int)"));
    EXPECT_EQ(ask(*s, "insert into t (v) values ('no key')"), "!23502");
    must(s->run("insert into t values (1, 'a', 1), (2, 'b', 2)"));
    must(s->run(
        "insert into t values (2, 'x', 9), (3, 'c', 3), (3, 'd', 4) on conflict (id) do nothing"));
    EXPECT_EQ(ask(*s, "select id, v is null, n is null from t order by id"), "1,f,f;2,f,f;3,f,f");
    EXPECT_EQ(ask(*s, "select v, n from t where id = 2"), "b,2");
    must(
        s->run("insert into t (id, v) values (2, 'y') on conflict (id) do update set v = "
               "excluded.v, n = t.n + 10"));
    EXPECT_EQ(ask(*s, "select v, n from t where id = 2"), "y,12");
    must(
        s->run("insert into t as o values (2, 'z', 0) on conflict (id) do update set v = "
               "excluded.v where o.n > 100"));
    EXPECT_EQ(ask(*s, "select v, n from t where id = 2"), "y,12");
    must(s->run("insert into t select 10 + i, 'n', i from range(3) r(i) on conflict do nothing"));
    EXPECT_EQ(
        must(s->run(
            "insert into t (id, v) values ($1, $2) on conflict (id) do update set v = excluded.v",
            {Value(int64_t{11}), Value(std::string("p"))})),
        1u);
    EXPECT_EQ(ask(*s, "select v from t where id in (10, 11) order by id"), "n;p");
    EXPECT_EQ(ask(*s,
                  "insert into t values (5, 'a', 1), (5, 'b', 2) on conflict (id) do update set v "
                  "= excluded.v"),
              "!21000");
    EXPECT_EQ(ask(*s, "insert into t values (5, 'a', 1) on conflict (v) do nothing"), "!42P10");
    must(s->run("create table plain (id int)"));
    EXPECT_EQ(ask(*s, "insert into plain values (5) on conflict (id) do nothing"), "!42P10");
    EXPECT_EQ(ask(*s, "select count(*), count(distinct id) from t"), "6,6");
}

TEST_F(SessionTest, OnConflictIsNeverADouble) {
    auto a = session();
    auto b = session();
    must(a->run("create table t (v text, id bigint, primary key (id) not enforced)"));
    const std::string upsert =
        "insert into t (id, v) values (1, 'x') on conflict (id) do update set v = excluded.v";
    must(a->run("begin"));
    must(a->run(upsert));
    must(b->run(upsert));
    EXPECT_EQ(ask(*a, "commit"), "!40001");
    EXPECT_EQ(ask(*b, "select count(*) from t"), "1");
    must(a->run(upsert));
    must(a->run("begin"));
    must(a->run("insert into t (id) values (1) on conflict do nothing"));
    must(b->run("insert into t (id) values (2)"));
    must(a->run("commit"));  // wrote nothing
    EXPECT_EQ(ask(*b, "select count(*) from t"), "2");
}

}  // namespace
}  // namespace tarn::query
