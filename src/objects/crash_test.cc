// The server dies at any moment, or the power fails: what was acknowledged is there, byte for byte;
// what was under way is there whole or not at all; no byte stays allocated that nobody names.
#include <map>
#include <set>

#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

using Content = std::map<std::string, std::string>;

/// What lay on the disks at one moment, and what a client knew then.
struct Image {
    std::string state;  // copy of the state's folder
    std::unique_ptr<io::FaultyDisk> extents;
    Content acknowledged;
    std::set<std::string> under_way;  // keys that a call was changing
    Content attempted;                // to these; absent: deleted
};

class CrashTest : public ObjectsTest {
 protected:
    /// Called around commits: the extents may be in any state since the commit before, the log is
    /// as it is.
    void maybe_take_image() {
        const size_t now = disk().operation_count();
        if (random_->one_in(12) && images_.size() < 8) {
            const size_t at = last_commit_at_ + random_->below(now - last_commit_at_ + 1);
            Image image;
            image.state = root_ / ("image" + std::to_string(images_.size()));
            std::filesystem::copy(root_ / "state", image.state,
                                  std::filesystem::copy_options::recursive);
            image.extents = disk().crash(at, random_->below(1000));
            image.acknowledged = acknowledged_;
            image.under_way = under_way_;
            image.attempted = attempted_;
            images_.push_back(std::move(image));
        }
        last_commit_at_ = now;
    }
    void watch() {
        store().before_commit = [this] { maybe_take_image(); };
        store().after_commit = [this] { maybe_take_image(); };
    }

    std::string some_key() { return "k" + std::to_string(random_->below(8)); }
    std::string some_bytes() {
        const size_t sizes[] = {0, 500, 60'000, 70'000, 200'000, 1'300'000};
        return random_->bytes(sizes[random_->below(6)]);
    }

    /// A call that changes `keys` to what `next` says.
    template <typename Call>
    void change(const Content& next, const std::set<std::string>& keys, const Call& call) {
        under_way_ = keys;
        attempted_ = next;
        const bool done = call();
        under_way_.clear();
        attempted_.clear();
        if (!done) return;
        for (const auto& key : keys) acknowledged_.erase(key);
        for (const auto& [key, bytes] : next) acknowledged_[key] = bytes;
    }

    void step() {
        const auto key = some_key();
        switch (random_->below(9)) {
            case 0:
            case 1:
            case 2: {
                const auto bytes = some_bytes();
                change({{key, bytes}}, {key},
                       [&] { return objects().put(caller_, "bucket", key, bytes).ok(); });
                break;
            }
            case 3:
                change({}, {key}, [&] { return objects().remove(caller_, "bucket", key).ok(); });
                break;
            case 4: {
                const auto other = some_key();
                change({}, {key, other}, [&] {
                    return objects().remove_many(caller_, "bucket", {key, other}).ok();
                });
                break;
            }
            case 5: {
                auto upload = objects().begin_put(caller_, "bucket", key, {});
                ASSERT_TRUE(upload.ok());
                ASSERT_TRUE((*upload)->write(some_bytes()).ok());
                break;  // given up
            }
            case 6: {
                const auto from = some_key();
                if (acknowledged_.count(from) == 0 || from == key) break;
                change({{key, acknowledged_[from]}}, {key},
                       [&] { return objects().copy(caller_, "bucket", from, "bucket", key).ok(); });
                break;
            }
            case 7:
                multipart(key);
                break;
            default: {
                const auto bytes = some_bytes();
                change({{key, bytes}}, {key}, [&] {
                    meta::Batch batch;
                    auto staged = objects().stage_put(batch, "bucket", key, bytes);
                    if (!staged.ok() || random_->one_in(3) ||
                        !store().commit(std::move(batch)).ok())
                        return false;
                    (*staged)->committed();
                    return true;
                });
            }
        }
    }

    void multipart(const std::string& key) {
        auto upload = objects().create_multipart(caller_, "bucket", key);
        ASSERT_TRUE(upload.ok());
        std::vector<CompletedPart> parts;
        std::string whole;
        for (uint32_t number = 1; number <= 1 + random_->below(3); ++number) {
            const auto bytes = random_->bytes(100'000 + random_->below(400'000));
            auto part = objects().begin_part(caller_, "bucket", key, upload->upload_id, number);
            ASSERT_TRUE(part.ok() && (*part)->write(bytes).ok());
            auto sent = (*part)->finish();
            ASSERT_TRUE(sent.ok());
            if (random_->one_in(4)) continue;  // left out
            parts.push_back({number, sent->etag, std::nullopt});
            whole += bytes;
        }
        if (parts.empty() || random_->one_in(4)) {
            ASSERT_TRUE(objects().abort(caller_, "bucket", key, upload->upload_id).ok());
            return;
        }
        change({{key, whole}}, {key}, [&] {
            return objects().complete(caller_, "bucket", key, upload->upload_id, parts).ok();
        });
    }

    void check(const Image& image) {
        Server server(image.state, *image.extents, bytes_options());
        Content found;
        for (int i = 0; i < 8; ++i) {
            const auto key = "k" + std::to_string(i);
            const auto bytes = get(*server.objects, key);
            if (bytes != "(NoSuchKey)") found[key] = bytes;
        }
        uint64_t total = 0;
        for (const auto& [key, bytes] : found) total += bytes.size();
        EXPECT_EQ(server.objects->head_bucket("bucket")->bytes, total);
        EXPECT_EQ(server.objects->head_bucket("bucket")->objects, found.size());

        // One call is one batch: all of its keys are as before, or all are as wanted.
        Content wanted = image.acknowledged;
        for (const auto& key : image.under_way) wanted.erase(key);
        for (const auto& [key, bytes] : image.attempted) wanted[key] = bytes;
        EXPECT_TRUE(found == image.acknowledged || found == wanted);
        expect_no_leak(*image.extents, *server.store);

        // And it goes on from there: all can be deleted, then nothing is left.
        for (const auto& [key, bytes] : found)
            EXPECT_TRUE(server.objects->remove(caller_, "bucket", key).ok());
        auto uploads = server.objects->list_uploads("bucket", {});
        ASSERT_TRUE(uploads.ok());
        for (const auto& upload : uploads->uploads)
            EXPECT_TRUE(
                server.objects->abort(caller_, "bucket", upload.key, upload.upload_id).ok());
        EXPECT_FALSE(server.store->scan({"x/", meta::prefix_end("x/")})->valid());
        EXPECT_FALSE(server.store->scan({"xd/", meta::prefix_end("xd/")})->valid());
    }

    std::unique_ptr<Random> random_;
    Content acknowledged_;
    std::set<std::string> under_way_;
    Content attempted_;
    std::vector<Image> images_;
    size_t last_commit_at_ = 0;
};

TEST_F(CrashTest, AcknowledgedIsPresentAndTheRestLeavesNoTrace) {
    for (uint64_t seed : {1, 2}) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        random_ = std::make_unique<Random>(seed);
        last_commit_at_ = disk().operation_count();
        watch();
        for (int i = 0; i < 40; ++i) {
            step();
            if (random_->one_in(20)) {
                restart();
                last_commit_at_ = disk().operation_count();
                watch();
            }
        }
        restart();
        EXPECT_GT(images_.size(), 3u);
        for (const auto& image : images_) {
            check(image);
            std::filesystem::remove_all(image.state);
        }
        images_.clear();
    }
}

}  // namespace
}  // namespace tarn::objects::internal
