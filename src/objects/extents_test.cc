// Bytes in extents: verified, given back, refused when the disk is full, safe from failing calls.
#include <sys/stat.h>

#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

constexpr const char* kFirstFile = "/extents/0000000000000001.extents";

class ExtentsTest : public ObjectsTest {
 protected:
    std::vector<std::string> files() {
        std::vector<std::string> names;
        const auto listed = disk().list("/extents");
        EXPECT_TRUE(listed.ok());
        for (const auto& entry : *listed) names.push_back("/extents/" + entry.name);
        return names;
    }
};

TEST_F(ExtentsTest, AFlippedBitIsNeverServed) {
    const auto bytes = pattern(200'000, 1);
    put("key", bytes);
    ASSERT_EQ(files().size(), 1u);
    Random random(1);
    const uint64_t region = region_bytes(bytes.size());
    int found = 0;
    for (int i = 0; i < 300; ++i) {
        const uint64_t at = kPageBytes + random.below(region);
        const int bit = static_cast<int>(random.below(8));
        ASSERT_TRUE(disk().flip_bit(files()[0], at, bit).ok());
        const auto got = get("key");
        EXPECT_TRUE(got == bytes || got == "(corrupted)");
        found += got != bytes;
        // What does not touch the damaged block is still served.
        if (got != bytes && at < kPageBytes + 64 * 1024) {
            auto reader = objects().open("bucket", "key");
            EXPECT_EQ(*(*reader)->read(150'000, 1000), bytes.substr(150'000, 1000));
        }
        ASSERT_TRUE(disk().flip_bit(files()[0], at, bit).ok());
    }
    EXPECT_GT(found, 290) << "only padding may be flipped unnoticed";
    EXPECT_TRUE(get("key") == bytes);
}

TEST_F(ExtentsTest, ADamagedHeaderIsFound) {
    put("key", pattern(200'000, 1));
    server_.reset();
    ASSERT_TRUE(disk().flip_bit(kFirstFile, 13, 1).ok());
    meta::LocalStoreOptions options;
    options.directory = root_ / "state";
    io::RealDisk real;
    SystemClock clock;
    Metrics metrics;
    auto store = meta::LocalStore::open(real, clock, metrics, options);
    ASSERT_TRUE(store.ok());
    auto own = bytes_options();
    own.lake_id = (*store)->lake_id();
    auto opened = open_local_bytes(disk(), **store, metrics, own);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::corrupted);
    ASSERT_TRUE(disk().flip_bit(kFirstFile, 13, 1).ok());
    own.lake_id = std::string(32, 'f');
    opened = open_local_bytes(disk(), **store, metrics, own);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::invalid_argument) << "a file of another lake";
}

TEST_F(ExtentsTest, AMissingFileIsDamageNotAbsence) {
    put("lost", pattern(200'000, 1));
    put("kept", "in the log");
    server_.reset();
    ASSERT_TRUE(disk().remove(kFirstFile).ok());
    start();
    EXPECT_EQ(get("lost"), "(corrupted)");
    EXPECT_EQ(get("kept"), "in the log");
    EXPECT_TRUE(objects().remove(caller_, "bucket", "lost").ok());
    put("lost", pattern(200'000, 2));
    EXPECT_TRUE(get("lost") == pattern(200'000, 2));
}

TEST_F(ExtentsTest, FilesAreFilledSealedAndRemoved) {
    for (int i = 0; i < 20; ++i) put(std::to_string(i), pattern(300'000, i));
    const size_t filled = files().size();
    EXPECT_GE(filled, 6u);
    EXPECT_LE(filled, 8u);
    restart();
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(get(std::to_string(i)) == pattern(300'000, i));
    for (int i = 0; i < 20; i += 2)
        ASSERT_TRUE(objects().remove(caller_, "bucket", std::to_string(i)).ok());
    expect_only_named_bytes(disk(), store());
    for (int i = 1; i < 20; i += 2) {
        EXPECT_TRUE(get(std::to_string(i)) == pattern(300'000, i));
        ASSERT_TRUE(objects().remove(caller_, "bucket", std::to_string(i)).ok());
    }
    EXPECT_LE(files().size(), 1u) << "only the file that is appended to stays";
    restart();
    expect_no_leak(disk(), store());
    put("again", pattern(300'000, 99));
    EXPECT_TRUE(get("again") == pattern(300'000, 99));
}

TEST_F(ExtentsTest, TheSpaceOfDeletedDataComesBackOnARealDisk) {
    server_.reset();
    const std::string directory = root_ / "extents";
    io::RealDisk real;
    auto options = bytes_options();
    options.directory = directory;
    options.free_bytes_min = 0;
    Server server(root_ / "real", real, options);
    ASSERT_TRUE(server.objects->create_bucket(caller_, "bucket").ok());
    const auto blocks = [&] {
        uint64_t bytes = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            struct stat status {};
            EXPECT_EQ(stat(entry.path().c_str(), &status), 0);
            bytes += static_cast<uint64_t>(status.st_blocks) * 512;
        }
        return bytes;
    };
    const auto bytes = pattern(400'000, 1);
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(server.objects->put(caller_, "bucket", std::to_string(i), bytes).ok());
    EXPECT_GE(blocks(), 10 * bytes.size());
    for (int i = 0; i < 10; ++i)
        if (i != 5) {
            ASSERT_TRUE(server.objects->remove(caller_, "bucket", std::to_string(i)).ok());
        }
    EXPECT_LE(blocks(), bytes.size() + options.preallocate_bytes + 64 * 1024);
    EXPECT_TRUE(get(*server.objects, "5") == bytes);
}

TEST_F(ExtentsTest, ANearlyFullDiskRefusesWritesButNotDeletes) {
    put("key", pattern(200'000, 1));
    disk().set_free_bytes(1 << 20);
    const auto refused = objects().put(caller_, "bucket", "other", pattern(400'000, 2));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::exhausted);
    EXPECT_EQ(get("other"), "(NoSuchKey)");
    EXPECT_TRUE(get("key") == pattern(200'000, 1));
    EXPECT_TRUE(objects().remove(caller_, "bucket", "key").ok());
    disk().set_free_bytes(1ull << 40);
    put("other", pattern(400'000, 2));
    restart();
    expect_no_leak(disk(), store());
    EXPECT_TRUE(get("other") == pattern(400'000, 2));
}

TEST_F(ExtentsTest, AFailingCallFailsOneUpload) {
    using Call = io::FaultyDisk::Call;
    for (auto call : {Call::open, Call::write, Call::preallocate, Call::sync_directory}) {
        put("key", pattern(900'000, 1));
        for (uint64_t after = 0; after < 4; ++after) {
            disk().add_fault({call, "/extents", after, 1, Code::io, 1000});
            auto done = objects().put(caller_, "bucket", "key", pattern(2'500'000, 2));
            disk().clear_faults();
            EXPECT_TRUE(get("key") == (done.ok() ? pattern(2'500'000, 2) : pattern(900'000, 1)));
            put("key", pattern(900'000, 1));
        }
        restart();
        EXPECT_TRUE(get("key") == pattern(900'000, 1));
        expect_no_leak(disk(), store());
    }
}

TEST_F(ExtentsTest, AFailedSyncStopsLargeWritesUntilARestart) {
    put("key", pattern(200'000, 1));
    disk().add_fault({io::FaultyDisk::Call::sync, "/extents", 0, 1, Code::io, 0});
    EXPECT_FALSE(objects().put(caller_, "bucket", "other", pattern(200'000, 2)).ok());
    const auto refused = objects().put(caller_, "bucket", "other", pattern(200'000, 2));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Code::unavailable);
    EXPECT_TRUE(get("key") == pattern(200'000, 1));
    put("small", "fits into the log");
    restart();
    put("other", pattern(200'000, 2));
    expect_only_named_bytes(disk(), store());
}

TEST_F(ExtentsTest, AFailureWhileFreeingIsTriedAgain) {
    using Call = io::FaultyDisk::Call;
    for (auto call : {Call::punch_hole, Call::sync, Call::remove}) {
        for (int i = 0; i < 8; ++i) put(std::to_string(i), pattern(300'000, i));
        disk().add_fault({call, "/extents", 0, 2, Code::io, 0});
        for (int i = 0; i < 8; ++i)
            EXPECT_TRUE(objects().remove(caller_, "bucket", std::to_string(i)).ok());
        disk().clear_faults();
        if (call != Call::remove) {
            ASSERT_TRUE(objects().reclaim().ok());
            expect_only_named_bytes(disk(), store());
        }
        restart();
        expect_no_leak(disk(), store());
    }
}

}  // namespace
}  // namespace tarn::objects::internal
