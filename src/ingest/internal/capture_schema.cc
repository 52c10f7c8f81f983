#include "ingest/internal/capture_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace tarn::ingest {

namespace {

using tables::SchemaStep;

/// One plan of steps on its way; names are unique after each of them.
class SchemaWork {
 public:
    SchemaWork(const ShapeQuestion& question, const tables::Schema& schema)
        : question_(question), schema_(schema) {
        out_.next = question.known;
        for (const auto& field : schema.fields) named_[field.name] = field.id;
        for (const auto& column : out_.next.columns)
            if (!column.gone) ours_.insert(column.field_id);
    }

    Result<SchemaPlan> run(const ShapePlan& plan, const std::vector<query::Type>& types) {
        using Kind = ShapeStep::Kind;
        for (const auto& step : plan.steps) {
            if (step.kind == Kind::drop) drop(out_.next.columns[step.known]);
            if (step.kind == Kind::rename) moving_.insert(out_.next.columns[step.known].field_id);
        }
        for (const auto& step : plan.steps) {
            if (step.kind == Kind::rename) rename(out_.next.columns[step.known], *step.column);
            if (step.kind == Kind::add) TARN_CHECK_OK(add(*step.column));
        }
        for (size_t i = 0; i < plan.places.size(); ++i)
            if (plan.places[i])
                TARN_CHECK_OK(change_type(out_.next.columns[*plan.places[i]], i, types[i]));
        if (question_.now && !plan.steps.empty()) note_all(*question_.now);
        return std::move(out_);
    }

 private:
    void drop(KnownColumn& known) {
        known.gone = true;
        ours_.erase(known.field_id);
        const auto* field = schema_.find(known.field_id);
        if (field && field->required) out_.steps.push_back(SchemaStep::make_optional(field->id));
    }

    void rename(KnownColumn& known, const PostgresColumn& column) {
        moving_.erase(known.field_id);
        const std::string name = free_name(column, known.field_id);
        if (known.field_id != 0) set_name(known.field_id, name);
        known.before.push_back(known.outside);
        known.outside = column.outside;
    }

    Status add(const PostgresColumn& column) {
        KnownColumn known;
        known.number = column.number;
        known.outside = column.outside;
        known.type = column.type_oid;
        known.initial = column.missing;
        known.unfilled = column.missing.has_value();
        out_.fill = out_.fill || known.unfilled;
        const bool made = made_before(column);
        const std::string name = made ? column.name : free_name(column, 0);
        out_.added.emplace_back(out_.next.columns.size(), name);
        out_.next.columns.push_back(std::move(known));
        if (made) return ok_status();
        TARN_TRY(type, iceberg_type(column.type));
        std::optional<std::string> doc;
        if (!column.comment.empty()) doc = column.comment;
        out_.steps.push_back(SchemaStep::add(name, std::move(type), std::move(doc)));
        named_[name] = kNew;
        ours_.insert(kNew);
        return ok_status();
    }

    /// All columns are known from here on: those that came and went, too, since the log may still
    /// have rows with them.
    void note_all(const PostgresTable& now) {
        auto& next = out_.next;
        int known = next.numbers;
        for (const auto& column : question_.known.columns) known = std::max(known, column.number);
        for (const auto& attribute : now.attributes) {
            if (!attribute.dropped || attribute.number <= known) continue;
            KnownColumn column;
            column.number = attribute.number;
            column.gone = true;
            next.columns.push_back(std::move(column));
        }
        next.numbers = highest_number(now);
        next.storage = now.storage;
        next.touched = now.touched;
    }

    /// A field of that name that nobody fills and that fits is what an attempt before made.
    bool made_before(const PostgresColumn& column) const {
        const auto there = named_.find(column.name);
        if (there == named_.end() || ours_.count(there->second) != 0) return false;
        const auto* field = schema_.find(there->second);
        return field && type_of_iceberg(field->type) == stored_type(column.type) &&
               std::none_of(
                   out_.next.columns.begin(), out_.next.columns.end(),
                   [&](const KnownColumn& known) { return known.field_id == there->second; });
    }

    Status change_type(KnownColumn& known, size_t at, const query::Type& in_log) {
        const auto before = std::exchange(known.type, question_.relation.columns[at].type);
        const auto* field = schema_.find(known.field_id);
        if (!field) return ok_status();
        if (before != 0 && before != known.type)
            note_rewritten(before, question_.relation.columns[at], *field);
        const auto have = type_of_iceberg(field->type);
        if (stored_type(have) == stored_type(in_log) || have.kind == query::Kind::text)
            return ok_status();
        TARN_TRY(type, iceberg_type(in_log));
        if (tables::can_widen(field->type, type))
            out_.steps.push_back(SchemaStep::widen(field->id, std::move(type)));
        else if (!tables::can_widen(type, field->type))
            out_.person = fmt::format("column {} became another type, which {} here can't hold",
                                      question_.relation.columns[at].name, field->name);
        return ok_status();
    }

    /// The source computed the rows' values anew and sent none of them. A type that holds the old
    /// one's values keeps them, unless USING said otherwise.
    void note_rewritten(uint32_t before, const RelationColumn& column, const tables::Field& field) {
        const auto& storage = question_.known.storage;
        if (!question_.now || storage.empty() || storage == question_.now->storage) return;
        const auto old_type = iceberg_type(type_of_postgres(before, -1));
        const auto new_type = iceberg_type(type_of_postgres(column.type, -1));
        const bool known = old_type.ok() && new_type.ok();
        const bool small = before == 21 && column.type == 23;  // smallint, which integer is here
        if (known && (small || tables::can_widen(*old_type, *new_type)))
            out_.doubt = fmt::format(
                "column {} became a wider type: its values are those of before; if USING computed "
                "others, `tarn verify source` names and repairs them",
                column.name);
        else if (known && (type_of_iceberg(*new_type) == type_of_iceberg(field.type) ||
                           tables::can_widen(*new_type, field.type)))
            out_.reload = fmt::format(
                "column {} became another type, and the log does not send what its values became",
                column.name);
        else
            out_.person = fmt::format(
                "column {} became another type, and its values others, which {} here can't hold",
                column.name, field.name);
    }

    /// The column's name, out of whose way others go unless they bear it with right.
    std::string free_name(const PostgresColumn& column, int field_id) {
        const auto found = named_.find(column.name);
        if (found == named_.end() || found->second == field_id) return column.name;
        const int other = found->second;
        if (ours_.count(other) != 0 && moving_.count(other) == 0)
            return fmt::format("{}_{}", column.name.substr(0, 50), column.number);
        set_name(other, fmt::format("{}_{}", column.name.substr(0, 50), other));
        return column.name;
    }

    void set_name(int field_id, const std::string& name) {
        const auto old = std::find_if(named_.begin(), named_.end(),
                                      [&](const auto& one) { return one.second == field_id; });
        if (old != named_.end() && old->first == name) return;
        if (old != named_.end()) named_.erase(old);
        named_[name] = field_id;
        out_.steps.push_back(SchemaStep::rename(field_id, name));
    }

    static constexpr int kNew = -1;  // a field that has no id yet
    const ShapeQuestion& question_;
    const tables::Schema& schema_;
    SchemaPlan out_;
    std::map<std::string, int> named_;  // field ids by name, as they will be
    std::set<int> ours_;                // of columns that are followed
    std::set<int> moving_;              // to be renamed still
};

}  // namespace

Result<SchemaPlan> plan_schema(const ShapeQuestion& question, const ShapePlan& plan,
                               const tables::Schema& schema,
                               const std::vector<query::Type>& types) {
    return SchemaWork(question, schema).run(plan, types);
}

}  // namespace tarn::ingest
