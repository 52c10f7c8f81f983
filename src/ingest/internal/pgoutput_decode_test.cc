// Messages made by hand, byte for byte as the manual has them, of every kind and protocol version;
// and bytes that are none.
#include "ingest/internal/pgoutput_decode.h"

#include <gtest/gtest.h>

#include <list>

namespace tarn::ingest {
namespace {

using Kind = LogMessage::Kind;

/// Builds a message: number(width, value), text with its zero, raw bytes.
class Bytes {
 public:
    explicit Bytes(char kind) { bytes_.push_back(kind); }
    Bytes& number(int width, uint64_t value) {
        for (int shift = (width - 1) * 8; shift >= 0; shift -= 8)
            bytes_.push_back(static_cast<char>((value >> shift) & 0xff));
        return *this;
    }
    Bytes& text(std::string_view value) {
        bytes_.append(value);
        bytes_.push_back('\0');
        return *this;
    }
    Bytes& raw(std::string_view value) {
        bytes_.append(value);
        return *this;
    }
    Bytes& cell(std::string_view value) { return raw("t").number(4, value.size()).raw(value); }
    const std::string& str() const { return bytes_; }

 private:
    std::string bytes_;
};

/// What it returns lies in bytes that stay.
LogMessage decode(const Bytes& bytes, bool streamed = false) {
    static std::list<std::string> kept;
    kept.push_back(bytes.str());
    LogMessage out;
    const Status done = decode_pgoutput(kept.back(), streamed, out);
    EXPECT_TRUE(done.ok()) << done.error().message;
    return out;
}

TEST(LsnTest, AsPostgresWritesIt) {
    EXPECT_EQ(to_text(0x16B374D848), "16/B374D848");
    EXPECT_EQ(to_text(0), "0/0");
    EXPECT_EQ(*lsn_of("16/B374D848"), 0x16B374D848u);
    EXPECT_EQ(*lsn_of("FFFFFFFF/FFFFFFFF"), ~0ull);
    for (const char* bad : {"", "/", "16", "16/", "/1", "g/1", "1/1 ", "100000000/0"})
        EXPECT_FALSE(lsn_of(bad).ok()) << bad;
}

TEST(PgoutputDecodeTest, BeginAndCommit) {
    const auto begin = decode(Bytes('B').number(8, 0x1234).number(8, 1'000'000).number(4, 77));
    EXPECT_EQ(begin.kind, Kind::begin);
    EXPECT_EQ(begin.transaction.commit_lsn, 0x1234u);
    EXPECT_EQ(begin.transaction.xid, 77u);
    EXPECT_EQ(begin.transaction.committed.micros, 946'684'801'000'000);
    const auto commit =
        decode(Bytes('C').number(1, 0).number(8, 0x1234).number(8, 0x1300).number(8, 5));
    EXPECT_EQ(commit.kind, Kind::commit);
    EXPECT_EQ(commit.transaction.end_lsn, 0x1300u);
}

TEST(PgoutputDecodeTest, RelationWithItsIdentity) {
    const auto message = decode(Bytes('R')
                                    .number(4, 16400)
                                    .text("shop")
                                    .text("sales")
                                    .raw("i")
                                    .number(2, 2)
                                    .number(1, 1)
                                    .text("id")
                                    .number(4, 23)
                                    .number(4, 0xffffffff)
                                    .number(1, 0)
                                    .text("amount")
                                    .number(4, 1700)
                                    .number(4, 655366));
    EXPECT_EQ(message.kind, Kind::relation);
    EXPECT_EQ(message.relation.full_name(), "shop.sales");
    EXPECT_EQ(message.relation.identity, Relation::Identity::index);
    ASSERT_EQ(message.relation.columns.size(), 2u);
    EXPECT_TRUE(message.relation.columns[0].identity);
    EXPECT_EQ(message.relation.columns[0].modifier, -1);
    EXPECT_EQ(message.relation.columns[1].type, 1700u);
}

TEST(PgoutputDecodeTest, RowsWithNullAndUnchanged) {
    const auto insert =
        decode(Bytes('I').number(4, 9).raw("N").number(2, 3).cell("a\0b").raw("n").cell(""));
    EXPECT_EQ(insert.kind, Kind::insert);
    EXPECT_EQ(insert.oid, 9u);
    ASSERT_EQ(insert.after.size(), 3u);
    EXPECT_EQ(insert.after[1].kind, Cell::Kind::null);
    EXPECT_EQ(insert.after[2].kind, Cell::Kind::text);
    EXPECT_EQ(insert.after[2].text, "");
    const auto plain = decode(Bytes('U').number(4, 9).raw("N").number(2, 2).cell("1").raw("u"));
    EXPECT_EQ(plain.before_kind, Before::none);
    EXPECT_EQ(plain.after[1].kind, Cell::Kind::unchanged);
    const auto moved = decode(
        Bytes('U').number(4, 9).raw("K").number(2, 1).cell("1").raw("N").number(2, 1).cell("2"));
    EXPECT_EQ(moved.before_kind, Before::key);
    EXPECT_EQ(moved.before[0].text, "1");
    EXPECT_EQ(moved.after[0].text, "2");
    const auto full = decode(Bytes('D').number(4, 9).raw("O").number(2, 1).cell("x"));
    EXPECT_EQ(full.kind, Kind::remove);
    EXPECT_EQ(full.before_kind, Before::row);
}

TEST(PgoutputDecodeTest, TruncateNamesAllItsTables) {
    const auto message = decode(Bytes('T').number(4, 2).number(1, 3).number(4, 11).number(4, 12));
    EXPECT_EQ(message.oids, (std::vector<uint32_t>{11, 12}));
}

TEST(PgoutputDecodeTest, EmittedMessage) {
    const auto message =
        decode(Bytes('M').number(1, 1).number(8, 5).text("tarn").number(4, 3).raw("abc"));
    EXPECT_TRUE(message.transactional);
    EXPECT_EQ(message.prefix, "tarn");
    EXPECT_EQ(message.content, "abc");
}

TEST(PgoutputDecodeTest, StreamedMessagesCarryTheirTransaction) {
    const auto start = decode(Bytes('S').number(4, 700).number(1, 1));
    EXPECT_EQ(start.kind, Kind::stream_start);
    EXPECT_EQ(start.transaction.xid, 700u);
    EXPECT_TRUE(start.first_segment);
    const auto insert =
        decode(Bytes('I').number(4, 701).number(4, 9).raw("N").number(2, 1).raw("n"), true);
    EXPECT_EQ(insert.sub_xid, 701u);
    EXPECT_EQ(insert.oid, 9u);
    EXPECT_EQ(decode(Bytes('E')).kind, Kind::stream_stop);
    const auto commit =
        decode(Bytes('c').number(4, 700).number(1, 0).number(8, 10).number(8, 20).number(8, 0));
    EXPECT_EQ(commit.kind, Kind::stream_commit);
    EXPECT_EQ(commit.transaction.xid, 700u);
    EXPECT_EQ(commit.transaction.end_lsn, 20u);
    const auto abort = decode(Bytes('A').number(4, 700).number(4, 701));
    EXPECT_EQ(abort.kind, Kind::stream_abort);
    EXPECT_EQ(abort.sub_xid, 701u);
    // Version 4 with parallel streaming adds where and when.
    EXPECT_EQ(decode(Bytes('A').number(4, 7).number(4, 7).number(8, 1).number(8, 2)).sub_xid, 7u);
}

TEST(PgoutputDecodeTest, TwoPhaseIsTold) {
    for (const char kind : {'b', 'P', 'K', 'r', 'p'})
        EXPECT_EQ(decode(Bytes(kind).number(8, 0)).kind, Kind::two_phase);
}

TEST(PgoutputDecodeTest, BytesThatAreNoMessage) {
    LogMessage out;
    EXPECT_FALSE(decode_pgoutput("", false, out).ok());
    EXPECT_FALSE(decode_pgoutput("?", false, out).ok());
    const std::string whole = Bytes('U')
                                  .number(4, 9)
                                  .raw("K")
                                  .number(2, 1)
                                  .cell("1")
                                  .raw("N")
                                  .number(2, 1)
                                  .cell("2")
                                  .str();
    for (size_t cut = 0; cut < whole.size(); ++cut)
        EXPECT_FALSE(decode_pgoutput(whole.substr(0, cut), false, out).ok()) << cut;
    EXPECT_FALSE(
        decode_pgoutput(Bytes('I').number(4, 9).raw("N").number(2, 1).raw("b").number(4, 0).str(),
                        false, out)
            .ok());  // binary values were not asked for
    EXPECT_FALSE(
        decode_pgoutput(Bytes('T').number(4, 0xffffffff).number(1, 0).str(), false, out).ok());
    EXPECT_FALSE(
        decode_pgoutput(Bytes('I').number(4, 9).raw("N").number(2, 60000).str(), false, out).ok());
}

}  // namespace
}  // namespace tarn::ingest
