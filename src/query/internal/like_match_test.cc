#include "query/internal/like_match.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace tarn::query {
namespace {

/// What LIKE means, word for word; exponential.
bool by_definition(std::string_view text, std::string_view pattern, char escape) {
    if (pattern.empty()) return text.empty();
    if (escape != '\0' && pattern[0] == escape)
        return !text.empty() && text[0] == pattern[1] && by_definition(text.substr(1), pattern.substr(2), escape);
    if (pattern[0] == '%') {
        for (size_t skipped = 0; skipped <= text.size(); ++skipped)
            if (by_definition(text.substr(skipped), pattern.substr(1), escape)) return true;
        return false;
    }
    return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) && by_definition(text.substr(1), pattern.substr(1), escape);
}

TEST(LikeMatch, ItIsWhatLikeMeans) {
    std::mt19937 random(7);
    const auto word = [&](std::string_view letters, size_t most) {
        std::string made;
        for (size_t i = random() % (most + 1); i > 0; --i) made += letters[random() % letters.size()];
        return made;
    };
    size_t matched = 0;
    for (int i = 0; i < 200'000; ++i) {
        const std::string text = word("ab%!", 8), pattern = word("ab%_!", 7);
        const char escape = i % 2 == 0 ? '!' : '\0';
        if (ends_with_escape(pattern, escape)) continue;
        const bool expected = by_definition(text, pattern, escape);
        ASSERT_EQ(like_match(text, pattern, escape), expected) << text << " like " << pattern << (escape != '\0' ? " escape '!'" : "");
        matched += expected ? 1 : 0;
    }
    EXPECT_GT(matched, 10'000u);
}

TEST(LikeMatch, OneCharacterMayBeSeveralBytes) {
    EXPECT_TRUE(like_match("Käse", "K_se", '\0'));
    EXPECT_TRUE(like_match("日本語", "___", '\0'));
    EXPECT_FALSE(like_match("日本語", "____", '\0'));
    EXPECT_TRUE(like_match("日本語", "%_語", '\0'));
    EXPECT_FALSE(like_match("é", "%__", '\0'));
}

TEST(LikeMatch, ManyPlaceholdersTakeNoLonger) {
    const std::string text(20'000, 'a');
    std::string pattern = "%";
    for (int i = 0; i < 50; ++i) pattern += "a%";
    EXPECT_FALSE(like_match(text, pattern + "b", '\0'));
    EXPECT_TRUE(like_match(text + "b", pattern + "b", '\0'));
}

TEST(LikeMatch, AnEscapeMustEscapeSomething) {
    EXPECT_TRUE(ends_with_escape("a!", '!'));
    EXPECT_FALSE(ends_with_escape("a!!", '!'));
    EXPECT_TRUE(ends_with_escape("a!!!", '!'));
    EXPECT_FALSE(ends_with_escape("a!", '\0'));
}

}  // namespace
}  // namespace tarn::query
