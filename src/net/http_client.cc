#include "net/http_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

#include "base/lane.h"

namespace tarn::net {
namespace {

constexpr size_t kHeaderBytesMax = 64 * 1024;

struct Exchange {
    const HttpCall& call;
    HttpReply reply;
    size_t header_bytes = 0;
    bool too_large = false;
    std::string refused_address;
};

template <auto free_function>
struct Freer {
    template <typename T>
    void operator()(T* object) const {
        free_function(object);
    }
};
using Easy = std::unique_ptr<CURL, Freer<curl_easy_cleanup>>;
using List = std::unique_ptr<curl_slist, Freer<curl_slist_free_all>>;

bool start_library() {
    static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return started;
}

bool may_connect(const HttpCall& call, const std::string& address, uint16_t port) {
    if (call.may_connect) return call.may_connect(address, port);
    return classify_address(address) == AddressKind::global;
}

/// The one place where a connection begins: the address asked about is the address connected to.
curl_socket_t open_socket(void* context, curlsocktype purpose, curl_sockaddr* target) {
    auto& exchange = *static_cast<Exchange*>(context);
    char text[INET6_ADDRSTRLEN] = "";
    uint16_t port = 0;
    if (target->family == AF_INET) {
        const auto* four = reinterpret_cast<const sockaddr_in*>(&target->addr);
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
        port = ntohs(four->sin_port);
    } else if (target->family == AF_INET6) {
        const auto* six = reinterpret_cast<const sockaddr_in6*>(&target->addr);
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
        port = ntohs(six->sin6_port);
    }
    if (purpose != CURLSOCKTYPE_IPCXN || text[0] == '\0' ||
        !may_connect(exchange.call, text, port)) {
        exchange.refused_address = text;
        return CURL_SOCKET_BAD;
    }
    return ::socket(target->family, target->socktype | SOCK_CLOEXEC, target->protocol);
}

size_t take_body(char* bytes, size_t, size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    if (exchange.reply.body.size() + size > exchange.call.response_bytes_max) {
        exchange.too_large = true;
        return 0;
    }
    exchange.reply.body.append(bytes, size);
    return size;
}

size_t take_header(char* bytes, size_t, size_t size, void* context) {
    auto& exchange = *static_cast<Exchange*>(context);
    exchange.header_bytes += size;
    if (exchange.header_bytes > kHeaderBytesMax) {
        exchange.too_large = true;
        return 0;
    }
    std::string_view line(bytes, size);
    while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' '))
        line.remove_suffix(1);
    // A status line begins an answer, perhaps after a 100.
    if (line.substr(0, 5) == "HTTP/") exchange.reply.headers.clear();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    std::string name(line.substr(0, colon));
    for (char& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    auto value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    exchange.reply.headers.emplace_back(std::move(name), value);
    return size;
}

int ask_cancelled(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto* cancel = static_cast<const std::atomic<bool>*>(context);
    return cancel->load() ? 1 : 0;
}

bool is_word(const std::string& text) {
    return !text.empty() &&
           text.find_first_not_of(
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               std::string::npos;
}

Result<List> header_list(const HttpCall& call) {
    curl_slist* list = curl_slist_append(nullptr, "Expect:");  // curl would wait a second for a 100
    for (const auto& [name, value] : call.headers) {
        if (!is_word(name) ||
            value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
            curl_slist_free_all(list);
            return Error(Code::invalid_argument, "the header " + name + " can't be sent");
        }
        // An empty value is "name;" in curl's own notation.
        list = curl_slist_append(
            list, value.empty() ? (name + ";").c_str() : (name + ": " + value).c_str());
    }
    return List(list);
}

void set_request(CURL* easy, const HttpCall& call) {
    curl_easy_setopt(easy, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
    if (call.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (!call.body.empty() || call.method == "POST" || call.method == "PUT") {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(call.body.size()));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call.body.data());
    }
    if (!call.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, call.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(call.connect_timeout.count()));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.total_timeout.count()));
}

/// Nothing of the surroundings has a say: no proxy, no redirect, no other protocol, no signal.
void set_fences(CURL* easy, Exchange& exchange) {
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    if (exchange.call.cancel == nullptr) return;
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, ask_cancelled);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange.call.cancel);
}

Error call_error(CURLcode code, const Exchange& exchange, const char* detail) {
    const std::string& url = exchange.call.url;
    if (exchange.too_large)
        return Error(Code::exhausted, url + ": the answer is larger than " +
                                          std::to_string(exchange.call.response_bytes_max) +
                                          " bytes");
    const std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return Error(Code::invalid_argument, url + ": not an http or https URL");
        case CURLE_ABORTED_BY_CALLBACK:
            return Error(Code::cancelled, url + ": the call was cancelled");
        case CURLE_OPERATION_TIMEDOUT:
            return Error(Code::timed_out, url + ": " + why);
        default:
            break;
    }
    if (!exchange.refused_address.empty())
        return Error(Code::permission_denied, url + ": the address " + exchange.refused_address +
                                                  " is not allowed as a destination");
    return Error(Code::unavailable, url + ": " + why);
}

}  // namespace

Result<HttpReply> http_call(const HttpCall& call) {
    assert_may_block();
    if (!is_word(call.method))
        return Error(Code::invalid_argument, "not an HTTP method: " + call.method);
    if (!start_library()) return Error(Code::internal, "the HTTP client could not start");
    TARN_TRY(headers, header_list(call));
    Easy easy(curl_easy_init());
    if (!easy) return Error(Code::exhausted, "no memory for an HTTP request");
    Exchange exchange{call, {}, 0, false, {}};
    char detail[CURL_ERROR_SIZE] = "";
    set_request(easy.get(), call);
    set_fences(easy.get(), exchange);
    curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, detail);
    const CURLcode code = curl_easy_perform(easy.get());
    if (code != CURLE_OK) return call_error(code, exchange, detail);
    long status = 0;
    char* address = nullptr;
    curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy.get(), CURLINFO_PRIMARY_IP, &address);
    exchange.reply.status = static_cast<int>(status);
    if (address != nullptr) exchange.reply.address = address;
    return std::move(exchange.reply);
}

}  // namespace tarn::net
