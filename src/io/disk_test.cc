#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>

#include "base/random.h"
#include "io/disk.h"
#include "io/faulty_disk.h"

namespace tarn::io {
namespace {

/// The contract, on both disks.
class DiskTest : public testing::TestWithParam<bool> {
 protected:
    DiskTest() {
        if (GetParam()) {
            disk_ = std::make_unique<RealDisk>();
            root_ = testing::TempDir() + "tarn_disk_" + random_hex(8);
        } else {
            disk_ = std::make_unique<FaultyDisk>();
            root_ = "/data";
        }
        EXPECT_TRUE(disk_->make_directories(root_ + "/a/b").ok());
    }
    ~DiskTest() override { EXPECT_TRUE(disk_->remove_tree(root_).ok()); }

    std::unique_ptr<Disk> disk_;
    std::string root_;
};

TEST_P(DiskTest, OpenModes) {
    const std::string path = root_ + "/file";
    EXPECT_EQ(disk_->open(path, OpenMode::read).error().code, Code::not_found);
    EXPECT_EQ(disk_->open(path, OpenMode::read_write).error().code, Code::not_found);
    EXPECT_EQ(disk_->open(root_ + "/no/file", OpenMode::create).error().code, Code::not_found);
    EXPECT_TRUE(disk_->open(path, OpenMode::create_new).ok());
    EXPECT_EQ(disk_->open(path, OpenMode::create_new).error().code, Code::already_exists);
    EXPECT_TRUE(disk_->open(path, OpenMode::create).ok());
    EXPECT_TRUE(disk_->open(path, OpenMode::read_write).ok());
    auto reader = disk_->open(path, OpenMode::read);
    ASSERT_TRUE(reader.ok());
    EXPECT_FALSE((*reader)->write(0, "x").ok());
}

TEST_P(DiskTest, WhatIsWrittenUncachedIsThereAtOnce) {
    Random random(7);
    auto file = std::move(disk_->open(root_ + "/file", OpenMode::create)).value();
    std::string model(64 * kPageBytes, 'a');
    ASSERT_TRUE(file->write(0, model).ok());
    for (int i = 0; i < 300; ++i) {
        // Mostly whole pages from a page to a page; odd addresses, places and lengths must do too.
        const auto odd = [&] { return random.one_in(4) ? random.below(kPageBytes) : 0; };
        const size_t from = odd();
        const size_t at = random.below(60) * kPageBytes + odd();
        const size_t length =
            std::min<size_t>(random.below(5) * kPageBytes + odd(), model.size() - at);
        const char letter = static_cast<char>('b' + i % 20);
        const PageString bytes(std::max(from + length, kPageBytes), letter);
        ASSERT_EQ(reinterpret_cast<uintptr_t>(bytes.data()) % kPageBytes, 0u);
        ASSERT_TRUE(file->write_uncached(at, std::string_view(bytes).substr(from, length)).ok());
        model.replace(at, length, length, letter);
        if (random.one_in(3)) {
            model.replace(at, 9, "in memory");  // a page that only the cache has
            ASSERT_TRUE(file->write(at, "in memory").ok());
        }
        ASSERT_EQ(file->read(0, model.size() + 1).value(), model) << i;
    }
    ASSERT_TRUE(file->sync().ok());
    auto again = std::move(disk_->open(root_ + "/file", OpenMode::read)).value();
    EXPECT_EQ(again->read(0, model.size() + 1).value(), model);
    EXPECT_FALSE(again->write_uncached(0, PageString(kPageBytes, 'x')).ok());
}

TEST_P(DiskTest, WritesGatherAndReadsClip) {
    auto file = std::move(disk_->open(root_ + "/file", OpenMode::create)).value();
    std::string all;
    std::vector<std::string> parts;
    for (int i = 0; i < 3000; ++i)
        parts.push_back(std::string(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26)));
    std::vector<std::string_view> pieces(parts.begin(), parts.end());
    for (const auto& part : parts) all += part;
    ASSERT_TRUE(file->write(5, pieces).ok());
    ASSERT_TRUE(file->sync().ok());
    EXPECT_EQ(file->size().value(), all.size() + 5);
    EXPECT_EQ(file->read(0, 5).value(), std::string(5, '\0'));
    EXPECT_EQ(file->read(5, ~0ull / 4).value(), all);
    EXPECT_EQ(file->read(all.size(), 100).value().size(), 5u);
    EXPECT_EQ(file->read(1 << 30, 100).value(), "");
}

TEST_P(DiskTest, SpaceIsReservedPunchedAndCut) {
    auto file = std::move(disk_->open(root_ + "/file", OpenMode::create)).value();
    ASSERT_TRUE(file->preallocate(64 << 10).ok());
    EXPECT_EQ(file->size().value(), 64u << 10);
    EXPECT_EQ(file->read(100, 10).value(), std::string(10, '\0'));
    ASSERT_TRUE(file->write(4096, std::string(8192, 'x')).ok());
    ASSERT_TRUE(file->punch_hole(4096, 4096).ok());
    EXPECT_EQ(file->read(4096, 4096).value(), std::string(4096, '\0'));
    EXPECT_EQ(file->read(8192, 4096).value(), std::string(4096, 'x'));
    const auto data = file->next_data(0);
    ASSERT_TRUE(data.ok());
    EXPECT_LE(*data, 8192u);
    ASSERT_TRUE(file->truncate(10).ok());
    EXPECT_EQ(file->size().value(), 10u);
    ASSERT_TRUE(file->preallocate(20).ok());
    EXPECT_EQ(file->read(0, 30).value(), std::string(20, '\0'));
}

TEST_P(DiskTest, NamesMoveAndGo) {
    ASSERT_TRUE(replace_file(*disk_, root_ + "/a/one", "first").ok());
    ASSERT_TRUE(replace_file(*disk_, root_ + "/a/one", "second").ok());
    EXPECT_EQ(read_file(*disk_, root_ + "/a/one", 100).value(), "second");
    EXPECT_EQ(read_file(*disk_, root_ + "/a/one", 5).error().code, Code::exhausted);
    EXPECT_EQ(read_file(*disk_, root_ + "/a/two", 5).error().code, Code::not_found);
    ASSERT_TRUE(disk_->rename(root_ + "/a/one", root_ + "/a/two").ok());
    EXPECT_EQ(disk_->rename(root_ + "/a/one", root_ + "/x").error().code, Code::not_found);
    const auto entries = disk_->list(root_ + "/a");
    ASSERT_TRUE(entries.ok());
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ(entries->at(0).name, "b");
    EXPECT_TRUE(entries->at(0).is_directory);
    EXPECT_EQ(entries->at(1).name, "two");
    EXPECT_EQ(entries->at(1).bytes, 6u);
    EXPECT_TRUE(disk_->exists(root_ + "/a/two").value());
    ASSERT_TRUE(disk_->remove(root_ + "/a/two").ok());
    EXPECT_FALSE(disk_->exists(root_ + "/a/two").value());
    EXPECT_EQ(disk_->remove(root_ + "/a/two").error().code, Code::not_found);
    EXPECT_EQ(disk_->list(root_ + "/none").error().code, Code::not_found);
    EXPECT_TRUE(disk_->make_directories(root_ + "/a/b/").ok());
    EXPECT_GT(disk_->free_bytes(root_).value(), 0u);
}

TEST_P(DiskTest, AFileOutlivesItsName) {
    auto file = std::move(disk_->open(root_ + "/file", OpenMode::create)).value();
    ASSERT_TRUE(file->write(0, "still here").ok());
    ASSERT_TRUE(disk_->remove(root_ + "/file").ok());
    EXPECT_EQ(file->read(0, 100).value(), "still here");
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskTest, testing::Bool(), [](const auto& param) {
    return std::string(param.param ? "Real" : "Faulty");
});

TEST(RealDisk, FilesAreOurs) {
    RealDisk disk;
    const std::string root = testing::TempDir() + "tarn_disk_" + random_hex(8);
    ASSERT_TRUE(disk.make_directories(root).ok());
    ASSERT_TRUE(replace_file(disk, root + "/secret", "x").ok());
    struct stat about {};
    ASSERT_EQ(::stat((root + "/secret").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600u);
    ASSERT_EQ(::stat(root.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0700u);
    EXPECT_EQ(disk.make_directories(root + "/secret/below").error().code, Code::invalid_argument);
    ASSERT_TRUE(disk.remove_tree(root).ok());
}

TEST(RealDisk, AFullDiskSaysWhatToDo) {
    RealDisk disk;
    auto full = disk.open("/dev/full", OpenMode::read_write);
    if (!full.ok()) GTEST_SKIP() << "no /dev/full here";
    const Status written = (*full)->write(0, "x");
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Code::exhausted);
    EXPECT_NE(written.error().message.find("free space"), std::string::npos);
}

TEST(FaultyDisk, SyncedThingsSurviveAndOthersMay) {
    FaultyDisk disk;
    ASSERT_TRUE(disk.make_directories("/d").ok());
    auto file = std::move(disk.open("/d/f", OpenMode::create)).value();
    ASSERT_TRUE(file->write(0, std::string(2000, 'a')).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(disk.sync_directory("/d").ok());
    ASSERT_TRUE(file->write(0, std::string(2048, 'b')).ok());
    auto other = disk.open("/d/g", OpenMode::create);
    ASSERT_TRUE(disk.rename("/d/f", "/d/h").ok());
    bool lost = false, kept = false, torn = false, other_there = false, renamed = false;
    for (uint64_t seed = 0; seed < 200; ++seed) {
        const auto after = disk.crash(disk.operation_count(), seed);
        const bool moved = after->exists("/d/h").value();
        renamed = renamed || moved;
        EXPECT_NE(after->exists("/d/f").value(), moved);
        const auto bytes = read_file(*after, moved ? "/d/h" : "/d/f", 1 << 20);
        ASSERT_TRUE(bytes.ok());
        lost = lost || *bytes == std::string(2000, 'a');
        kept = kept || *bytes == std::string(2048, 'b');
        torn = torn ||
               (bytes->find('a') != std::string::npos && bytes->find('b') != std::string::npos);
        for (size_t i = 0; i < 1536; i += 512)
            EXPECT_EQ(bytes->substr(i, 512), std::string(512, bytes->at(i)));
        other_there = other_there || after->exists("/d/g").value();
    }
    EXPECT_TRUE(lost && kept && torn && other_there && renamed);
    // The same seed gives the same.
    EXPECT_EQ(disk.crash(5, 3)->list("/d").value().size(),
              disk.crash(5, 3)->list("/d").value().size());
}

TEST(FaultyDisk, ReplaceFileLeavesTheOldOrTheNew) {
    FaultyDisk disk;
    ASSERT_TRUE(disk.make_directories("/d").ok());
    ASSERT_TRUE(replace_file(disk, "/d/f", std::string(3000, 'a')).ok());
    const size_t before = disk.operation_count();
    ASSERT_TRUE(replace_file(disk, "/d/f", std::string(2000, 'b')).ok());
    for (size_t at = before; at <= disk.operation_count(); ++at) {
        for (uint64_t seed = 0; seed < 30; ++seed) {
            const auto bytes = read_file(*disk.crash(at, seed), "/d/f", 1 << 20);
            ASSERT_TRUE(bytes.ok());
            EXPECT_TRUE(*bytes == std::string(3000, 'a') || *bytes == std::string(2000, 'b'));
            EXPECT_TRUE(at < disk.operation_count() || bytes->front() == 'b');
        }
    }
}

TEST(FaultyDisk, CallsFailByRule) {
    FaultyDisk disk;
    ASSERT_TRUE(disk.make_directories("/d").ok());
    auto file = std::move(disk.open("/d/f", OpenMode::create)).value();
    disk.add_fault({FaultyDisk::Call::write, "/d/", 1, 1, Code::exhausted, 3});
    EXPECT_TRUE(file->write(0, "one").ok());
    EXPECT_EQ(file->write(3, "second").error().code, Code::exhausted);
    EXPECT_EQ(file->read(0, 100).value(), "onesec");
    EXPECT_TRUE(file->write(3, "second").ok());
    disk.add_fault({FaultyDisk::Call::sync, "", 0, FaultyDisk::kForever, Code::io});
    EXPECT_EQ(file->sync().error().code, Code::io);
    EXPECT_EQ(file->sync().error().code, Code::io);
    disk.clear_faults();
    EXPECT_TRUE(file->sync().ok());
}

// The kernel forgets what it could not write: a later sync that succeeds promises nothing about it.
TEST(FaultyDisk, AFailedSyncIsNotMadeGoodByTheNext) {
    FaultyDisk disk;
    auto file = std::move(disk.open("/f", OpenMode::create)).value();
    ASSERT_TRUE(disk.sync_directory("/").ok());
    ASSERT_TRUE(file->write(0, "x").ok());
    disk.add_fault({FaultyDisk::Call::sync});
    EXPECT_FALSE(file->sync().ok());
    EXPECT_TRUE(file->sync().ok());
    bool lost = false;
    for (uint64_t seed = 0; seed < 50; ++seed)
        lost =
            lost || read_file(*disk.crash(disk.operation_count(), seed), "/f", 9).value().empty();
    EXPECT_TRUE(lost);
}

}  // namespace
}  // namespace tarn::io
