#include "app/server.h"

#include <atomic>
#include <optional>

#include "app/archive_settings.h"
#include "app/housekeeping.h"
#include "app/lake.h"
#include "app/lake_verify.h"
#include "app/services.h"
#include "app/table_guard.h"
#include "app/table_keeper.h"
#include "base/lane.h"
#include "base/log.h"
#include "dashboards/embed_links.h"
#include "net/peer.h"
#include "net/server.h"
#include "net/tls.h"
#include "protocols/admin/door.h"
#include "protocols/admin/live.h"
#include "protocols/http/server.h"
#include "protocols/mqtt/mqtt.h"
#include "protocols/postgres/postgres.h"
#include "protocols/s3/s3.h"
#include "query/queries.h"
#include "query/upkeep.h"

namespace tarn::app {
namespace {

constexpr size_t kQueryThreads = 64;  // most of them wait: for a place among the running, or for a commit

std::string with_port(const std::string& address, uint16_t port) {
    const bool six = address.find(':') != std::string::npos;
    return (six ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

/// The one object of a running lake. Members are in the order in which they are built; destruction
/// is the reverse.
class RunningServer final : public Server {
 public:
    explicit RunningServer(const Settings& settings) : settings_(settings) {}
    ~RunningServer() override { stop(); }

    Status open() {
        TARN_TRY(ports, parse_ports(settings_.ports));
        TARN_CHECK_OK(check_address());
        // A lakefile that is not there must not leave a new data folder behind.
        if (!settings_.lake.empty()) TARN_CHECK_OK(read_lakefile(settings_.lake));
        TARN_TRY(lake, Lake::open(settings_));
        lake_ = std::move(lake);
        TARN_TRY(services, Services::open(*lake_, settings_));
        services_ = std::move(services);
        TARN_TRY(archive, open_archive(*lake_, settings_));
        archive_ = std::move(archive);
        TARN_CHECK_OK(services_->start(settings_));
        TARN_CHECK_OK(open_doors(ports));
        start_housekeeping();
        archive_->start();
        ready_ = true;
        return ok_status();
    }

    const std::map<std::string, std::string>& doors() const override { return doors_; }
    const std::string& credentials_file() const override { return lake_->credentials_file; }
    bool first_start() const override { return lake_->first_start; }
    bool healthy() const override { return lake_ == nullptr || lake_->store->healthy(); }

    void reload() override {
        if (tls_ == nullptr) return;
        const Status read = tls_->reload();
        if (read.ok())
            log_info("app", "the TLS certificate was read again");
        else
            log_error("app", "the TLS certificate stays as it was", {{"why", read.error().message}});
    }

    void stop() override {
        if (stopped_.exchange(true)) return;
        ready_ = false;
        if (live_) live_->stop();
        if (net_) {
            net_->drain(std::chrono::seconds(settings_.drain_seconds));
            net_->stop();
        }
        housekeeping_.reset();
        if (verifier_) verifier_->stop();
        if (queries_) queries_->stop();
        if (services_) services_->stop();
        work_.stop();
        spare_.stop();
        query_.stop();
        if (lake_) lake_->close();
        if (archive_) archive_->stop();  // what was committed last is shipped, too
        log_info("app", "stopped");
    }

 private:
    Status check_address() const {
        if (net::is_loopback(settings_.listen)) return ok_status();
        if (settings_.tls_certificate.empty())
            return Error(Code::invalid_argument,
                         "--listen " + settings_.listen +
                             " is not loopback: secrets would travel readable. Give "
                             "--tls-certificate and --tls-key.");
        return ok_status();
    }

    Status open_doors(const std::map<std::string, uint16_t>& ports) {
        if (!settings_.tls_certificate.empty()) {
            TARN_TRY(tls, net::TlsContext::load(
                              {settings_.tls_certificate, settings_.tls_key, {"http/1.1"}}));
            tls_ = std::move(tls);
        }
        net::ServerOptions options;
        options.metrics = &lake_->metrics;
        net_ = net::Server::create(options);
        if (ports.contains("aws")) TARN_CHECK_OK(open_s3(ports.at("aws")));
        if (ports.contains("http")) TARN_CHECK_OK(open_http(ports.at("http")));
        if (ports.contains("postgres")) TARN_CHECK_OK(open_postgres(ports.at("postgres")));
        if (ports.contains("mqtt")) TARN_CHECK_OK(open_mqtt(ports.at("mqtt")));
        return net_->start();
    }

    Status open_s3(uint16_t port) {
        s3::DoorOptions options;
        options.account_id = lake_->users->account_id();
        options.region = settings_.region;
        options.guard = guard_tables(*lake_->catalog, *lake_->grants);
        s3_ = std::make_unique<s3::Door>(
            s3::DoorParts{*lake_->objects, *lake_->authenticator, *lake_->authorizer,
                          lake_->audit.get(), lake_->clock, lake_->metrics},
            options);
        http::ServiceOptions service = http_options("s3");
        service.refuse = [this](const http::Refusal& refusal) { return s3_->refuse(refusal); };
        s3_service_ = std::make_unique<http::Service>(
            service, [this](http::Request& request, http::Responder& responder) {
                s3_->handle(request, responder);
            });
        return listen("aws", port, s3_service_->factory());
    }

    Status open_http(uint16_t port) {
        admin::DoorParts parts;
        parts.users = lake_->users.get();
        parts.sessions = lake_->sessions.get();
        parts.authenticator = lake_->authenticator.get();
        parts.authorizer = lake_->authorizer.get();
        parts.audit = lake_->audit.get();
        parts.audit_chain = lake_->audit_chain.get();
        parts.audit_usage = lake_->audit_usage.get();
        parts.store = lake_->store.get();
        parts.grants = lake_->grants.get();
        parts.streams = lake_->streams.get();
        parts.engine = lake_->engine.get();
        query::QueriesOptions kept;
        kept.directory = settings_.data + "/results";
        TARN_TRY(queries, query::Queries::open(kept, *lake_->engine, lake_->disk, lake_->clock));
        queries_ = std::move(queries);
        parts.queries = queries_.get();
        parts.catalog = lake_->catalog.get();
        parts.committer = lake_->committer.get();
        parts.dashboards = lake_->dashboards.get();
        embeds_ = std::make_unique<dashboards::EmbedLinks>(*lake_->store, *lake_->keyring, *lake_->users, lake_->clock);
        parts.embeds = embeds_.get();
        live_ = std::make_unique<admin::LiveStreams>(*lake_->dashboards, *lake_->catalog, *lake_->grants,
                                                     *lake_->store);
        parts.live = live_.get();
        parts.archive = archive_.get();
        parts.applier = &services_->applier();
        parts.secrets = &services_->secrets();
        parts.sources = &services_->sources();
        parts.verifications = &services_->verifications();
        parts.graph = &services_->graph();
        parts.models = &services_->models();
        parts.alerts = &services_->alerts();
        parts.metrics = &lake_->metrics;
        parts.clock = &lake_->clock;
        parts.region = settings_.region;
        parts.status = [this] { return status(); };
        verifier_ = std::make_unique<LakeVerifier>(*lake_);
        parts.verify_lake = [this] { return verifier_->start(); };
        parts.lake_verdict = [this] { return verifier_->verdict(); };
        http::ServiceOptions service = http_options("http");
        service.refuse = admin::refuse;
        // A query may run for minutes: it must not take the lane of short requests.
        service.choose_lane = [this](const http::RequestHead& head) {
            const auto path = head.path();
            const bool asks_sql = path == "/api/v1/sql" || path == "/api/v1/plan" || path == "/api/v1/apply" ||
                                  path == "/api/v1/try" || path.starts_with("/api/v1/dashboards/") ||
                                  path.starts_with("/api/v1/queries") || path == "/api/v1/audit/check" ||
                                  (path.starts_with("/api/v1/models/") && path.ends_with("/monitor")) ||
                                  (path.starts_with("/api/v1/catalog/") &&
                                   (path.ends_with("/profile") || path.ends_with("/sample")));
            return asks_sql ? &query_ : &work_;
        };
        http_service_ =
            std::make_unique<http::Service>(service, admin::make_handler(std::move(parts)));
        return listen("http", port, http_service_->factory());
    }

    Status open_postgres(uint16_t port) {
        postgres::DoorOptions options;
        options.account_id = lake_->users->account_id();
        options.region = settings_.region;
        if (tls_ != nullptr) {
            TARN_CHECK_OK(postgres::channel_binding_of(tls_->certificate_pem()));
            options.channel_binding = [this] {
                auto binding = postgres::channel_binding_of(tls_->certificate_pem());
                return binding.ok() ? std::move(binding).value() : std::string();
            };
        }
        postgres_ = std::make_unique<postgres::Door>(
            postgres::DoorParts{*lake_->engine, *lake_->users, *lake_->authorizer,
                                lake_->audit.get(), lake_->clock, lake_->metrics, work_, query_},
            options);
        // PostgreSQL asks for TLS inside its own protocol.
        return listen("postgres", port, postgres_->factory(), net::TlsMode::none);
    }

    Status open_mqtt(uint16_t port) {
        mqtt::DoorOptions options;
        options.account_id = lake_->users->account_id();
        options.region = settings_.region;
        TARN_TRY(opened, mqtt::Door::open(
                             {*lake_->store, *lake_->streams, *lake_->users, *lake_->authorizer,
                              lake_->audit.get(), lake_->clock, lake_->metrics},
                             options));
        mqtt_ = std::move(opened);
        mqtt_->set_routes(services_->topic_routes());
        return listen("mqtt", port, mqtt_->factory());
    }

    http::ServiceOptions http_options(const std::string& door) {
        http::ServiceOptions options;
        options.lane = &work_;
        options.spare = &spare_;
        options.clock = &lake_->clock;
        options.metrics = &lake_->metrics;
        options.door = door;
        return options;
    }

    /// On loopback both plain and TLS are taken; elsewhere what is readable on the wire is refused.
    Status listen(const std::string& door, uint16_t port, net::SessionFactory factory,
                  std::optional<net::TlsMode> mode = {}) {
        net::ListenerOptions options;
        options.door = door;
        options.address = settings_.listen;
        options.port = port;
        options.factory = std::move(factory);
        options.tls = tls_;
        options.tls_mode = mode                                 ? *mode
                           : tls_ == nullptr                    ? net::TlsMode::none
                           : net::is_loopback(settings_.listen) ? net::TlsMode::sniff
                                                                : net::TlsMode::required;
        auto bound = net_->add_listener(std::move(options));
        if (!bound.ok())
            return std::move(bound).error().within("the " + door + " door on " +
                                                   with_port(settings_.listen, port));
        doors_[door] = with_port(settings_.listen, *bound);
        return ok_status();
    }

    void start_housekeeping() {
        using std::chrono::seconds;
        table_keeper_ = std::make_unique<TableKeeper>(*lake_);
        std::vector<Housekeeping::Job> jobs;
        jobs.push_back({"log space", seconds(20), [this]() -> Status {
                            TARN_CHECK_OK(lake_->store->reclaim());
                            return ok_status();
                        }});
        jobs.push_back({"extent space", seconds(20), [this]() -> Status {
                            TARN_CHECK_OK(lake_->objects->reclaim());
                            return ok_status();
                        }});
        jobs.push_back({"audit retention", seconds(300), [this] { return expire_audit(); }});
        jobs.push_back({"audit usage", seconds(10), [this] { return lake_->audit_usage->advance(); }});
        jobs.push_back({"audit chain", seconds(10), [this] { return lake_->audit_chain->advance(); }});
        if (tls_ != nullptr)
            jobs.push_back({"TLS certificate", seconds(1), [this]() -> Status {
                                TARN_TRY(changed, tls_->reload_if_changed());
                                if (changed) log_info("app", "a new TLS certificate is in use");
                                return ok_status();
                            }});
        jobs.push_back({"users", seconds(1), [this] { return lake_->users->read_back(); }});
        jobs.push_back({"sessions", seconds(300), [this]() -> Status {
                            TARN_CHECK_OK(lake_->sessions->remove_expired(10'000));
                            return ok_status();
                        }});
        jobs.push_back({"tables", seconds(30), [this] { return expire_tables(*lake_); }});
        jobs.push_back({"SQL caches", query::kUpkeepInterval, [this]() -> Status {
                            query::tend(*lake_->engine);
                            return ok_status();
                        }});
        jobs.push_back({"compaction", seconds(1), [this] { return table_keeper_->round(); }});
        housekeeping_ = std::make_unique<Housekeeping>(*lake_->background, std::move(jobs));
    }

    Status expire_audit() {
        constexpr uint64_t kRecordsAtOnce = 200'000;
        auto by = lake_->system_caller();
        by.action = "tarn:ExpireAuditRecords";
        by.resource = "arn:aws:tarn:" + settings_.region + ":" + lake_->users->account_id() + ":lake";
        for (uint64_t removed = 1; removed > 0;) {
            TARN_TRY(some, lake_->audit->expire(kRecordsAtOnce, by, *lake_->audit_chain));
            removed = some;
        }
        return ok_status();
    }

    /// Readiness is for those who spread work. Whoever asks all the same gets reads and deletions, which free space. The
    /// bounds are the log's.
    void judge_space(admin::ServerStatus& status) const {
        const auto free = lake_->disk.free_bytes(settings_.data);
        const uint64_t free_min = meta::LocalStoreOptions().free_bytes_min;
        if (!free.ok() || *free >= 2 * free_min) return;
        if (*free >= free_min) {
            status.warning = "the disk has " + std::to_string(*free >> 20) + " MiB left: below " +
                             std::to_string(free_min >> 20) + " only deletions are accepted";
            return;
        }
        const bool full = *free < free_min / 8;
        if (status.ready)
            status.not_ready_because = full ? "the disk is full: nothing can be written"
                                            : "the disk is nearly full: only deletions are accepted";
        status.ready = false;
    }

    admin::ServerStatus status() const {
        admin::ServerStatus out;
        out.version = kVersion;
        out.lake_id = lake_->store->lake_id();
        out.started = started_;
        out.log_version = lake_->store->last_version();
        out.doors = doors_;
        out.ready = ready_ && lake_->store->healthy() && lake_->bytes->healthy();
        if (!ready_)
            out.not_ready_because = "starting or stopping";
        else if (!lake_->store->healthy())
            out.not_ready_because = "a write of the log failed: restart the server";
        else if (!lake_->bytes->healthy())
            out.not_ready_because = "a write of large bodies failed: restart the server";
        judge_space(out);
        const auto buckets = lake_->objects->list_buckets();
        if (!buckets.ok()) return out;
        for (const auto& bucket : *buckets) {
            ++out.buckets;
            out.objects += bucket.objects;
            out.object_bytes += bucket.bytes;
        }
        return out;
    }

    const Settings settings_;
    const Timestamp started_ = SystemClock().now();
    std::unique_ptr<Lake> lake_;
    std::unique_ptr<Services> services_;
    std::unique_ptr<archive::Archive> archive_;
    Lane work_{{"work", settings_.work_threads, 4096}};
    http::SpareLane spare_;
    Lane query_{{"query", kQueryThreads, 1024}};
    std::unique_ptr<s3::Door> s3_;
    std::unique_ptr<http::Service> s3_service_;
    std::unique_ptr<query::Queries> queries_;
    std::unique_ptr<dashboards::EmbedLinks> embeds_;
    std::unique_ptr<admin::LiveStreams> live_;
    std::unique_ptr<http::Service> http_service_;
    std::unique_ptr<postgres::Door> postgres_;
    std::unique_ptr<mqtt::Door> mqtt_;
    std::shared_ptr<net::TlsContext> tls_;
    std::unique_ptr<net::Server> net_;
    std::unique_ptr<TableKeeper> table_keeper_;
    std::unique_ptr<Housekeeping> housekeeping_;
    std::unique_ptr<LakeVerifier> verifier_;
    std::map<std::string, std::string> doors_;
    std::atomic<bool> ready_{false};
    std::atomic<bool> stopped_{false};
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Settings& settings) {
    auto server = std::make_unique<RunningServer>(settings);
    TARN_CHECK_OK(server->open());
    for (const auto& [door, address] : server->doors())
        log_info("app", "a door is open", {{"door", door}, {"address", address}});
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace tarn::app
