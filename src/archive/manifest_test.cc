// Manifests, names and listings: what comes from a destination is hostile.
#include "archive/internal/manifest.h"

#include <gtest/gtest.h>

#include "archive/internal/s3_destination.h"
#include "codec/hash.h"

namespace tarn::archive {
namespace {

Manifest sample() {
    Manifest manifest;
    manifest.history = manifest.lake_id = std::string(32, 'a');
    manifest.point = make_point_id(true, {1'750'000'000'000'001});
    manifest.kind = Kind::archive;
    manifest.sequence = 42;
    manifest.sealed_key = std::string("\0sealed", 7);
    manifest.damage = {"extents/1"};
    FileEntry index{"state/index/CURRENT", "", {{0, 16, piece_id("x"), 5, 0}}, false, {}};
    FileEntry extents{"extents/00000000000000a1.extents", "token", {}, true, piece_id("list")};
    manifest.files = {extents, index};
    return manifest;
}

/// A manifest whose checksum is right.
Result<Manifest> parsed(const Manifest& manifest) {
    return parse_manifest(encode_manifest(manifest));
}

TEST(Manifest, ComesBack) {
    const auto made = sample();
    const auto back = parsed(made);
    ASSERT_TRUE(back.ok()) << back.error().message;
    EXPECT_EQ(encode_manifest(*back), encode_manifest(made));
    EXPECT_EQ(back->files[1].ranges, made.files[1].ranges);
    EXPECT_EQ(point_time(back->point).micros, 1'750'000'000'000'001);
}

TEST(Manifest, RefusesTornAndChanged) {
    const auto bytes = encode_manifest(sample());
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_manifest(bytes.substr(0, size)).ok()) << size;
    for (size_t at = 0; at < bytes.size(); ++at) {
        auto changed = bytes;
        changed[at] ^= 1;
        EXPECT_FALSE(parse_manifest(changed).ok()) << at;
    }
    auto later = bytes;
    later[8] = 2;
    EXPECT_EQ(parse_manifest(later).error().code, Code::unimplemented);
}

TEST(Manifest, RefusesPathsThatLeadElsewhere) {
    for (const char* path :
         {"../outside", "state/../../outside", "/etc/passwd", "state/index/../../x", "root.key",
          "state/index/.hidden", "state/wal/0000002A.wal", "state/wal/2a.wal", "extents/..",
          "state/index/", "state/index/a/b", "lock", "", "state/lake-id/", "extents/a1.extents"}) {
        auto manifest = sample();
        manifest.files = {{path, "", {}, false, {}}};
        EXPECT_FALSE(parsed(manifest).ok()) << path;
    }
}

TEST(Manifest, RefusesRangesThatCannotBe) {
    const Range good{0, 16, piece_id("x"), 5, 0};
    for (const auto& [offset, length, at] : {std::tuple{0ull, 0ull, 0ull},
                                             {kFileBytesMax, 1ull, 0ull},
                                             {~0ull, 16ull, 0ull},
                                             {0ull, kPieceBytesMax + 1, 0ull},
                                             {0ull, 1ull, kPieceBytesMax}}) {
        auto manifest = sample();
        manifest.files[1].ranges = {{offset, length, good.piece, at, 0}};
        EXPECT_FALSE(parsed(manifest).ok()) << offset << " " << length << " " << at;
    }
    auto manifest = sample();
    manifest.files[1].ranges = {good, {8, 16, good.piece, 0, 0}};
    EXPECT_FALSE(parsed(manifest).ok()) << "they overlap";
    manifest = sample();
    std::swap(manifest.files[0], manifest.files[1]);
    EXPECT_FALSE(parsed(manifest).ok()) << "out of order, or one path twice";
}

TEST(Manifest, RefusesNamesThatAreNone) {
    for (const auto change : {0, 1, 2, 3}) {
        auto manifest = sample();
        if (change == 0) manifest.history = "../x";
        if (change == 1) manifest.point = "archive-../../x";
        if (change == 2) manifest.lake_id = "A";
        if (change == 3) manifest.number = 1;
        EXPECT_FALSE(parsed(manifest).ok()) << change;
    }
    EXPECT_TRUE(is_name("a/b.c/d-e_f"));
    for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/../b", "a/.b", "a b", "a\n"})
        EXPECT_FALSE(is_name(name)) << name;
}

TEST(Manifest, ListOfRanges) {
    const std::vector<Range> ranges = {{0, 16, piece_id("x"), 5, 7}, {16, 1, piece_id("y"), 0, 7}};
    const auto bytes = encode_list(ranges);
    EXPECT_EQ(parse_list(bytes).value(), ranges);
    for (size_t size = 0; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_list(bytes.substr(0, size)).ok());
    EXPECT_FALSE(parse_list(bytes + "x").ok());
}

TEST(ListPage, ReadsObjectsAndFolders) {
    const auto page = parse_list_page(
        "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><IsTruncated>true</IsTruncated>"
        "<NextContinuationToken>a&amp;b</NextContinuationToken>"
        "<Contents><Key>p/a%20b</Key><LastModified>2026-11-21T22:45:00.000Z</LastModified>"
        "<Size>17</Size></Contents>"
        "<CommonPrefixes><Prefix>p/folder/</Prefix></CommonPrefixes></ListBucketResult>");
    ASSERT_TRUE(page.ok()) << page.error().message;
    EXPECT_EQ(page->next, "a&b");
    ASSERT_EQ(page->objects.size(), 1u);
    EXPECT_EQ(page->objects[0].name, "p/a b");
    EXPECT_EQ(page->objects[0].bytes, 17u);
    EXPECT_EQ(page->folders, std::vector<std::string>{"p/folder/"});
}

TEST(ListPage, RefusesWhatIsNone) {
    EXPECT_FALSE(parse_list_page("").ok());
    EXPECT_FALSE(parse_list_page("<html>").ok());
    EXPECT_FALSE(parse_list_page("<ListBucketResult><IsTruncated>true</IsTruncated>").ok());
    EXPECT_FALSE(parse_list_page("<ListBucketResult><Contents><Key>a</Key></Contents>").ok());
}

}  // namespace
}  // namespace tarn::archive
