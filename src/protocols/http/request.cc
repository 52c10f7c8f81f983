#include "protocols/http/request.h"

namespace tarn::http {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Behind "scheme://" of the absolute form, the whole target otherwise; `authority` receives what
/// is between.
std::string_view without_authority(std::string_view target, std::string_view& authority) {
    authority = {};
    if (target.empty() || target.front() == '/' || target == "*") return target;
    const size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) {
        authority = target;
        return {};
    }
    const auto rest = target.substr(scheme + 3);
    const size_t size = std::min(rest.find_first_of("/?"), rest.size());
    authority = rest.substr(0, size);
    return rest.substr(size);
}

QueryParameter split_parameter(std::string_view piece) {
    QueryParameter parameter;
    const size_t equals = piece.find('=');
    parameter.raw_name = piece.substr(0, equals);
    parameter.has_value = equals != std::string_view::npos;
    if (parameter.has_value) parameter.raw_value = piece.substr(equals + 1);
    return parameter;
}

template <typename Each>
void split_query(std::string_view query, Each each) {
    while (!query.empty()) {
        const size_t end = std::min(query.find('&'), query.size());
        if (end > 0) each(split_parameter(query.substr(0, end)));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
}

}  // namespace

std::string_view RequestHead::path() const {
    std::string_view authority;
    const auto rest = without_authority(target, authority);
    const auto encoded = rest.substr(0, rest.find('?'));
    // "GET http://host HTTP/1.1" asks for the root.
    return encoded.empty() && !authority.empty() && authority.size() != target.size() ? "/"
                                                                                      : encoded;
}

std::string_view RequestHead::query() const {
    const size_t mark = target.find('?');
    return mark == std::string::npos ? std::string_view()
                                     : std::string_view(target).substr(mark + 1);
}

bool RequestHead::has_query() const {
    return target.find('?') != std::string::npos;
}

std::string_view RequestHead::host() const {
    std::string_view authority;
    without_authority(target, authority);
    return authority.empty() ? headers.get("host") : authority;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return Error(Code::invalid_argument,
                             "a % without two hexadecimal digits behind it");
            decoded.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            decoded.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
        }
    }
    return decoded;
}

Result<std::vector<QueryParameter>> parse_query(std::string_view raw_query, bool plus_is_space) {
    std::vector<QueryParameter> parameters;
    split_query(raw_query,
                [&](QueryParameter parameter) { parameters.push_back(std::move(parameter)); });
    for (auto& parameter : parameters) {
        TARN_TRY(name, percent_decode(parameter.raw_name, plus_is_space));
        TARN_TRY(value, percent_decode(parameter.raw_value, plus_is_space));
        parameter.name = std::move(name);
        parameter.value = std::move(value);
    }
    return parameters;
}

const std::vector<QueryParameter>& Request::query_parameters() {
    if (query_parameters_) return *query_parameters_;
    auto& parameters = query_parameters_.emplace();
    const auto decoded_or_raw = [](std::string_view raw) {
        auto decoded = percent_decode(raw);
        return decoded.ok() ? std::move(decoded).value() : std::string(raw);
    };
    split_query(query(), [&](QueryParameter parameter) {
        parameter.name = decoded_or_raw(parameter.raw_name);
        parameter.value = decoded_or_raw(parameter.raw_value);
        parameters.push_back(std::move(parameter));
    });
    return parameters;
}

std::optional<std::string> Request::query_value(std::string_view name) {
    for (const auto& parameter : query_parameters())
        if (parameter.name == name) return parameter.value;
    return std::nullopt;
}

bool Request::has_query_parameter(std::string_view name) {
    return query_value(name).has_value();
}

Result<std::string> Request::read_all(size_t max) {
    std::string body;
    for (;;) {
        // One byte more than allowed tells a body that is too large from one that just fits.
        TARN_TRY(piece, read(max - body.size() + 1));
        if (piece.empty()) return body;
        if (body.size() + piece.size() > max)
            return Error(Code::exhausted,
                         "the body is larger than " + std::to_string(max) + " bytes",
                         "body_too_large");
        if (body.empty())
            body = std::move(piece);
        else
            body += piece;
    }
}

}  // namespace tarn::http
