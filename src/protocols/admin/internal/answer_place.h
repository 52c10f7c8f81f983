// Long answers whose reader may be slow hold a thread of the lane of all SQL, which has 16: so each kind has a few places at once.
#pragma once

#include <atomic>

namespace tarn::admin {

/// One of at most `most` places counted in `taken`, for as long as it lives; or none.
class AnswerPlace {
 public:
    AnswerPlace(std::atomic<int>& taken, int most) : taken_(taken), got_(taken.fetch_add(1) < most) {}
    ~AnswerPlace() { taken_.fetch_sub(1); }
    AnswerPlace(const AnswerPlace&) = delete;
    AnswerPlace& operator=(const AnswerPlace&) = delete;
    bool got() const { return got_; }

 private:
    std::atomic<int>& taken_;
    const bool got_;
};

}  // namespace tarn::admin
