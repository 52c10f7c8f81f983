#include "security/internal/claim.h"

#include <algorithm>
#include <charconv>

namespace tarn::security {
namespace {

constexpr size_t kSignedNamesMax = 200;

Error malformed_header(const std::string& what) {
    return Error(Code::invalid_argument, "The authorization header is malformed_header; " + what,
                 "AuthorizationHeaderMalformed");
}
Error bad_parameter(const std::string& what) {
    return Error(Code::invalid_argument, what, "AuthorizationQueryParametersError");
}

bool is_signature(std::string_view text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

bool is_date(std::string_view text) {
    return text.size() == 8 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Lower case as the specification has it: a name in another case would never be found among the
// canonical ones.
std::optional<std::vector<std::string>> parse_signed_names(std::string_view text) {
    std::vector<std::string> names;
    for (const std::string_view name : split(text, ';')) {
        if (name.empty() || names.size() == kSignedNamesMax || name != lower_ascii(name))
            return std::nullopt;
        names.emplace_back(name);
    }
    return names;
}

struct AuthorizationParts {
    std::string_view credential, signed_names, signature;
};

Result<AuthorizationParts> split_authorization(std::string_view value) {
    AuthorizationParts parts;
    for (std::string_view part : split(value, ',')) {
        part = trim(part);
        const size_t equals = part.find('=');
        if (equals == part.npos) return malformed_header("a component has no '='.");
        const std::string_view name = part.substr(0, equals);
        std::string_view* into = name == "Credential"      ? &parts.credential
                                 : name == "SignedHeaders" ? &parts.signed_names
                                 : name == "Signature"     ? &parts.signature
                                                           : nullptr;
        if (into == nullptr)
            return malformed_header("it holds something else than Credential, SignedHeaders, Signature.");
        if (!into->empty()) return malformed_header(std::string(name) + " is given twice.");
        *into = part.substr(equals + 1);
    }
    if (parts.credential.empty() || parts.signed_names.empty() || parts.signature.empty())
        return malformed_header("it must hold Credential, SignedHeaders and Signature.");
    return parts;
}

Status read_header_time(const SignedRequest& request, Claim& claim) {
    if (count_header(request.headers, "x-amz-date") > 1)
        return malformed_header("x-amz-date is given twice.");
    auto value = find_header(request.headers, "x-amz-date");
    if (!value) value = find_header(request.headers, "date");
    const auto at = value ? parse_time(*value) : Result<Timestamp>(Error());
    if (!at.ok()) {
        return Error(Code::permission_denied,
                     "AWS authentication requires a valid Date or x-amz-date header",
                     "AccessDenied");
    }
    claim.at = at.value();
    claim.timestamp = format_iso8601_basic(claim.at);
    return ok_status();
}

// The schemes that are not ours, each with the answer that its clients understand.
Status refuse_other_schemes(std::string_view value) {
    if (value.starts_with("AWS4-ECDSA-P256-SHA256")) {
        return Error(Code::unimplemented,
                     "Signature Version 4A is not implemented; use AWS4-HMAC-SHA256",
                     "NotImplemented");
    }
    if (value.starts_with("AWS ")) {
        return Error(Code::invalid_argument,
                     "The authorization mechanism you have provided is not supported. Please use "
                     "AWS4-HMAC-SHA256.",
                     "InvalidRequest");
    }
    if (!value.starts_with(kAlgorithm) || value.size() == kAlgorithm.size() ||
        (value[kAlgorithm.size()] != ' ' && value[kAlgorithm.size()] != '\t')) {
        return Error(Code::invalid_argument, "Unsupported Authorization Type", "InvalidArgument");
    }
    return ok_status();
}

Result<Claim> parse_header_claim(const SignedRequest& request, std::string_view value) {
    TARN_CHECK_OK(refuse_other_schemes(value));
    if (count_header(request.headers, "authorization") > 1) return malformed_header("it is given twice.");
    TARN_TRY(parts, split_authorization(value.substr(kAlgorithm.size())));
    Claim claim;
    auto credential = parse_credential(parts.credential);
    if (!credential)
        return malformed_header(
            "the Credential must be <key>/<yyyymmdd>/<region>/<service>/aws4_request.");
    claim.access_key_id = std::move(credential->first);
    claim.scope = std::move(credential->second);
    auto names = parse_signed_names(parts.signed_names);
    if (!names) return malformed_header("SignedHeaders must be lower-case names separated by ';'.");
    claim.signed_names = std::move(*names);
    if (!is_signature(parts.signature))
        return malformed_header("the Signature must be 64 lower-case hexadecimal characters.");
    claim.signature = parts.signature;
    TARN_CHECK_OK(read_header_time(request, claim));
    if (claim.scope.date != claim.timestamp.substr(0, 8))
        return malformed_header("the Credential's date is not that of x-amz-date.");
    return claim;
}

Result<std::string_view> parameter(const QueryPairs& query, std::string_view name) {
    std::optional<std::string_view> found;
    for (const auto& [key, value] : query) {
        if (key != name) continue;
        if (found) return bad_parameter(std::string(name) + " is given twice");
        found = value;
    }
    if (!found || found->empty()) {
        return bad_parameter(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, "
            "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
            "X-Amz-Expires parameters.");
    }
    return *found;
}

Result<int64_t> parse_expires(std::string_view text) {
    int64_t seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size())
        return bad_parameter("X-Amz-Expires should be a number");
    if (seconds < 1) return bad_parameter("X-Amz-Expires must be positive");
    if (seconds > kPresignSecondsMax) {
        return bad_parameter(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given "
            "X-Amz-Expires must be less than 604800 seconds");
    }
    return seconds;
}

Result<Claim> parse_query_claim(const QueryPairs& query) {
    TARN_TRY(algorithm, parameter(query, "X-Amz-Algorithm"));
    if (algorithm == "AWS4-ECDSA-P256-SHA256") return refuse_other_schemes(algorithm).error();
    if (algorithm != kAlgorithm)
        return bad_parameter("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
    TARN_TRY(credential_text, parameter(query, "X-Amz-Credential"));
    TARN_TRY(date, parameter(query, "X-Amz-Date"));
    TARN_TRY(names_text, parameter(query, "X-Amz-SignedHeaders"));
    TARN_TRY(signature, parameter(query, "X-Amz-Signature"));
    TARN_TRY(expires_text, parameter(query, "X-Amz-Expires"));
    Claim claim;
    claim.presigned = true;
    auto credential = parse_credential(credential_text);
    if (!credential) {
        return bad_parameter(
            "Error parsing the X-Amz-Credential parameter; it must be "
            "<key>/<yyyymmdd>/<region>/<service>/aws4_request");
    }
    claim.access_key_id = std::move(credential->first);
    claim.scope = std::move(credential->second);
    const auto at = parse_time(date);
    if (!at.ok() || format_iso8601_basic(at.value()) != date)
        return bad_parameter(
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
    claim.at = at.value();
    claim.timestamp = date;
    if (claim.scope.date != claim.timestamp.substr(0, 8))
        return bad_parameter("Invalid credential date: it is not that of X-Amz-Date");
    auto names = parse_signed_names(names_text);
    if (!names)
        return bad_parameter("X-Amz-SignedHeaders must be lower-case names separated by ';'");
    claim.signed_names = std::move(*names);
    if (!is_signature(signature))
        return bad_parameter("X-Amz-Signature must be 64 lower-case hexadecimal characters");
    claim.signature = signature;
    TARN_TRY(expires, parse_expires(expires_text));
    claim.expires_seconds = expires;
    return claim;
}

bool has_parameter(const QueryPairs& query, std::string_view name) {
    return std::any_of(query.begin(), query.end(),
                       [&](const auto& pair) { return pair.first == name; });
}

bool claims_in_query(const QueryPairs& query) {
    return has_parameter(query, "X-Amz-Algorithm") || has_parameter(query, "X-Amz-Credential") ||
           has_parameter(query, "X-Amz-Signature");
}

bool claims_version_2(const QueryPairs& query) {
    return has_parameter(query, "AWSAccessKeyId") && has_parameter(query, "Signature");
}

}  // namespace

std::optional<std::pair<std::string, CredentialScope>> parse_credential(std::string_view text) {
    std::string_view parts[4];  // from the right: aws4_request, service, region, date
    for (std::string_view& part : parts) {
        const size_t slash = text.rfind('/');
        if (slash == text.npos || slash + 1 == text.size()) return std::nullopt;
        part = text.substr(slash + 1);
        text = text.substr(0, slash);
    }
    if (text.empty() || parts[0] != "aws4_request" || !is_date(parts[3])) return std::nullopt;
    return std::pair(
        std::string(text),
        CredentialScope{std::string(parts[3]), std::string(parts[2]), std::string(parts[1])});
}

Result<Claim> parse_claim(const SignedRequest& request, const QueryPairs& query) {
    const auto authorization = find_header(request.headers, "authorization");
    if (authorization && claims_in_query(query)) {
        return Error(Code::invalid_argument,
                     "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                     "Signature query string parameter or the Authorization header should be "
                     "specified",
                     "InvalidArgument");
    }
    if (authorization) return parse_header_claim(request, *authorization);
    if (claims_in_query(query)) return parse_query_claim(query);
    if (claims_version_2(query)) return refuse_other_schemes("AWS ").error();
    return Error(Code::permission_denied, "Access Denied: the request is not signed",
                 "AccessDenied");
}

bool is_signed(const SignedRequest& request) {
    if (find_header(request.headers, "authorization")) return true;
    const auto query = parse_query(request.raw_query);
    return query.ok() && (claims_in_query(query.value()) || claims_version_2(query.value()));
}

std::optional<CredentialScope> claimed_scope(const SignedRequest& request) {
    const auto query = parse_query(request.raw_query);
    if (!query.ok()) return std::nullopt;
    auto claim = parse_claim(request, query.value());
    if (!claim.ok()) return std::nullopt;
    return std::move(claim).value().scope;
}

}  // namespace tarn::security
