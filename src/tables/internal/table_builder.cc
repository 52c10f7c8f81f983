#include "tables/internal/table_builder.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/random.h"
#include "fmt/format.h"
#include "tables/internal/errors.h"

namespace tarn::tables {

namespace {

/// Field ids before and after renumbering; two trees of one shape.
void map_ids(const std::vector<Field>& before, const std::vector<Field>& after,
             std::map<int, int>* ids) {
    for (size_t i = 0; i < before.size(); ++i) {
        if (before[i].id != 0) ids->emplace(before[i].id, after[i].id);
        map_ids(before[i].type.fields, after[i].type.fields, ids);
    }
}

Result<int> mapped(const std::map<int, int>& ids, int id, std::string_view what) {
    const auto found = ids.find(id);
    if (found == ids.end())
        return invalid(fmt::format("{} names field {}, which is no column", what, id));
    return found->second;
}

std::string default_partition_name(const Field& source, const Transform& transform) {
    switch (transform.kind) {
        case Transform::Kind::identity:
            return source.name;
        case Transform::Kind::truncate:
            return source.name + "_trunc";
        case Transform::Kind::void_:
            return source.name + "_null";
        case Transform::Kind::bucket:
            return source.name + "_bucket";
        default:
            return source.name + "_" + transform_name(transform);
    }
}

Status check_partition_field(const Schema& schema, PartitionField* field,
                             std::set<std::string>* names) {
    const Field* source = schema.find(field->source_id);
    if (source == nullptr)
        return invalid(
            fmt::format("partitioning by field {}, which is no column", field->source_id));
    if (field->transform.kind == Transform::Kind::unknown)
        return invalid(fmt::format("unknown partition transform {}", field->transform.text));
    TARN_CHECK_OK(transform_result(field->transform, source->type));
    if (field->name.empty()) field->name = default_partition_name(*source, field->transform);
    const Field* same_name = schema.find(field->name);
    if (same_name != nullptr && field->transform.kind != Transform::Kind::identity)
        return invalid(fmt::format("partition field \"{}\" has the name of a column", field->name));
    if (!names->insert(field->name).second)
        return invalid(fmt::format("partition field \"{}\" is there twice", field->name));
    return {};
}

bool equivalent(const PartitionField& a, const PartitionField& b) {
    return a.source_id == b.source_id && a.transform == b.transform && a.name == b.name;
}

/// The list that holds the field, and its place in it.
std::vector<Field>* find_list(std::vector<Field>* fields, int id, size_t* at) {
    for (size_t i = 0; i < fields->size(); ++i) {
        if ((*fields)[i].id == id) {
            *at = i;
            return fields;
        }
        if (auto* found = find_list(&(*fields)[i].type.fields, id, at)) return found;
    }
    return nullptr;
}

bool holds(const Field& field, int id) {
    if (field.id == id) return true;
    return std::any_of(field.type.fields.begin(), field.type.fields.end(),
                       [&](const Field& child) { return holds(child, id); });
}

Status drop_column(const TableMetadata& metadata, Schema* schema, std::vector<Field>* list,
                   size_t at) {
    const Field& field = (*list)[at];
    const auto used = [&](int id) { return holds(field, id); };
    for (const auto& part : metadata.spec().fields)
        if (used(part.source_id) && part.transform.kind != Transform::Kind::void_)
            return invalid(
                fmt::format("column \"{}\" is what the table is partitioned by", field.name));
    for (const auto& part : metadata.sort_order().fields)
        if (used(part.source_id))
            return invalid(fmt::format("column \"{}\" is in the table's sort order", field.name));
    for (const int id : schema->identifier_field_ids)
        if (used(id))
            return invalid(fmt::format("column \"{}\" identifies the table's rows", field.name));
    list->erase(list->begin() + static_cast<std::ptrdiff_t>(at));
    return {};
}

Status add_column(TableMetadata* metadata, Schema* schema, const SchemaStep& step) {
    std::vector<Field>* list = &schema->fields;
    if (step.parent_id != 0) {
        size_t at = 0;
        list = find_list(&schema->fields, step.parent_id, &at);
        if (list == nullptr || (*list)[at].type.id != TypeId::struct_)
            return invalid(
                fmt::format("field {} is no struct: nothing can be added to it", step.parent_id));
        list = &(*list)[at].type.fields;
    }
    // Optional, unless the rows that are there are written anew: they have no value.
    Schema added;
    added.fields.push_back(
        {0, step.name, step.type, step.required && step.expected_id != 0, step.doc});
    int next_id = metadata->last_column_id + 1;
    if (step.expected_id != 0 && step.expected_id != next_id)
        return Error(Code::conflict, "the table got another column meanwhile: try again",
                     "rows_changed");
    list->push_back(assign_fresh_ids(added, &next_id).fields[0]);
    metadata->last_column_id = next_id - 1;
    return {};
}

Status move_column(std::vector<Field>* list, size_t at, const SchemaStep& step) {
    size_t to = 0;
    if (step.kind == SchemaStep::Kind::move_after) {
        const auto after = std::find_if(list->begin(), list->end(),
                                        [&](const Field& f) { return f.id == step.after_id; });
        if (after == list->end() || step.after_id == step.field_id)
            return invalid(fmt::format("field {} is no neighbour to move behind", step.after_id));
        to = static_cast<size_t>(after - list->begin()) + 1;
    }
    Field field = std::move((*list)[at]);
    list->erase(list->begin() + static_cast<std::ptrdiff_t>(at));
    if (to > at) --to;
    list->insert(list->begin() + static_cast<std::ptrdiff_t>(to), std::move(field));
    return {};
}

Status apply_step(TableMetadata* metadata, Schema* schema, const SchemaStep& step) {
    if (step.kind == SchemaStep::Kind::add) return add_column(metadata, schema, step);
    size_t at = 0;
    std::vector<Field>* list = find_list(&schema->fields, step.field_id, &at);
    if (list == nullptr)
        return invalid(fmt::format("the table has no column with field id {}", step.field_id));
    Field& field = (*list)[at];
    switch (step.kind) {
        case SchemaStep::Kind::drop:
            return drop_column(*metadata, schema, list, at);
        case SchemaStep::Kind::rename:
            field.name = step.name;
            return {};
        case SchemaStep::Kind::make_optional:
            field.required = false;
            return {};
        case SchemaStep::Kind::set_doc:
            field.doc = step.doc;
            return {};
        case SchemaStep::Kind::widen:
            if (field.type != step.type && !can_widen(field.type, step.type))
                return invalid(fmt::format("column \"{}\" can't become {}: it is {}", field.name,
                                           type_name(step.type), type_name(field.type)));
            field.type = step.type;
            return {};
        case SchemaStep::Kind::move_first:
        case SchemaStep::Kind::move_after:
            return move_column(list, at, step);
        case SchemaStep::Kind::add:
            break;
    }
    return {};
}

}  // namespace

Result<TableMetadata> new_table_metadata(const CreateTable& spec, const std::string& uuid,
                                         const std::string& location, int64_t now_ms) {
    TARN_CHECK_OK(check_schema(spec.schema));
    TableMetadata metadata;
    metadata.table_uuid = uuid;
    metadata.location = location;
    metadata.last_updated_ms = now_ms;
    metadata.properties = spec.properties;
    int next_id = 1;
    Schema schema = assign_fresh_ids(spec.schema, &next_id);
    schema.schema_id = 0;
    metadata.last_column_id = next_id - 1;
    std::map<int, int> ids;
    map_ids(spec.schema.fields, schema.fields, &ids);
    for (int& id : schema.identifier_field_ids) {
        TARN_TRY(fresh, mapped(ids, id, "the identifier"));
        id = fresh;
    }
    metadata.schemas.push_back(std::move(schema));

    std::vector<PartitionField> fields = spec.partition;
    for (auto& field : fields) {
        TARN_TRY(fresh, mapped(ids, field.source_id, "the partitioning"));
        field.source_id = fresh;
        field.field_id = 0;
    }
    TARN_CHECK_OK(set_partition_spec(&metadata, std::move(fields)));

    SortOrder order{spec.sort.empty() ? 0 : 1, spec.sort};
    for (auto& field : order.fields) {
        TARN_TRY(fresh, mapped(ids, field.source_id, "the sort order"));
        field.source_id = fresh;
        TARN_CHECK_OK(transform_result(field.transform, metadata.schema().find(fresh)->type));
    }
    metadata.default_sort_order_id = order.order_id;
    metadata.sort_orders.push_back(std::move(order));
    return metadata;
}

Status apply_schema_steps(TableMetadata* metadata, const std::vector<SchemaStep>& steps) {
    Schema schema = metadata->schema();
    for (const auto& step : steps) TARN_CHECK_OK(apply_step(metadata, &schema, step));
    TARN_CHECK_OK(check_schema(schema));
    int highest = 0;
    for (const auto& known : metadata->schemas) {
        if (known.same_fields(schema)) {
            metadata->current_schema_id = known.schema_id;
            return {};
        }
        highest = std::max(highest, known.schema_id);
    }
    schema.schema_id = highest + 1;
    metadata->current_schema_id = schema.schema_id;
    metadata->schemas.push_back(std::move(schema));
    return {};
}

Status set_partition_spec(TableMetadata* metadata, std::vector<PartitionField> fields) {
    std::set<std::string> names;
    for (auto& field : fields)
        TARN_CHECK_OK(check_partition_field(metadata->schema(), &field, &names));
    for (auto& field : fields) {
        field.field_id = 0;
        for (const auto& spec : metadata->specs)
            for (const auto& known : spec.fields)
                if (equivalent(known, field)) field.field_id = known.field_id;
        if (field.field_id == 0) field.field_id = ++metadata->last_partition_id;
    }
    int highest = -1;
    for (const auto& spec : metadata->specs) {
        highest = std::max(highest, spec.spec_id);
        if (!std::equal(spec.fields.begin(), spec.fields.end(), fields.begin(), fields.end(),
                        equivalent))
            continue;
        metadata->default_spec_id = spec.spec_id;
        return {};
    }
    metadata->default_spec_id = highest + 1;
    metadata->specs.push_back({highest + 1, std::move(fields)});
    return {};
}

std::string metadata_path(const std::string& location, int64_t version) {
    return fmt::format("{}/metadata/{:05}-{}.metadata.json", location, version, random_uuid());
}

int64_t metadata_version(const std::string& path) {
    const size_t slash = path.rfind('/');
    const char* from = path.data() + (slash == std::string::npos ? 0 : slash + 1);
    int64_t version = -1;
    const auto [end, error] = std::from_chars(from, path.data() + path.size(), version);
    return error == std::errc() && end < path.data() + path.size() && *end == '-' ? version : -1;
}

}  // namespace tarn::tables
