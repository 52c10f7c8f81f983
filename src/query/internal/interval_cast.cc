#include "query/internal/interval_cast.h"

#include "query/internal/error.h"
#include "query/interval_text.h"

namespace tarn::query {

namespace {

bool cast_to_interval(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                      duck::CastParameters& parameters) {
    bool all = true;
    duck::UnaryExecutor::ExecuteWithNulls<duck::string_t, duck::interval_t>(
        source, result, count,
        [&](duck::string_t text, duck::ValidityMask& valid, duck::idx_t row) {
            const auto read = parse_interval({text.GetData(), text.GetSize()});
            if (read.ok()) return duck::interval_t{read->months, read->days, read->micros};
            // TRY_CAST makes a NULL of it.
            if (!parameters.error_message) throw_error(read.error());
            all = false;
            valid.SetInvalid(row);
            return duck::interval_t{0, 0, 0};
        });
    return all;
}

}  // namespace

void add_interval_cast(duck::ClientContext& context) {
    duck::CastFunctionSet::Get(context).RegisterCastFunction(
        duck::LogicalType::VARCHAR, duck::LogicalType::INTERVAL, cast_to_interval);
}

}  // namespace tarn::query
