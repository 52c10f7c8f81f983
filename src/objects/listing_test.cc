// Listings against a model: seeded keys, prefixes, delimiters and page sizes.
#include <set>

#include "objects/internal/test_objects.h"

namespace tarn::objects::internal {
namespace {

class ListingTest : public ObjectsTest {
 protected:
    /// What S3's rules make of a set of keys: entries in order, common prefixes once.
    static std::vector<std::string> model(const std::set<std::string>& keys,
                                          const ListOptions& options) {
        std::vector<std::string> entries;
        for (const auto& key : keys) {
            if (key.compare(0, options.prefix.size(), options.prefix) != 0) continue;
            const auto cut = options.delimiter.empty()
                                 ? std::string::npos
                                 : key.find(options.delimiter, options.prefix.size());
            const auto entry =
                cut == std::string::npos ? key : key.substr(0, cut + options.delimiter.size());
            if (entry > options.after && (entries.empty() || entries.back() != entry))
                entries.push_back(entry);
        }
        return entries;
    }

    std::vector<std::string> all_pages(ListOptions options, size_t entries_max) {
        std::vector<std::string> entries;
        options.entries_max = entries_max;
        while (true) {
            auto page = objects().list("bucket", options);
            EXPECT_TRUE(page.ok());
            if (!page.ok()) return {};
            std::vector<std::string> merged = page->common_prefixes;
            for (const auto& object : page->objects) merged.push_back(object.key);
            std::sort(merged.begin(), merged.end());
            EXPECT_LE(merged.size(), entries_max);
            entries.insert(entries.end(), merged.begin(), merged.end());
            if (!page->truncated) return entries;
            EXPECT_EQ(page->next, merged.back());
            options.after = page->next;
        }
    }
};

TEST_F(ListingTest, AgreesWithTheModel) {
    Random random(20260101);
    const std::vector<std::string> alphabet = {"a", "b", "/", "/", "-", "\xc3\xa4", "0", "ab"};
    const auto word = [&](size_t parts) {
        std::string text;
        for (size_t i = random.below(parts + 1); i > 0; --i)
            text += alphabet[random.below(alphabet.size())];
        return text;
    };
    std::set<std::string> keys;
    for (int i = 0; i < 150; ++i) {
        const auto key = word(6);
        if (key.empty()) continue;
        put(key, "x");
        keys.insert(key);
    }
    ASSERT_TRUE(objects().create_bucket(caller_, "bucket2").ok());
    ASSERT_TRUE(objects().put(caller_, "bucket2", "a", "x").ok());
    for (int i = 0; i < 400; ++i) {
        ListOptions options;
        options.prefix = word(3);
        options.delimiter = random.one_in(3) ? "" : random.one_in(4) ? word(2) : "/";
        options.after = random.one_in(2) ? "" : word(5);
        EXPECT_EQ(all_pages(options, 1 + random.below(7)), model(keys, options))
            << "prefix '" << options.prefix << "' delimiter '" << options.delimiter << "' after '"
            << options.after << "'";
    }
}

TEST_F(ListingTest, Limits) {
    for (int i = 0; i < 5; ++i) put("k" + std::to_string(i), "x");
    ListOptions options;
    options.entries_max = 5;
    EXPECT_FALSE(objects().list("bucket", options)->truncated);
    options.entries_max = 0;
    auto page = objects().list("bucket", options);
    EXPECT_TRUE(page->objects.empty());
    EXPECT_FALSE(page->truncated);
    options.entries_max = 100'000;
    EXPECT_EQ(objects().list("bucket", options)->objects.size(), 5u);
}

TEST_F(ListingTest, SaysOfEachObjectWhatItsHeadSays) {
    PutOptions options;
    options.metadata.headers.content_type = "text/csv";
    options.metadata.headers.cache_control = "no-cache";
    options.metadata.storage_class = "STANDARD_IA";
    options.metadata.user = {{"one", "1"}, {"two", "2"}};
    options.metadata.tags = {{"colour", "blue"}};
    options.compute = {ChecksumAlgorithm::crc32c, ChecksumAlgorithm::sha256};
    put("a", "some bytes", options);
    put("b", "");
    const auto page = objects().list("bucket", {});
    ASSERT_EQ(page->objects.size(), 2u);
    for (const auto& listed : page->objects) {
        const auto whole = objects().head("bucket", listed.key, {});
        ASSERT_TRUE(whole.ok());
        EXPECT_EQ(listed.size, whole->size);
        EXPECT_EQ(listed.etag, whole->etag);
        EXPECT_EQ(listed.modified, whole->modified);
        EXPECT_EQ(listed.storage_class, whole->metadata.storage_class);
        ASSERT_EQ(listed.checksums.size(), whole->checksums.size());
        for (size_t i = 0; i < listed.checksums.size(); ++i)
            EXPECT_EQ(listed.checksums[i], whole->checksums[i].algorithm);
    }
    EXPECT_EQ(page->objects[0].checksums.size(), 2u);
    EXPECT_EQ(page->objects[0].storage_class, "STANDARD_IA");
    EXPECT_EQ(page->objects[1].storage_class, "STANDARD");
}

}  // namespace
}  // namespace tarn::objects::internal
