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

bool cast_from_interval(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                        duck::CastParameters&) {
    duck::UnaryExecutor::Execute<duck::interval_t, duck::string_t>(
        source, result, count, [&](duck::interval_t given) {
            const Interval interval{given.months, given.days, given.micros};
            return duck::StringVector::AddString(result,
                                                 pg_text(Type(Kind::interval), Value(interval)));
        });
    return true;
}

}  // namespace

void add_interval_casts(duck::ClientContext& context) {
    auto& casts = duck::CastFunctionSet::Get(context);
    casts.RegisterCastFunction(duck::LogicalType::VARCHAR, duck::LogicalType::INTERVAL,
                               cast_to_interval);
    casts.RegisterCastFunction(duck::LogicalType::INTERVAL, duck::LogicalType::VARCHAR,
                               cast_from_interval);
}

}  // namespace tarn::query
