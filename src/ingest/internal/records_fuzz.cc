// The positions and records of sources: what decodes is written as what decodes to the same.
#include "base/assert.h"
#include "base/fuzz.h"
#include "ingest/internal/capture_position.h"
#include "ingest/internal/folder_state.h"
#include "ingest/internal/landing_files.h"
#include "ingest/internal/mqtt_batch.h"
#include "ingest/internal/postgres_position.h"
#include "ingest/internal/verdict_record.h"

namespace {

using namespace tarn::ingest;

FilePin a_pin() {
    FilePin pin;
    pin.encoding = Encoding::latin1;
    pin.columns = {"a", "b"};
    pin.formats = {{"a", "%d.%m.%Y"}};
    return pin;
}

}  // namespace

std::vector<std::string> tarn::fuzz_seeds() {
    CaptureTable table;
    table.lsn = 5;
    table.pause = CaptureTable::Pause::person;
    table.why = "dropped";
    table.columns = {{1, "a", 2, {"b"}, false}};
    FileRecord file;
    file.name = "a.csv";
    file.sha256 = std::string(64, 'a');
    file.rows = 7;
    Verdict verdict;
    verdict.tables = {{}};
    verdict.tables[0].keys = {{KeyDifference::What::extra, "id=5", true}};
    return {CapturePosition{"slot", "7", 9}.encode(),
            table.encode(),
            encode_file_record(file),
            encode_pin(a_pin()),
            LandingPosition{"load", 5, 6, 7}.encode(),
            MqttPosition{5, 6}.text(),
            PostgresPosition{"at", "2026-11-20 17:30:00+00", 60}.encode(),
            encode_verdict(verdict)};
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto bytes = tarn::fuzz_text(data, size);
    if (const auto read = CapturePosition::decode(bytes); read.ok())
        TARN_ASSERT(CapturePosition::decode(read->encode())->encode() == read->encode());
    if (const auto read = CaptureTable::decode(bytes))
        TARN_ASSERT(CaptureTable::decode(read->encode())->columns == read->columns);
    if (const auto read = decode_file_record(bytes); read.ok())
        TARN_ASSERT(decode_file_record(encode_file_record(*read))->name == read->name);
    if (const auto read = decode_pin(bytes); read.ok())
        TARN_ASSERT(*decode_pin(encode_pin(*read)) == *read);
    if (const auto read = LandingPosition::decode(bytes); read.ok())
        TARN_ASSERT(LandingPosition::decode(read->encode())->encode() == read->encode());
    if (const auto read = MqttPosition::parse(std::string(bytes)); read.ok())
        TARN_ASSERT(*MqttPosition::parse(read->text()) == *read);
    if (const auto read = PostgresPosition::decode(bytes); read.ok())
        TARN_ASSERT(*PostgresPosition::decode(read->encode()) == *read);
    if (const auto read = decode_verdict(bytes); read.ok())
        TARN_ASSERT(decode_verdict(encode_verdict(*read))->tables.size() == read->tables.size());
    return 0;
}
