// Tables for readers that are not ours (tests/tables/foreign_readers.py): makes tables of Parquet
// files found in $TARN_FOREIGN_DIR/in and writes every metadata file below $TARN_FOREIGN_DIR/out,
// named as in the lake.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tables/internal/memory_lake.h"

namespace tarn::tables {
namespace {

using testing::Lake;
using testing::shop_columns;
namespace fs = std::filesystem;

/// A line of in/files.txt: name, rows, bytes, the id range, the day of all its rows ("-": null),
/// and for deletes the data file.
struct Input {
    std::string name, day, of;
    int64_t rows = 0, bytes = 0, id_low = 0, id_high = 0;
};

std::vector<Input> inputs(const std::string& directory) {
    std::vector<Input> all;
    std::ifstream lines(directory + "/in/files.txt");
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        Input input;
        words >> input.name >> input.rows >> input.bytes >> input.id_low >> input.id_high >>
            input.day >> input.of;
        all.push_back(std::move(input));
    }
    return all;
}

DataFile data_file(const TablePtr& table, const Input& input) {
    DataFile file;
    file.path = table->metadata->location + "/data/" + input.name;
    file.record_count = input.rows;
    file.file_size_bytes = input.bytes;
    if (!table->metadata->spec().fields.empty())
        file.partition = {input.day == "-" ? Literal::null()
                                           : Literal::integer(std::stoll(input.day))};
    if (!input.of.empty()) {
        file.content = FileContent::position_deletes;
        const std::string path = table->metadata->location + "/data/" + input.of;
        file.lower_bounds = file.upper_bounds = {{kDeletePathFieldId, path}};
        file.referenced_data_file = path;
        return file;
    }
    const Type type = Type::of(TypeId::int64);
    file.value_counts = {{1, input.rows}};
    file.null_value_counts = {{1, 0}};
    file.lower_bounds = {{1, encode_bound(type, Literal::integer(input.id_low))}};
    file.upper_bounds = {{1, encode_bound(type, Literal::integer(input.id_high))}};
    return file;
}

void write_file(const std::string& path, const std::string& bytes) {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

TEST(ForeignReaders, Dump) {
    const char* directory = std::getenv("TARN_FOREIGN_DIR");
    if (directory == nullptr) GTEST_SKIP() << "TARN_FOREIGN_DIR is not set";
    CommitterOptions options;
    options.manifests_merge_count = 3;
    Lake lake(options);
    std::string states;
    for (const bool partitioned : {false, true}) {
        const std::string name = partitioned ? "parted" : "plain";
        std::vector<PartitionField> partition;
        if (partitioned) partition.push_back({3, 0, "", *parse_transform("identity")});
        const TablePtr table = lake.create(name, shop_columns(), partition);
        for (const auto& input : inputs(directory)) {
            TableChange change;
            change.table = lake.again(table);
            // Position deletes name their data file by its path in the table: the script writes one
            // set for each.
            if (!input.of.empty() && !input.name.starts_with(name)) continue;
            (input.of.empty() ? change.append : change.position_deletes)
                .push_back(data_file(table, input));
            if (!input.of.empty())
                change.deletes_from = {table->metadata->location + "/data/" + input.of};
            if (input.of.empty() && input.name.ends_with("2.parquet"))
                change.schema = {SchemaStep::rename(2, "title"),
                                 SchemaStep::add("extra", Type::of(TypeId::int32))};
            auto result = lake.commit(change);
            ASSERT_TRUE(result.ok()) << result.error().message;
            states += name + " " + result->tables[0]->metadata_location + "\n";
        }
    }
    for (const auto& [path, bytes] : lake.files.all())
        write_file(std::string(directory) + "/out/" + path.substr(5), bytes);
    write_file(std::string(directory) + "/out/states.txt", states);
}

}  // namespace
}  // namespace tarn::tables
