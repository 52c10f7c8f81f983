#include "meta/keys.h"

#include "base/bytes.h"

namespace tarn::meta {

namespace {
constexpr char kEscape = '\x00';
constexpr char kZero = '\xff';
constexpr char kEnd = '\x01';
}  // namespace

Key& Key::text(std::string_view component) {
    bytes_.reserve(bytes_.size() + component.size() + 2);
    for (const char c : component) {
        bytes_.push_back(c);
        if (c == kEscape) bytes_.push_back(kZero);
    }
    bytes_.push_back(kEscape);
    bytes_.push_back(kEnd);
    return *this;
}

Key& Key::number(uint64_t component) {
    append_be(bytes_, component);
    return *this;
}

Key& Key::descending(uint64_t component) {
    return number(~component);
}

std::string prefix_end(std::string_view prefix) {
    std::string end(prefix);
    while (!end.empty() && end.back() == '\xff') end.pop_back();
    if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
    return end;
}

KeyReader::KeyReader(std::string_view key, std::string_view kind)
    : rest_(key),
      ok_(key.size() > kind.size() && key.substr(0, kind.size()) == kind &&
          key[kind.size()] == '/') {
    rest_.remove_prefix(ok_ ? kind.size() + 1 : rest_.size());
}

std::optional<std::string> KeyReader::take_text() {
    std::string text;
    for (size_t i = 0; ok_ && i < rest_.size(); ++i) {
        if (rest_[i] != kEscape) {
            text.push_back(rest_[i]);
            continue;
        }
        const char mark = ++i < rest_.size() ? rest_[i] : kEscape;
        if (mark == kEnd) {
            rest_.remove_prefix(i + 1);
            return text;
        }
        if (mark != kZero) break;
        text.push_back(kEscape);
    }
    ok_ = false;
    return std::nullopt;
}

std::optional<uint64_t> KeyReader::take_number() {
    if (rest_.size() < sizeof(uint64_t)) ok_ = false;
    if (!ok_) return std::nullopt;
    const auto number = load_be<uint64_t>(rest_.data());
    rest_.remove_prefix(sizeof(uint64_t));
    return number;
}

std::optional<uint64_t> KeyReader::take_descending() {
    const auto number = take_number();
    return number ? std::optional(~*number) : std::nullopt;
}

}  // namespace tarn::meta
