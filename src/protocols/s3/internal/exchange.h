// One request under way: what it asks, who asks, and the ways to answer. Made by the dispatch
// (s3.cc) once the signature was checked; handlers get it after the authorizer said yes.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"
#include "protocols/s3/internal/address.h"
#include "protocols/s3/internal/operations.h"
#include "protocols/s3/s3.h"

namespace tarn::s3 {

/// Shared by all requests of a door.
struct Context {
    DoorParts parts;
    DoorOptions options;
    std::string owner_id;  // the account's canonical user id: 64 hexadecimal characters
    std::string host_id;   // x-amz-id-2: names this run of the server
};

/// Owned by the dispatch for the time of one request. Lane: the request's.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
    /// What the dispatch does with what came of a request.
    using Conclude = std::function<void(Exchange&, Status)>;
    /// The part of a handler that comes after what it waits for.
    using Rest = std::function<Status(Exchange&)>;

    Exchange(const Context& context, http::Request& request, http::Responder& responder,
             Conclude conclude);

    const Context& context() const { return context_; }
    objects::ObjectStore& store() const { return context_.parts.store; }
    http::Request& request() const { return request_; }
    const std::string& bucket() const { return address.bucket; }
    const std::string& key() const { return address.key; }

    std::string_view header(std::string_view name) const { return request_.header(name); }
    /// Decoded; nullopt when the parameter is absent.
    std::optional<std::string> query(std::string_view name) const {
        return request_.query_value(name);
    }

    /// Asks the authorizer, then the guard. AccessDenied.
    Status authorize(std::string_view action, Access access, std::string_view in_bucket,
                     std::string_view of_key) const;

    /// The whole answer. A read is on record before its first byte leaves (settled: nothing
    /// unaudited).
    Status respond(int status, http::ResponseHeaders headers = {}, std::string body = {});
    Status respond_xml(std::string document, http::ResponseHeaders headers = {});
    /// The head; `length` body bytes follow through write().
    Status send_head(int status, http::ResponseHeaders headers, uint64_t length);
    Status write(std::string bytes) { return responder_.write(std::move(bytes)); }
    Status end() { return responder_.end(); }

    /// The handler returns (ok) without an answer and holds no thread: its rest runs on the lane
    /// once it is handed over. Nothing of the exchange may be used between.
    std::function<void(Rest)> suspend();
    bool suspended() const { return suspended_; }

    bool answered() const { return status_ != 0; }
    int status() const { return status_; }
    std::chrono::steady_clock::time_point started() const { return started_; }
    /// Answers with S3's XML, or without a body to HEAD; records the denial or failure.
    void fail(const Error& error);
    /// Puts a denial or failure on record, of this request or of one object in it.
    void record_failure(const Error& error, std::string_view resource) const;

    Address address;
    std::string source_bucket;             // a copy's; empty for all else
    const Operation* operation = nullptr;  // null until it is known
    security::Caller caller;
    security::Verified signature;

 private:
    Status record_read(uint64_t bytes);
    void add_ids(http::ResponseHeaders& headers) const;

    const Context& context_;
    http::Request& request_;
    http::Responder& responder_;
    const Conclude conclude_;
    const std::chrono::steady_clock::time_point started_;
    int status_ = 0;
    bool suspended_ = false;
};

/// arn:aws:s3:::bucket/key; `*` for the service.
std::string resource_arn(std::string_view bucket, std::string_view key);

/// Refuses a version other than "null", which is the only one that a bucket without versions has.
Status check_version_id(std::string_view version_id);

}  // namespace tarn::s3
