#include "security/aws_chunked.h"

#include <algorithm>
#include <charconv>

#include "base/assert.h"
#include "base/bytes.h"
#include "codec/text.h"
#include "security/internal/canonical.h"

namespace tarn::security {
namespace {

constexpr size_t kLineBytesMax = 8192;
constexpr size_t kTrailersMax = 16;
constexpr std::string_view kChunkSignature = ";chunk-signature=";
constexpr std::string_view kTrailerSignature = "x-amz-trailer-signature";

bool is_signed_kind(PayloadKind kind) {
    return kind != PayloadKind::chunks_unsigned_trailer;
}

bool has_trailer(PayloadKind kind) {
    return kind != PayloadKind::chunks_signed;
}

std::string chunk_signature(const ChunkSigning& signing, std::string_view previous,
                            std::string_view chunk_hash_hex) {
    std::string text("AWS4-HMAC-SHA256-PAYLOAD\n");
    text.append(signing.timestamp).append("\n").append(signing.scope.str()).append("\n");
    text.append(previous).append("\n").append(kEmptySha256).append("\n").append(chunk_hash_hex);
    return signature_of(signing.key, text);
}

std::string trailer_signature(const ChunkSigning& signing, std::string_view previous,
                              std::string_view trailer_text) {
    std::string text("AWS4-HMAC-SHA256-TRAILER\n");
    text.append(signing.timestamp).append("\n").append(signing.scope.str()).append("\n");
    text.append(previous).append("\n");
    text.append(codec::hex_encode(codec::sha256(trailer_text)));
    return signature_of(signing.key, text);
}

Error wrong_signature(const char* of_what) {
    return Error(Code::unauthenticated,
                 std::string("The signature of a ") + of_what +
                     " does not match. Check your key and signing method.",
                 "SignatureDoesNotMatch");
}
Error bad_chunk(const char* what) {
    return Error(Code::invalid_argument, what, "InvalidChunk");
}
Error bad_trailer(const std::string& what) {
    return Error(Code::invalid_argument, what, "MalformedTrailerError");
}

}  // namespace

AwsChunkedDecoder::AwsChunkedDecoder(AwsChunkedOptions options) : options_(std::move(options)) {
    TARN_ASSERT(options_.kind != PayloadKind::hash &&
                options_.kind != PayloadKind::unsigned_payload);
    previous_signature_ = options_.signing.seed_signature;
}

Status AwsChunkedDecoder::push(std::string_view bytes, std::vector<std::string_view>& pieces) {
    while (!bytes.empty() && state_ != State::failed) {
        Status stepped = step(bytes, pieces);
        if (stepped.ok()) continue;
        failure_ = std::move(stepped).error();
        state_ = State::failed;
    }
    return state_ == State::failed ? Status(failure_) : ok_status();
}

Status AwsChunkedDecoder::finish() const {
    if (state_ == State::failed) return failure_;
    if (state_ == State::done) return ok_status();
    return Error(Code::invalid_argument, "The request body ended before its last chunk",
                 "IncompleteBody");
}

Status AwsChunkedDecoder::step(std::string_view& bytes, std::vector<std::string_view>& pieces) {
    if (state_ == State::done) {
        return Error(Code::invalid_argument, "The request body goes on after its last chunk",
                     "InvalidRequest");
    }
    if (state_ == State::data) {
        const std::string_view piece =
            bytes.substr(0, static_cast<size_t>(std::min<uint64_t>(chunk_left_, bytes.size())));
        if (is_signed_kind(options_.kind)) chunk_hash_.update(piece);
        pieces.push_back(piece);
        bytes.remove_prefix(piece.size());
        chunk_left_ -= piece.size();
        decoded_ += piece.size();
        if (chunk_left_ == 0) state_ = State::data_end;
        return ok_status();
    }
    TARN_TRY(whole, take_line(bytes));
    if (!whole) return ok_status();
    const Status handled = state_ == State::size_line  ? on_size_line()
                           : state_ == State::data_end ? on_data_end()
                                                       : on_trailer_line();
    line_.clear();
    return handled;
}

// Collects up to CR LF. True when line_ holds a whole line, without them.
Result<bool> AwsChunkedDecoder::take_line(std::string_view& bytes) {
    const size_t feed = bytes.find('\n');
    const std::string_view part = bytes.substr(0, feed == bytes.npos ? bytes.npos : feed + 1);
    if (line_.size() + part.size() > kLineBytesMax)
        return bad_chunk("A line of the chunked body is too long");
    line_.append(part);
    bytes.remove_prefix(part.size());
    if (!line_.ends_with("\r\n")) return false;
    line_.resize(line_.size() - 2);
    return true;
}

Status AwsChunkedDecoder::on_size_line() {
    std::string_view line = line_;
    if (is_signed_kind(options_.kind)) {
        const size_t at = line.find(kChunkSignature);
        if (at == line.npos) return bad_chunk("A chunk has no chunk-signature");
        signature_ = line.substr(at + kChunkSignature.size());
        line = line.substr(0, at);
    }
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (error != std::errc() || end != line.data() + line.size())
        return bad_chunk("A chunk's size is not a hexadecimal number");
    if (size > options_.decoded_bytes - decoded_) {
        return Error(Code::invalid_argument,
                     "The request body holds more than x-amz-decoded-content-length says",
                     "IncompleteBody");
    }
    chunk_left_ = size;
    if (size > 0) {
        state_ = State::data;
        return ok_status();
    }
    if (decoded_ != options_.decoded_bytes) {
        return Error(Code::invalid_argument,
                     "The request body holds less than x-amz-decoded-content-length says",
                     "IncompleteBody");
    }
    TARN_CHECK_OK(check_chunk_signature());
    state_ = State::trailer_line;
    return ok_status();
}

Status AwsChunkedDecoder::on_data_end() {
    if (!line_.empty()) return bad_chunk("A chunk's data does not end where its size says");
    TARN_CHECK_OK(check_chunk_signature());
    state_ = State::size_line;
    return ok_status();
}

Status AwsChunkedDecoder::check_chunk_signature() {
    if (!is_signed_kind(options_.kind)) return ok_status();
    const std::string expected = chunk_signature(options_.signing, previous_signature_,
                                                 codec::hex_encode(chunk_hash_.finish()));
    if (!equal_constant_time(expected, signature_)) return wrong_signature("chunk");
    previous_signature_ = expected;
    return ok_status();
}

Status AwsChunkedDecoder::on_trailer_line() {
    if (line_.empty()) return on_trailer_end();
    if (!has_trailer(options_.kind)) return bad_trailer("The body has a trailer that it may not");
    std::string_view line = line_;
    // Some clients end the value with the line feed that is part of what they sign.
    if (line.ends_with('\n')) line.remove_suffix(1);
    const size_t colon = line.find(':');
    if (colon == line.npos || colon == 0) return bad_trailer("A trailer has no name");
    const std::string name = lower_ascii(trim(line.substr(0, colon)));
    const std::string value(trim(line.substr(colon + 1)));
    if (!trailer_signature_.empty()) return bad_trailer("A trailer follows the trailer signature");
    if (name == kTrailerSignature) {
        trailer_signature_ = value.empty() ? "-" : value;
        return ok_status();
    }
    const auto& expected = options_.trailer_names;
    if (std::find(expected.begin(), expected.end(), name) == expected.end())
        return bad_trailer("The trailer " + name + " is not listed in x-amz-trailer");
    const auto same = [&](const auto& trailer) { return trailer.first == name; };
    if (std::any_of(trailers_.begin(), trailers_.end(), same) || trailers_.size() == kTrailersMax)
        return bad_trailer("The trailer " + name + " is given twice");
    trailer_text_.append(name).append(":").append(value).append("\n");
    trailers_.emplace_back(name, value);
    return ok_status();
}

Status AwsChunkedDecoder::on_trailer_end() {
    if (has_trailer(options_.kind) && trailers_.size() != options_.trailer_names.size())
        return bad_trailer("A trailer that x-amz-trailer lists is missing");
    if (options_.kind == PayloadKind::chunks_signed_trailer) {
        const std::string expected =
            trailer_signature(options_.signing, previous_signature_, trailer_text_);
        if (!equal_constant_time(expected, trailer_signature_)) return wrong_signature("trailer");
    }
    state_ = State::done;
    return ok_status();
}

AwsChunkedEncoder::AwsChunkedEncoder(PayloadKind kind, ChunkSigning signing)
    : kind_(kind), signing_(std::move(signing)), previous_signature_(signing_.seed_signature) {}

std::string AwsChunkedEncoder::size_line(std::string_view data) {
    char digits[16];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, data.size(), 16);
    TARN_ASSERT(error == std::errc());
    std::string line(digits, end);
    if (is_signed_kind(kind_)) {
        previous_signature_ =
            chunk_signature(signing_, previous_signature_, codec::hex_encode(codec::sha256(data)));
        line.append(kChunkSignature).append(previous_signature_);
    }
    return line.append("\r\n");
}

std::string AwsChunkedEncoder::chunk(std::string_view data) {
    TARN_ASSERT(!data.empty());
    return size_line(data).append(data).append("\r\n");
}

std::string AwsChunkedEncoder::finish(const Headers& trailers) {
    std::string bytes = size_line({});
    std::string signed_text;
    for (const auto& [name, value] : trailers) {
        signed_text.append(name).append(":").append(value).append("\n");
        bytes.append(name).append(":").append(value).append("\r\n");
    }
    if (kind_ == PayloadKind::chunks_signed_trailer) {
        bytes.append(kTrailerSignature)
            .append(":")
            .append(trailer_signature(signing_, previous_signature_, signed_text))
            .append("\r\n");
    }
    return bytes.append("\r\n");
}

}  // namespace tarn::security
