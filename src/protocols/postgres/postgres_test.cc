#include "protocols/postgres/postgres.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "base/bytes.h"
#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "io/disk.h"
#include "meta/store.h"
#include "net/fake_transport.h"
#include "protocols/postgres/internal/fake_engine.h"

namespace tarn::postgres {
namespace {

using std::string_literals::operator""s;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string framed(char type, const std::string& body) {
    std::string out;
    if (type != 0) out.push_back(type);
    append_be(out, static_cast<uint32_t>(body.size() + 4));
    return out + body;
}
std::string simple(const std::string& sql) {
    return framed('Q', sql + "\0"s);
}
std::string parse(const std::string& name, const std::string& sql, uint32_t oid = 0) {
    std::string types = "\0\1"s;
    append_be(types, oid);
    return framed('P', name + "\0"s + sql + "\0"s + (oid == 0 ? "\0\0"s : types));
}
std::string bind(const std::string& portal, const std::string& statement,
                 const std::vector<std::string>& values = {}, int format = 0,
                 int result_format = 0) {
    std::string body = portal + "\0"s + statement + "\0\0\1"s;
    append_be(body, static_cast<int16_t>(format));
    append_be(body, static_cast<int16_t>(values.size()));
    for (const auto& value : values) {
        append_be(body, static_cast<int32_t>(value.size()));
        body += value;
    }
    body += "\0\1"s;
    append_be(body, static_cast<int16_t>(result_format));
    return framed('B', body);
}
std::string describe(char kind, const std::string& name) {
    return framed('D', kind + name + "\0"s);
}
std::string execute(const std::string& portal, int32_t rows_max = 0) {
    std::string body = portal + "\0"s;
    append_be(body, rows_max);
    return framed('E', body);
}
std::string sync() {
    return framed('S', "");
}
std::string startup(const std::string& parameters, const std::string& version = "\0\3\0\0"s) {
    return framed(0, version + parameters + "\0"s);
}

struct Answer {
    char type;
    std::string body;
};
std::vector<Answer> answers(const std::string& bytes) {
    std::vector<Answer> out;
    ByteReader reader(bytes);
    while (!reader.empty()) {
        const char type = *reader.take_be<char>();
        const auto size = reader.take_be<uint32_t>();
        out.push_back({type, std::string(*reader.take(*size - 4))});
    }
    return out;
}
std::string types(const std::string& bytes) {
    std::string out;
    for (const auto& answer : answers(bytes)) out.push_back(answer.type);
    return out;
}
std::string field(const std::string& bytes, char name) {
    for (const auto& answer : answers(bytes)) {
        if (answer.type != 'E' && answer.type != 'N') continue;
        size_t at = 0;
        while (at < answer.body.size() && answer.body[at] != 0) {
            const std::string value = answer.body.c_str() + at + 1;
            if (answer.body[at] == name) return value;
            at += value.size() + 2;
        }
    }
    return "";
}
/// The first column of each row.
std::vector<std::string> rows(const std::string& bytes) {
    std::vector<std::string> out;
    for (const auto& answer : answers(bytes))
        if (answer.type == 'D') out.push_back(answer.body.substr(6));
    return out;
}
char state(const std::string& bytes) {
    return answers(bytes).back().body.at(0);
}

/// The client's half of SCRAM (RFC 5802).
class ScramClient {
 public:
    explicit ScramClient(std::string password) : password_(std::move(password)) {}
    std::string first() const { return framed('p', "SCRAM-SHA-256\0\0\0\0\x0e"s + "n,," + bare_); }
    std::string last(const std::string& server_first) const {
        const std::string salt = codec::base64_decode(part(server_first, "s=")).value();
        std::string block = salt + "\0\0\0\1"s;
        std::string round = codec::hmac_sha256(password_, block);
        std::string salted = round;
        for (int i = 1; i < std::stoi(part(server_first, "i=")); ++i) {
            round = codec::hmac_sha256(password_, round);
            for (size_t k = 0; k < salted.size(); ++k)
                salted[k] = static_cast<char>(salted[k] ^ round[k]);
        }
        const std::string key = codec::hmac_sha256(salted, "Client Key");
        const std::string without_proof = "c=biws,r=" + part(server_first, "r=");
        std::string proof = codec::hmac_sha256(codec::sha256(key),
                                               bare_ + "," + server_first + "," + without_proof);
        for (size_t k = 0; k < proof.size(); ++k) proof[k] = static_cast<char>(proof[k] ^ key[k]);
        return framed('p', without_proof + ",p=" + codec::base64_encode(proof));
    }

 private:
    static std::string part(const std::string& message, const std::string& name) {
        const size_t at = message.find(name) + 2;
        return message.substr(at, message.find(',', at) - at);
    }
    const std::string password_;
    const std::string bare_ = "n=,r=abcdef";
};

class Postgres : public testing::Test {
 protected:
    Postgres() {
        meta::LocalStoreOptions options;
        options.directory = directory_;
        options.segment_bytes = 1 << 20;
        options.free_bytes_min = 0;
        store_ = meta::LocalStore::open(disk_, clock_, metrics_, options).value();
        users_ = security::Users::open(*store_, keyring_, clock_).value();
        root_ = users_->ensure_root()->key;
        authorizer_ = std::make_unique<security::Authorizer>(*users_);
        audit_ = std::make_unique<security::AuditTrail>(*store_, clock_, metrics_,
                                                        security::AuditOptions{});
        options_.account_id = users_->account_id();
        reopen();
    }
    ~Postgres() override {
        hang_up();
        lane_.stop();
        door_.reset();
        audit_.reset();
        users_.reset();
        store_.reset();
        std::filesystem::remove_all(directory_);
    }
    void reopen() {
        hang_up();
        door_ = std::make_unique<Door>(
            DoorParts{engine_, *users_, *authorizer_, audit_.get(), clock_, metrics_, lane_, lane_},
            options_);
        connect();
    }
    void hang_up() {
        if (session_) session_->on_close();
        session_.reset();
    }
    void connect() {
        hang_up();
        transport_ = std::make_shared<net::FakeTransport>();
        session_ = door_->factory()(*transport_);
    }
    void settle() {
        for (int i = 0; i < 6; ++i) {
            std::promise<void> passed;
            ASSERT_TRUE(lane_.try_submit([&] { passed.set_value(); }));
            passed.get_future().wait();
            transport_->run_posted();
        }
    }
    std::string exchange(std::string_view bytes) {
        session_->on_bytes(bytes);
        settle();
        return transport_->take_sent();
    }
    std::string sign_in(const std::string& user, const std::string& password,
                        const std::string& more = "") {
        const ScramClient client(password);
        const std::string offer = exchange(startup("user\0"s + user + "\0"s + more));
        if (types(offer).back() != 'R') return offer;
        EXPECT_THAT(answers(offer).back().body, HasSubstr("SCRAM-SHA-256"));
        const std::string challenge = exchange(client.first());
        if (types(challenge) != "R") return challenge;
        return exchange(client.last(answers(challenge)[0].body.substr(4)));
    }
    void sign_in() {
        ASSERT_EQ(types(sign_in(root_.id, root_.secret)).substr(0, 2), "RR");
        engine_.journal.take();
    }
    std::vector<std::string> audited() {
        EXPECT_TRUE(audit_->flush().ok());
        std::vector<std::string> out;
        const auto page = audit_->read({}).value();
        for (const auto& record : page.records)
            out.push_back(record.action + " " + record.error_code);
        std::reverse(out.begin(), out.end());
        return out;
    }

    const std::string directory_ = testing::TempDir() + "tarn_postgres_" + random_hex(8);
    io::RealDisk disk_;
    ManualClock clock_;
    Metrics metrics_;
    const security::Keyring keyring_{std::string(32, 'r')};
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<security::Users> users_;
    std::unique_ptr<security::Authorizer> authorizer_;
    std::unique_ptr<security::AuditTrail> audit_;
    security::NewAccessKey root_;
    FakeEngine engine_;
    Lane lane_{{"test", 1, 1000}};
    DoorOptions options_;
    std::unique_ptr<Door> door_;
    std::shared_ptr<net::FakeTransport> transport_;
    std::unique_ptr<net::Session> session_;
};

TEST_F(Postgres, SignsInWithAKeyOrAName) {
    for (const std::string& user : {root_.id, std::string("root")}) {
        connect();
        const std::string greeting = sign_in(user, root_.secret);
        EXPECT_EQ(types(greeting).substr(0, 3), "RRS");
        EXPECT_EQ(types(greeting).substr(types(greeting).size() - 2), "KZ");
        EXPECT_THAT(greeting, HasSubstr("server_version\0"s + "15.0 (Tarn 0.1)"));
        EXPECT_THAT(greeting, HasSubstr("session_authorization\0root"s));
        EXPECT_EQ(transport_->deadline().count(), 0);
    }
    EXPECT_EQ(door_->connections(), 1u);
    hang_up();
    settle();
    EXPECT_EQ(door_->connections(), 0u);
    EXPECT_THAT(audited(), ElementsAre("tarn:Connect ", "tarn:Connect "));
}

TEST_F(Postgres, WrongPasswordsAndUnknownNamesLookAlike) {
    const std::string wrong = sign_in("root", "wrong");
    EXPECT_EQ(field(wrong, 'C'), "28P01");
    EXPECT_EQ(field(wrong, 'S'), "FATAL");
    EXPECT_EQ(field(wrong, 'M'), "password authentication failed for user \"root\"");
    EXPECT_TRUE(transport_->closing());
    connect();
    const std::string unknown = sign_in("nobody", "wrong");
    EXPECT_EQ(field(unknown, 'M'), "password authentication failed for user \"nobody\"");
    EXPECT_EQ(wrong.size() + 2, unknown.size());
    EXPECT_THAT(audited(), ElementsAre("tarn:Connect 28P01", "tarn:Connect 28P01"));
}

TEST_F(Postgres, RefusesAtTheDoor) {
    EXPECT_EQ(field(exchange(startup("")), 'C'), "28000");
    connect();
    EXPECT_EQ(field(sign_in("root", root_.secret, "database\0other\0"s), 'C'), "3D000");
    connect();
    EXPECT_EQ(types(sign_in("root", root_.secret, "database\0lake\0"s)).back(), 'Z');
    connect();
    EXPECT_EQ(field(sign_in("root", root_.secret, "nonsense\0x\0"s), 'C'), "42704");
    connect();
    EXPECT_EQ(field(sign_in("root", root_.secret, "replication\0true\0"s), 'C'), "0A000");
    connect();
    EXPECT_EQ(field(exchange(startup("user\0a\0"s, "\0\2\0\0"s)), 'C'), "0A000");
    connect();
    transport_->peer = "192.0.2.7";
    EXPECT_EQ(field(exchange(startup("user\0root\0"s)), 'C'), "28000");
    connect();
    EXPECT_EQ(field(exchange("GET / HTTP/1.1\r\n"), 'C'), "08P01");
    EXPECT_TRUE(transport_->closing());
    connect();
    exchange(startup("user\0root\0"s));
    EXPECT_EQ(field(exchange(simple("select 1")), 'C'), "08P01");  // before the password
}

TEST_F(Postgres, AsksTheAuthorizer) {
    ASSERT_TRUE(users_->create_user({"ann", {}, {}, {}}).ok());
    const auto key = users_->create_key("ann").value();
    EXPECT_EQ(field(sign_in("ann", key.secret), 'C'), "42501");
    const std::string allow = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
                              R"("Action":"tarn:Connect","Resource":"arn:aws:tarn:us-east-1:)" +
                              users_->account_id() + R"(:lake"}]})";
    ASSERT_TRUE(users_->put_user_policy("ann", "p", allow).ok());
    connect();
    EXPECT_EQ(types(sign_in("ann", key.secret)).back(), 'Z');
    EXPECT_THAT(audited(), ElementsAre("tarn:Connect 42501", "tarn:Connect "));
}

TEST_F(Postgres, LimitsConnections) {
    options_.connections_max = 1;
    reopen();
    sign_in();
    auto first = std::move(session_);
    const auto first_transport = transport_;
    connect();
    EXPECT_EQ(field(sign_in("root", root_.secret), 'C'), "53300");
    hang_up();
    settle();
    first->on_close();
    settle();
    connect();
    EXPECT_EQ(types(sign_in("root", root_.secret)).back(), 'Z');
}

TEST_F(Postgres, NegotiatesEncryptionAndVersions) {
    const std::string ssl = framed(0, "\x04\xd2\x16\x2f"s), gss = framed(0, "\x04\xd2\x16\x30"s);
    EXPECT_EQ(exchange(gss), "N");
    EXPECT_EQ(exchange(ssl), "N");
    EXPECT_EQ(types(sign_in("root", root_.secret)).back(), 'Z');
    connect();
    transport_->has_certificate = true;
    EXPECT_EQ(exchange(ssl), "S");
    EXPECT_TRUE(transport_->is_tls());
    transport_->peer = "192.0.2.7";
    EXPECT_EQ(types(sign_in("root", root_.secret)).back(), 'Z');
    connect();
    transport_->has_certificate = true;
    EXPECT_EQ(field(exchange(ssl + startup("user\0root\0"s)), 'C'), "08P01");
    EXPECT_FALSE(transport_->is_tls());
    EXPECT_TRUE(transport_->closing());
    connect();
    const std::string newer = exchange(startup("user\0root\0_pq_.thing\0x\0"s, "\0\3\0\x09"s));
    EXPECT_EQ(types(newer), "vR");
    EXPECT_EQ(answers(newer)[0].body, "\0\3\0\0\0\0\0\1_pq_.thing\0"s);
}

TEST_F(Postgres, SimpleQueries) {
    sign_in();
    const std::string one = exchange(simple("select 42"));
    EXPECT_EQ(types(one), "TDCZ");
    EXPECT_THAT(rows(one), ElementsAre("42"));
    EXPECT_EQ(state(one), 'I');
    EXPECT_EQ(types(exchange(simple("  ; "))), "IZ");
    EXPECT_EQ(rows(exchange(simple("rows 1000"))).size(), 1000u);
    engine_.journal.take();

    EXPECT_EQ(types(exchange(simple("insert; select 1; insert"))), "CTDCCZ");
    EXPECT_THAT(engine_.journal.take(),
                ElementsAre("begin implicit", "insert", "select 1", "insert", "commit"));
    const std::string failed = exchange(simple("insert;  bad; insert"));
    EXPECT_EQ(types(failed), "CEZ");
    EXPECT_EQ(field(failed, 'C'), "42601");
    EXPECT_EQ(field(failed, 'M'), "syntax error");
    EXPECT_EQ(field(failed, 'H'), "do better");
    EXPECT_EQ(field(failed, 'P'), "12");
    EXPECT_EQ(state(failed), 'I');
    EXPECT_THAT(engine_.journal.take(), ElementsAre("begin implicit", "insert", "rollback"));

    EXPECT_EQ(state(exchange(simple("begin"))), 'T');
    EXPECT_EQ(state(exchange(simple("bad"))), 'E');
    EXPECT_EQ(state(exchange(simple("rollback"))), 'I');
    const std::string noticed = exchange(simple("commit"));
    EXPECT_EQ(types(noticed), "NCZ");
    EXPECT_EQ(field(noticed, 'M'), "no transaction");
    EXPECT_EQ(types(exchange(simple("set application_name me"))), "SCZ");
    EXPECT_EQ(field(exchange(framed('F', "anything")), 'C'), "0A000");
    EXPECT_EQ(field(exchange(framed('Q', "no end")), 'C'), "08P01");
    EXPECT_EQ(field(exchange(simple("select \xff")), 'C'), "22021");
    EXPECT_EQ(field(exchange(simple("echo $1")), 'C'), "42P02");
    EXPECT_FALSE(transport_->closing());
}

TEST_F(Postgres, ATransactionBegunInsideAMessageStays) {
    sign_in();
    EXPECT_EQ(state(exchange(simple("insert; begin; insert"))), 'T');
    EXPECT_THAT(engine_.journal.take(), ElementsAre("begin implicit", "insert", "begin", "insert"));
    EXPECT_EQ(state(exchange(simple("commit; insert; insert"))), 'I');
    EXPECT_THAT(engine_.journal.take(),
                ElementsAre("commit", "begin implicit", "insert", "insert", "commit"));
}

TEST_F(Postgres, ExtendedQueries) {
    sign_in();
    const std::string text =
        exchange(parse("s", "echo $1") + describe('S', "s") + bind("", "s", {"17"}) +
                 describe('P', "") + execute("") + sync());
    EXPECT_EQ(types(text), "1tT2TDCZ");
    EXPECT_THAT(rows(text), ElementsAre("17"));
    const std::string binary =
        exchange(bind("", "s", {"\0\0\0\x11"s}, 1, 1) + execute("") + sync());
    EXPECT_THAT(rows(binary), ElementsAre("\0\0\0\x11"s));
    EXPECT_EQ(types(exchange(parse("", "insert") + describe('S', "") + bind("", "") + execute("") +
                             sync())),
              "1tn2CZ");
    EXPECT_EQ(types(exchange(parse("", "") + bind("", "") + execute("") + sync())), "12IZ");
    EXPECT_EQ(types(exchange(framed('C', "Ss\0"s) + sync())), "3Z");
    EXPECT_EQ(field(exchange(bind("", "s", {"1"}) + sync()), 'C'), "26000");
    EXPECT_EQ(types(exchange(parse("t", "echo $1", 25) + describe('S', "t"))), "1tT");
    EXPECT_EQ(field(exchange(bind("", "t", {"\xff"}) + sync()), 'C'), "22021");
    EXPECT_EQ(types(exchange(simple("deallocate t"))), "CZ");
    EXPECT_EQ(field(exchange(describe('S', "t") + sync()), 'C'), "26000");
}

TEST_F(Postgres, ErrorsSkipToSync) {
    sign_in();
    const std::string failed = exchange(parse("", "bad") + bind("", "") + execute("") +
                                        simple("insert") + sync() + simple("select 1"));
    EXPECT_EQ(types(failed), "EZTDCZ");
    EXPECT_EQ(field(failed, 'P'), "3");
    EXPECT_EQ(field(exchange(parse("", "select 1; select 2") + sync()), 'C'), "42601");
    EXPECT_EQ(field(exchange(parse("a", "select 1") + parse("a", "select 1") + sync()), 'C'),
              "42P05");
    EXPECT_EQ(field(exchange(execute("nowhere") + sync()), 'C'), "34000");
    EXPECT_EQ(field(exchange(bind("", "a", {"1"}) + sync()), 'C'), "08P01");
    EXPECT_EQ(field(exchange(framed('B', "broken") + sync()), 'C'), "08P01");
    EXPECT_EQ(types(exchange(bind("", "a") + execute("") + sync())), "2DCZ");
}

TEST_F(Postgres, APipelineIsOneTransaction) {
    sign_in();
    const std::string insert = parse("", "insert") + bind("", "") + execute("");
    EXPECT_EQ(types(exchange(insert + insert + sync())), "12C12CZ");
    EXPECT_THAT(engine_.journal.take(),
                ElementsAre("begin implicit", "insert", "insert", "commit"));
    EXPECT_EQ(types(exchange(insert + sync())), "12CZ");
    // Alone it needs no transaction around it; whether it is alone is not known before Sync is
    // here.
    EXPECT_THAT(engine_.journal.take(),
                AnyOf(ElementsAre("insert"), ElementsAre("begin implicit", "insert", "commit")));
    EXPECT_EQ(types(exchange(insert + parse("", "bad") + insert + sync())), "12CEZ");
    EXPECT_THAT(engine_.journal.take(), ElementsAre("begin implicit", "insert", "rollback"));
}

TEST_F(Postgres, PortalsSuspend) {
    sign_in();
    exchange(simple("begin"));
    const std::string first =
        exchange(parse("", "rows 250") + bind("p", "") + execute("p", 120) + sync());
    EXPECT_EQ(rows(first).size(), 120u);
    EXPECT_EQ(types(first).substr(122), "sZ");
    const std::string second = exchange(execute("p", 120) + sync());
    EXPECT_EQ(rows(second).front(), "120");
    EXPECT_EQ(rows(second).size(), 120u);
    const std::string third = exchange(execute("p", 120) + sync());
    EXPECT_EQ(rows(third).size(), 10u);
    EXPECT_THAT(third, HasSubstr("SELECT 10\0"s));
    EXPECT_EQ(types(exchange(execute("p") + sync())), "CZ");
    EXPECT_EQ(types(exchange(framed('C', "Pp\0"s) + sync())), "3Z");
    EXPECT_EQ(field(exchange(execute("p") + sync()), 'C'), "34000");
}

TEST_F(Postgres, DescribesCursorsOfSql) {
    sign_in();
    EXPECT_EQ(types(exchange(describe('P', "walk") + sync())), "TZ");
    EXPECT_EQ(field(exchange(describe('P', "run") + sync()), 'C'), "34000");
}

TEST_F(Postgres, Copies) {
    sign_in();
    EXPECT_EQ(types(exchange(simple("copy in; select 1"))), "G");
    EXPECT_EQ(exchange(framed('d', "1\t2\n") + sync() + framed('d', "3\t4\n")), "");
    EXPECT_EQ(types(exchange(framed('c', ""))), "CTDCZ");
    EXPECT_THAT(engine_.journal.take(),
                ElementsAre("begin implicit", "copied 1\t2\n3\t4\n", "select 1", "commit"));
    exchange(simple("copy in"));
    EXPECT_EQ(field(exchange(framed('f', "changed my mind\0"s)), 'M'),
              "COPY from stdin failed: changed my mind");
    EXPECT_THAT(engine_.journal.take(), ElementsAre("copy taken back"));
    exchange(simple("copy in"));
    EXPECT_EQ(types(exchange(framed('d', "bad") + framed('d', "1\t2\n") + framed('c', ""))), "EZ");
    exchange(parse("", "copy in") + bind("", "") + execute("") + sync());
    EXPECT_EQ(types(exchange(framed('d', "x") + framed('c', "") + sync())), "CZ");
    exchange(simple("copy in"));
    EXPECT_EQ(field(exchange(simple("select 1")), 'C'), "08P01");
    EXPECT_EQ(types(exchange(simple("copy out"))), "HddcCZ");
}

TEST_F(Postgres, CancelsWhatRuns) {
    sign_in("root", root_.secret);
    connect();
    const auto greeting = answers(sign_in("root", root_.secret));
    const std::string key = greeting[greeting.size() - 2].body;
    session_->on_bytes(simple("wait"));
    auto cancel = [&](const std::string& pair) {
        auto transport = std::make_shared<net::FakeTransport>();
        const auto session = door_->factory()(*transport);
        session->on_bytes(framed(0, "\x04\xd2\x16\x2e"s + pair));
        EXPECT_TRUE(transport->closing());
        EXPECT_EQ(transport->take_sent(), "");
        session->on_close();
    };
    std::string other = key;
    other[7] = static_cast<char>(other[7] ^ 1);
    cancel(other);
    engine_.journal.wait_for("wait");
    EXPECT_EQ(transport_->take_sent(), "");
    cancel(key);
    settle();
    const std::string answer = transport_->take_sent();
    EXPECT_EQ(field(answer, 'C'), "57014");
    EXPECT_EQ(state(answer), 'I');
    cancel(key);  // nothing runs
    EXPECT_EQ(types(exchange(simple("select 1"))), "TDCZ");
    exchange(simple("copy in"));
    cancel(key);
    settle();
    EXPECT_EQ(field(transport_->take_sent(), 'C'), "57014");
    EXPECT_EQ(types(exchange(simple("select 1"))), "TDCZ");
}

TEST_F(Postgres, WaitsForReadersThatAreSlow) {
    options_.unsent_bytes_max = 200'000;
    reopen();
    sign_in();
    transport_->hold_sends = true;
    session_->on_bytes(simple("wide 100") + simple("select 1"));
    settle();
    std::string received = transport_->take_sent();
    EXPECT_LT(received.size(), 1'000'000u);
    for (int i = 0; i < 200 && !received.ends_with("Z\0\0\0\5I"s); ++i) {
        session_->on_drained();
        settle();
        received += transport_->take_sent();
    }
    EXPECT_EQ(rows(received).size() + 0u, 101u);
    EXPECT_EQ(types(received).substr(101), "CZTDCZ");
}

TEST_F(Postgres, ReadsNoMoreThanItCanKeep) {
    options_.waiting_bytes_max = 1000;
    reopen();
    sign_in();
    std::promise<void> gate;
    ASSERT_TRUE(lane_.try_submit([&] { gate.get_future().wait(); }));
    session_->on_bytes(simple("select " + std::string(2000, ' ') + "1"));
    EXPECT_FALSE(transport_->reading());
    gate.set_value();
    settle();
    EXPECT_TRUE(transport_->reading());
    EXPECT_EQ(types(transport_->take_sent()), "TDCZ");
}

TEST_F(Postgres, Ends) {
    sign_in();
    exchange(framed('X', ""));
    EXPECT_TRUE(transport_->closing());
    connect();
    sign_in();
    exchange(simple("begin"));
    exchange(simple("copy in"));
    hang_up();  // in the middle of everything
    settle();
    EXPECT_THAT(engine_.journal.take(), ElementsAre("begin", "copy taken back", "closed"));
    connect();
    sign_in();
    session_->on_eof();
    settle();
    EXPECT_TRUE(transport_->closing());
    connect();
    sign_in();
    session_->on_bytes(simple("wait"));
    engine_.journal.wait_for("wait");
    session_->on_eof();  // ends what nobody waits for
    settle();
    EXPECT_TRUE(transport_->closing());
}

TEST_F(Postgres, Drains) {
    sign_in();
    session_->on_drain();
    EXPECT_EQ(field(transport_->take_sent(), 'C'), "57P01");
    EXPECT_TRUE(transport_->closing());
    connect();
    sign_in();
    exchange(simple("copy in"));
    session_->on_drain();
    EXPECT_FALSE(transport_->closing());
    const std::string last = exchange(framed('c', ""));
    EXPECT_EQ(types(last), "CZE");
    EXPECT_EQ(field(last, 'C'), "57P01");
    EXPECT_TRUE(transport_->closing());
    connect();
    session_->on_drain();
    EXPECT_TRUE(transport_->closing());
    connect();
    session_->on_deadline();
    EXPECT_TRUE(transport_->closed()) << "who has said nothing hears nothing";
    connect();
    exchange(startup("user\0root\0"s));
    session_->on_deadline();
    EXPECT_EQ(field(transport_->take_sent(), 'C'), "57014");
    EXPECT_TRUE(transport_->closing());
    session_->on_deadline();
    EXPECT_TRUE(transport_->closed()) << "it never read that";
}

TEST_F(Postgres, AuditsReadsAndFailures) {
    sign_in();
    exchange(simple("select 1"));
    exchange(simple("insert"));
    exchange(simple("bad"));
    EXPECT_THAT(audited(), ElementsAre("tarn:Connect ", "tarn:Select ", "tarn:Query 42601"));
}

TEST(ChannelBinding, NeedsACertificate) {
    EXPECT_FALSE(channel_binding_of("nothing").ok());
    EXPECT_FALSE(channel_binding_of("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                    "-----END CERTIFICATE-----\n")
                     .ok());
}

}  // namespace
}  // namespace tarn::postgres
