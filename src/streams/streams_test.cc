#include "streams/streams.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/random.h"
#include "io/disk.h"
#include "streams/internal/block.h"

namespace tarn::streams {
namespace {

class StreamsTest : public ::testing::Test {
 protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("tarn_streams_" + random_hex(6));
        open();
    }
    void TearDown() override {
        streams_.reset();
        store_.reset();
        std::filesystem::remove_all(folder_);
    }
    void open() {
        streams_.reset();
        store_.reset();
        meta::LocalStoreOptions options;
        options.directory = folder_;
        options.segment_bytes = 1 << 20;
        options.free_bytes_min = 0;
        auto opened = meta::LocalStore::open(disk_, clock_, metrics_, options);
        ASSERT_TRUE(opened.ok()) << opened.error().message;
        store_ = std::move(opened).value();
        streams_ = std::make_unique<Streams>(*store_, clock_, metrics_);
    }
    uint64_t put(const std::string& stream, int from, int count) {
        std::vector<NewRecord> records;
        for (int i = 0; i < count; ++i)
            records.push_back({"k" + std::to_string(from + i), "v" + std::to_string(from + i)});
        return streams_->append(stream, std::move(records)).value();
    }

    std::filesystem::path folder_;
    io::RealDisk disk_;
    ManualClock clock_;
    Metrics metrics_;
    std::unique_ptr<meta::LocalStore> store_;
    std::unique_ptr<Streams> streams_;
};

TEST_F(StreamsTest, OffsetsAreDenseAndReadsStartAnywhere) {
    EXPECT_EQ(put("levels", 0, 3), 0u);
    EXPECT_EQ(put("levels", 3, 1), 3u);
    EXPECT_EQ(put("levels", 4, 5), 4u);
    EXPECT_EQ(streams_->end("levels").value(), 9u);
    for (uint64_t from = 0; from < 9; ++from) {
        const auto page = streams_->read("levels", from, 1 << 20).value();
        ASSERT_EQ(page.records.size(), 9 - from);
        EXPECT_EQ(page.records.front().offset, from);
        EXPECT_EQ(page.records.front().payload, "v" + std::to_string(from));
        EXPECT_EQ(page.records.back().key, "k8");
        EXPECT_EQ(page.next, 9u);
    }
    EXPECT_TRUE(streams_->read("levels", 9, 100).value().records.empty());
    EXPECT_TRUE(streams_->read("other", 0, 100).value().records.empty());
}

/// A door that ends leaves appends on their way; the store ends after it.
TEST_F(StreamsTest, TheStoreMayAnswerAfterItHasGone) {
    std::atomic<int> answered = 0;
    for (int i = 0; i < 200; ++i)
        streams_->append("s", {{"k", "v"}}, [&](Result<uint64_t> made) {
            EXPECT_TRUE(made.ok());
            ++answered;
        });
    streams_.reset();
    store_.reset();
    EXPECT_EQ(answered, 200);
}

TEST_F(StreamsTest, APageHasAtLeastOneRecordAndStopsAtItsBytes) {
    put("s", 0, 100);
    const auto page = streams_->read("s", 10, 1).value();
    ASSERT_EQ(page.records.size(), 1u);
    EXPECT_EQ(page.next, 11u);
    EXPECT_EQ(streams_->read("s", 0, 20).value().records.size(), 5u);
}

TEST_F(StreamsTest, StreamsWithNamesThatBeginAlikeStayApart) {
    put("a", 0, 2);
    put("ab", 0, 1);
    put(std::string("a\0b", 3), 0, 1);
    EXPECT_EQ(streams_->end("a").value(), 2u);
    EXPECT_EQ(streams_->read("a", 0, 1000).value().records.size(), 2u);
    EXPECT_EQ(streams_->list().size(), 3u);
}

TEST_F(StreamsTest, RecordsOutliveAReopening) {
    put("s", 0, 10);
    open();
    EXPECT_EQ(streams_->end("s").value(), 10u);
    EXPECT_EQ(put("s", 10, 1), 10u);
    EXPECT_EQ(streams_->read("s", 9, 1000).value().records.size(), 2u);
}

TEST_F(StreamsTest, TrimForgetsWholeBlocksAndKeepsTheEnd) {
    for (int i = 0; i < 10; ++i) put("s", i * 10, 10);
    meta::Batch batch;
    ASSERT_TRUE(streams_->stage_trim(batch, "s", 35).ok());
    ASSERT_TRUE(store_->commit(std::move(batch)).ok());
    EXPECT_EQ(streams_->begin("s").value(), 30u);
    EXPECT_EQ(streams_->read("s", 0, 1).value().records.front().offset, 30u);
    meta::Batch all;
    ASSERT_TRUE(streams_->stage_trim(all, "s", 100).ok());
    ASSERT_TRUE(store_->commit(std::move(all)).ok());
    EXPECT_EQ(streams_->begin("s").value(), 90u);
    open();
    EXPECT_EQ(streams_->end("s").value(), 100u);
    EXPECT_EQ(put("s", 100, 1), 100u);
}

TEST_F(StreamsTest, ManyProducersLoseAndDoubleNothing) {
    std::vector<std::thread> producers;
    for (int p = 0; p < 8; ++p)
        producers.emplace_back([&, p] {
            for (int i = 0; i < 50; ++i) put("s", p * 1000 + i, 1 + i % 3);
        });
    for (auto& producer : producers) producer.join();
    const auto page = streams_->read("s", 0, 1 << 24).value();
    EXPECT_EQ(page.records.size(), streams_->end("s").value());
    for (size_t i = 0; i < page.records.size(); ++i) EXPECT_EQ(page.records[i].offset, i);
}

TEST_F(StreamsTest, AWaiterIsWokenByARecord) {
    std::thread producer([&] { put("s", 0, 1); });
    EXPECT_TRUE(streams_->wait_for("s", 0, std::chrono::seconds(20)));
    producer.join();
    EXPECT_FALSE(streams_->wait_for("s", 1, std::chrono::milliseconds(1)));
    streams_->stop();
    EXPECT_FALSE(streams_->wait_for("s", 1, std::chrono::seconds(20)));
}

TEST_F(StreamsTest, RefusesWhatIsTooLargeOrNothing) {
    EXPECT_EQ(streams_->append("s", {}).error().code, Code::invalid_argument);
    EXPECT_EQ(streams_->append("s", {{"k", std::string(kRecordBytesMax, 'x')}}).error().code,
              Code::invalid_argument);
}

TEST(Block, DecodesOnlyWhatWasEncoded) {
    const std::string block = encode_block({{"a", "1"}, {"", ""}}, {5});
    EXPECT_EQ(decode_block(block, 3).value().at(1).offset, 4u);
    for (size_t cut = 0; cut < block.size(); ++cut)
        EXPECT_EQ(decode_block(block.substr(0, cut), 0).error().code, Code::corrupted);
    EXPECT_EQ(decode_block(block + "x", 0).error().code, Code::corrupted);
    std::string other = block;
    other[0] = 9;
    EXPECT_EQ(decode_block(other, 0).error().code, Code::corrupted);
}

}  // namespace
}  // namespace tarn::streams
