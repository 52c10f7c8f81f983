#include "flows/internal/order.h"

#include <map>
#include <set>

namespace tarn::flows {

namespace {

class Sorter {
 public:
    Sorter(const std::vector<std::shared_ptr<Step>>& steps,
           const std::map<TableRef, size_t>& makers)
        : steps_(steps),
          makers_(makers),
          marks_(steps.size(), Mark::fresh),
          position_(steps.size()) {}

    Status visit(size_t at) {
        if (marks_[at] == Mark::done) return {};
        path_.push_back(at);
        if (marks_[at] == Mark::open) return cycle(at);
        marks_[at] = Mark::open;
        std::set<size_t> upstream;
        for (const auto& input : steps_[at]->inputs()) {
            const auto maker = makers_.find(input);
            if (maker == makers_.end()) continue;
            TARN_CHECK_OK(visit(maker->second));
            upstream.insert(position_[maker->second]);
        }
        marks_[at] = Mark::done;
        path_.pop_back();
        position_[at] = ordered.size();
        ordered.push_back({steps_[at], {upstream.begin(), upstream.end()}});
        return {};
    }

    std::vector<OrderedStep> ordered;

 private:
    enum class Mark : uint8_t { fresh, open, done };

    Status cycle(size_t at) {
        std::string text;
        bool inside = false;
        // The path goes from readers to what they read.
        for (const size_t each : path_) {
            inside = inside || each == at;
            if (inside) text += (text.empty() ? "" : " reads ") + steps_[each]->name();
        }
        return Error{Code::invalid_argument, "steps read each other in a circle: " + text, "cycle"};
    }

    const std::vector<std::shared_ptr<Step>>& steps_;
    const std::map<TableRef, size_t>& makers_;
    std::vector<Mark> marks_;
    std::vector<size_t> position_;
    std::vector<size_t> path_;
};

}  // namespace

Result<std::vector<OrderedStep>> order_steps(const std::vector<std::shared_ptr<Step>>& steps) {
    std::map<TableRef, size_t> makers;
    std::set<std::string> names;
    for (size_t i = 0; i < steps.size(); ++i) {
        if (!names.insert(steps[i]->name()).second)
            return Error{Code::invalid_argument, "there are two steps named " + steps[i]->name(),
                         "name_twice"};
        const auto output = steps[i]->output();
        if (!output) continue;
        const auto [maker, fresh] = makers.emplace(*output, i);
        if (!fresh)
            return Error{Code::invalid_argument,
                         steps[maker->second]->name() + " and " + steps[i]->name() +
                             " both make the table " + output->full_name(),
                         "output_twice"};
    }
    Sorter sorter(steps, makers);
    for (size_t i = 0; i < steps.size(); ++i) TARN_CHECK_OK(sorter.visit(i));
    return std::move(sorter.ordered);
}

}  // namespace tarn::flows
