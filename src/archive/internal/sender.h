// Bytes on their way to a destination: cut into pieces, named by their content, sent once.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "archive/destination.h"
#include "archive/internal/manifest.h"
#include "archive/progress.h"

namespace tarn::archive {

/// One thread at a time.
class Sender {
 public:
    /// With `look_first` a piece that is there with its length is not sent again. `may_go_on` is
    /// asked before each piece.
    Sender(Destination& destination, std::string history, bool look_first, Progress& progress,
           std::function<Status()> may_go_on);

    /// A piece of its own: what comes again with the same bytes is known again.
    Result<PieceId> send(std::string_view piece);
    /// Gathers small things into one piece. `out` gets the range at once and its piece at the next
    /// flush(), until which it must stay where it is and only grow.
    Status pack(std::vector<Range>& out, const Range& where, std::string_view bytes);
    Status flush();

    uint64_t sent_bytes() const { return sent_bytes_; }

 private:
    struct Open {
        std::vector<Range>* out;
        size_t index;
    };

    Destination& destination_;
    const std::string history_;
    const bool look_first_;
    Progress& progress_;
    const std::function<Status()> may_go_on_;
    std::string packed_;
    std::vector<Open> open_;
    uint64_t sent_bytes_ = 0;
};

}  // namespace tarn::archive
