// Files into tables of a real lake in a folder: object store, catalog, committer, engine.
#include "ingest/internal/folder_load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/random.h"
#include "codec/hash.h"
#include "codec/text.h"
#include "ingest/internal/test_folder_lake.h"
#include "io/faulty_disk.h"

namespace tarn::ingest {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FolderLoad : public ::testing::Test {
 protected:
    FolderLoad() : folder_(fs::temp_directory_path() / ("folder-" + random_hex(6))) {
        fs::create_directories(folder_ / "drop");
        spec_.name = "weather";
        from_.path = folder_ / "drop";
        from_.settle = std::chrono::milliseconds(0);
        lake_ = std::make_unique<TestLake>(folder_, &extents_);
    }
    ~FolderLoad() override {
        lake_.reset();
        fs::remove_all(folder_);
    }

    void drop(const std::string& name, const std::string& bytes) {
        std::ofstream(folder_ / "drop" / name, std::ios::binary) << bytes;
    }
    Result<FileRecord> try_load(const std::string& name) {
        spec_.from = from_;
        FileLoader loader(spec_, lake_->parts, stop_);
        const auto folder = must(parse_drop_path(from_.path));
        for (const auto& seen : must(list_drop_folder(folder)))
            if (seen.name == name) return loader.load(folder, seen);
        return Error(Code::not_found, "no such file is listed");
    }
    /// "loaded 3+1", "refused: why".
    std::string load(const std::string& name) {
        const auto record = must(try_load(name));
        if (record.status == FileRecord::Status::loaded)
            return "loaded " + std::to_string(record.rows) + "+" + std::to_string(record.rejected);
        return (record.status == FileRecord::Status::duplicate ? "duplicate of " : "refused: ") +
               record.reason;
    }
    std::string ask(const std::string& sql) { return lake_->ask(sql); }
    std::string types() {
        return ask(
            "select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position) "
            "from information_schema.columns where table_name = 'weather'");
    }

    const fs::path folder_;
    io::FaultyDisk extents_;
    std::unique_ptr<TestLake> lake_;
    SourceSpec spec_;
    FolderSource from_;
    StopFlag stop_;
};

TEST_F(FolderLoad, FirstFileDecidesTheOthersObey) {
    drop(
        "a.csv",
        "day;region;estaci\xf3n;temp_c\n2026-09-22;andes;P\xe1ramo;16,6\n2026-09-22;coast;;29,1\n");
    EXPECT_EQ(load("a.csv"), "loaded 2+0");
    EXPECT_EQ(types(), "day date, region text, estacion text, temp_c numeric");
    EXPECT_EQ(ask("select * from weather order by region"),
              "2026-09-22,andes,Páramo,16.60;2026-09-22,coast,NULL,29.10");
    // Another order, a column less, bad lines; ',' would be guessed for the delimiter here.
    drop("b.csv",
         "temp_c;day;region\n20,5;2026-09-23;andes\nsin "
         "dato;2026-09-23;coast\n1,5;x\n20,555;2026-09-24;andes\n");
    EXPECT_EQ(load("b.csv"), "loaded 1+3");
    EXPECT_EQ(ask("select day, temp_c, estacion from weather where day = '2026-09-23'"),
              "2026-09-23,20.50,NULL");
    EXPECT_EQ(ask("select line, text, place, source from weather_rejected order by line"),
              "3,sin "
              "dato;2026-09-23;coast,b.csv,weather;4,1,5;x,b.csv,weather;5,20,555;2026-09-24;andes,"
              "b.csv,weather");
    EXPECT_THAT(
        ask("select reason from weather_rejected order by line"),
        HasSubstr(
            "column temp_c: \"sin dato\" is no numeric(18,2);2 fields, the table's rows have 3;"));
}

TEST_F(FolderLoad, SameBytesOnce) {
    drop("a.csv", "a,b\n1,2\n");
    drop("copy.csv", "a,b\n1,2\n");
    EXPECT_EQ(load("a.csv"), "loaded 1+0");
    EXPECT_EQ(load("copy.csv"), "duplicate of a.csv");
    lake_.reset();
    lake_ = std::make_unique<TestLake>(folder_, &extents_);
    EXPECT_EQ(load("a.csv"), "duplicate of a.csv");
    EXPECT_EQ(ask("select count(*) from weather"), "1");
    // A table that was made anew takes the files again.
    must(must(lake_->engine->connect(root()))->run("drop table weather"));
    EXPECT_EQ(load("a.csv"), "loaded 1+0");
}

TEST_F(FolderLoad, TheOriginalIsKept) {
    const std::string bytes = "a,b\n1,2\n" + std::string(100'000, '\n');
    drop("a.csv", bytes);
    const auto record = must(try_load("a.csv"));
    EXPECT_EQ(record.sha256, codec::hex_encode(codec::sha256(bytes)));
    EXPECT_THAT(record.object, ::testing::MatchesRegex("weather/20../../../" +
                                                       record.sha256.substr(0, 8) + "_a.csv"));
    const auto object = must(lake_->objects->open(kLandingBucket, record.object));
    EXPECT_EQ(must(object->read(0, 1 << 20)), bytes);
    EXPECT_EQ(load("a.csv"), "duplicate of a.csv");
}

TEST_F(FolderLoad, Gzip) {
    const std::string text = "a,b\n1,x\n2,y\n";
    gzFile out = gzopen((folder_ / "drop" / "a.csv.gz").c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    EXPECT_EQ(load("a.csv.gz"), "loaded 2+0");
    std::ifstream in(folder_ / "drop" / "a.csv.gz", std::ios::binary);
    std::string packed((std::istreambuf_iterator<char>(in)), {});
    drop("cut.csv.gz", packed.substr(0, packed.size() - 6));
    EXPECT_THAT(load("cut.csv.gz"), HasSubstr("refused: the gzip file ends too early"));
    packed[packed.size() - 6] ^= 1;
    drop("bad.csv.gz", packed);
    EXPECT_THAT(load("bad.csv.gz"), HasSubstr("refused: the gzip file is damaged"));
    EXPECT_EQ(ask("select count(*) from weather"), "2");
}

TEST_F(FolderLoad, NewColumns) {
    drop("a.csv", "a\n1\n");
    drop("b.csv", "a,c\n2,2026-01-01\n");
    drop("other.csv", "x,y\n2,3\n");
    EXPECT_EQ(load("a.csv"), "loaded 1+0");
    from_.new_columns = FolderSource::NewColumns::refuse;
    EXPECT_THAT(load("b.csv"), HasSubstr("refused: column c is new"));
    from_.new_columns = FolderSource::NewColumns::add;
    EXPECT_EQ(load("b.csv"), "loaded 1+0");
    EXPECT_EQ(ask("select * from weather order by a"), "1,NULL;2,2026-01-01");
    EXPECT_THAT(load("other.csv"), HasSubstr("refused: none of its columns"));
}

TEST_F(FolderLoad, RefusedFiles) {
    drop("empty.csv", "");
    drop("head.csv", "a,b\n");
    drop("bad.csv", "a,b\n1,2\n3\n");
    fs::create_symlink("/etc/passwd", folder_ / "drop" / "link.csv");
    EXPECT_EQ(load("empty.csv"), "refused: the file is empty");
    EXPECT_EQ(load("head.csv"), "refused: the file holds no rows");
    EXPECT_THAT(load("link.csv"), HasSubstr("refused: it is a symbolic link"));
    from_.bad_rows = FolderSource::BadRows::refuse_file;
    EXPECT_EQ(load("bad.csv"), "refused: line 3: 1 field, the table's rows have 2");
    EXPECT_THAT(ask("select * from weather"), HasSubstr("does not exist"));
    from_.bad_rows = FolderSource::BadRows::set_aside;
    EXPECT_EQ(load("bad.csv"), "loaded 1+1");
}

TEST_F(FolderLoad, LaterRowsReplaceByKey) {
    from_.key = {"day"};
    drop("a.csv", "day,n\n2026-01-01,1\n2026-01-02,2\n2026-01-01,3\n");
    drop("b.csv", "day,n\n2026-01-02,20\n2026-01-03,30\n");
    drop("c.csv", "n\n1\n");
    EXPECT_EQ(load("a.csv"), "loaded 3+0");
    EXPECT_EQ(load("b.csv"), "loaded 2+0");
    EXPECT_EQ(load("c.csv"), "refused: it has no column day, which belongs to the key");
    EXPECT_EQ(ask("select * from weather order by day"),
              "2026-01-01,3;2026-01-02,20;2026-01-03,30");
}

TEST_F(FolderLoad, LettersAfterAMegabyteOfAscii) {
    std::string text = "n,t\n";
    for (int i = 0; i < 200'000; ++i) text += std::to_string(i) + ",abc\n";
    drop("a.csv", text + "1,\xf1\n");
    EXPECT_EQ(load("a.csv"), "loaded 200001+0");
    EXPECT_EQ(ask("select count(*) from weather where t = 'ñ'"), "1");
    // It is pinned: the same bytes as UTF-8 are two letters.
    drop("b.csv", "n,t\n-1,\xc3\xb1\n");
    EXPECT_EQ(load("b.csv"), "loaded 1+0");
    EXPECT_EQ(ask("select t from weather where n = -1"), "Ã±");
}

/// Types are sure after eight megabytes; what comes behind them makes the same difference as if all
/// had been looked at.
TEST_F(FolderLoad, WhatComesLateDecidesToo) {
    const std::string blanks(60, 'x');
    std::string text = "n,price,day,at,zoned,flag,word\n";
    size_t rows = 0;
    for (; text.size() < kSampleBytes + 500'000; ++rows)
        text += fmt::format(
            "{},{}.{:02},2026-01-{:02},2026-01-02 03:04:05,2026-01-02 03:04:05Z,{},{}{}\n", rows,
            rows % 900, rows % 100, rows % 28 + 1, rows % 2 == 0 ? "true" : "false", blanks, rows);
    const std::string types_of_all =
        "n bigint, price numeric, day date, at timestamp without time zone, zoned timestamp with "
        "time zone, flag boolean, "
        "word text";
    struct Late {
        std::string line, loaded, column, type;
    };
    const std::string all = std::to_string(rows + 1) + "+0", but_one = std::to_string(rows) + "+1";
    const std::string rest = ",2026-01-02 03:04:05,2026-01-02 03:04:05Z,true,x\n";
    const Late lates[] = {
        {"7,1.50,2026-01-01" + rest, all, "", ""},
        {"7,,,,,,\n", all, "", ""},
        {"7,1.50\n", but_one, "", ""},  // broken, whatever the types
        {"007,1.50,2026-01-01" + rest, all, "n", "text"},
        {"A1,1.50,2026-01-01" + rest, but_one, "", ""},  // one of many
        {"7,1.505,2026-01-01" + rest, all, "", ""},      // decimal(18,4)
        {"7,1e3,2026-01-01" + rest, all, "price", "double precision"},
        {"7,01.50,2026-01-01" + rest, all, "price", "text"},
        {"7,1.50,2026-01-01,2026-01-02 03:04:05,2026-01-02 03:04:05,true,x\n", all, "", ""},
    };
    int number = 0;
    for (const auto& late : lates) {
        spec_.name = "weather";
        const std::string name = fmt::format("late{}.csv", number++);
        drop(name, text + late.line);
        EXPECT_EQ(load(name), "loaded " + late.loaded) << late.line;
        std::string expected = types_of_all;
        if (!late.column.empty()) {
            const size_t at = expected.find(late.column + " ") + late.column.size() + 1;
            expected.replace(at, expected.find(',', at) - at, late.type);
        }
        EXPECT_EQ(types(), expected) << late.line;
        if (late.line.starts_with("7,1.505"))
            EXPECT_EQ(ask("select max(price) from weather where n = 7"), "7.0700");
        if (late.line.starts_with("007"))
            EXPECT_EQ(ask("select count(*) from weather where n = '007'"), "1");
        ask("drop table weather");
        ask("drop table if exists weather_rejected");
    }
}

TEST_F(FolderLoad, JsonLines) {
    drop("a.jsonl",
         "{\"day\":\"2026-10-12\",\"name\":\"Día\",\"n\":1,\"x\":1.5,\"in\":{\"a\":[1,2]}}\n"
         "{\"n\":2,\"ok\":true}\n{broken\n[1]\n{\"n\":\"x\"}\n");
    EXPECT_EQ(load("a.jsonl"), "loaded 3+2");
    EXPECT_EQ(ask("select n from weather order by n"), "1;2;x");
}

TEST_F(FolderLoad, JsonTypesAndMembersThatCome) {
    drop("a.jsonl",
         "{\"day\":\"2026-10-12\",\"name\":\"Día\",\"n\":1,\"x\":1.5,\"in\":{\"a\":[1,2]}}\n"
         "{\"n\":2,\"ok\":true}\n\n{broken\n[1]\n");
    EXPECT_EQ(load("a.jsonl"), "loaded 2+2");
    EXPECT_EQ(ask("select * from weather order by n"),
              "2026-10-12,Día,1,1.50,{\"a\":[1,2]},NULL;NULL,NULL,2,NULL,NULL,t");
    EXPECT_EQ(ask("select line from weather_rejected order by line"), "4;5");
    drop("b.jsonl", "{\"n\":3}\n{\"n\":4,\"New One\":\"x\"}\n{\"n\":\"y\"}\n");
    EXPECT_EQ(load("b.jsonl"), "loaded 2+1");
    EXPECT_EQ(ask("select new_one from weather where n = 4"), "x");
}

TEST_F(FolderLoad, AFileThatChangesIsLeft) {
    drop("a.csv", "a\n1\n");
    auto seen = must(list_drop_folder(must(parse_drop_path(from_.path)))).at(0);
    drop("a.csv", "a\n1\n2\n");
    spec_.from = from_;
    FileLoader loader(spec_, lake_->parts, stop_);
    const auto loaded = loader.load(must(parse_drop_path(from_.path)), seen);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().reason, kFileChanged);
    EXPECT_EQ(load("a.csv"), "loaded 2+0");
}

TEST_F(FolderLoad, EveryFailureOfTheDiskLeavesAllOrNothing) {
    std::string text = "n,t\n";
    for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",some text of a row\n";
    text += "broken\n";
    drop("a.csv", text);
    bool loaded = false;
    for (uint64_t after = 0; !loaded && after < 200; ++after) {
        extents_.add_fault(
            {.call = io::FaultyDisk::Call::any, .after = after, .times = io::FaultyDisk::kForever});
        const auto record = try_load("a.csv");
        loaded = record.ok() && record->status == FileRecord::Status::loaded;
        extents_.clear_faults();
        lake_.reset();
        lake_ = std::make_unique<TestLake>(folder_, &extents_);
        const std::string rows = ask("select count(*) from weather");
        if (loaded)
            EXPECT_EQ(rows, "20000");
        else
            EXPECT_TRUE(rows == "0" || rows.find("does not exist") != std::string::npos)
                << after << ": " << rows;
    }
    EXPECT_TRUE(loaded);
    EXPECT_EQ(load("a.csv"), "duplicate of a.csv");
    EXPECT_EQ(ask("select count(*) from weather_rejected"), "1");
}

TEST_F(FolderLoad, TheRunnerWatches) {
    from_.settle = std::chrono::milliseconds(60);
    from_.path = folder_ / "drop" / "*.csv";
    spec_.from = from_;
    drop("a.csv", "a\n1\n");
    drop("b.csv.part", "a\n2\n");
    drop(".c.csv", "a\n3\n");
    drop("readme.txt", "hello\n");
    const auto runner = make_folder_runner(spec_, lake_->parts);
    runner->start();
    const auto wait = [&](const std::string& position) {
        for (int i = 0; i < 500; ++i) {
            const auto status = runner->status();
            if (!status.tables.empty() && status.tables[0].position == position) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
        ADD_FAILURE() << (runner->status().tables.empty() ? ""
                                                          : runner->status().tables[0].position);
        return false;
    };
    EXPECT_TRUE(wait("1 files loaded, 0 waiting, 0 refused; last a.csv"));
    fs::rename(folder_ / "drop" / "b.csv.part", folder_ / "drop" / "b.csv");
    EXPECT_TRUE(wait("2 files loaded, 0 waiting, 0 refused; last b.csv"));
    drop("copy.csv", "a\n2\n");
    drop("empty.csv", "");
    EXPECT_TRUE(wait("2 files loaded, 0 waiting, 1 refused; last b.csv"));
    EXPECT_EQ(runner->status().last_error, "empty.csv was refused: the file is empty");
    runner->stop();
    EXPECT_EQ(ask("select * from weather order by a"), "1;2");
}

TEST_F(FolderLoad, Preview) {
    drop("a.csv", "day;n\n25/12/2026;1,5\n26/12/2026;2,5\nx\n");
    spec_.from = from_;
    const auto preview = must(preview_folder(spec_, lake_->parts, 1));
    ASSERT_EQ(preview.tables.size(), 1u);
    EXPECT_EQ(preview.tables[0].rows.rows(), 1u);
    EXPECT_EQ(preview.tables[0].columns[0].type, query::Type(query::Kind::date));
    ASSERT_EQ(preview.tables[0].rejected.size(), 1u);
    EXPECT_EQ(preview.tables[0].rejected[0].line, 4u);
    EXPECT_EQ(preview.notes.at(1),
              "csv: {delimiter: \";\", decimal: \",\", date_format: \"%d/%m/%Y\"}");
    EXPECT_THAT(ask("select * from weather"), HasSubstr("does not exist"));
}

}  // namespace
}  // namespace tarn::ingest
