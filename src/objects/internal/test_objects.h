// For tests: an object store over a local store in a folder of its own, with extents on a disk in
// memory.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "io/faulty_disk.h"
#include "objects/internal/extent_layout.h"
#include "objects/internal/keys.h"
#include "objects/store.h"

namespace tarn::objects::internal {

/// Calls a hook before and after each commit.
class HookedStore final : public meta::Store {
 public:
    explicit HookedStore(meta::Store& inner) : inner_(inner) {}

    std::function<void()> before_commit = [] {};
    std::function<void()> after_commit = [] {};
    /// The next commits fail with this, as if a condition had not held.
    std::optional<Error> refuse;

    Result<std::optional<meta::Record>> get(std::string_view key) const override {
        return inner_.get(key);
    }
    std::unique_ptr<meta::Iterator> scan(meta::Range range) const override {
        return inner_.scan(std::move(range));
    }
    std::shared_ptr<const meta::Snapshot> snapshot() const override { return inner_.snapshot(); }
    Result<meta::Commit> commit(meta::Batch batch) override {
        if (refuse) return *refuse;
        before_commit();
        auto committed = inner_.commit(std::move(batch));
        after_commit();
        return committed;
    }
    void commit(meta::Batch batch, std::function<void(Result<meta::Commit>)> done) override {
        if (refuse) return done(*refuse);
        before_commit();
        inner_.commit(std::move(batch), std::move(done));
    }
    meta::Version last_version() const override { return inner_.last_version(); }
    bool healthy() const override { return inner_.healthy(); }

 private:
    meta::Store& inner_;
};

/// One server: opened over a folder for the state and a disk for the extents.
struct Server {
    Server(const std::string& directory, io::Disk& extents_disk, LocalBytesOptions bytes_options,
           ObjectStoreOptions options = {}) {
        meta::LocalStoreOptions store_options;
        store_options.directory = directory;
        store_options.segment_bytes = 1 << 20;
        store_options.free_bytes_min = 0;
        auto opened = meta::LocalStore::open(real_disk, clock, metrics, store_options);
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        local = std::move(opened).value();
        store = std::make_unique<HookedStore>(*local);
        bytes_options.lake_id = local->lake_id();
        auto backend = open_local_bytes(extents_disk, *store, metrics, std::move(bytes_options));
        EXPECT_TRUE(backend.ok()) << backend.error().message;
        bytes = std::move(backend).value();
        options.part_bytes_min = 100'000;
        auto made = ObjectStore::open(*store, *bytes, clock, metrics, options);
        EXPECT_TRUE(made.ok()) << made.error().message;
        objects = std::move(made).value();
    }

    io::RealDisk real_disk;
    SystemClock clock;
    Metrics metrics;
    std::unique_ptr<meta::LocalStore> local;
    std::unique_ptr<HookedStore> store;
    std::unique_ptr<BytesBackend> bytes;
    std::unique_ptr<ObjectStore> objects;
};

class ObjectsTest : public testing::Test {
 protected:
    static constexpr uint64_t kFileBytes = 1 << 20;

    ObjectsTest() {
        root_ = std::filesystem::temp_directory_path() / ("tarn_objects_test_" + random_hex(8));
        start();
        EXPECT_TRUE(objects().create_bucket(caller_, "bucket").ok());
    }
    ~ObjectsTest() override {
        server_.reset();
        std::filesystem::remove_all(root_);
    }

    static LocalBytesOptions bytes_options() {
        LocalBytesOptions options;
        options.directory = "/extents";
        options.file_bytes = kFileBytes;
        options.preallocate_bytes = 256 << 10;
        options.free_bytes_min = 1 << 20;
        return options;
    }
    void start(ObjectStoreOptions options = {}) {
        server_ = std::make_unique<Server>(root_ / "state", *disk_, bytes_options(), options);
    }
    void restart() {
        server_.reset();
        start();
    }
    ObjectStore& objects() { return *server_->objects; }
    HookedStore& store() { return *server_->store; }
    io::FaultyDisk& disk() { return *disk_; }

    ObjectInfo put(const std::string& key, std::string_view bytes, PutOptions options = {}) {
        auto done = objects().put(caller_, "bucket", key, bytes, std::move(options));
        EXPECT_TRUE(done.ok()) << done.error().message;
        return done.ok() ? *done : ObjectInfo();
    }
    /// By start_put, to its end.
    Result<ObjectInfo> start_put(const std::string& key, std::string bytes,
                                 PutOptions options = {}, const std::string& bucket = "bucket") {
        std::promise<std::shared_ptr<StartedPut>> ready;
        objects().start_put(
            caller_, bucket, key, std::move(bytes), std::move(options),
            [&](std::shared_ptr<StartedPut> put) { ready.set_value(std::move(put)); });
        return ready.get_future().get()->finish();
    }
    std::string put_reason(const std::string& key, std::string_view bytes, PutOptions options) {
        return reason(objects().put(caller_, "bucket", key, bytes, std::move(options)));
    }
    std::string get(const std::string& key) { return get(objects(), key); }
    static std::string get(ObjectStore& from, const std::string& key) {
        auto reader = from.open("bucket", key);
        if (!reader.ok()) return "(" + reader.error().reason + ")";
        auto bytes = (*reader)->read(0, (*reader)->info().size);
        return bytes.ok() ? *bytes : "(" + std::string(to_string(bytes.error().code)) + ")";
    }
    template <typename T>
    static std::string reason(const T& result) {
        return result.ok() ? "ok" : result.error().reason;
    }
    static std::string pattern(size_t size, uint64_t seed) { return Random(seed).bytes(size); }

    /// After a restart: every byte of the extent files that no record names reads as zero, and open
    /// files do not go on behind the last extent.
    static void expect_no_leak(io::Disk& disk, const meta::Reader& reader) {
        expect_only_named_bytes(disk, reader, true);
    }
    /// While running an idle file keeps a reserve.
    static void expect_only_named_bytes(io::Disk& disk, const meta::Reader& reader,
                                        bool restarted = false) {
        auto files = disk.list("/extents");
        ASSERT_TRUE(files.ok());
        for (const auto& entry : *files) {
            const auto id = parse_extent_file_name(entry.name);
            ASSERT_TRUE(id.has_value()) << entry.name;
            auto file = disk.open("/extents/" + entry.name, io::OpenMode::read);
            ASSERT_TRUE(file.ok());
            auto bytes = (*file)->read(0, entry.bytes);
            ASSERT_TRUE(bytes.ok());
            bytes->replace(0, kPageBytes, kPageBytes, '\0');
            uint64_t end = kPageBytes;
            auto walk = reader.scan({extents_of(*id), meta::prefix_end(extents_of(*id))});
            for (; walk->valid(); walk->next()) {
                meta::KeyReader key(walk->key(), "x");
                key.take_number();
                const uint64_t offset = *key.take_number();
                const uint64_t region = region_bytes(*key.take_number());
                ASSERT_GE(meta::decode_counter(walk->record()->value), 1);
                ASSERT_LE(offset, bytes->size());
                const uint64_t there = std::min<uint64_t>(region, bytes->size() - offset);
                bytes->replace(offset, there, there, '\0');
                end = offset + region;
            }
            const auto record = reader.get(extent_file_key(*id));
            ASSERT_TRUE(record.ok() && record->has_value());
            if (restarted && (*record)->value == "open") {
                EXPECT_LE(entry.bytes, end) << entry.name << " goes on behind its last extent";
            }
            EXPECT_EQ(bytes->find_first_not_of('\0'), std::string::npos)
                << entry.name << " holds bytes that nobody names";
        }
        auto dead = reader.scan({"xd/", meta::prefix_end("xd/")});
        EXPECT_FALSE(dead->valid());
    }

    security::Caller caller_;
    std::filesystem::path root_;
    std::unique_ptr<io::FaultyDisk> disk_ = std::make_unique<io::FaultyDisk>();
    std::unique_ptr<Server> server_;
};

}  // namespace tarn::objects::internal
