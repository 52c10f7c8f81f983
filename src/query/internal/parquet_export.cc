#include "query/parquet_export.h"

#include "query/internal/duck_types.h"
#include "query/internal/export_sink.h"
#include "query/internal/session.h"

namespace tarn::query {
namespace {

/// Names as Parquet wants them: each once.
duck::vector<duck::string> column_names(const std::vector<ResultColumn>& columns) {
    duck::vector<duck::string> names;
    for (const auto& column : columns) {
        duck::string name = column.name.empty() ? "column" : column.name;
        for (int i = 2; std::find(names.begin(), names.end(), name) != names.end(); ++i)
            name = column.name + "_" + std::to_string(i);
        names.push_back(std::move(name));
    }
    return names;
}

void write_all(duck::ClientContext& context, const duck::CopyFunction& function,
               const std::vector<ResultColumn>& columns, const NextRows& next) {
    duck::CopyInfo info;
    info.file_path = kExportPath;
    info.format = "parquet";
    info.is_from = false;
    info.options["compression"] = {duck::Value("zstd")};
    duck::vector<duck::LogicalType> types;
    for (const auto& column : columns) types.push_back(type_to_duck(column.type));
    duck::CopyFunctionBindInput input(info);
    const auto bind = function.copy_to_bind(context, input, column_names(columns), types);
    const auto global = function.copy_to_initialize_global(context, *bind, kExportPath);
    duck::ThreadContext thread(context);
    duck::ExecutionContext execution(context, thread, nullptr);
    const auto local = function.copy_to_initialize_local(execution, *bind);
    duck::DataChunk chunk;
    chunk.Initialize(context, types);
    while (auto rows = value_or_throw(next())) {
        for (size_t at = 0; at < rows->rows(); at += STANDARD_VECTOR_SIZE) {
            const size_t count = std::min<size_t>(STANDARD_VECTOR_SIZE, rows->rows() - at);
            chunk.Reset();
            for (size_t i = 0; i < types.size(); ++i)
                fill_vector(rows->columns[i], at, count, chunk.data[i]);
            chunk.SetCardinality(count);
            function.copy_to_sink(execution, *bind, *global, *local, chunk);
        }
    }
    function.copy_to_combine(execution, *bind, *global, *local);
    function.copy_to_finalize(context, *bind, *global);
}

}  // namespace

Status write_parquet(Session& given, const std::vector<ResultColumn>& columns, const NextRows& next,
                     const TakeBytes& take) {
    auto& session = static_cast<LakeSession&>(given);
    auto slot = session.enter();
    if (!slot.ok()) return session.failed(std::move(slot).error());
    auto& context = *session.connection().context;
    const auto& states = context.registered_state;
    Status outcome = ok_status();
    try {
        states->GetOrCreate<ExportSink>(ExportSink::kKey)->take = take;
        context.RunFunctionInTransaction(
            [&] { write_all(context, *session.services().parquet_copy, columns, next); }, false);
    } catch (const std::exception& problem) {
        outcome = session.failed(duck::ErrorData(problem), nullptr, slot->get());
    }
    states->Remove(ExportSink::kKey);
    return outcome;
}

}  // namespace tarn::query
