#include "net/peer.h"

namespace tarn::net {

bool is_loopback(std::string_view address) {
    return address == "::1" || address.starts_with("127.");
}

}  // namespace tarn::net
