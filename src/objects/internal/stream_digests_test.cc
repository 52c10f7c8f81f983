#include "objects/internal/stream_digests.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tarn::objects::internal {
namespace {

TEST(StreamDigests, AreThoseOfTheWholeHoweverItComes) {
    std::string body;
    Random random(11);
    while (body.size() < (6 << 20)) body.append(64, static_cast<char>(random.below(256)));
    const std::vector<ChecksumAlgorithm> algorithms{
        ChecksumAlgorithm::crc32c, ChecksumAlgorithm::sha256, ChecksumAlgorithm::crc64nvme};
    for (const size_t length :
         {size_t{0}, size_t{1}, size_t{4 << 20}, size_t{(4 << 20) + 1}, body.size()}) {
        const std::string_view whole = std::string_view(body).substr(0, length);
        Digests expected(algorithms);
        expected.update(whole);
        const auto values = expected.finish();
        for (const size_t most : {size_t{100'000}, size_t{700'000}, size_t{5 << 20}}) {
            const bool size_known = random.below(2) == 0;
            StreamDigests digests(algorithms, true,
                                  size_known ? std::optional<uint64_t>(length) : std::nullopt);
            for (size_t at = 0; at < length;) {
                const auto piece =
                    std::make_shared<PieceBytes>(whole.substr(at, 1 + random.below(most)));
                digests.update(piece);
                at += piece->size();
            }
            const auto found = digests.finish();
            EXPECT_EQ(found.md5, values.md5) << length;
            ASSERT_EQ(found.checksums.size(), values.checksums.size());
            for (size_t i = 0; i < found.checksums.size(); ++i)
                EXPECT_EQ(found.checksums[i].value, values.checksums[i].value) << length;
        }
    }
}

TEST(StreamDigests, WithoutMd5TheOthersAreTheSame) {
    const std::string body(5 << 20, 'b');
    StreamDigests with({ChecksumAlgorithm::crc64nvme}, true, body.size());
    StreamDigests without({ChecksumAlgorithm::crc64nvme}, false, body.size());
    with.update(std::make_shared<PieceBytes>(body));
    without.update_whole(body);
    const auto expected = with.finish(), found = without.finish();
    EXPECT_EQ(expected.md5.size(), 16u);
    EXPECT_EQ(found.md5, "");
    EXPECT_EQ(found.checksums.at(0).value, expected.checksums.at(0).value);
}

TEST(StreamDigests, MayEndInTheMiddle) {
    StreamDigests digests({ChecksumAlgorithm::sha256}, true, std::nullopt);
    for (int i = 0; i < 6; ++i) digests.update(std::make_shared<PieceBytes>(1 << 20, 'x'));
}

}  // namespace
}  // namespace tarn::objects::internal
