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
    // Against flapping: an alert opens when its row has been there for `for_at_least`, and recovers
    // when it is in neither SELECT any more, for `recover_after`.
    std::string stays;  // SELECT: rows whose open alert stays open; empty: those of `when`
    std::chrono::seconds for_at_least{0}, recover_after{0};
    std::chrono::seconds check_every{60};  // also when no input changed: time passes
    std::string run_as;                    // role whose grants the rule reads with; empty: the server's own

    bool operator==(const AlertSpec&) const = default;
};

}  // namespace tarn::events
