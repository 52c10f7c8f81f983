// SQL as a row of tokens: enough to split statements, to recognise those that are ours to answer,
// and to put PostgreSQL's spellings into DuckDB's before it parses. No grammar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/types.h"

namespace tarn::query {

struct Token {
    enum class Kind : uint8_t { word, quoted_word, text, number, parameter, symbol };
    Kind kind = Kind::symbol;
    size_t offset = 0;     // bytes
    std::string_view raw;  // as it stands in the SQL

    /// ASCII case does not matter; quoted words are no keywords.
    bool is(std::string_view keyword) const;
    bool is_symbol(char c) const { return kind == Kind::symbol && raw.size() == 1 && raw[0] == c; }
    /// The name a word or quoted word means: folded to lower case, or taken out of its quotes.
    std::string name() const;
    /// What a text literal holds.
    std::string literal() const;
};

/// Comments and white space are left out. An unfinished quote is a token to the end.
std::vector<Token> tokenize(std::string_view sql);

/// The name in double quotes, those within doubled.
std::string quoted_name(std::string_view name);

/// SQL with replacements, and the way back from its offsets.
class EditedSql {
 public:
    explicit EditedSql(std::string_view original) : original_(original) {}
    /// Replacements come in order and do not overlap.
    void replace(size_t offset, size_t length, std::string_view with);
    std::string finish();
    /// Of an offset in the finished text.
    size_t original_offset(size_t edited) const;

 private:
    struct Edit {
        size_t original_begin, original_end, edited_begin, edited_end;
    };
    std::string_view original_;
    size_t copied_ = 0;
    std::string out_;
    std::vector<Edit> edits_;
};

/// What COMMIT does to a temporary table.
enum class OnCommit : uint8_t { preserve_rows, delete_rows, drop };
/// SELECT ... FOR UPDATE and the like.
struct RowLocks {
    bool wanted = false;
    std::vector<std::string> of;  // the names or aliases that OF lists; empty: all of FROM
};
/// Clauses that DuckDB does not know, and that were taken out.
struct Clauses {
    OnCommit on_commit = OnCommit::preserve_rows;  // CREATE TEMP TABLE ... ON COMMIT
    bool key_not_enforced = false;                 // PRIMARY KEY [(...)] NOT ENFORCED
    bool overrides_identity = false;               // INSERT ... OVERRIDING SYSTEM VALUE
    /// CREATE TABLE: the names of its PRIMARY KEY and UNIQUE in their order, empty without
    /// CONSTRAINT.
    std::vector<std::string> key_names;
    std::vector<std::pair<std::string, std::string>> checks;  // name (may be empty) and expression
    std::vector<std::string> references;  // its foreign keys, each as ALTER TABLE ADD has it
    bool restarts_identity = false;       // TRUNCATE ... RESTART IDENTITY
    bool fills_column = false;            // ADD COLUMN ... DEFAULT: the rows there are get it
    bool requires_column = false;         // ADD COLUMN ... NOT NULL
    RowLocks locks;
    std::vector<std::string> notices;  // of what was left out because it has no meaning here
    std::optional<Error> refused;      // a clause that must not be left out
};

/// PostgreSQL's spellings turned into DuckDB's; $n with a known type gets a cast. An argument $n of
/// no type (Kind::null, PostgreSQL's void) is left out: JDBC's {? = call f(?)} is f($1, $2). `types` is by
/// number, from 0. In `= any($n)` an $n without a type loses its `any`: the binder finds the type
/// of an element. `clauses` gets what was taken out. `postgres_types`: FLOAT has eight bytes
/// and NUMERIC the digits of types.h; to who is no client of PostgreSQL four bytes and (18,3).
EditedSql rewrite_spellings(std::string_view sql, const std::vector<Token>& tokens,
                            const std::vector<std::optional<Type>>& types,
                            Clauses* clauses = nullptr, bool postgres_types = false);
/// The numbers of the parameters that stand as `= any($n)` and the like, which are arrays.
std::vector<size_t> array_parameters(const std::vector<Token>& tokens);
/// The highest $n; 0 when there is none. nullopt: one is out of bounds (65,535).
std::optional<size_t> parameter_count(const std::vector<Token>& tokens);

}  // namespace tarn::query
