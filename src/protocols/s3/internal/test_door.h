// For tests: a door over a real store in a folder of its own, called without a connection by signed
// requests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/random.h"
#include "base/time.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "io/disk.h"
#include "meta/store.h"
#include "objects/store.h"
#include "protocols/http/fake_exchange.h"
#include "protocols/s3/s3.h"
#include "security/keyring.h"
#include "security/users.h"

namespace tarn::s3 {

struct Answer {
    int status = 0;
    std::string body;
    std::shared_ptr<http::FakeExchange> exchange;

    std::string header(std::string_view name) const { return exchange->header(name); }
    /// The text of the first such element; empty when there is none.
    std::string element(const std::string& name) const {
        auto from = body.find("<" + name + ">");
        if (from == std::string::npos) return {};
        from += name.size() + 2;
        return body.substr(from, body.find("</" + name + ">") - from);
    }
    std::string code() const { return element("Code"); }
};

class TestDoor {
 public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    explicit TestDoor(ResourceGuard guard = {}) {
        root_ = std::filesystem::temp_directory_path() / ("tarn_s3_test_" + random_hex(8));
        meta::LocalStoreOptions options;
        options.directory = root_ / "state";
        options.segment_bytes = 8 << 20;
        options.free_bytes_min = 0;
        std::filesystem::create_directories(root_);
        meta_ = take(meta::LocalStore::open(disk_, clock_, metrics_, options));
        users_ = take(security::Users::open(*meta_, keyring_, clock_));
        root_key_ = take(users_->ensure_root()).key;
        audit_ = std::make_unique<security::AuditTrail>(*meta_, clock_, metrics_,
                                                        security::AuditOptions{});
        authenticator_ = std::make_unique<security::Authenticator>(*users_, clock_);
        authorizer_ = std::make_unique<security::Authorizer>(*users_);
        objects::LocalBytesOptions extents;
        extents.directory = root_ / "extents";
        extents.lake_id = meta_->lake_id();
        extents.free_bytes_min = 0;
        extents.preallocate_bytes = 1 << 20;
        bytes_ = take(objects::open_local_bytes(disk_, *meta_, metrics_, extents));
        objects::ObjectStoreOptions store;
        store.audit = audit_.get();
        store.part_bytes_min = 1 << 10;
        objects_ = take(objects::ObjectStore::open(*meta_, *bytes_, clock_, metrics_, store));
        DoorOptions door;
        door.account_id = users_->account_id();
        door.guard = std::move(guard);
        door_ = std::make_unique<Door>(
            DoorParts{*objects_, *authenticator_, *authorizer_, audit_.get(), clock_, metrics_},
            door);
    }
    ~TestDoor() {
        (void)audit_->stop().ok();
        door_.reset();
        objects_.reset();
        bytes_.reset();
        audit_.reset();
        users_.reset();
        meta_.reset();
        std::filesystem::remove_all(root_);
    }

    /// Signed by the root, or by `as`; the payload's hash is stated.
    Answer call(const std::string& method, const std::string& target, const Fields& fields = {},
                const std::string& body = {}) {
        return signed_call(root_signer(), method, target, fields, body,
                           codec::hex_encode(codec::sha256(body)));
    }
    Answer call_as(const security::NewAccessKey& key, const std::string& method,
                   const std::string& target, const Fields& fields = {},
                   const std::string& body = {}) {
        return signed_call({key.id, key.secret}, method, target, fields, body,
                           codec::hex_encode(codec::sha256(body)));
    }
    Answer signed_call(const security::Signer& signer, const std::string& method,
                       const std::string& target, const Fields& fields, const std::string& body,
                       const std::string& payload) {
        auto signature = sign(signer, method, target, fields, payload);
        Fields all = fields;
        all.insert(all.end(), signature.headers.begin(), signature.headers.end());
        return raw(method, target, all, body);
    }
    security::SignatureHeaders sign(const security::Signer& signer, const std::string& method,
                                    const std::string& target, const Fields& fields,
                                    const std::string& payload) {
        security::SignedRequest request = described(method, target, fields);
        return security::sign(request, signer, clock_.now(), payload);
    }
    std::string presign(const std::string& method, const std::string& target, uint32_t seconds) {
        return target.substr(0, target.find('?')) + "?" +
               security::presign(described(method, target, {}), root_signer(), clock_.now(),
                                 seconds);
    }
    /// As it is, unsigned.
    Answer raw(const std::string& method, const std::string& target, const Fields& fields,
               const std::string& body = {}) {
        std::string message = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
        for (const auto& [name, value] : fields) message += name + ": " + value + "\r\n";
        message += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
        Answer answer;
        answer.exchange = std::make_shared<http::FakeExchange>(message);
        door_->handle(answer.exchange->request(), answer.exchange->responder());
        answer.exchange->run_rest();
        answer.status = answer.exchange->status();
        answer.body = answer.exchange->body();
        return answer;
    }

    security::NewAccessKey make_user(const std::string& name, const std::string& policy) {
        take(users_->create_user({name, {{"main", policy}}, {}, {}}));
        return take(users_->create_key(name));
    }
    security::Signer root_signer() const { return {root_key_.id, root_key_.secret}; }
    ManualClock& clock() { return clock_; }
    security::AuditTrail& audit() { return *audit_; }
    objects::ObjectStore& objects() { return *objects_; }

 private:
    template <typename T>
    static T take(Result<T> result) {
        EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
        return std::move(result).value();
    }
    static security::SignedRequest described(const std::string& method, const std::string& target,
                                             const Fields& fields) {
        security::SignedRequest request;
        request.method = method;
        std::string_view view = target;
        auto mark = view.find('?');
        request.raw_path = view.substr(0, mark);
        if (mark != std::string_view::npos) request.raw_query = view.substr(mark + 1);
        request.headers.emplace_back("host", "localhost");
        for (const auto& [name, value] : fields) request.headers.emplace_back(name, value);
        return request;
    }

    std::filesystem::path root_;
    io::RealDisk disk_;
    ManualClock clock_;
    Metrics metrics_;
    security::Keyring keyring_{std::string(32, 'k')};
    security::NewAccessKey root_key_;
    std::unique_ptr<meta::LocalStore> meta_;
    std::unique_ptr<security::Users> users_;
    std::unique_ptr<security::AuditTrail> audit_;
    std::unique_ptr<security::Authenticator> authenticator_;
    std::unique_ptr<security::Authorizer> authorizer_;
    std::unique_ptr<objects::BytesBackend> bytes_;
    std::unique_ptr<objects::ObjectStore> objects_;
    std::unique_ptr<Door> door_;
};

}  // namespace tarn::s3
