// oid and "char" are DuckDB's BIGINT and VARCHAR under a name of their own (duck_types.h), so that
// results and parameters can say on the wire what they are; a cast takes them wherever the plain
// type goes. The other types of the catalogs are plain ones.
#include "query/internal/pg_catalog/types.h"

#include <cmath>

#include "duckdb/common/operator/cast_operators.hpp"
#include "duckdb/function/cast/cast_function_set.hpp"
#include "duckdb/parser/parsed_data/create_type_info.hpp"
#include "query/internal/array_text.h"
#include "query/internal/bytea_text.h"
#include "query/internal/duck_types.h"
#include "query/internal/pg_catalog/jsonb.h"

namespace tarn::query {

namespace {

constexpr const char* kTextTypes[] = {
    "name",        "regproc",      "regprocedure",  "regnamespace", "regrole",
    "regoper",     "pg_node_tree", "aclitem",       "cstring",      "regtype",
    "regoperator", "regconfig",    "regdictionary", "regcollation"};
constexpr const char* kNumberTypes[] = {"regclass", "xid", "cid"};

struct ArrayCast final : duck::BoundCastData {
    explicit ArrayCast(duck::BoundCastInfo given) : plain(std::move(given)) {}
    duck::BoundCastInfo plain;  // DuckDB's own, from its form of lists
    duck::unique_ptr<duck::BoundCastData> Copy() const override {
        return duck::make_uniq<ArrayCast>(plain.Copy());
    }
};

bool cast_array(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                duck::CastParameters& parameters) {
    auto& plain = parameters.cast_data->Cast<ArrayCast>().plain;
    duck::UnifiedVectorFormat format;
    source.ToUnifiedFormat(count, format);
    const auto* texts = duck::UnifiedVectorFormat::GetData<duck::string_t>(format);
    duck::Vector lists(duck::LogicalType::VARCHAR, count);
    auto* list = duck::FlatVector::GetData<duck::string_t>(lists);
    for (duck::idx_t row = 0; row < count; ++row) {
        const auto at = format.sel->get_index(row);
        if (!format.validity.RowIsValid(at)) {
            duck::FlatVector::SetNull(lists, row, true);
            continue;
        }
        const auto& text = texts[at];
        const auto array = rewrite_array({text.GetData(), text.GetSize()});
        list[row] = array ? duck::StringVector::AddString(lists, *array)
                          : duck::StringVector::AddString(lists, text);
    }
    if (source.GetVectorType() == duck::VectorType::CONSTANT_VECTOR)
        lists.SetVectorType(duck::VectorType::CONSTANT_VECTOR);
    duck::CastParameters inner(parameters, plain.cast_data, parameters.local_state);
    return plain.function(lists, result, count, inner);
}

using LocalState = duck::unique_ptr<duck::FunctionLocalState>;

LocalState open_array_cast(duck::CastLocalStateParameters& parameters) {
    auto& plain = parameters.cast_data->Cast<ArrayCast>().plain;
    if (!plain.init_local_state) return nullptr;
    duck::CastLocalStateParameters inner(parameters, plain.cast_data);
    return plain.init_local_state(inner);
}

duck::BoundCastInfo bind_array_cast(duck::BindCastInput& input, const duck::LogicalType& source,
                                    const duck::LogicalType& target) {
    return {cast_array,
            duck::make_uniq<ArrayCast>(
                duck::DefaultCasts::GetDefaultCastFunction(input, source, target)),
            open_array_cast};
}

/// DuckDB's own form has \xHH for single bytes, so that PostgreSQL's \x00ff41 would be other bytes.
bool cast_to_bytea(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                   duck::CastParameters& parameters) {
    bool all = true;
    duck::UnaryExecutor::ExecuteWithNulls<duck::string_t, duck::string_t>(
        source, result, count,
        [&](duck::string_t text, duck::ValidityMask& valid, duck::idx_t row) {
            const auto bytes = parse_bytea({text.GetData(), text.GetSize()});
            if (bytes) return duck::StringVector::AddStringOrBlob(result, *bytes);
            duck::HandleCastError::AssignError("invalid input syntax for type bytea", parameters);
            all = false;
            valid.SetInvalid(row);
            return duck::string_t();
        });
    return all;
}

bool cast_from_bytea(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                     duck::CastParameters&) {
    duck::UnaryExecutor::Execute<duck::string_t, duck::string_t>(
        source, result, count, [&](duck::string_t bytes) {
            return duck::StringVector::AddString(result,
                                                 format_bytea({bytes.GetData(), bytes.GetSize()}));
        });
    return true;
}

/// DuckDB makes an infinity of a number that is too large.
template <typename Real>
bool cast_to_real(duck::Vector& source, duck::Vector& result, duck::idx_t count,
                  duck::CastParameters& parameters) {
    bool all = true;
    duck::UnaryExecutor::ExecuteWithNulls<duck::string_t, Real>(
        source, result, count,
        [&](duck::string_t text, duck::ValidityMask& valid, duck::idx_t row) -> Real {
            Real value{};
            const bool read = duck::TryCast::Operation<duck::string_t, Real>(text, value, false);
            const bool too_large =
                read && std::isinf(value) &&
                std::string_view(text.GetData(), text.GetSize()).find_first_of("0123456789") !=
                    std::string_view::npos;
            if (read && !too_large) return value;
            const char* type = sizeof(Real) == 4 ? "real" : "double precision";
            duck::HandleCastError::AssignError(
                (too_large ? "\"" + text.GetString() + "\" is out of range for type "
                           : "invalid input syntax for type ") +
                    (too_large ? type : type + (": \"" + text.GetString() + "\"")),
                parameters);
            all = false;
            valid.SetInvalid(row);
            return value;
        });
    return all;
}

void add_casts(duck::ClientContext& context) {
    constexpr int64_t kCheap = 1;
    auto& casts = duck::CastFunctionSet::Get(context);
    casts.RegisterCastFunction(oid_type(), duck::LogicalType::BIGINT,
                               duck::DefaultCasts::ReinterpretCast, kCheap);
    casts.RegisterCastFunction(character_type(), duck::LogicalType::VARCHAR,
                               duck::DefaultCasts::ReinterpretCast, kCheap);
    casts.RegisterCastFunction(duck::LogicalType::VARCHAR, duck::LogicalType::BLOB, cast_to_bytea);
    casts.RegisterCastFunction(duck::LogicalType::BLOB, duck::LogicalType::VARCHAR,
                               cast_from_bytea);
    casts.RegisterCastFunction(duck::LogicalType::VARCHAR, duck::LogicalType::FLOAT,
                               cast_to_real<float>);
    casts.RegisterCastFunction(duck::LogicalType::VARCHAR, duck::LogicalType::DOUBLE,
                               cast_to_real<double>);
    add_jsonb_casts(context);
    casts.RegisterCastFunction(duck::LogicalType::VARCHAR,
                               duck::LogicalType::LIST(duck::LogicalType::ANY), bind_array_cast);
}

}  // namespace

void add_catalog_types(duck::ClientContext& context, duck::Catalog& system) {
    const auto add = [&](const std::string& name, duck::LogicalType type) {
        duck::CreateTypeInfo info(name, std::move(type));
        info.catalog = SYSTEM_CATALOG;
        info.schema = DEFAULT_SCHEMA;
        info.internal = true;
        info.on_conflict = duck::OnCreateConflict::IGNORE_ON_CONFLICT;
        system.CreateType(context, info);
    };
    for (const char* name : kTextTypes) add(name, duck::LogicalType::VARCHAR);
    for (const char* name : kNumberTypes) add(name, duck::LogicalType::BIGINT);
    add("jsonb", jsonb_type());
    add(oid_type().GetAlias(), oid_type());
    add(character_type().GetAlias(), character_type());
    add_casts(context);
}

}  // namespace tarn::query
