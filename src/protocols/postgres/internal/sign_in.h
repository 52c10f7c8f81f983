// From a startup packet to an engine's session: SCRAM-SHA-256, authorisation, settings. "Start-up"
// and "SASL Authentication" of the protocol's chapter.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "protocols/postgres/internal/messages.h"
#include "protocols/postgres/internal/shared.h"
#include "security/scram.h"

namespace tarn::postgres {

struct Peer {
    std::string address;
    bool tls = false;
};

/// Owner: a connection. Lane: any but a loop, one call at a time. An error ends the connection.
class SignIn {
 public:
    SignIn(const Door::Shared& door, StartupPacket packet, Peer peer);

    /// The first answer: which mechanisms there are.
    Status begin(std::string& out);
    /// A 'p' message. True when the password was right; then connect().
    Result<bool> handle(const Message& message, std::string& out);
    /// Authorises, opens the engine's session, applies what the client asked for.
    Result<std::unique_ptr<query::Session>> connect();

    const security::Caller& caller() const { return caller_; }
    /// Records how it went. An error means that it must not go on.
    Status audit(const Status& outcome);

 private:
    Status choose_mechanism(const Message& message, std::string& out);
    Status prove(const Message& message, std::string& out);
    Status check_database() const;
    Status apply_settings(query::Session& session) const;

    const Door::Shared& door_;
    const StartupPacket packet_;
    const Peer peer_;
    security::Caller caller_;
    std::string user_;
    std::string channel_binding_;
    security::Users::ScramCandidates candidates_;
    std::optional<security::ScramServer> scram_;
};

}  // namespace tarn::postgres
