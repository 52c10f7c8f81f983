#include "codec/json.h"

namespace tarn::codec {

namespace {

/// The length of the well-formed UTF-8 sequence at the start of `text` (RFC 3629), or 0.
size_t utf8_sequence(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
    const auto tail = [&](size_t i, int low = 0x80, int high = 0xbf) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const uint8_t lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
    if (lead == 0xe0) return tail(1, 0xa0) && tail(2) ? 3 : 0;
    if (lead == 0xed) return tail(1, 0x80, 0x9f) && tail(2) ? 3 : 0;
    if (lead >= 0xe1 && lead <= 0xef) return tail(1) && tail(2) ? 3 : 0;
    if (lead == 0xf0) return tail(1, 0x90) && tail(2) && tail(3) ? 4 : 0;
    if (lead == 0xf4) return tail(1, 0x80, 0x8f) && tail(2) && tail(3) ? 4 : 0;
    if (lead >= 0xf1 && lead <= 0xf3) return tail(1) && tail(2) && tail(3) ? 4 : 0;
    return 0;
}

void append_control(std::string& out, char c) {
    switch (c) {
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        default:
            break;
    }
    constexpr char kDigits[] = "0123456789abcdef";
    out += "\\u00";
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[c & 15];
}

/// How many characters at the start stand for themselves in one byte each.
size_t plain_characters(std::string_view text) {
    size_t size = 0;
    while (size < text.size()) {
        const auto c = static_cast<uint8_t>(text[size]);
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') break;
        ++size;
    }
    return size;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        size_t size = plain_characters(text);
        out.append(text.substr(0, size));
        text.remove_prefix(size);
        if (text.empty()) break;
        const char c = text[0];
        size = 1;
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (static_cast<uint8_t>(c) < 0x20) {
            append_control(out, c);
        } else if ((size = utf8_sequence(text)) > 0) {
            out.append(text.substr(0, size));
        } else {
            out += "\xef\xbf\xbd";
            size = 1;
        }
        text.remove_prefix(size);
    }
    out.push_back('"');
}

void JsonWriter::separate() {
    if (after_key_) {
        after_key_ = false;
        return;
    }
    if (!first_.back()) out_.push_back(',');
    first_.back() = false;
}

JsonWriter& JsonWriter::begin_object() {
    separate();
    out_.push_back('{');
    first_.push_back(true);
    return *this;
}

JsonWriter& JsonWriter::end_object() {
    first_.pop_back();
    out_.push_back('}');
    return *this;
}

JsonWriter& JsonWriter::begin_array() {
    separate();
    out_.push_back('[');
    first_.push_back(true);
    return *this;
}

JsonWriter& JsonWriter::end_array() {
    first_.pop_back();
    out_.push_back(']');
    return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    after_key_ = true;
    return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
    return raw(std::to_string(number));
}

JsonWriter& JsonWriter::value(bool truth) {
    return raw(truth ? "true" : "false");
}

JsonWriter& JsonWriter::null() {
    return raw("null");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
}

}  // namespace tarn::codec
