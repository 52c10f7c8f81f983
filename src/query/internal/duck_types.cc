#include "query/internal/duck_types.h"

#include <fmt/format.h>

#include "duckdb/common/extension_type_info.hpp"
#include "duckdb/common/types/decimal.hpp"
#include "duckdb/common/types/hugeint.hpp"
#include "duckdb/common/types/uuid.hpp"

namespace tarn::query {

using duck::LogicalType;
using duck::LogicalTypeId;

namespace {

Int128 wide_from_duck(duck::hugeint_t value) {
    return static_cast<Int128>(
        static_cast<unsigned __int128>(static_cast<uint64_t>(value.upper)) << 64 | value.lower);
}

duck::hugeint_t wide_to_duck(Int128 value) {
    duck::hugeint_t out;
    out.lower = static_cast<uint64_t>(value);
    out.upper = static_cast<int64_t>(value >> 64);
    return out;
}

// DuckDB keeps a UUID with its first bit flipped, so that it sorts as a signed number.
constexpr unsigned __int128 kUuidFlip = static_cast<unsigned __int128>(1) << 127;

Int128 uuid_from_duck(duck::hugeint_t value) {
    return static_cast<Int128>(static_cast<unsigned __int128>(wide_from_duck(value)) ^ kUuidFlip);
}

duck::hugeint_t uuid_to_duck(Int128 value) {
    return wide_to_duck(static_cast<Int128>(static_cast<unsigned __int128>(value) ^ kUuidFlip));
}

constexpr const char* kVectorName = "int2vector";

/// The type a vector is cast to before it is read; the same type for most.
LogicalType readable(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::TINYINT:
        case LogicalTypeId::UTINYINT:
            return LogicalType::SMALLINT;
        case LogicalTypeId::USMALLINT:
            return LogicalType::INTEGER;
        case LogicalTypeId::UINTEGER:
            return LogicalType::BIGINT;
        case LogicalTypeId::UBIGINT:
            return LogicalType::DECIMAL(20, 0);
        case LogicalTypeId::HUGEINT:
        case LogicalTypeId::UHUGEINT:
            return LogicalType::DECIMAL(38, 0);
        case LogicalTypeId::TIMESTAMP_SEC:
        case LogicalTypeId::TIMESTAMP_MS:
        case LogicalTypeId::TIMESTAMP_NS:
            return LogicalType::TIMESTAMP;
        case LogicalTypeId::LIST:
            if (type.HasAlias() && type.GetAlias() == kVectorName) return type;
            return LogicalType::LIST(readable(duck::ListType::GetChildType(type)));
        case LogicalTypeId::ARRAY:
            return LogicalType::LIST(readable(duck::ArrayType::GetChildType(type)));
        case LogicalTypeId::MAP:
            return LogicalType::MAP(readable(duck::MapType::KeyType(type)),
                                    readable(duck::MapType::ValueType(type)));
        case LogicalTypeId::STRUCT: {
            duck::child_list_t<LogicalType> children;
            for (const auto& [name, child] : duck::StructType::GetChildTypes(type))
                children.emplace_back(name, readable(child));
            return LogicalType::STRUCT(std::move(children));
        }
        case LogicalTypeId::BOOLEAN:
        case LogicalTypeId::SMALLINT:
        case LogicalTypeId::INTEGER:
        case LogicalTypeId::BIGINT:
        case LogicalTypeId::FLOAT:
        case LogicalTypeId::DOUBLE:
        case LogicalTypeId::DECIMAL:
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::BLOB:
        case LogicalTypeId::DATE:
        case LogicalTypeId::TIME:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
        case LogicalTypeId::INTERVAL:
        case LogicalTypeId::UUID:
            return type;
        default:
            return LogicalType::VARCHAR;
    }
}

constexpr const char* kJsonbName = "jsonb";
constexpr const char* kOidName = "tarn_oid";
constexpr const char* kCharacterName = "tarn_char";

bool has_name(const LogicalType& type, const char* name) {
    return type.HasAlias() && type.GetAlias() == name;
}

Type readable_type(const LogicalType& type) {
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return Kind::boolean;
        case LogicalTypeId::SMALLINT:
            return Kind::int16;
        case LogicalTypeId::INTEGER:
            return Kind::int32;
        case LogicalTypeId::BIGINT:
            return has_name(type, kOidName) ? Kind::oid : Kind::int64;
        case LogicalTypeId::FLOAT:
            return Kind::float32;
        case LogicalTypeId::DOUBLE:
            return Kind::float64;
        case LogicalTypeId::DECIMAL:
            return Type::decimal(duck::DecimalType::GetWidth(type),
                                 duck::DecimalType::GetScale(type));
        case LogicalTypeId::BLOB:
            return Kind::binary;
        case LogicalTypeId::DATE:
            return Kind::date;
        case LogicalTypeId::TIME:
            return Kind::time;
        case LogicalTypeId::TIMESTAMP:
            return Kind::timestamp;
        case LogicalTypeId::TIMESTAMP_TZ:
            return Kind::timestamptz;
        case LogicalTypeId::INTERVAL:
            return Kind::interval;
        case LogicalTypeId::UUID:
            return Kind::uuid;
        case LogicalTypeId::LIST: {
            Type list = Type::list(type_from_duck(duck::ListType::GetChildType(type)));
            if (has_name(type, kVectorName)) list.children.front().first = kVectorElement;
            return list;
        }
        case LogicalTypeId::MAP: {
            Type map(Kind::map);
            map.children.emplace_back("key", type_from_duck(duck::MapType::KeyType(type)));
            map.children.emplace_back("value", type_from_duck(duck::MapType::ValueType(type)));
            return map;
        }
        case LogicalTypeId::STRUCT: {
            Type structure(Kind::structure);
            for (const auto& [name, child] : duck::StructType::GetChildTypes(type))
                structure.children.emplace_back(name, type_from_duck(child));
            return structure;
        }
        default:
            if (has_name(type, kCharacterName)) return Kind::character;
            if (is_jsonb(type)) return Kind::jsonb;
            return type.IsJSONType() ? Kind::json : Kind::text;
    }
}

template <typename T, typename Append>
void append_numbers(const duck::UnifiedVectorFormat& format, duck::idx_t count, Column& out,
                    Append append) {
    const auto* data = duck::UnifiedVectorFormat::GetData<T>(format);
    for (duck::idx_t row = 0; row < count; ++row) {
        const auto at = format.sel->get_index(row);
        if (format.validity.RowIsValid(at))
            append(data[at]);
        else
            out.append_null();
    }
}

void append_decimals(const LogicalType& type, const duck::UnifiedVectorFormat& format,
                     duck::idx_t count, Column& out) {
    const auto narrow = [&](auto value) { out.append_number(static_cast<int64_t>(value)); };
    switch (type.InternalType()) {
        case duck::PhysicalType::INT16:
            append_numbers<int16_t>(format, count, out, narrow);
            break;
        case duck::PhysicalType::INT32:
            append_numbers<int32_t>(format, count, out, narrow);
            break;
        case duck::PhysicalType::INT64:
            append_numbers<int64_t>(format, count, out, narrow);
            break;
        default:
            append_numbers<duck::hugeint_t>(
                format, count, out, [&](duck::hugeint_t v) { out.append_wide(wide_from_duck(v)); });
    }
}

void append_readable(duck::Vector& vector, duck::idx_t count, Column& out) {
    const LogicalType& type = vector.GetType();
    duck::UnifiedVectorFormat format;
    vector.ToUnifiedFormat(count, format);
    const auto number = [&](auto value) { out.append_number(static_cast<int64_t>(value)); };
    const auto real = [&](auto value) { out.append_real(static_cast<double>(value)); };
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return append_numbers<bool>(format, count, out, number);
        case LogicalTypeId::SMALLINT:
            return append_numbers<int16_t>(format, count, out, number);
        case LogicalTypeId::DATE:
        case LogicalTypeId::INTEGER:
            return append_numbers<int32_t>(format, count, out, number);
        case LogicalTypeId::BIGINT:
        case LogicalTypeId::TIME:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return append_numbers<int64_t>(format, count, out, number);
        case LogicalTypeId::FLOAT:
            return append_numbers<float>(format, count, out, real);
        case LogicalTypeId::DOUBLE:
            return append_numbers<double>(format, count, out, real);
        case LogicalTypeId::DECIMAL:
            return append_decimals(type, format, count, out);
        case LogicalTypeId::UUID:
            return append_numbers<duck::hugeint_t>(
                format, count, out, [&](duck::hugeint_t v) { out.append_wide(uuid_from_duck(v)); });
        case LogicalTypeId::INTERVAL:
            return append_numbers<duck::interval_t>(format, count, out, [&](duck::interval_t v) {
                out.append_interval({v.months, v.days, v.micros});
            });
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::BLOB:
            return append_numbers<duck::string_t>(format, count, out, [&](const duck::string_t& v) {
                out.append_text({v.GetData(), v.GetSize()});
            });
        default:
            for (duck::idx_t row = 0; row < count; ++row)
                out.append(value_from_duck(vector.GetValue(row)));
    }
}

}  // namespace

LogicalType oid_type() {
    auto type = LogicalType(LogicalTypeId::BIGINT);
    type.SetAlias(kOidName);
    return type;
}

LogicalType jsonb_type() {
    auto type = LogicalType::JSON();
    auto info = duck::make_uniq<duck::ExtensionTypeInfo>();
    info->properties[kJsonbName] = duck::Value::BOOLEAN(true);
    type.SetExtensionInfo(std::move(info));
    return type;
}

bool is_jsonb(const LogicalType& type) {
    return type.IsJSONType() && type.HasExtensionInfo() &&
           type.GetExtensionInfo()->properties.contains(kJsonbName);
}

LogicalType vector_type() {
    auto type = LogicalType::LIST(LogicalType::SMALLINT);
    type.SetAlias(kVectorName);
    return type;
}

LogicalType character_type() {
    auto type = LogicalType(LogicalTypeId::VARCHAR);
    type.SetAlias(kCharacterName);
    return type;
}

Type type_from_duck(const LogicalType& type) {
    if (type.id() == LogicalTypeId::SQLNULL) return Kind::null;
    return readable_type(type.IsJSONType() ? type : readable(type));
}

LogicalType type_to_duck(const Type& type) {
    switch (type.kind) {
        case Kind::boolean:
            return LogicalType::BOOLEAN;
        case Kind::int16:
            return LogicalType::SMALLINT;
        case Kind::int32:
            return LogicalType::INTEGER;
        case Kind::int64:
            return LogicalType::BIGINT;
        case Kind::oid:
            return oid_type();
        case Kind::character:
            return character_type();
        case Kind::float32:
            return LogicalType::FLOAT;
        case Kind::float64:
            return LogicalType::DOUBLE;
        case Kind::decimal:
            return LogicalType::DECIMAL(type.precision, type.scale);
        case Kind::binary:
            return LogicalType::BLOB;
        case Kind::date:
            return LogicalType::DATE;
        case Kind::time:
            return LogicalType::TIME;
        case Kind::timestamp:
            return LogicalType::TIMESTAMP;
        case Kind::timestamptz:
            return LogicalType::TIMESTAMP_TZ;
        case Kind::interval:
            return LogicalType::INTERVAL;
        case Kind::uuid:
            return LogicalType::UUID;
        case Kind::null:
        case Kind::text:
        case Kind::json:
        case Kind::jsonb:
            return LogicalType::VARCHAR;
        case Kind::list:
            return LogicalType::LIST(type_to_duck(type.children[0].second));
        case Kind::map:
            return LogicalType::MAP(type_to_duck(type.children[0].second),
                                    type_to_duck(type.children[1].second));
        case Kind::structure: {
            duck::child_list_t<LogicalType> children;
            for (const auto& [name, child] : type.children)
                children.emplace_back(name, type_to_duck(child));
            return LogicalType::STRUCT(std::move(children));
        }
    }
    return LogicalType::VARCHAR;
}

LogicalType iceberg_to_duck(const tables::Type& type) {
    using tables::TypeId;
    switch (type.id) {
        case TypeId::boolean:
            return LogicalType::BOOLEAN;
        case TypeId::int32:
            return LogicalType::INTEGER;
        case TypeId::int64:
            return LogicalType::BIGINT;
        case TypeId::float32:
            return LogicalType::FLOAT;
        case TypeId::float64:
            return LogicalType::DOUBLE;
        case TypeId::decimal:
            return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                        static_cast<uint8_t>(type.scale));
        case TypeId::date:
            return LogicalType::DATE;
        case TypeId::time:
            return LogicalType::TIME;
        case TypeId::timestamp:
            return LogicalType::TIMESTAMP;
        case TypeId::timestamptz:
            return LogicalType::TIMESTAMP_TZ;
        case TypeId::string:
            return LogicalType::VARCHAR;
        case TypeId::uuid:
            return LogicalType::UUID;
        case TypeId::fixed:
        case TypeId::binary:
            return LogicalType::BLOB;
        case TypeId::list:
            return LogicalType::LIST(iceberg_to_duck(type.fields[0].type));
        case TypeId::map:
            return LogicalType::MAP(iceberg_to_duck(type.fields[0].type),
                                    iceberg_to_duck(type.fields[1].type));
        case TypeId::struct_: {
            duck::child_list_t<LogicalType> children;
            for (const auto& field : type.fields)
                children.emplace_back(field.name, iceberg_to_duck(field.type));
            return LogicalType::STRUCT(std::move(children));
        }
    }
    return LogicalType::VARCHAR;
}

Result<tables::Type> duck_to_iceberg(const LogicalType& type) {
    using tables::TypeId;
    using IceType = tables::Type;
    switch (type.id()) {
        case LogicalTypeId::BOOLEAN:
            return IceType::of(TypeId::boolean);
        case LogicalTypeId::TINYINT:
        case LogicalTypeId::UTINYINT:
        case LogicalTypeId::SMALLINT:
        case LogicalTypeId::USMALLINT:
        case LogicalTypeId::INTEGER:
            return IceType::of(TypeId::int32);
        case LogicalTypeId::UINTEGER:
        case LogicalTypeId::BIGINT:
            return IceType::of(TypeId::int64);
        case LogicalTypeId::UBIGINT:
            return IceType::decimal(20, 0);
        case LogicalTypeId::HUGEINT:
        case LogicalTypeId::UHUGEINT:
            return IceType::decimal(38, 0);
        case LogicalTypeId::FLOAT:
            return IceType::of(TypeId::float32);
        case LogicalTypeId::DOUBLE:
            return IceType::of(TypeId::float64);
        case LogicalTypeId::DECIMAL:
            return IceType::decimal(duck::DecimalType::GetWidth(type),
                                    duck::DecimalType::GetScale(type));
        case LogicalTypeId::DATE:
            return IceType::of(TypeId::date);
        case LogicalTypeId::TIME:
            return IceType::of(TypeId::time);
        case LogicalTypeId::TIMESTAMP_SEC:
        case LogicalTypeId::TIMESTAMP_MS:
        case LogicalTypeId::TIMESTAMP_NS:
        case LogicalTypeId::TIMESTAMP:
            return IceType::of(TypeId::timestamp);
        case LogicalTypeId::TIMESTAMP_TZ:
            return IceType::of(TypeId::timestamptz);
        case LogicalTypeId::UUID:
            return IceType::of(TypeId::uuid);
        case LogicalTypeId::BLOB:
            return IceType::of(TypeId::binary);
        case LogicalTypeId::SQLNULL:
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::ENUM:
        case LogicalTypeId::BIT:
        case LogicalTypeId::TIME_TZ:
        case LogicalTypeId::INTERVAL:
            return IceType::of(TypeId::string);
        case LogicalTypeId::LIST: {
            TARN_TRY(element, duck_to_iceberg(duck::ListType::GetChildType(type)));
            return IceType::list(0, std::move(element), false);
        }
        case LogicalTypeId::ARRAY: {
            TARN_TRY(element, duck_to_iceberg(duck::ArrayType::GetChildType(type)));
            return IceType::list(0, std::move(element), false);
        }
        case LogicalTypeId::MAP: {
            TARN_TRY(key, duck_to_iceberg(duck::MapType::KeyType(type)));
            TARN_TRY(value, duck_to_iceberg(duck::MapType::ValueType(type)));
            return IceType::map(0, std::move(key), 0, std::move(value), false);
        }
        case LogicalTypeId::STRUCT: {
            std::vector<tables::Field> fields;
            for (const auto& [name, child] : duck::StructType::GetChildTypes(type)) {
                TARN_TRY(made, duck_to_iceberg(child));
                tables::Field field;
                field.name = name;
                field.type = std::move(made);
                fields.push_back(std::move(field));
            }
            return IceType::structure(std::move(fields));
        }
        default:
            return Error{Code::invalid_argument,
                         fmt::format("a table can't hold columns of type {}", type.ToString()),
                         "0A000"};
    }
}

void append_vector(duck::Vector& vector, duck::idx_t count, Column& out) {
    const LogicalType wanted = readable(vector.GetType());
    if (vector.GetType().id() == LogicalTypeId::SQLNULL) {
        for (duck::idx_t row = 0; row < count; ++row) out.append_null();
    } else if (wanted == vector.GetType() || (wanted.id() == LogicalTypeId::VARCHAR &&
                                              vector.GetType().id() == LogicalTypeId::VARCHAR)) {
        append_readable(vector, count, out);
    } else {
        duck::Vector cast(wanted, count);
        duck::VectorOperations::DefaultCast(vector, cast, count, true);
        append_readable(cast, count, out);
    }
}

void fill_vector(const Column& column, size_t offset, size_t count, duck::Vector& out) {
    using Store = Column::Store;
    out.SetVectorType(duck::VectorType::FLAT_VECTOR);
    auto& validity = duck::FlatVector::Validity(out);
    validity.Reset(std::max<duck::idx_t>(count, STANDARD_VECTOR_SIZE));
    const auto fill = [&](auto* data, auto get) {
        using T = std::remove_pointer_t<decltype(data)>;
        for (size_t row = 0; row < count; ++row) {
            if (column.is_null(offset + row))
                validity.SetInvalid(row);
            else
                data[row] = static_cast<T>(get(offset + row));
        }
    };
    const auto number = [&](size_t row) { return column.number(row); };
    switch (Column::store_of(column.type())) {
        case Store::numbers:
            switch (out.GetType().InternalType()) {
                case duck::PhysicalType::BOOL:
                    return fill(duck::FlatVector::GetData<bool>(out), number);
                case duck::PhysicalType::INT16:
                    return fill(duck::FlatVector::GetData<int16_t>(out), number);
                case duck::PhysicalType::INT32:
                    return fill(duck::FlatVector::GetData<int32_t>(out), number);
                default:
                    return fill(duck::FlatVector::GetData<int64_t>(out), number);
            }
        case Store::reals: {
            const auto real = [&](size_t row) { return column.real(row); };
            if (out.GetType().InternalType() == duck::PhysicalType::FLOAT)
                return fill(duck::FlatVector::GetData<float>(out), real);
            return fill(duck::FlatVector::GetData<double>(out), real);
        }
        case Store::wides:
            return fill(duck::FlatVector::GetData<duck::hugeint_t>(out), [&](size_t row) {
                return column.type().kind == Kind::uuid ? uuid_to_duck(column.wide(row))
                                                        : wide_to_duck(column.wide(row));
            });
        case Store::texts:
            return fill(duck::FlatVector::GetData<duck::string_t>(out), [&](size_t row) {
                const std::string_view text = column.text(row);
                if (column.type().kind == Kind::binary)
                    return duck::StringVector::AddStringOrBlob(out, text.data(), text.size());
                return duck::StringVector::AddString(out, text.data(), text.size());
            });
        case Store::intervals:
        case Store::values:
            for (size_t row = 0; row < count; ++row)
                out.SetValue(row, value_to_duck(column.type(), column.value(offset + row)));
    }
}

duck::Value value_to_duck(const Type& type, const Value& value) {
    const LogicalType logical = type_to_duck(type);
    if (value.is_null()) return duck::Value(logical);
    switch (type.kind) {
        case Kind::boolean:
            return duck::Value::BOOLEAN(std::get<bool>(value.of));
        case Kind::int16:
            return duck::Value::SMALLINT(static_cast<int16_t>(std::get<int64_t>(value.of)));
        case Kind::int32:
            return duck::Value::INTEGER(static_cast<int32_t>(std::get<int64_t>(value.of)));
        case Kind::int64:
        case Kind::oid:
            return duck::Value::BIGINT(std::get<int64_t>(value.of));
        case Kind::float32:
            return duck::Value::FLOAT(static_cast<float>(std::get<double>(value.of)));
        case Kind::float64:
            return duck::Value::DOUBLE(std::get<double>(value.of));
        case Kind::decimal:
            if (const int64_t* narrow = std::get_if<int64_t>(&value.of)) {
                if (type.precision <= 18)
                    return duck::Value::DECIMAL(*narrow, type.precision, type.scale);
                return duck::Value::DECIMAL(wide_to_duck(*narrow), type.precision, type.scale);
            }
            return duck::Value::DECIMAL(wide_to_duck(std::get<Int128>(value.of)), type.precision,
                                        type.scale);
        case Kind::binary: {
            const auto& bytes = std::get<std::string>(value.of);
            return duck::Value::BLOB(reinterpret_cast<duck::const_data_ptr_t>(bytes.data()),
                                     bytes.size());
        }
        case Kind::date:
            return duck::Value::DATE(
                duck::date_t(static_cast<int32_t>(std::get<int64_t>(value.of))));
        case Kind::time:
            return duck::Value::TIME(duck::dtime_t(std::get<int64_t>(value.of)));
        case Kind::timestamp:
            return duck::Value::TIMESTAMP(duck::timestamp_t(std::get<int64_t>(value.of)));
        case Kind::timestamptz:
            return duck::Value::TIMESTAMPTZ(duck::timestamp_tz_t(std::get<int64_t>(value.of)));
        case Kind::interval: {
            const auto& interval = std::get<Interval>(value.of);
            return duck::Value::INTERVAL(interval.months, interval.days, interval.micros);
        }
        case Kind::uuid:
            return duck::Value::UUID(uuid_to_duck(std::get<Int128>(value.of)));
        case Kind::null:
        case Kind::text:
        case Kind::character:
        case Kind::json:
        case Kind::jsonb:
            return duck::Value(std::get<std::string>(value.of));
        case Kind::list: {
            duck::vector<duck::Value> elements;
            for (const auto& element : std::get<Values>(value.of))
                elements.push_back(value_to_duck(type.children[0].second, element));
            return duck::Value::LIST(duck::ListType::GetChildType(logical), std::move(elements));
        }
        case Kind::structure: {
            duck::vector<duck::Value> fields;
            const auto& values = std::get<Values>(value.of);
            for (size_t i = 0; i < values.size(); ++i)
                fields.push_back(value_to_duck(type.children[i].second, values[i]));
            return duck::Value::STRUCT(logical, std::move(fields));
        }
        case Kind::map: {
            duck::vector<duck::Value> keys;
            duck::vector<duck::Value> values;
            const auto& pairs = std::get<Values>(value.of);
            for (size_t i = 0; i + 1 < pairs.size(); i += 2) {
                keys.push_back(value_to_duck(type.children[0].second, pairs[i]));
                values.push_back(value_to_duck(type.children[1].second, pairs[i + 1]));
            }
            return duck::Value::MAP(duck::MapType::KeyType(logical),
                                    duck::MapType::ValueType(logical), std::move(keys),
                                    std::move(values));
        }
    }
    return duck::Value(logical);
}

Value value_from_duck(const duck::Value& original) {
    if (original.IsNull()) return {};
    const LogicalType wanted = readable(original.type());
    const duck::Value value = wanted == original.type() ? original : original.DefaultCastAs(wanted);
    switch (wanted.id()) {
        case LogicalTypeId::BOOLEAN:
            return Value(value.GetValueUnsafe<bool>());
        case LogicalTypeId::SMALLINT:
            return Value(int64_t{value.GetValueUnsafe<int16_t>()});
        case LogicalTypeId::DATE:
        case LogicalTypeId::INTEGER:
            return Value(int64_t{value.GetValueUnsafe<int32_t>()});
        case LogicalTypeId::BIGINT:
        case LogicalTypeId::TIME:
        case LogicalTypeId::TIMESTAMP:
        case LogicalTypeId::TIMESTAMP_TZ:
            return Value(value.GetValueUnsafe<int64_t>());
        case LogicalTypeId::FLOAT:
            return Value(static_cast<double>(value.GetValueUnsafe<float>()));
        case LogicalTypeId::DOUBLE:
            return Value(value.GetValueUnsafe<double>());
        case LogicalTypeId::DECIMAL:
            switch (wanted.InternalType()) {
                case duck::PhysicalType::INT16:
                    return Value(int64_t{value.GetValueUnsafe<int16_t>()});
                case duck::PhysicalType::INT32:
                    return Value(int64_t{value.GetValueUnsafe<int32_t>()});
                case duck::PhysicalType::INT64:
                    return Value(value.GetValueUnsafe<int64_t>());
                default:
                    return Value(wide_from_duck(value.GetValueUnsafe<duck::hugeint_t>()));
            }
        case LogicalTypeId::UUID:
            return Value(uuid_from_duck(value.GetValueUnsafe<duck::hugeint_t>()));
        case LogicalTypeId::INTERVAL: {
            const auto interval = value.GetValueUnsafe<duck::interval_t>();
            return Value(Interval{interval.months, interval.days, interval.micros});
        }
        case LogicalTypeId::VARCHAR:
        case LogicalTypeId::BLOB:
            return Value(duck::StringValue::Get(value));
        case LogicalTypeId::LIST: {
            Values out;
            for (const auto& element : duck::ListValue::GetChildren(value))
                out.push_back(value_from_duck(element));
            return Value(std::move(out));
        }
        case LogicalTypeId::STRUCT: {
            Values out;
            for (const auto& field : duck::StructValue::GetChildren(value))
                out.push_back(value_from_duck(field));
            return Value(std::move(out));
        }
        case LogicalTypeId::MAP: {
            Values out;
            for (const auto& pair : duck::MapValue::GetChildren(value))
                for (const auto& part : duck::StructValue::GetChildren(pair))
                    out.push_back(value_from_duck(part));
            return Value(std::move(out));
        }
        default:
            return Value(value.ToString());
    }
}

std::optional<tables::Literal> literal_from_duck(const tables::Type& type,
                                                 const duck::Value& original) {
    using tables::TypeId;
    if (original.IsNull() || !type.primitive()) return std::nullopt;
    const LogicalType wanted = iceberg_to_duck(type);
    duck::Value value = original;
    if (original.type() != wanted) {
        duck::string problem;
        if (!original.DefaultTryCastAs(wanted, value, &problem) || value.IsNull())
            return std::nullopt;
        // Only an exact counterpart may prune: 1.5 is no integer.
        duck::Value back;
        if (!value.DefaultTryCastAs(original.type(), back, &problem) ||
            !duck::Value::NotDistinctFrom(back, original))
            return std::nullopt;
    }
    const Value plain = value_from_duck(value);
    tables::Literal literal;
    switch (type.id) {
        case TypeId::boolean:
            literal = tables::Literal::boolean(std::get<bool>(plain.of));
            break;
        case TypeId::decimal:
            literal = tables::Literal::decimal(std::holds_alternative<int64_t>(plain.of)
                                                   ? Int128{std::get<int64_t>(plain.of)}
                                                   : std::get<Int128>(plain.of));
            break;
        case TypeId::uuid: {
            std::string bytes;
            append_pg_binary(Kind::uuid, plain, bytes);
            literal = tables::Literal::text(std::move(bytes));
            break;
        }
        case TypeId::float32:
        case TypeId::float64:
            literal = tables::Literal::real(std::get<double>(plain.of));
            break;
        case TypeId::string:
        case TypeId::binary:
        case TypeId::fixed:
            literal = tables::Literal::text(std::get<std::string>(plain.of));
            break;
        default:
            literal = tables::Literal::integer(std::get<int64_t>(plain.of));
            break;
    }
    if (!tables::fits(type, literal)) return std::nullopt;
    return literal;
}

}  // namespace tarn::query
