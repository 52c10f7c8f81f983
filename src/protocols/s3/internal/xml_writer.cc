#include "protocols/s3/internal/xml_writer.h"

#include <array>

#include "base/assert.h"

namespace tarn::s3 {

namespace {
constexpr std::string_view kNamespace = " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

constexpr std::array<bool, 256> kSpecial = [] {
    std::array<bool, 256> special{};
    for (size_t byte = 0; byte < 0x20; ++byte) special[byte] = true;
    special[0x7f] = special['&'] = special['<'] = special['>'] = special['"'] = true;
    return special;
}();
}

XmlWriter::XmlWriter(std::string_view root, bool with_namespace) {
    out_.reserve(512);
    out_ += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
    out_ += root;
    if (with_namespace) out_ += kNamespace;
    out_ += '>';
    open_.emplace_back(root);
}

XmlWriter& XmlWriter::open(std::string_view name) {
    out_ += '<';
    out_ += name;
    out_ += '>';
    open_.emplace_back(name);
    return *this;
}

XmlWriter& XmlWriter::close() {
    TARN_ASSERT(!open_.empty());
    out_ += "</";
    out_ += open_.back();
    out_ += '>';
    open_.pop_back();
    return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, std::string_view text) {
    out_ += '<';
    out_ += name;
    if (text.empty()) {
        out_ += "/>";
        return *this;
    }
    out_ += '>';
    append_xml_text(out_, text);
    out_ += "</";
    out_ += name;
    out_ += '>';
    return *this;
}

XmlWriter& XmlWriter::element(std::string_view name, uint64_t number) {
    return element(name, std::to_string(number));
}

XmlWriter& XmlWriter::flag(std::string_view name, bool value) {
    return element(name, value ? "true" : "false");
}

XmlWriter& XmlWriter::raw(std::string_view xml) {
    out_ += xml;
    return *this;
}

std::string XmlWriter::finish() {
    while (!open_.empty()) close();
    return std::move(out_);
}

void append_xml_text(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    size_t plain = 0;  // what is before it and not yet appended stands for itself
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (!kSpecial[byte]) continue;
        out += text.substr(plain, i - plain);
        plain = i + 1;
        if (byte == '&') {
            out += "&amp;";
        } else if (byte == '<') {
            out += "&lt;";
        } else if (byte == '>') {
            out += "&gt;";
        } else if (byte == '"') {
            out += "&quot;";
        } else {
            out += "&#x";
            if (byte >= 0x10) out += kHex[byte >> 4];
            out += kHex[byte & 15];
            out += ';';
        }
    }
    out += text.substr(plain);
}

}  // namespace tarn::s3
