#include "query/internal/copy.h"

#include <fmt/format.h>

#include "query/internal/declared_columns.h"
#include "query/internal/duck_types.h"
#include "query/internal/row_checks.h"
#include "query/internal/rows.h"
#include "query/internal/sql_text.h"
#include "query/internal/table_rules.h"
#include "query/pg_binary.h"

namespace tarn::query {

namespace {

constexpr size_t kRowsPerAppend = STANDARD_VECTOR_SIZE;
constexpr size_t kAgainBytesMax = 4 << 20;  // a longer COPY that lost is the client's to send again
constexpr size_t kPieceBytes = 64 << 10;

/// SELECT that gives what COPY TO prints, or the columns that COPY FROM fills.
std::string copy_select(const CopySpec& copy) {
    if (!copy.query.empty()) return copy.query;
    std::string list;
    for (const auto& column : copy.columns)
        list += (list.empty() ? "" : ", ") + quoted_name(column);
    if (list.empty()) list = "*";
    const std::string database = copy.database.empty() ? "" : quoted_name(copy.database) + ".";
    return "SELECT " + list + " FROM " + database + quoted_name(copy.table);
}

class LakeCopyIn final : public CopyIn {
 public:
    LakeCopyIn(LakeSession& session, PreparedSql& statement)
        : session_(session), spec_(statement.copy), columns_(statement.columns_) {
        for (const auto& column : columns_) types_.push_back(column.type);
        reader_ = std::make_unique<CopyReader>(spec_, types_);
        clear();
    }
    ~LakeCopyIn() override {
        if (own_transaction_ && !finished_) {
            lane_.reset();
            writer_.reset();
            static_cast<void>(session_.rollback());
        }
    }

    /// Begins the transaction and looks the table up.
    Status open() {
        TARN_CHECK_OK(session_.settle_open_cursor());
        own_transaction_ = session_.transaction_state() == TransactionState::idle;
        if (own_transaction_) TARN_CHECK_OK(session_.begin(true));
        try {
            temporary_ = session_.means_temporary(spec_.database, spec_.table);
        } catch (const std::exception& problem) {
            return abandon(session_.failed(duck::ErrorData(problem), nullptr, nullptr));
        }
        if (temporary_) return {};
        TARN_CHECK_OK(guarded([this] { make_writer(); }));
        // Without keys rows that come at the same time are in nobody's way.
        if (own_transaction_ && keyed_ && !sent_) sent_.emplace();
        return {};
    }

    CopyFormat format() const override { return spec_.format; }
    size_t column_count() const override { return columns_.size(); }

    Status push(std::string_view bytes) override {
        if (sent_ && sent_->size() + bytes.size() <= kAgainBytesMax)
            sent_->append(bytes);
        else
            sent_.reset();
        return take(bytes);
    }

    /// One that is a transaction by itself and lost to another commit is run again, as statements
    /// are (docs/decisions/0017).
    Result<uint64_t> finish() override {
        LakeSession::Again again;
        auto done = finish_once();
        while (!done.ok() && sent_) {
            TARN_TRY(more, session_.once_more(again, done.error()));
            if (!more) break;
            done = run_again();
        }
        return done;
    }

 private:
    Status take(std::string_view bytes) {
        const Status read = reader_->push(bytes, rows_);
        if (!read.ok()) return abandon(read.error());
        if (rows_.rows() < kRowsPerAppend) return {};
        return guarded([this] { write(); });
    }

    Result<uint64_t> finish_once() {
        const Status read = reader_->finish(rows_);
        if (!read.ok()) return abandon(read.error());
        TARN_CHECK_OK(guarded([this] {
            write();
            if (temporary_) return;
            duck::ThreadContext thread(context());
            duck::ExecutionContext execution(context(), thread, nullptr);
            lane_->finish(execution);
            auto files = writer_->take();
            if (!files.empty()) transaction().append(table_->state(), std::move(files));
        }));
        if (keyed_) {
            const Status kept =
                session_.check_keys({table_->ParentSchema().name, table_->name, false});
            if (!kept.ok()) return abandon(kept.error());
        }
        finished_ = true;
        if (own_transaction_) TARN_CHECK_OK(session_.commit());
        return total_;
    }

    Result<uint64_t> run_again() {
        lane_.reset();
        writer_.reset();
        declared_.reset();
        checks_.reset();
        compute_defaults_.reset();
        defaults_.clear();
        reader_ = std::make_unique<CopyReader>(spec_, types_);
        clear();
        total_ = 0;
        finished_ = false;
        TARN_CHECK_OK(open());
        for (std::string_view left = *sent_; !left.empty();
             left.remove_prefix(std::min(kPieceBytes, left.size())))
            TARN_CHECK_OK(take(left.substr(0, kPieceBytes)));
        return finish_once();
    }

    duck::ClientContext& context() { return *session_.connection().context; }
    LakeTransaction& transaction() { return table_->transaction(); }

    void clear() {
        rows_.columns.clear();
        for (const auto& type : types_) rows_.columns.emplace_back(type);
    }

    Status guarded(const std::function<void()>& work) {
        auto slot = session_.enter();
        if (!slot.ok()) return abandon(std::move(slot).error());
        const RunningCall call(session_);
        try {
            if (temporary_)
                work();  // statements, which take the connection themselves
            else
                context().RunFunctionInTransaction(work, false);
        } catch (const std::exception& problem) {
            return abandon(session_.failed(duck::ErrorData(problem), nullptr, slot->get()));
        }
        return {};
    }

    Error abandon(Error error) {
        lane_.reset();
        writer_.reset();
        if (own_transaction_) {
            static_cast<void>(session_.rollback());
            finished_ = true;
            return error;
        }
        return session_.failed(std::move(error));
    }

    void make_writer() {
        const duck::EntryLookupInfo lookup(duck::CatalogType::TABLE_ENTRY, spec_.table);
        auto& entry = duck::Catalog::GetEntry(context(), kLake, spec_.database, lookup);
        if (entry.type != duck::CatalogType::TABLE_ENTRY)
            throw_error({Code::invalid_argument,
                         fmt::format("cannot copy to view \"{}\"", spec_.table), "42809"});
        table_ = &entry.Cast<LakeTable>();
        if (!table_->view().access.insert)
            throw_error(
                {Code::permission_denied, "permission denied for table " + spec_.table, "42501"});
        const auto& fields = table_->view().schema.fields;
        std::vector<size_t> positions;
        for (const auto& column : columns_)
            for (size_t i = 0; i < fields.size(); ++i)
                if (fields[i].name == column.name) positions.push_back(i);
        bind_defaults(positions);
        for (size_t i = 0; i < fields.size(); ++i)
            if (fields[i].required &&
                std::find(positions.begin(), positions.end(), i) == positions.end())
                throw_error({Code::invalid_argument,
                             fmt::format("null value in column \"{}\" of relation \"{}\" violates "
                                         "not-null constraint",
                                         fields[i].name, spec_.table),
                             "23502"});
        writer_ = std::make_unique<TableWriter>(session_.services(), context(), table_->state(),
                                                positions);
        lane_ = std::make_unique<TableWriter::Lane>(*writer_);
        const auto properties = transaction().properties_of(table_->state());
        keyed_ = !keys_of(properties).empty();
        declared_ = std::make_unique<DeclaredRows>(table_->state()->schema(), properties, positions);
        checks_ = std::make_unique<RowChecks>(context(), *table_->state(), properties, positions);
    }

    /// Columns that COPY does not name get their defaults.
    void bind_defaults(std::vector<size_t>& positions) {
        const auto& view = table_->view();
        const std::vector<size_t> given = positions;
        for (size_t i = 0; i < view.schema.fields.size(); ++i) {
            if (std::find(given.begin(), given.end(), i) != given.end()) continue;
            const auto& field = view.schema.fields[i];
            auto value = default_of(*view.state, field.id);
            if (!value) continue;
            const auto type = column_type(view.state->metadata->properties, field);
            defaults_.push_back(bind_default(context(), type, std::move(value)));
            positions.push_back(i);
        }
        if (positions.size() == given.size()) return;
        compute_defaults_ = std::make_unique<duck::ExpressionExecutor>(context(), defaults_);
    }

    /// The rows with what they were not given.
    void append(duck::ExecutionContext& execution, duck::DataChunk& given) {
        if (!compute_defaults_) return keep(execution, given);
        duck::vector<duck::LogicalType> types;
        for (const auto& value : defaults_) types.push_back(value->return_type);
        duck::DataChunk made, all;
        made.Initialize(context(), types, given.size());
        compute_defaults_->Execute(given, made);
        auto all_types = given.GetTypes();
        all_types.insert(all_types.end(), types.begin(), types.end());
        all.InitializeEmpty(all_types);
        for (size_t i = 0; i < given.ColumnCount(); ++i) all.data[i].Reference(given.data[i]);
        for (size_t i = 0; i < types.size(); ++i)
            all.data[given.ColumnCount() + i].Reference(made.data[i]);
        all.SetCardinality(given.size());
        keep(execution, all);
    }
    void keep(duck::ExecutionContext& execution, duck::DataChunk& rows) {
        declared_->fit(rows);
        checks_->verify(rows);
        lane_->append(execution, rows);
    }

    void write() {
        total_ += rows_.rows();
        if (temporary_)
            session_.append_temporary(spec_, columns_, rows_);
        else
            write_files();
        clear();
    }

    void write_files() {
        duck::ThreadContext thread(context());
        duck::ExecutionContext execution(context(), thread, nullptr);
        duck::vector<duck::LogicalType> types;
        for (const auto& column : writer_->columns()) types.push_back(column.type);
        types.resize(columns_.size());
        in_vectors(context(), types, rows_,
                   [&](duck::DataChunk& chunk) { append(execution, chunk); });
    }

    LakeSession& session_;
    const CopySpec spec_;
    const std::vector<ResultColumn> columns_;
    std::vector<Type> types_;
    std::unique_ptr<CopyReader> reader_;
    Chunk rows_;
    LakeTable* table_ = nullptr;
    std::unique_ptr<TableWriter> writer_;
    std::unique_ptr<TableWriter::Lane> lane_;
    std::unique_ptr<DeclaredRows> declared_;
    std::unique_ptr<RowChecks> checks_;
    duck::vector<duck::unique_ptr<duck::Expression>>
        defaults_;  // behind the columns that COPY names
    std::unique_ptr<duck::ExpressionExecutor> compute_defaults_;
    uint64_t total_ = 0;
    bool temporary_ = false;
    bool keyed_ = false;
    bool own_transaction_ = false;
    bool finished_ = false;
    std::optional<std::string> sent_;  // all so far, while it may have to be read again
};

class LakeCopyOut final : public CopyOut {
 public:
    LakeCopyOut(CopySpec spec, std::unique_ptr<Cursor> cursor)
        : spec_(std::move(spec)), cursor_(std::move(cursor)) {}

    CopyFormat format() const override { return spec_.format; }
    size_t column_count() const override { return cursor_->columns().size(); }
    uint64_t rows() const override { return rows_; }

    Result<std::optional<std::string>> next() override {
        std::string out;
        if (!begun_) {
            begun_ = true;
            if (spec_.format == CopyFormat::binary)
                out.append("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
            if (spec_.header) append_copy_header(spec_, cursor_->columns(), out);
            // A binary head travels with the first row, as psycopg expects it.
            if (spec_.header) return std::optional<std::string>(std::move(out));
        }
        TARN_TRY(chunk, cursor_->next());
        if (!chunk) {
            if (std::exchange(ended_, true) || spec_.format != CopyFormat::binary)
                return std::optional<std::string>();
            return std::optional<std::string>(out + "\xff\xff");
        }
        if (spec_.format == CopyFormat::binary)
            for (const auto& column : chunk->columns) TARN_CHECK_OK(check_pg_binary(column));
        rows_ += chunk->rows();
        append_copy_rows(spec_, cursor_->columns(), *chunk, out);
        return std::optional<std::string>(std::move(out));
    }

 private:
    const CopySpec spec_;
    std::unique_ptr<Cursor> cursor_;
    uint64_t rows_ = 0;
    bool begun_ = false;
    bool ended_ = false;
};

}  // namespace

Status LakeSession::describe_copy(PreparedSql& statement) {
    const std::string sql = copy_select(statement.copy);
    const auto tokens = tokenize(sql);
    TARN_TRY(inner, prepare_query(sql, tokens, {}, Described::before));
    if (inner->command_ != Command::select)
        return failed({Code::unimplemented, "COPY takes a query that reads", "0A000"});
    if (!inner->parameters_.empty())
        return failed({Code::invalid_argument, "COPY takes no parameters", "42P02"});
    statement.columns_ = inner->columns_;
    return {};
}

Result<std::unique_ptr<CopyIn>> LakeSession::copy_in(Statement& given) {
    auto& statement = static_cast<PreparedSql&>(given);
    TARN_CHECK_OK(check_usable(statement.command_));
    TARN_CHECK_OK(check_read_only(statement, true));
    auto copy = std::make_unique<LakeCopyIn>(*this, statement);
    TARN_CHECK_OK(copy->open());
    return std::unique_ptr<CopyIn>(std::move(copy));
}

Result<std::unique_ptr<CopyOut>> LakeSession::copy_out(Statement& given) {
    auto& statement = static_cast<PreparedSql&>(given);
    TARN_CHECK_OK(check_usable(statement.command_));
    const std::string sql = copy_select(statement.copy);
    const auto tokens = tokenize(sql);
    TARN_TRY(inner, prepare_query(sql, tokens, {}, Described::when_run));
    TARN_TRY(meaning, meaning_of(*inner));
    TARN_TRY(cursor, start(*inner, std::move(meaning), {}));
    return std::unique_ptr<CopyOut>(
        std::make_unique<LakeCopyOut>(statement.copy, std::move(cursor)));
}

}  // namespace tarn::query
