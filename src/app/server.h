// The running program: every part of the house built in order and destroyed in reverse. The one
// file that knows all modules.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/settings.h"
#include "base/result.h"

namespace tarn::app {

class Server {
 public:
    /// Takes the data folder, recovers, opens the doors. When it returns every door answers. Errors
    /// say what to do.
    static Result<std::unique_ptr<Server>> start(const Settings& settings);
    virtual ~Server() = default;

    /// Door name -> "address:port".
    virtual const std::map<std::string, std::string>& doors() const = 0;
    /// Where the root's credentials were written.
    virtual const std::string& credentials_file() const = 0;
    virtual bool first_start() const = 0;
    /// Accepts no more, lets running requests finish within Settings::drain_seconds, flushes,
    /// closes. Idempotent.
    virtual void stop() = 0;
    /// What SIGHUP asks for: the TLS certificate is read again.
    virtual void reload() = 0;
    /// False when a failed write of the log asks for a restart.
    virtual bool healthy() const = 0;
};

/// `tarn serve`: starts, writes the ready file, waits for SIGTERM or SIGINT, stops. Returns the
/// exit code.
int serve(const Settings& settings);

inline constexpr const char* kVersion = "0.1.0";

}  // namespace tarn::app
