#include "security/sign_in_limit.h"

#include <arpa/inet.h>

#include <algorithm>

namespace tarn::security {

namespace {

/// Who has one address of an IPv6 network has 2^64 of them.
std::string network_of(std::string_view address) {
    const std::string text(address.substr(0, address.find('%')));
    in6_addr six{};
    if (inet_pton(AF_INET6, text.c_str(), &six) != 1 || IN6_IS_ADDR_V4MAPPED(&six)) return text;
    return {reinterpret_cast<const char*>(six.s6_addr), 8};
}

}  // namespace

std::chrono::seconds SignInLimit::take(std::string_view address) {
    const std::string who = network_of(address);
    const Time now = clock_.steady();
    const MutexLock lock(mutex_);
    if (paid_until_.size() >= options_.addresses_max && paid_until_.count(who) == 0) {
        std::erase_if(paid_until_, [&](const auto& one) { return one.second <= now; });
        if (paid_until_.size() >= options_.addresses_max)
            paid_until_.erase(
                std::min_element(paid_until_.begin(), paid_until_.end(),
                                 [](const auto& a, const auto& b) { return a.second < b.second; }));
    }
    Time& paid = paid_until_.try_emplace(who, now).first->second;
    const Time then = std::max(paid, now) + options_.one_more_every;
    const auto beyond = then - now - options_.tries_at_once * options_.one_more_every;
    if (beyond > Time::duration::zero()) return std::chrono::ceil<std::chrono::seconds>(beyond);
    paid = then;
    return std::chrono::seconds(0);
}

void SignInLimit::give_back(std::string_view address) {
    const MutexLock lock(mutex_);
    const auto found = paid_until_.find(network_of(address));
    if (found != paid_until_.end()) found->second -= options_.one_more_every;
}

}  // namespace tarn::security
