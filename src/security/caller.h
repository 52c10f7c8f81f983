// Who asks, from where, for what: made once by a door's dispatch, handed by reference to every
// domain call.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace tarn::security {

/// Root, a user, an assumed role's session, or the server itself (background work).
struct Principal {
    enum class Kind { root, user, session, system };

    Kind kind = Kind::user;
    std::string name;                // "root", the user's name
    std::string arn;                 // arn:aws:iam::<account>:user/<name>
    std::string access_key_id;       // the key that signed; empty for a console session
    std::vector<std::string> roles;  // lakefile roles held
    std::map<std::string, std::string> attributes;  // user.region in row filters

    bool is_root() const { return kind == Kind::root || kind == Kind::system; }
};

/// One request of one principal. The action is in IAM's form ("s3:PutObject", "tarn:Select"), the
/// resource is an ARN.
struct Caller {
    Principal principal;
    std::string request_id;  // 16 upper-case letters and digits
    std::string door;        // "s3", "postgres", "mqtt", "http", "internal"
    std::string source_ip;
    std::string user_agent;
    bool secure_transport = false;
    std::string action;
    std::string resource;
    Timestamp at;
};

}  // namespace tarn::security
