// Content-Encoding aws-chunked: a body in chunks, each perhaps signed, with perhaps a trailer.
// Decoder and encoder are state machines on bytes, without I/O and with bounded memory.
// Specification: S3 API Reference "Signature calculations for the Authorization header:
// transferring payload in multiple chunks" and "... including trailing headers".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/hash.h"
#include "security/sigv4.h"

namespace tarn::security {

struct AwsChunkedOptions {
    PayloadKind kind = PayloadKind::chunks_signed;  // one of the three chunks_*
    ChunkSigning signing;                           // not used by chunks_unsigned_trailer
    uint64_t decoded_bytes = 0;                     // x-amz-decoded-content-length
    std::vector<std::string> trailer_names;         // of the header x-amz-trailer, lower case
};

/// Owner: one request. Lane: any, one at a time. Bytes are handed out as they come, before their
/// chunk's signature was seen: nothing may be made visible before done().
class AwsChunkedDecoder {
 public:
    explicit AwsChunkedDecoder(AwsChunkedOptions options);

    /// Appends the payload that `bytes` holds to `pieces` as views into `bytes`. After an error
    /// every push fails alike. Errors (reason): unauthenticated SignatureDoesNotMatch;
    /// invalid_argument IncompleteBody (more than decoded_bytes), InvalidChunk,
    /// MalformedTrailerError, InvalidRequest (bytes after the end).
    Status push(std::string_view bytes, std::vector<std::string_view>& pieces);
    /// The body's bytes have ended: invalid_argument IncompleteBody unless done().
    Status finish() const;
    /// All chunks and the trailer came and every signature was right.
    bool done() const { return state_ == State::done; }

    /// Names in lower case, without x-amz-trailer-signature. Only complete when done().
    const Headers& trailers() const { return trailers_; }
    uint64_t decoded_so_far() const { return decoded_; }

 private:
    enum class State { size_line, data, data_end, trailer_line, done, failed };

    Status step(std::string_view& bytes, std::vector<std::string_view>& pieces);
    Result<bool> take_line(std::string_view& bytes);
    Status on_size_line();
    Status on_data_end();
    Status on_trailer_line();
    Status on_trailer_end();
    Status check_chunk_signature();

    AwsChunkedOptions options_;
    State state_ = State::size_line;
    Error failure_;
    std::string line_;       // the line under way, bounded
    std::string signature_;  // of the chunk under way
    std::string previous_signature_;
    std::string trailer_text_;  // as it is signed
    std::string trailer_signature_;
    Headers trailers_;
    uint64_t chunk_left_ = 0;
    uint64_t decoded_ = 0;
    bool last_chunk_ = false;
    codec::Hasher chunk_hash_{codec::HashKind::sha256};
};

/// The client's side: chunks in order, then finish() once.
class AwsChunkedEncoder {
 public:
    AwsChunkedEncoder(PayloadKind kind, ChunkSigning signing);
    /// Precondition: data is not empty.
    std::string chunk(std::string_view data);
    std::string finish(const Headers& trailers);

 private:
    std::string size_line(std::string_view data);

    PayloadKind kind_;
    ChunkSigning signing_;
    std::string previous_signature_;
};

}  // namespace tarn::security
