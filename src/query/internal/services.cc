#include "query/internal/services.h"

#include "query/internal/identity.h"
#include "query/internal/scan.h"

namespace tarn::query {

Services::Services(EngineOptions o, EngineParts p)
    : options(std::move(o)),
      parts(p),
      deletes(std::make_unique<DeleteCache>(*this)),
      identities(std::make_unique<IdentityNumbers>(p.catalog.store())) {}

Services::~Services() = default;

security::Caller system_caller(Timestamp at) {
    security::Caller caller;
    caller.principal.kind = security::Principal::Kind::system;
    caller.principal.name = "tarn";
    caller.door = "internal";
    caller.at = at;
    return caller;
}

}  // namespace tarn::query
