// The queues of table_turns.h. Owned by the catalog's cache, which all who share a catalog share.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "tables/table_turns.h"

namespace tarn::tables {

class TurnMap {
 public:
    std::shared_ptr<TableTurn::Queue> queue_of(const std::string& uuid);

 private:
    static constexpr size_t kQueuesMax = 1000;  // then those that nobody waits in go
    Mutex mutex_;
    std::map<std::string, std::shared_ptr<TableTurn::Queue>> queues_ TARN_GUARDED_BY(mutex_);
};

}  // namespace tarn::tables
