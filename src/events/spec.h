// What a lakefile says of an alert, in plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tarn::events {

struct AlertSpec {
    std::string name;
    std::string when;                  // SELECT: each row is a reason to be told
    std::vector<std::string> one_per;  // columns of it: one open alert per value; empty: one in all
    struct Webhook {
        std::string url;               // resolved; http or https
        std::string secret;            // signs (Standard Webhooks, "whsec_..."); empty: made at first use, shown by status
        bool allow_private = false;    // addresses that are not on the open internet
        bool operator==(const Webhook&) const = default;
    };
    std::vector<Webhook> to;
    bool tell_recovery = true;
    std::chrono::seconds check_every{60};  // also when no input changed: time passes
    std::string run_as;                    // role whose grants the rule reads with; empty: the server's own

    bool operator==(const AlertSpec&) const = default;
};

}  // namespace tarn::events
