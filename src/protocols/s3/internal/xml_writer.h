// Writes the small XML documents of S3's answers straight into one string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::s3 {

/// One document: open() and close() nest, element() is a leaf. Names are ours and never escaped;
/// text always is. Characters that XML can't carry are written as references all the same, as S3
/// does; encoding-type=url is the client's way around them.
class XmlWriter {
 public:
    /// Writes the declaration and the root element. `with_namespace` adds S3's xmlns (error bodies
    /// have none).
    explicit XmlWriter(std::string_view root, bool with_namespace = true);

    /// Of the whole document, as far as one knows: it grows in one step.
    void expect(size_t bytes) { out_.reserve(bytes); }
    XmlWriter& open(std::string_view name);
    XmlWriter& close();
    XmlWriter& element(std::string_view name, std::string_view text);
    XmlWriter& element(std::string_view name, uint64_t number);
    XmlWriter& flag(std::string_view name, bool value);
    /// An element that was written elsewhere, taken as it is.
    XmlWriter& raw(std::string_view xml);

    /// Closes what is open and gives the document away.
    std::string finish();

 private:
    std::string out_;
    std::vector<std::string> open_;
};

void append_xml_text(std::string& out, std::string_view text);

}  // namespace tarn::s3
