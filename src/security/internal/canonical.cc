#include "security/internal/canonical.h"

#include <algorithm>

#include "codec/hash.h"
#include "codec/text.h"

namespace tarn::security {
namespace {

constexpr size_t kTextToSignBytes = 192;  // about what it mostly has
constexpr size_t kHeaderBytes = 64;

bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

char lower_char(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

void append_collapsed(std::string& out, std::string_view value) {
    value = trim(value);
    if (value.find_first_of(" \t") == value.npos) {
        out.append(value);
        return;
    }
    bool space = false;
    for (const char c : value) {
        const bool is_space = c == ' ' || c == '\t';
        if (is_space && space) continue;
        out.push_back(is_space ? ' ' : c);
        space = is_space;
    }
}

// RFC 3986 section 5.2.4, and repeated slashes made one.
std::string normalised_path(std::string_view raw_path) {
    std::vector<std::string_view> kept;
    for (const std::string_view segment : split(raw_path, '/')) {
        if (segment == "..") {
            if (!kept.empty()) kept.pop_back();
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string path;
    for (const std::string_view segment : kept) path.append("/").append(segment);
    if (path.empty() || raw_path.ends_with('/')) path.push_back('/');
    return path;
}

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slash) {
    static constexpr char kDigits[] = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size() + text.size() / 4);
    for (const char c : text) {
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            encoded.push_back(c);
        } else {
            encoded.push_back('%');
            encoded.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
            encoded.push_back(kDigits[static_cast<uint8_t>(c) & 15]);
        }
    }
    return encoded;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded.push_back(' ');
        } else if (text[i] != '%') {
            decoded.push_back(text[i]);
        } else {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return Error(Code::invalid_argument, "the URI holds a '%' without two digits",
                             "InvalidURI");
            decoded.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        }
    }
    return decoded;
}

Result<QueryPairs> parse_query(std::string_view raw_query) {
    QueryPairs pairs;
    if (raw_query.empty()) return pairs;
    for (const std::string_view part : split(raw_query, '&')) {
        if (part.empty()) continue;
        if (pairs.size() == kQueryPairsMax)
            return Error(Code::invalid_argument, "the URI holds too many query parameters",
                         "InvalidURI");
        const size_t equals = part.find('=');
        TARN_TRY(name, percent_decode(part.substr(0, equals), true));
        TARN_TRY(value,
                 percent_decode(equals == part.npos ? std::string_view() : part.substr(equals + 1),
                                true));
        pairs.emplace_back(std::move(name), std::move(value));
    }
    return pairs;
}

std::string canonical_query(const QueryPairs& query) {
    QueryPairs encoded;
    encoded.reserve(query.size());
    for (const auto& [name, value] : query) {
        if (name == "X-Amz-Signature") continue;
        encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
    }
    std::sort(encoded.begin(), encoded.end());
    std::string text;
    for (const auto& [name, value] : encoded) {
        if (!text.empty()) text.push_back('&');
        text.append(name).append("=").append(value);
    }
    return text;
}

bool is_s3(std::string_view service) {
    return service == "s3";
}

Result<std::string> canonical_path(std::string_view raw_path, bool s3) {
    if (!s3) return percent_encode(normalised_path(raw_path), true);
    TARN_TRY(decoded, percent_decode(raw_path, false));
    if (decoded.empty()) decoded = "/";
    return percent_encode(decoded, true);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return lower_char(x) == lower_char(y);
           });
}

std::optional<std::string_view> find_header(const HeaderViews& headers, std::string_view name) {
    for (const auto& [key, value] : headers)
        if (equal_ignoring_case(key, name)) return trim(value);
    return std::nullopt;
}

size_t count_header(const HeaderViews& headers, std::string_view name) {
    return static_cast<size_t>(
        std::count_if(headers.begin(), headers.end(),
                      [&](const auto& header) { return equal_ignoring_case(header.first, name); }));
}

std::string canonical_headers(const HeaderViews& headers, const std::vector<std::string>& names) {
    std::string text;
    text.reserve(names.size() * kHeaderBytes);
    for (const std::string& name : names) {
        text.append(name).push_back(':');
        bool first = true;
        for (const auto& [key, value] : headers) {
            if (!equal_ignoring_case(key, name)) continue;
            if (!first) text.push_back(',');
            append_collapsed(text, value);
            first = false;
        }
        text.push_back('\n');
    }
    return text;
}

std::string string_to_sign(const CanonicalRequest& request, std::string_view timestamp,
                           const CredentialScope& scope) {
    std::string canonical;
    canonical.reserve(request.method.size() + request.path.size() + request.query.size() +
                      request.headers.size() + request.signed_names.size() +
                      request.payload.size() + 5);
    canonical.append(request.method).append("\n");
    canonical.append(request.path).append("\n");
    canonical.append(request.query).append("\n");
    canonical.append(request.headers).append("\n");
    canonical.append(request.signed_names).append("\n");
    canonical.append(request.payload);
    std::string text;
    text.reserve(kTextToSignBytes);
    text.append(kAlgorithm).append("\n").append(timestamp).append("\n").append(scope.str()).append("\n");
    return text.append(codec::hex_encode(codec::sha256(canonical)));
}

std::string signature_of(std::string_view key, std::string_view text) {
    return codec::hex_encode(codec::hmac_sha256(key, text));
}

std::string join(const std::vector<std::string>& parts, char separator) {
    std::string text;
    for (const std::string& part : parts) {
        if (!text.empty()) text.push_back(separator);
        text.append(part);
    }
    return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == text.npos) return parts;
        text.remove_prefix(at + 1);
    }
}

}  // namespace tarn::security
