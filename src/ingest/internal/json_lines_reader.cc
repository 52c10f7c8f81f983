#include "ingest/internal/json_lines_reader.h"

#include <simdjson.h>

#include <charconv>
#include <cstring>
#include <deque>

#include "ingest/internal/csv_reader.h"

namespace tarn::ingest {

void LineCutter::push(std::string_view bytes) {
    buffer_.erase(0, begin_);
    begin_ = 0;
    buffer_.append(bytes);
}

bool LineCutter::next(Line& line) {
    for (;;) {
        const size_t left = buffer_.size() - begin_;
        const char* const from = buffer_.data() + begin_;
        const void* found = left > 0 ? std::memchr(from, '\n', left) : nullptr;
        if (found == nullptr && skipping_) {
            begin_ = buffer_.size();
            return false;
        }
        if (found == nullptr && !(finished_ && left > 0) && left <= kRecordBytesMax) return false;
        size_t length =
            found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - from) : left;
        const bool skipped = skipping_;
        line = {number_, {}, nullptr};
        if (found != nullptr) {
            begin_ += length + 1;
            ++number_;
            skipping_ = false;
        } else {
            begin_ += length;
            skipping_ = true;
        }
        if (skipped) continue;
        if (length > kRecordBytesMax) {
            line.problem = "the line is longer than 1 MiB";
            length = kRecordBytesMax;
        }
        line.text = {from, length};
        if (line.text.ends_with('\r')) line.text.remove_suffix(1);
        if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        return true;
    }
}

struct JsonLine::State {
    simdjson::dom::parser parser;
    std::deque<std::string> texts;  // numbers and nested values of the line
};

JsonLine::JsonLine() : state_(std::make_unique<State>()) {}
JsonLine::~JsonLine() = default;

namespace {

std::string number_text(double number) {
    char bytes[64];
    // Without an exponent where that is not absurd: the shortest text that means this number.
    const bool plain = number == 0 || (std::abs(number) >= 1e-9 && std::abs(number) < 1e17);
    const auto end =
        plain ? std::to_chars(bytes, bytes + sizeof(bytes), number, std::chars_format::fixed).ptr
              : std::to_chars(bytes, bytes + sizeof(bytes), number).ptr;
    std::string text(bytes, end);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

}  // namespace

Status JsonLine::read(std::string_view line, const std::function<bool(const JsonMember&)>& member) {
    state_->texts.clear();
    const auto kept = [&](std::string text) -> std::string_view {
        return state_->texts.emplace_back(std::move(text));
    };
    simdjson::dom::element root;
    if (const auto problem = state_->parser.parse(line.data(), line.size(), true).get(root);
        problem)
        return Error{Code::invalid_argument,
                     std::string("no JSON: ") + simdjson::error_message(problem)};
    simdjson::dom::object object;
    if (root.get(object)) return Error{Code::invalid_argument, "the line is JSON, but no object"};
    for (const auto field : object) {
        JsonMember one;
        one.name = field.key;
        switch (field.value.type()) {
            case simdjson::dom::element_type::NULL_VALUE:
                break;
            case simdjson::dom::element_type::BOOL:
                one.kind = JsonMember::Kind::boolean;
                one.truth = bool(field.value);
                break;
            case simdjson::dom::element_type::STRING:
                one.kind = JsonMember::Kind::text;
                one.text = std::string_view(field.value);
                break;
            case simdjson::dom::element_type::INT64:
                one.kind = JsonMember::Kind::number;
                one.text = kept(std::to_string(int64_t(field.value)));
                break;
            case simdjson::dom::element_type::UINT64:
                one.kind = JsonMember::Kind::number;
                one.text = kept(std::to_string(uint64_t(field.value)));
                break;
            case simdjson::dom::element_type::DOUBLE:
                one.kind = JsonMember::Kind::number;
                one.text = kept(number_text(double(field.value)));
                break;
            case simdjson::dom::element_type::ARRAY:
            case simdjson::dom::element_type::OBJECT:
                one.kind = JsonMember::Kind::nested;
                one.text = kept(simdjson::minify(field.value));
                break;
        }
        if (!member(one)) return {};
    }
    return {};
}

}  // namespace tarn::ingest
