#include "protocols/s3/internal/address.h"

#include <algorithm>
#include <cctype>

namespace tarn::s3 {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Error invalid_uri() {
    return Error(Code::invalid_argument, "Couldn't parse the specified URI.", "InvalidURI");
}

Result<std::string> decode(std::string_view raw) {
    std::string text;
    if (!percent_decode(raw, text) || text.find('\0') != std::string::npos || !is_utf8(text))
        return invalid_uri();
    return text;
}

std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') return host;  // an IPv6 literal is never a bucket
    return host.substr(0, host.rfind(':'));
}

/// The part of the host in front of the longest base domain that fits, else empty.
std::string bucket_of_host(std::string_view host, const std::vector<std::string>& base_domains) {
    std::string name(without_port(host));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    size_t longest = 0;
    for (const auto& base : base_domains) {
        if (name == base) return {};
        if (name.size() > base.size() + 1 && name.ends_with(base) &&
            name[name.size() - base.size() - 1] == '.')
            longest = std::max(longest, base.size() + 1);
    }
    return longest == 0 ? std::string() : name.substr(0, name.size() - longest);
}

Result<Address> split_path(std::string_view path) {
    auto slash = path.find('/');
    TARN_TRY(bucket, decode(path.substr(0, slash)));
    if (slash == std::string_view::npos) return Address{std::move(bucket), {}};
    TARN_TRY(key, decode(path.substr(slash + 1)));
    if (bucket.empty() && !key.empty()) return invalid_uri();
    return Address{std::move(bucket), std::move(key)};
}

}  // namespace

Result<Address> parse_address(std::string_view host, std::string_view raw_path,
                              const std::vector<std::string>& base_domains) {
    if (raw_path.empty() || raw_path.front() != '/') return invalid_uri();
    auto path = raw_path.substr(1);
    auto bucket = bucket_of_host(host, base_domains);
    if (bucket.empty()) return split_path(path);
    TARN_TRY(key, decode(path));
    return Address{std::move(bucket), std::move(key)};
}

Result<CopySource> parse_copy_source(std::string_view header) {
    CopySource source;
    if (auto query = header.find('?'); query != std::string_view::npos) {
        constexpr std::string_view kVersion = "versionId=";
        auto rest = header.substr(query + 1);
        if (rest.starts_with(kVersion)) {
            source.version_id = rest.substr(kVersion.size());
            header = header.substr(0, query);
        }
    }
    if (header.starts_with("/")) header.remove_prefix(1);
    // Some clients encode the slash between bucket and key as well, so the whole is decoded first.
    TARN_TRY(text, decode(header));
    auto slash = text.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == text.size())
        return Error(Code::invalid_argument,
                     "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
                     "InvalidArgument");
    source.address = {text.substr(0, slash), text.substr(slash + 1)};
    return source;
}

bool percent_decode(std::string_view text, std::string& out) {
    out.clear();
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size()) return false;
        int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0) return false;
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return true;
}

std::string listing_encode(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size() + 16);
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        bool plain = (byte < 0x80 && std::isalnum(byte)) || c == '-' || c == '.' || c == '_' ||
                     c == '/' || c == '*';
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

bool is_utf8(std::string_view text) {
    size_t i = 0;
    while (i < text.size()) {
        auto lead = static_cast<unsigned char>(text[i]);
        if (lead < 0x80) {
            ++i;
            continue;
        }
        size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
        if (lead < 0xc2 || lead > 0xf4 || text.size() - i < length) return false;
        uint32_t point = lead & (0x7fu >> length);
        for (size_t j = 1; j < length; ++j) {
            auto next = static_cast<unsigned char>(text[i + j]);
            if ((next & 0xc0) != 0x80) return false;
            point = point << 6 | (next & 0x3fu);
        }
        bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
        if (overlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
        i += length;
    }
    return true;
}

}  // namespace tarn::s3
