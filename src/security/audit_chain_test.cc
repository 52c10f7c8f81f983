#include "security/audit_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/hash.h"
#include "codec/text.h"
#include "meta/keys.h"
#include "security/audit.h"
#include "security/audit_check.h"
#include "security/internal/audit_links.h"
#include "security/internal/audit_record.h"
#include "security/internal/canonical.h"
#include "security/internal/test_store.h"

namespace tarn::security {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

/// A trail of 60 signed records (20 a digest, in blocks of 7), then 10 chained and 5 younger ones.
class AuditChainTest : public testing::Test {
 protected:
    AuditChainTest() { open(); }

    void open() {
        chain_.reset();
        trail_ =
            std::make_unique<AuditTrail>(*store_, store_.clock, store_.metrics, AuditOptions());
        AuditChainOptions options;
        options.account_id = "123456789012";
        options.anchor = open_folder_anchor(store_.disk, anchor_);
        auto opened =
            AuditChain::open(*store_, keyring_, store_.clock, store_.metrics, options);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        chain_ = std::move(opened).value();
    }
    Caller caller(const std::string& id) {
        Caller made;
        made.principal.arn = "arn:aws:iam::123456789012:user/ann";
        made.request_id = id;
        made.action = "s3:GetObject";
        made.at = store_.clock.now();
        return made;
    }
    void write(int records) {
        for (int i = 0; i < records; ++i) {
            ASSERT_TRUE(trail_->record(caller("R" + std::to_string(written_++)), {}).ok());
            if (i % 7 == 6) {
                ASSERT_TRUE(trail_->flush().ok());
            }
        }
        ASSERT_TRUE(trail_->flush().ok());
    }
    void fill() {
        for (int digest = 0; digest < 3; ++digest) {
            write(20);
            store_.clock.advance(hours(2));
            ASSERT_TRUE(chain_->advance().ok());
        }
        write(10);
        ASSERT_TRUE(chain_->advance().ok());
        write(5);
    }
    AuditCheck check() {
        AuditCheck all;
        for (std::optional<uint64_t> from = 0; from;) {
            auto page = check_audit(*store_->snapshot(), chain_->public_key(), *from, 15);
            EXPECT_TRUE(page.ok()) << page.error().message;
            auto problems = std::move(all.problems);
            problems.insert(problems.end(), page->problems.begin(), page->problems.end());
            page->digests += all.digests;
            page->records += all.records;
            all = std::move(page).value();
            all.problems = std::move(problems);
            from = all.next;
        }
        return all;
    }
    std::vector<std::string> problems() {
        std::vector<std::string> said;
        for (const auto& one : check().problems)
            said.push_back(std::string(to_string(one.kind)) + " " + std::to_string(one.first) +
                           ".." + std::to_string(one.last));
        return said;
    }

    /// The block in which a record stands, as (key, lines, place of the record).
    struct Place {
        std::string key;
        std::vector<std::string> lines;
        size_t at = 0;
    };
    Place place_of(uint64_t offset) {
        auto iterator = store_->scan({audit_sequence(), meta::prefix_end(audit_sequence()), false});
        for (; iterator->valid(); iterator->next()) {
            const uint64_t first =
                meta::KeyReader(iterator->key(), "a").take_number().value_or(UINT64_MAX);
            Place place{std::string(iterator->key()), {}, offset - first};
            const auto record = iterator->record().value();
            for (const auto line : split(record.value, '\n')) place.lines.emplace_back(line);
            if (offset < first + place.lines.size()) return place;
        }
        ADD_FAILURE() << "no record " << offset;
        return {};
    }
    void put(const Place& place) {
        std::string value;
        for (const auto& line : place.lines) value += (value.empty() ? "" : "\n") + line;
        commit(std::move(meta::Batch().put(place.key, value)));
    }
    void commit(meta::Batch batch) { ASSERT_TRUE(store_->commit(std::move(batch)).ok()); }
    void change(uint64_t offset, const std::string& from, const std::string& to) {
        Place place = place_of(offset);
        std::string& line = place.lines[place.at];
        const size_t at = line.find(from);
        ASSERT_NE(at, line.npos) << line;
        line.replace(at, from.size(), to);
        put(place);
    }
    void relink(uint64_t offset) {
        const Place place = place_of(offset);
        const uint64_t first = meta::KeyReader(place.key, "a").take_number().value_or(0);
        std::string links;
        for (const auto& line : place.lines) links += codec::sha256(line).substr(0, kLinkBytes);
        commit(std::move(meta::Batch().put(links_key(first), links)));
    }

    TestStore store_;
    Keyring keyring_{std::string(32, 'k')};
    const std::string anchor_ = store_.directory + "/anchor";
    std::unique_ptr<AuditTrail> trail_;
    std::unique_ptr<AuditChain> chain_;
    int written_ = 0;
};

TEST_F(AuditChainTest, AnUntouchedTrailIsGood) {
    EXPECT_THAT(problems(), IsEmpty()) << "an empty one too";
    fill();
    const AuditCheck found = check();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(found.digests, 3u);
    EXPECT_EQ(found.records, 75u);
    EXPECT_EQ(found.signed_to, 60u);
    EXPECT_EQ(found.chained_to, 70u);
    EXPECT_EQ(found.end, 75u);
    store_.open();
    open();
    ASSERT_TRUE(chain_->sign().value().has_value());
    EXPECT_FALSE(chain_->sign().value().has_value()) << "nothing is new";
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(check().signed_to, 75u);
}

TEST_F(AuditChainTest, SignsEachHourAndWhenManyWait) {
    write(3);
    ASSERT_TRUE(chain_->advance().ok());
    EXPECT_THAT(chain_->digests(0, 10).value(), IsEmpty());
    store_.clock.advance(minutes(59));
    ASSERT_TRUE(chain_->advance().ok());
    EXPECT_THAT(chain_->digests(0, 10).value(), IsEmpty());
    store_.clock.advance(minutes(1));
    ASSERT_TRUE(chain_->advance().ok());
    const auto digests = chain_->digests(0, 10).value();
    ASSERT_EQ(digests.size(), 1u);
    EXPECT_EQ(digests[0].next, 3u);
    EXPECT_TRUE(is_signed_by(chain_->public_key(), digests[0].text(), digests[0].signature));
    EXPECT_FALSE(
        is_signed_by(make_signing_key().public_key, digests[0].text(), digests[0].signature));
    EXPECT_EQ(AuditDigest::from_json(digests[0].to_json())->hash(), digests[0].hash());
    store_.clock.advance(hours(5));
    ASSERT_TRUE(chain_->advance().ok());
    EXPECT_EQ(chain_->digests(0, 10)->size(), 1u) << "an hour without records needs no digest";
}

TEST_F(AuditChainTest, NamesAChangedRecord) {
    fill();
    change(23, "user/ann", "user/bob");
    change(45, "R45", "R46");
    change(64, "s3:GetObject", "s3:PutObject");
    EXPECT_THAT(problems(), ElementsAre("changed 23..23", "changed 45..45", "changed 64..64"));
    EXPECT_EQ(check().problems[0].text, "record 23: changed");
}

TEST_F(AuditChainTest, NamesARecordTakenOutOfItsBlock) {
    fill();
    Place place = place_of(30);
    place.lines.erase(place.lines.begin() + static_cast<std::ptrdiff_t>(place.at));
    put(place);
    EXPECT_THAT(problems(), ElementsAre("removed 30..30"));
}

TEST_F(AuditChainTest, NamesRemovedBlocks) {
    fill();
    commit(std::move(meta::Batch().erase(place_of(30).key)));
    EXPECT_THAT(problems(), ElementsAre("removed 27..33"));
    commit(std::move(meta::Batch().erase(links_key(27))));
    EXPECT_THAT(problems(), ElementsAre("chain 27..33")) << "the links as well";
}

TEST_F(AuditChainTest, NamesMovedRecords) {
    fill();
    Place place = place_of(30);
    std::swap(place.lines[place.at], place.lines[place.at + 1]);
    put(place);
    EXPECT_THAT(problems(), ElementsAre("moved 30..31"));
    Place one = place_of(41), other = place_of(48);
    std::swap(one.lines, other.lines);
    put(one);
    put(other);
    EXPECT_EQ(problems().front(), "moved 30..31");
    EXPECT_EQ(problems().size(), 2u);
}

TEST_F(AuditChainTest, NamesWhatWasCutOff) {
    fill();
    const std::string end = meta::prefix_end(audit_sequence());
    commit(std::move(meta::Batch().erase_range(place_of(70).key, end)));
    EXPECT_THAT(problems(), ElementsAre("truncated 70..74")) << "only the counter knows of them";
    commit(std::move(meta::Batch().erase_range(place_of(60).key, end)));
    EXPECT_THAT(problems(), ElementsAre("truncated 60..74"));
    commit(std::move(meta::Batch().erase_range(place_of(54).key, end)));
    EXPECT_THAT(problems().back(), testing::StartsWith("truncated"));
    EXPECT_EQ(check().problems[0].first, 54u);
}

TEST_F(AuditChainTest, ALinkMadeToFitDoesNotHelp) {
    fill();
    change(23, "user/ann", "user/bob");
    relink(23);
    EXPECT_THAT(problems(), ElementsAre("chain 20..39"));
}

TEST_F(AuditChainTest, ADigestIsNotForgedRemovedOrReplaced) {
    fill();
    const auto kept = store_->get(digest_key(1)).value()->value;
    auto forged = AuditDigest::from_json(kept).value();
    forged.oldest = 20;
    commit(std::move(meta::Batch().put(digest_key(1), forged.to_json())));
    EXPECT_EQ(problems().front(), "digest 1..1");
    // Signed by a key of one's own.
    forged.signature = sign_text(make_signing_key().private_key, forged.text());
    commit(std::move(meta::Batch().put(digest_key(1), forged.to_json())));
    EXPECT_EQ(problems().front(), "digest 1..1");
    // An older one in its place.
    commit(std::move(meta::Batch().put(digest_key(1), store_->get(digest_key(0)).value()->value)));
    EXPECT_FALSE(problems().empty());
    commit(std::move(meta::Batch().erase(digest_key(1))));
    EXPECT_EQ(problems().front(), "digest 1..1");
    commit(std::move(meta::Batch().put(digest_key(1), "{")));
    EXPECT_EQ(problems().front(), "digest 1..1");
    commit(std::move(meta::Batch().put(digest_key(1), kept)));
    EXPECT_THAT(problems(), IsEmpty());
    commit(std::move(meta::Batch().erase(digest_key(2))));
    EXPECT_EQ(problems().front(), "digest 2..2");
}

TEST_F(AuditChainTest, ATrailRolledBackIsSeenByItsAnchor) {
    fill();
    ASSERT_TRUE(chain_->sign().value().has_value());
    ASSERT_TRUE(chain_->anchor().ok());
    for (uint64_t number = 0; number < 4; ++number) {
        const auto copy = io::read_file(
            store_.disk, anchor_ + "/audit-digest-00000000000" + std::to_string(number) + ".json",
            1 << 16);
        ASSERT_TRUE(copy.ok()) << copy.error().message;
        EXPECT_EQ(*copy, store_->get(digest_key(number)).value()->value + "\n");
    }
    EXPECT_EQ(
        io::read_file(store_.disk, anchor_ + "/audit-public-key-123456789012.hex", 100).value(),
        codec::hex_encode(chain_->public_key()) + "\n");
}

TEST_F(AuditChainTest, ChangesToTheAnchorStay) {
    fill();
    ASSERT_TRUE(chain_->anchor().ok());
    const std::string path = anchor_ + "/audit-digest-000000000000.json";
    ASSERT_TRUE(io::replace_file(store_.disk, path, "evidence").ok());
    open();
    write(1);
    store_.clock.advance(hours(2));
    ASSERT_TRUE(chain_->advance().ok());
    ASSERT_TRUE(chain_->anchor().ok());
    EXPECT_EQ(io::read_file(store_.disk, path, 100).value(), "evidence");
}

TEST_F(AuditChainTest, AnAnchorOfAnotherKeyIsLeftAlone) {
    const std::string path = anchor_ + "/audit-public-key-123456789012.hex";
    ASSERT_TRUE(store_.disk.make_directories(anchor_).ok());
    ASSERT_TRUE(io::replace_file(store_.disk, path, std::string(64, '0') + "\n").ok());
    fill();
    EXPECT_EQ(chain_->anchor().error().code, Code::conflict);
    EXPECT_EQ(io::read_file(store_.disk, path, 100).value(), std::string(64, '0') + "\n");
    EXPECT_FALSE(store_.disk.exists(anchor_ + "/audit-digest-000000000000.json").value());
}

TEST_F(AuditChainTest, RetentionTakesWholeDigestsAndLeavesAGoodTrail) {
    fill();
    AuditOptions options;
    options.keep_records = 50;
    trail_ = std::make_unique<AuditTrail>(*store_, store_.clock, store_.metrics, options);
    Caller system = caller("EXPIRE");
    system.action = "tarn:ExpireAuditRecords";
    EXPECT_EQ(trail_->expire(1000, system, *chain_).value(), 20u) << "not the 25 asked for";
    EXPECT_EQ(trail_->expire(1000, system, *chain_).value(), 0u);
    const AuditCheck found = check();
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(found.oldest, 20u);
    EXPECT_EQ(found.records, 56u) << "and the record of the removal";
    AuditQuery query;
    query.action = "tarn:ExpireAuditRecords";
    EXPECT_EQ(trail_->read(query)->records.size(), 1u);
    store_.clock.advance(hours(2));
    ASSERT_TRUE(chain_->advance().ok());
    EXPECT_EQ(chain_->digests(3, 1)->front().oldest, 20u);
    EXPECT_THAT(problems(), IsEmpty());

    options.keep_records = 0;
    trail_ = std::make_unique<AuditTrail>(*store_, store_.clock, store_.metrics, options);
    EXPECT_EQ(trail_->expire(1000, system, *chain_).value(), 56u);
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(AuditChainTest, RecordsThatSomebodyElseRemovedAreNotRetention) {
    fill();
    commit(std::move(meta::Batch().erase_range(audit_sequence(), place_of(20).key)));
    EXPECT_EQ(problems().front(), "removed 0..19");
}

TEST_F(AuditChainTest, ATrailOlderThanItsChainBeginsWhereItIs) {
    write(20);
    commit(std::move(
        meta::Batch().erase_range(audit_sequence(), place_of(7).key).erase(chain_state_key())));
    open();
    ASSERT_TRUE(chain_->sign().value().has_value());
    EXPECT_THAT(problems(), IsEmpty());
    EXPECT_EQ(check().oldest, 7u);
}

}  // namespace
}  // namespace tarn::security
