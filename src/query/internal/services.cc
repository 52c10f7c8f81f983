#include "query/internal/services.h"

#include "query/internal/scan.h"

namespace tarn::query {

Services::Services(EngineOptions o, EngineParts p)
    : options(std::move(o)), parts(p), deletes(std::make_unique<DeleteCache>(*this)) {}

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
