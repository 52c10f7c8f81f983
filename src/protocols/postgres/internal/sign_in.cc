#include "protocols/postgres/internal/sign_in.h"

#include <cctype>

#include "base/random.h"
#include "codec/text.h"
#include "net/peer.h"
#include "protocols/postgres/internal/backend.h"
#include "protocols/postgres/internal/errors.h"
#include "query/column_names.h"
#include "query/sqlstate.h"

namespace tarn::postgres {
namespace {

constexpr std::string_view kPlain = "SCRAM-SHA-256";
constexpr std::string_view kPlus = "SCRAM-SHA-256-PLUS";
constexpr size_t kNonceBytes = 18;

/// Only letters and digits of an encoding's name count: some clients send 'utf-8', quotes included.
std::string plain_encoding(std::string_view name) {
    std::string plain;
    for (const char c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0) plain.push_back(c);
    return plain == "SQLASCII" ? "SQL_ASCII" : plain;
}

}  // namespace

SignIn::SignIn(const Door::Shared& door, StartupPacket packet, Peer peer)
    : door_(door), packet_(std::move(packet)), peer_(std::move(peer)) {
    user_ = packet_.parameter("user");
    caller_.door = "postgres";
    caller_.source_ip = peer_.address;
    caller_.user_agent = packet_.parameter("application_name");
    caller_.secure_transport = peer_.tls;
    caller_.action = "tarn:Connect";
    caller_.resource = door_.resource();
    caller_.principal.name = user_;
}

Status SignIn::begin(std::string& out) {
    if (!peer_.tls && !net::is_loopback(peer_.address))
        return Error(Code::permission_denied,
                     "the connection is not encrypted: connect with sslmode=require or better",
                     "28000");
    if (user_.empty())
        return Error(Code::invalid_argument, "no user name specified in startup packet", "28000");
    const auto replication = packet_.parameter("replication");
    if (!replication.empty() && replication != "false" && replication != "off" &&
        replication != "0" && replication != "no")
        return Error(Code::unimplemented, "replication connections are not implemented", "0A000");

    std::vector<std::string> unknown;
    for (const auto& [name, value] : packet_.parameters)
        if (name.starts_with("_pq_.")) unknown.push_back(name);
    if (packet_.minor > 0 || !unknown.empty()) append_negotiate_version(out, unknown);

    if (peer_.tls && door_.options.channel_binding)
        channel_binding_ = door_.options.channel_binding();
    std::string mechanisms;
    if (!channel_binding_.empty()) (mechanisms += kPlus).push_back('\0');
    (mechanisms += kPlain).push_back('\0');
    mechanisms.push_back('\0');
    append_authentication(out, Authentication::sasl, mechanisms);
    return ok_status();
}

Result<bool> SignIn::handle(const Message& message, std::string& out) {
    if (!scram_) {
        TARN_CHECK_OK(choose_mechanism(message, out));
        return false;
    }
    TARN_CHECK_OK(prove(message, out));
    return true;
}

Status SignIn::choose_mechanism(const Message& message, std::string& out) {
    TARN_TRY(initial, parse_sasl_initial(message.body));
    const bool plus = initial.mechanism == kPlus && !channel_binding_.empty();
    if (!plus && initial.mechanism != kPlain)
        return protocol_error("client selected an invalid SASL authentication mechanism");
    candidates_ = door_.parts.users.scram_candidates(user_);
    security::ScramServer::Options options;
    options.account = candidates_.account;
    options.nonce = codec::base64_encode(random_bytes(kNonceBytes));
    options.plus = plus;
    options.plus_offered = !channel_binding_.empty();
    options.channel_binding = channel_binding_;
    scram_.emplace(std::move(options));
    auto challenge = scram_->first(initial.response);
    if (!challenge.ok()) return protocol_error(challenge.error().message);
    append_authentication(out, Authentication::sasl_continue, *challenge);
    return ok_status();
}

/// Unknown names and wrong passwords take the same way and end in the same words.
Status SignIn::prove(const Message& message, std::string& out) {
    auto proof = scram_->final(message.body);
    if (!proof.ok() && proof.error().code != Code::unauthenticated)
        return protocol_error(proof.error().message);
    if (!proof.ok())
        return Error(Code::unauthenticated,
                     "password authentication failed for user \"" + user_ + "\"", "28P01");
    const auto& credential = candidates_.credentials.at(scram_->matched());
    caller_.principal = credential->principal;
    append_authentication(out, Authentication::sasl_final, *proof);
    candidates_ = {};
    return ok_status();
}

Status SignIn::check_database() const {
    const auto database = packet_.parameter("database");
    if (database.empty() || database == door_.options.database || database == user_)
        return ok_status();
    return Error(Code::not_found,
                 "database \"" + std::string(database) +
                     "\" does not exist\nHINT: the database is " + door_.options.database +
                     "; the databases of the catalog are its schemas",
                 "3D000");
}

Result<std::unique_ptr<query::Session>> SignIn::connect() {
    TARN_CHECK_OK(check_database());
    caller_.request_id = random_hex(8);
    for (char& c : caller_.request_id) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
    caller_.at = door_.parts.clock.now();
    TARN_CHECK_OK(door_.parts.authorizer.decide(caller_));
    TARN_TRY(session, door_.parts.engine.connect(caller_));
    query::name_columns_as_postgres(*session);
    TARN_CHECK_OK(apply_settings(*session));
    if (!caller_.principal.access_key_id.empty())
        door_.parts.users.note_used(caller_.principal.access_key_id);
    return session;
}

Status SignIn::apply_settings(query::Session& session) const {
    TARN_TRY(settings, parse_startup_options(packet_.parameter("options")));
    for (const auto& [name, value] : packet_.parameters) {
        if (name == "user" || name == "database" || name == "options" || name == "replication" ||
            name.starts_with("_pq_."))
            continue;
        settings.emplace_back(name, name == "client_encoding" ? plain_encoding(value) : value);
    }
    for (const auto& [name, value] : settings) TARN_CHECK_OK(session.set_setting(name, value));
    return ok_status();
}

Status SignIn::audit(const Status& outcome) {
    if (door_.parts.audit == nullptr) return ok_status();
    caller_.at = door_.parts.clock.now();
    auto result = security::AuditResult::of(outcome);
    if (!outcome.ok()) result.error_code = query::sqlstate_of(outcome.error());
    return door_.parts.audit->record(caller_, result);
}

}  // namespace tarn::postgres
