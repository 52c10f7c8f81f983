#include "archive/internal/s3_destination.h"

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "archive/internal/names.h"
#include "base/lane.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "net/http_client.h"
#include "security/sigv4.h"

namespace tarn::archive {
namespace {

constexpr size_t kListBytesMax = 4u << 20;
constexpr size_t kErrorBytesMax = 64u << 10;
constexpr size_t kListPagesMax = 1'000'000;
/// Waits before each further try of a request that may succeed the next time.
constexpr std::chrono::milliseconds kPauses[] = {std::chrono::milliseconds(200),
                                                 std::chrono::milliseconds(1000)};

/// RFC 3986, as SigV4 wants it.
std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            out.push_back(c);
        else
            out += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? codec::hex_decode(text.substr(i + 1, 2))
                                         : Result<std::string>(Error());
        if (byte.ok() && byte->size() == 1) {
            out += *byte;
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

/// The five entities of XML and numbers; anything else stays as it is.
std::string plain_text(std::string_view xml) {
    static constexpr std::pair<std::string_view, char> kEntities[] = {
        {"&amp;", '&'},   {"&lt;", '<'},  {"&gt;", '>'},  {"&quot;", '"'},
        {"&apos;", '\''}, {"&#34;", '"'}, {"&#39;", '\''}};
    std::string out;
    while (!xml.empty()) {
        const auto entity =
            std::find_if(std::begin(kEntities), std::end(kEntities),
                         [&](const auto& known) { return xml.starts_with(known.first); });
        const bool known = xml.front() == '&' && entity != std::end(kEntities);
        out.push_back(known ? entity->second : xml.front());
        xml.remove_prefix(known ? entity->first.size() : 1);
    }
    return out;
}

/// The content of the first element of that name at or after `at`, which then stands behind it.
std::optional<std::string_view> element(std::string_view xml, std::string_view name, size_t& at) {
    const auto open = fmt::format("<{}>", name);
    const auto close = fmt::format("</{}>", name);
    const size_t from = xml.find(open, at);
    if (from == std::string_view::npos) return std::nullopt;
    const size_t to = xml.find(close, from);
    if (to == std::string_view::npos) return std::nullopt;
    at = to + close.size();
    return xml.substr(from + open.size(), to - from - open.size());
}

std::string first_element(std::string_view xml, std::string_view name) {
    size_t at = 0;
    const auto found = element(xml, name, at);
    return found ? plain_text(*found) : std::string();
}

struct Parts {
    std::string url;   // http://host:9000
    std::string host;  // host:9000
    std::string bucket;
    std::string prefix;  // empty, or ends with '/'
    bool secure = true;
};

Result<Parts> take_apart(const Place& place) {
    Parts parts;
    std::string_view rest = std::string_view(place.to).substr(std::string_view("s3://").size());
    const size_t slash = rest.find('/');
    parts.bucket = rest.substr(0, slash);
    if (slash != std::string_view::npos) parts.prefix = rest.substr(slash + 1);
    while (parts.prefix.ends_with('/')) parts.prefix.pop_back();
    if (!is_name(parts.bucket) || (!parts.prefix.empty() && !is_name(parts.prefix)))
        return Error(Code::invalid_argument,
                     place.to +
                         ": give s3://bucket or s3://bucket/prefix, of letters, digits, "
                         "'.', '_', '-' and '/'");
    if (!parts.prefix.empty()) parts.prefix += '/';
    parts.url =
        place.endpoint.empty() ? "https://s3." + place.region + ".amazonaws.com" : place.endpoint;
    while (parts.url.ends_with('/')) parts.url.pop_back();
    parts.secure = parts.url.starts_with("https://");
    if (!parts.secure && !parts.url.starts_with("http://"))
        return Error(Code::invalid_argument,
                     "the endpoint " + place.endpoint + " is no address: give https://host:port");
    parts.host = parts.url.substr(parts.url.find("://") + 3);
    if (parts.host.empty() || parts.host.find_first_of("/?#@ ") != std::string::npos)
        return Error(Code::invalid_argument,
                     "the endpoint " + place.endpoint + " has more than a host and a port");
    return parts;
}

/// Another try may succeed.
bool is_passing(const Result<net::HttpReply>& reply) {
    if (!reply.ok())
        return reply.error().code == Code::unavailable || reply.error().code == Code::timed_out;
    return reply->status >= 500 || reply->status == 429;
}

class S3Destination final : public Destination {
 public:
    S3Destination(const Clock& clock, Place place, Parts parts, const std::atomic<bool>* cancel)
        : clock_(clock), place_(std::move(place)), parts_(std::move(parts)), cancel_(cancel) {}

    const std::string& place() const override { return place_.to; }

    Status put(const std::string& name, std::string_view bytes) override {
        TARN_ASSERT(is_name(name));
        TARN_TRY(reply, call("PUT", name, {}, bytes, kErrorBytesMax));
        return check(reply, name);
    }

    Result<std::string> get(const std::string& name, uint64_t bytes_max) override {
        TARN_ASSERT(is_name(name));
        TARN_TRY(reply, call("GET", name, {}, {}, std::max<uint64_t>(bytes_max, kErrorBytesMax)));
        TARN_CHECK_OK(check(reply, name));
        if (reply.body.size() > bytes_max)
            return Error(Code::exhausted, where(name) + " is larger than it may be");
        return std::move(reply.body);
    }

    Result<std::optional<uint64_t>> size_of(const std::string& name) override {
        TARN_ASSERT(is_name(name));
        TARN_TRY(reply, call("HEAD", name, {}, {}, kErrorBytesMax));
        if (reply.status == 404) return std::optional<uint64_t>();
        TARN_CHECK_OK(check(reply, name));
        for (const auto& [header, value] : reply.headers) {
            uint64_t bytes = 0;
            const auto end = value.data() + value.size();
            if (header == "content-length" && std::from_chars(value.data(), end, bytes).ptr == end)
                return std::optional<uint64_t>(bytes);
        }
        return Error(Code::unavailable, where(name) + ": the answer has no length");
    }

    Status list(const std::string& under,
                const std::function<Status(const Listed&)>& take) override {
        return each_page(under, "", [&](ListPage& page) -> Status {
            for (auto& object : page.objects) {
                if (!object.name.starts_with(parts_.prefix + under)) continue;
                object.name.erase(0, parts_.prefix.size());
                if (is_name(object.name)) TARN_CHECK_OK(take(object));
            }
            return ok_status();
        });
    }

    Result<std::vector<std::string>> list_folders(const std::string& under) override {
        std::vector<std::string> folders;
        TARN_CHECK_OK(each_page(under, "delimiter=%2F&", [&](ListPage& page) -> Status {
            for (const auto& folder : page.folders) {
                auto name =
                    folder.substr(std::min(folder.size(), parts_.prefix.size() + under.size()));
                while (name.ends_with('/')) name.pop_back();
                if (is_name(name)) folders.push_back(std::move(name));
            }
            return ok_status();
        }));
        return folders;
    }

    Status remove(const std::string& name) override {
        TARN_ASSERT(is_name(name));
        TARN_TRY(reply, call("DELETE", name, {}, {}, kErrorBytesMax));
        return reply.status == 404 ? ok_status() : check(reply, name);
    }

 private:
    std::string where(const std::string& name) const {
        return fmt::format("s3://{}/{}{}", parts_.bucket, parts_.prefix, name);
    }

    Status each_page(const std::string& under, const std::string& delimiter,
                     const std::function<Status(ListPage&)>& take) const {
        const auto prefix = percent_encode(parts_.prefix + under);
        std::string next;
        for (size_t page = 0; page < kListPagesMax; ++page) {
            // In the order that the signature wants.
            std::string query =
                next.empty() ? "" : "continuation-token=" + percent_encode(next) + "&";
            query += delimiter + "encoding-type=url&list-type=2&prefix=" + prefix;
            TARN_TRY(reply, call("GET", {}, query, {}, kListBytesMax));
            TARN_CHECK_OK(check(reply, under));
            TARN_TRY(listed, parse_list_page(reply.body));
            TARN_CHECK_OK(take(listed));
            if (listed.next.empty()) return ok_status();
            next = std::move(listed.next);
        }
        return Error(Code::unavailable, place_.to + ": the list of objects has no end");
    }

    Status check(const net::HttpReply& reply, const std::string& name) const {
        if (reply.status >= 200 && reply.status < 300) return ok_status();
        const auto reason = first_element(reply.body, "Code");
        const auto text = fmt::format("{}: {} answered {} {} {}", where(name), parts_.url,
                                      reply.status, reason, first_element(reply.body, "Message"));
        switch (reply.status) {
            case 404:
                return Error(Code::not_found, text, reason);
            case 401:
            case 403:
                return Error(Code::permission_denied, text, reason);
            case 507:
                return Error(Code::exhausted, text, reason);
            default:
                return Error(is_passing(reply) ? Code::unavailable : Code::invalid_argument, text,
                             reason);
        }
    }

    bool cancelled() const { return cancel_ != nullptr && cancel_->load(); }

    Result<net::HttpReply> call(const std::string& method, const std::string& name,
                                const std::string& query, std::string_view body,
                                uint64_t response_bytes_max) const {
        for (const auto pause : kPauses) {
            auto reply = call_once(method, name, query, body, response_bytes_max);
            if (!is_passing(reply) || cancelled()) return reply;
            std::this_thread::sleep_for(pause);
        }
        return call_once(method, name, query, body, response_bytes_max);
    }

    Result<net::HttpReply> call_once(const std::string& method, const std::string& name,
                                     const std::string& query, std::string_view body,
                                     uint64_t response_bytes_max) const {
        const auto path = "/" + parts_.bucket + (name.empty() ? "" : "/" + parts_.prefix + name);
        security::SignedRequest described;
        described.method = method;
        described.raw_path = path;
        described.raw_query = query;
        described.headers = {{"host", parts_.host}};
        const security::Signer signer{place_.access_key_id, place_.secret, place_.region, "s3"};
        net::HttpCall request;
        request.headers =
            security::sign(described, signer, clock_.now(), codec::hex_encode(codec::sha256(body)))
                .headers;
        request.method = method;
        request.url = parts_.url + path + (query.empty() ? "" : "?" + query);
        request.body = body;
        request.total_timeout = std::chrono::seconds(120);
        request.response_bytes_max = response_bytes_max;
        request.ca_file = place_.ca_file;
        request.cancel = cancel_;
        // Whoever may make copies says where to; but their bytes do not travel readable.
        request.may_connect = [secure = parts_.secure](const std::string& address, uint16_t) {
            return secure || net::classify_address(address) == net::AddressKind::loopback;
        };
        auto reply = net::http_call(request);
        if (!reply.ok() && reply.error().code == Code::permission_denied && !parts_.secure)
            return Error(Code::invalid_argument,
                         parts_.url +
                             " is not on this machine: the lake's bytes would travel "
                             "readable; give an https endpoint");
        return reply;
    }

    const Clock& clock_;
    const Place place_;
    const Parts parts_;
    const std::atomic<bool>* cancel_;
};

}  // namespace

Result<ListPage> parse_list_page(std::string_view xml) {
    size_t root = 0;
    if (xml.find("<ListBucketResult") == std::string_view::npos)
        return Error(Code::corrupted, "the answer to a listing is no list of objects");
    ListPage page;
    if (first_element(xml, "IsTruncated") == "true") {
        page.next = first_element(xml, "NextContinuationToken");
        if (page.next.empty())
            return Error(Code::corrupted, "a listing goes on but does not say where");
    }
    while (const auto object = element(xml, "Contents", root)) {
        Listed listed;
        listed.name = percent_decode(first_element(*object, "Key"));
        const auto size = first_element(*object, "Size");
        std::from_chars(size.data(), size.data() + size.size(), listed.bytes);
        const auto modified = parse_time(first_element(*object, "LastModified"));
        if (!modified.ok() || listed.name.empty())
            return Error(Code::corrupted, "a listing names an object without its time or name");
        listed.modified = *modified;
        page.objects.push_back(std::move(listed));
    }
    root = 0;
    while (const auto folder = element(xml, "CommonPrefixes", root))
        page.folders.push_back(percent_decode(first_element(*folder, "Prefix")));
    return page;
}

Result<std::unique_ptr<Destination>> open_s3_destination(const Clock& clock, const Place& place,
                                                         const std::atomic<bool>* cancel) {
    TARN_TRY(parts, take_apart(place));
    if (place.access_key_id.empty() || place.secret.empty())
        return Error(Code::unauthenticated, place.to + ": there is no access key for it");
    return std::unique_ptr<Destination>(new S3Destination(clock, place, std::move(parts), cancel));
}

}  // namespace tarn::archive
