// Bounds of how long one call of a function runs. DuckDB computes a chunk of rows in one call and looks for a cancel, a time-out
// included, only between calls: two thousand distances of long texts were minutes that nobody could end.
#include <fmt/format.h>

#include "query/internal/database.h"
#include "query/internal/like_match.h"

namespace tarn::query {

namespace {

using Call = duck::scalar_function_t;

/// Steps of about a nanosecond: a cancel waits for a tenth of a second, and no row takes longer than a minute.
constexpr double kStepsBetweenLooks = 1e8;
constexpr double kStepsOfRowMax = 3e10;

void look(duck::ExpressionState& state) {
    if (state.HasContext() && state.GetContext().IsInterrupted()) throw duck::InterruptException();
}

/// The texts of one argument of a chunk.
class Texts {
 public:
    Texts(duck::Vector& vector, duck::idx_t rows) {
        vector.ToUnifiedFormat(rows, format_);
        texts_ = duck::UnifiedVectorFormat::GetData<duck::string_t>(format_);
    }
    double bytes(duck::idx_t row) const {
        const auto at = format_.sel->get_index(row);
        return format_.validity.RowIsValid(at) ? static_cast<double>(texts_[at].GetSize()) : 0;
    }
    double longest(duck::idx_t rows) const {
        double bytes_max = 0;
        for (duck::idx_t row = 0; row < rows; ++row) bytes_max = std::max(bytes_max, bytes(row));
        return bytes_max;
    }

 private:
    duck::UnifiedVectorFormat format_;
    const duck::string_t* texts_;
};

/// Calls for the rows from `begin` to before `end`, into their places of `result`.
void call_for(const Call& call, duck::DataChunk& chunk, duck::idx_t begin, duck::idx_t end, duck::ExpressionState& state,
              duck::Vector& result) {
    const auto rows = end - begin;
    duck::SelectionVector which(rows);
    for (duck::idx_t i = 0; i < rows; ++i) which.set_index(i, begin + i);
    duck::DataChunk part;
    part.InitializeEmpty(chunk.GetTypes());
    for (duck::idx_t i = 0; i < chunk.ColumnCount(); ++i) part.data[i].Slice(chunk.data[i], which, rows);
    part.SetCardinality(rows);
    duck::Vector piece(result.GetType());
    call(part, state, piece);
    duck::VectorOperations::Copy(piece, result, rows, 0, begin);
}

/// Whose time grows with the product of two texts' lengths.
struct Pair {
    const char* function;
    double steps;  // for each byte of one with each of the other, at worst
};
constexpr Pair kPairs[] = {{"levenshtein", 1},
                           {"editdist3", 1},
                           {"damerau_levenshtein", 900},  // eight bytes of memory, too: at most 256 MiB
                           {"jaro_similarity", 0.1},
                           {"jaro_winkler_similarity", 0.1},
                           {"contains", 0.1},
                           {"instr", 0.1},
                           {"strpos", 0.1},
                           {"position", 0.1},
                           {"replace", 0.1},
                           {"split", 0.1},
                           {"str_split", 0.1},
                           {"string_split", 0.1},
                           {"string_to_array", 0.1},
                           {"~", 1},
                           {"regexp_matches", 1},
                           {"regexp_full_match", 1},
                           {"regexp_extract", 1},
                           {"regexp_extract_all", 1},
                           {"regexp_replace", 1},
                           {"regexp_split_to_array", 1},
                           {"str_split_regex", 1},
                           {"string_split_regex", 1}};

/// Whose time is that of what is called for each element: the engine's own chunks of a lambda.
constexpr const char* kLambdas[] = {"list_transform", "array_transform", "list_apply",  "array_apply", "apply",       "list_filter",
                                    "array_filter",   "filter",          "list_reduce", "array_reduce", "reduce"};

/// In pieces that take a tenth of a second, as far as one row takes no longer.
void call_by_pieces(const Call& call, const Pair& pair, duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
    const auto rows = chunk.size();
    const Texts one(chunk.data[0], rows), other(chunk.data[1], rows);
    if (static_cast<double>(rows) * one.longest(rows) * other.longest(rows) * pair.steps <= kStepsBetweenLooks)
        return call(chunk, state, result);
    result.SetVectorType(duck::VectorType::FLAT_VECTOR);
    duck::idx_t begin = 0;
    double steps = 0;
    for (duck::idx_t row = 0; row < rows; ++row) {
        const double of_row = one.bytes(row) * other.bytes(row) * pair.steps;
        if (of_row > kStepsOfRowMax)
            throw_error({Code::exhausted,
                         fmt::format("{}() of texts with {:.0f} and {:.0f} bytes would run for minutes", pair.function, one.bytes(row),
                                     other.bytes(row)),
                         "54000"});
        if (row > begin && steps + of_row > kStepsBetweenLooks) {
            look(state);
            call_for(call, chunk, std::exchange(begin, row), row, state, result);
            steps = 0;
        }
        steps += of_row;
    }
    look(state);
    call_for(call, chunk, begin, rows, state, result);
}

Call in_pieces(const Pair& pair, Call call) {
    return [pair, call = std::move(call)](duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
        call_by_pieces(call, pair, chunk, state, result);
    };
}

std::string_view view(const duck::string_t& text) {
    return {text.GetData(), text.GetSize()};
}

char escape_of(const duck::string_t& escape) {
    if (escape.GetSize() > 1) throw_error({Code::invalid_argument, "invalid escape string: it must be empty or one character", "22025"});
    return escape.GetSize() == 0 ? '\0' : *escape.GetData();
}

bool matches(const duck::string_t& text, const duck::string_t& pattern, char escape) {
    if (ends_with_escape(view(pattern), escape))
        throw_error({Code::invalid_argument, "LIKE pattern must not end with escape character", "22025"});
    return like_match(view(text), view(pattern), escape);
}

struct Like {
    const char* function;
    bool negated;
    bool ignores_case;
};
constexpr Like kLikes[] = {{"~~", false, false},
                           {"!~~", true, false},
                           {"like_escape", false, false},
                           {"not_like_escape", true, false},
                           {"~~*", false, true},
                           {"!~~*", true, true},
                           {"ilike_escape", false, true},
                           {"not_ilike_escape", true, true}};
/// Of LIKE without ESCAPE, as PostgreSQL has it.
constexpr char kEscape = '\\';

/// What binding needs to know, which is a plain function.
struct LikeInfo final : duck::ScalarFunctionInfo {
    LikeInfo(const Like& of_kind, Call of_lower, duck::bind_scalar_function_t of_bind)
        : kind(of_kind), lower(std::move(of_lower)), bind(of_bind) {}
    Like kind;
    Call lower;
    duck::bind_scalar_function_t bind;  // the engine's, which takes a constant pattern apart; or null
};

duck::vector<duck::ScalarFunction>* overloads(duck::ClientContext& context, duck::Catalog& system, const char* name) {
    auto entry = system.GetEntry<duck::ScalarFunctionCatalogEntry>(context, DEFAULT_SCHEMA, name, duck::OnEntryNotFound::RETURN_NULL);
    return entry ? &entry->functions.functions : nullptr;
}

void lower_into(const Call& lower, duck::Vector& text, duck::idx_t rows, duck::ExpressionState& state, duck::Vector& result) {
    duck::DataChunk one;
    one.InitializeEmpty({text.GetType()});
    one.data[0].Reference(text);
    one.SetCardinality(rows);
    lower(one, state, result);
}

/// Of texts that are as they are to be compared.
void compare(duck::DataChunk& chunk, duck::Vector& text, duck::Vector& pattern, bool negated, duck::Vector& result) {
    if (chunk.ColumnCount() == 3) {
        duck::TernaryExecutor::Execute<duck::string_t, duck::string_t, duck::string_t, bool>(
            text, pattern, chunk.data[2], result, chunk.size(), [&](duck::string_t a, duck::string_t b, duck::string_t escape) {
                return matches(a, b, escape_of(escape)) != negated;
            });
    } else {
        duck::BinaryExecutor::Execute<duck::string_t, duck::string_t, bool>(
            text, pattern, result, chunk.size(), [&](duck::string_t a, duck::string_t b) { return matches(a, b, kEscape) != negated; });
    }
}

/// LIKE, NOT LIKE, ILIKE and NOT ILIKE, with or without ESCAPE.
Call our_like(const Like& kind, const Call& lower) {
    return in_pieces({"LIKE", 1}, [kind, lower](duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
        if (!kind.ignores_case) return compare(chunk, chunk.data[0], chunk.data[1], kind.negated, result);
        duck::Vector text(duck::LogicalType::VARCHAR), pattern(duck::LogicalType::VARCHAR);
        lower_into(lower, chunk.data[0], chunk.size(), state, text);
        lower_into(lower, chunk.data[1], chunk.size(), state, pattern);
        compare(chunk, text, pattern, kind.negated, result);
    });
}

/// The engine knows the function by its name and knows better ways for constant patterns; it has no escape by default. A pattern that
/// may have one gets another name.
duck::unique_ptr<duck::FunctionData> bind_like(duck::ClientContext& context, duck::ScalarFunction& function,
                                               duck::vector<duck::unique_ptr<duck::Expression>>& arguments) {
    const auto& info = function.GetExtraFunctionInfo().Cast<LikeInfo>();
    const auto& pattern = *arguments[1];
    bool plain = pattern.IsFoldable() && !pattern.HasParameter();
    if (plain) {
        const auto value = duck::ExpressionExecutor::EvaluateScalar(context, pattern);
        plain = value.IsNull() || value.ToString().find(kEscape) == duck::string::npos;
    }
    if (plain) return info.bind ? info.bind(context, function, arguments) : nullptr;
    function.name = "tarn_like";
    function.SetFunctionCallback(our_like(info.kind, info.lower));
    return nullptr;
}

void bound_like(duck::ScalarFunction& function, const Like& kind, const Call& lower) {
    // May put the engine's own way for texts of one byte a character in its place.
    function.SetStatisticsCallback(nullptr);
    const auto ours = our_like(kind, lower);
    if (function.arguments.size() == 3) return function.SetFunctionCallback(ours);
    function.SetExtraFunctionInfo<LikeInfo>(kind, lower, function.GetBindCallback());
    function.SetBindCallback(bind_like);
    const auto engines = in_pieces({"LIKE", 0.1}, function.GetFunctionCallback());
    function.SetFunctionCallback([engines, ours](duck::DataChunk& chunk, duck::ExpressionState& state, duck::Vector& result) {
        // A constant pattern that has been taken apart is looked for piece after piece.
        const bool apart = state.expr.Cast<duck::BoundFunctionExpression>().bind_info != nullptr;
        (apart ? engines : ours)(chunk, state, result);
    });
}

}  // namespace

void bound_long_calls(duck::ClientContext& context, duck::Catalog& system) {
    for (const auto& pair : kPairs) {
        auto* functions = overloads(context, system, pair.function);
        if (!functions) continue;
        for (auto& function : *functions) {
            const auto& takes = function.arguments;
            if (takes.size() < 2 || takes[0].id() != duck::LogicalTypeId::VARCHAR || takes[1].id() != duck::LogicalTypeId::VARCHAR)
                continue;  // of lists
            function.SetFunctionCallback(in_pieces(pair, function.GetFunctionCallback()));
        }
    }
    for (const char* name : kLambdas) {
        auto* functions = overloads(context, system, name);
        if (!functions) continue;
        for (auto& function : *functions)
            function.SetFunctionCallback([call = function.GetFunctionCallback()](duck::DataChunk& chunk, duck::ExpressionState& state,
                                                                                 duck::Vector& result) {
                look(state);
                call(chunk, state, result);
            });
    }
    const auto* lower = overloads(context, system, "lower");
    for (const auto& kind : kLikes)
        if (auto* functions = overloads(context, system, kind.function))
            for (auto& function : *functions) bound_like(function, kind, lower->front().GetFunctionCallback());
}

}  // namespace tarn::query
