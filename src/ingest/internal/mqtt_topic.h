// The topics of a source: "stores/{store_id}/shelves/{shelf_id}". A level is a word, {name} (any
// level, which becomes a column), {} or + (any level, not kept), or, as the last one, # (any number
// of levels, none too). Plain values, no I/O. Lane: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tarn::ingest {

class TopicTemplate {
 public:
    /// invalid_argument: what is wrong with which level.
    static Result<TopicTemplate> parse(std::string_view text);

    const std::string& text() const { return text_; }
    /// Names in the order of the levels.
    const std::vector<std::string>& captures() const { return captures_; }
    /// As a client subscribes to it: "stores/+/shelves/+".
    std::string filter() const;

    /// `captured`, where given, gets one text per capture; they point into `topic`. Topics that
    /// begin with '$' are matched by a word only, as MQTT has it (4.7.2).
    bool matches(std::string_view topic, std::vector<std::string_view>* captured = nullptr) const;
    /// There is a topic that both match.
    bool overlaps(const TopicTemplate& other) const;

 private:
    enum class Kind : uint8_t { word, capture, any, rest };
    struct Level {
        Kind kind;
        std::string word;
    };

    TopicTemplate() = default;
    Result<Level> parse_level(std::string_view text, bool last);

    std::string text_;
    std::vector<Level> levels_;
    std::vector<std::string> captures_;
};

}  // namespace tarn::ingest
