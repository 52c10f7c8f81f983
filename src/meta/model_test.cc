// The store against a std::map, over seeded random batches, with reopens, crashes and reclaim in
// between.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <semaphore>

#include "base/bytes.h"
#include "meta/internal/test_store.h"
#include "meta/keys.h"
#include "meta/store.h"

namespace tarn::meta {
namespace {

struct ModelRecord {
    std::string value;
    std::optional<std::string> body;
    Version version = 0;
};

class Model {
 public:
    explicit Model(uint64_t seed) : random_(seed) {}

    void step(TestStore& store) {
        auto [batch, expected] = next(store->last_version());
        expected.compare(store->commit(std::move(batch)));
    }

    /// So many batches at once: some are decided while the ones before them are on their way.
    void burst(TestStore& store, size_t count) {
        std::vector<Expected> expected;
        std::vector<std::optional<Result<Commit>>> results(count);
        std::counting_semaphore<> answered(0);
        Version version = store->last_version();
        for (size_t i = 0; i < count; ++i) {
            auto [batch, then] = next(version);
            if (then.holds) ++version;
            expected.push_back(std::move(then));
            store->commit(std::move(batch), [&answered, &result = results[i]](auto committed) {
                result = std::move(committed);
                answered.release();
            });
        }
        for (size_t i = 0; i < count; ++i) answered.acquire();
        for (size_t i = 0; i < count; ++i) expected[i].compare(*results[i]);
    }

    void check(TestStore& store) const {
        auto it = store->scan({});
        for (const auto& [key, expected] : records_) {
            ASSERT_TRUE(it->valid());
            ASSERT_EQ(it->key(), key);
            const auto record = it->record();
            ASSERT_TRUE(record.ok()) << record.error().message;
            ASSERT_EQ(record->value, expected.value);
            ASSERT_EQ(record->version, expected.version);
            ASSERT_EQ(record->body != nullptr, expected.body.has_value());
            ASSERT_EQ(TestStore::body(*record), expected.body.value_or("(none)"));
            it->next();
        }
        ASSERT_FALSE(it->valid());
    }

 private:
    using Records = std::map<std::string, ModelRecord>;

    struct Expected {
        bool holds = true;
        Version version = 0;
        std::vector<uint64_t> offsets;

        void compare(const Result<Commit>& committed) const {
            ASSERT_EQ(committed.ok(), holds);
            if (!holds) return;
            ASSERT_EQ(committed->version, version);
            ASSERT_EQ(committed->offsets, offsets);
        }
    };

    /// A batch, and what becomes of it after the change `last`.
    std::pair<Batch, Expected> next(Version last) {
        Batch batch;
        Expected expected;
        expected.version = last + 1;
        auto records = records_;
        for (auto left = random_.below(3); left > 0; --left)
            expected.holds = add_condition(batch) && expected.holds;
        for (auto left = 1 + random_.below(5); left > 0; --left)
            add_operation(batch, records, expected.offsets, expected.version);
        if (expected.holds) records_ = std::move(records);
        return {std::move(batch), std::move(expected)};
    }

    std::string some_key() { return Key("m").number(random_.below(60)); }
    std::pair<std::string, std::string> some_range() {
        const auto from = random_.below(60);
        return {Key("m").number(from), Key("m").number(from + random_.below(8))};
    }

    bool add_condition(Batch& batch) {
        const Error otherwise(Code::conflict, "no");
        const auto key = some_key();
        const auto found = records_.find(key);
        const bool present = found != records_.end();
        switch (random_.below(5)) {
            case 0:
                batch.require_absent(key, otherwise);
                return !present;
            case 1:
                batch.require_present(key, otherwise);
                return present;
            case 2: {
                const Version version = random_.one_in(2) && present ? found->second.version : 0;
                batch.require_version(key, version, otherwise);
                return version == (present ? found->second.version : 0);
            }
            case 3: {
                const bool right = random_.one_in(2);
                const auto expected = present ? std::optional(found->second.value) : std::nullopt;
                batch.require_value(key, right ? expected : std::optional<std::string>("wrong"),
                                    otherwise);
                return right;
            }
            default: {
                const auto [from, to] = some_range();
                batch.require_empty(from, to, otherwise);
                const auto first = records_.lower_bound(from);
                return first == records_.end() || first->first >= to;
            }
        }
    }

    void add_operation(Batch& batch, Records& next, std::vector<uint64_t>& offsets,
                       Version version) {
        const auto key = some_key();
        const auto value = random_.bytes(random_.below(20) + 9);
        const auto body = random_.bytes(random_.below(3000));
        switch (random_.below(8)) {
            case 0:
            case 1:
                batch.put(key, value);
                next[key] = {value, std::nullopt, version};
                break;
            case 2:
            case 3:
                batch.put(key, value, body);
                next[key] = {value, body, version};
                break;
            case 4:
                batch.put_keep_body(key, value);
                next[key] = {value, next[key].body, version};
                break;
            case 5:
                batch.erase(key);
                next.erase(key);
                break;
            case 6: {
                const auto [from, to] = some_range();
                batch.erase_range(from, to);
                next.erase(next.lower_bound(from), next.lower_bound(std::max(from, to)));
                break;
            }
            default:
                append(batch, next, offsets, version, value, body);
        }
    }

    void append(Batch& batch, Records& next, std::vector<uint64_t>& offsets, Version version,
                const std::string& value, const std::string& body) {
        const std::string sequence = random_.one_in(2) ? "p/" : "q/";
        const auto count = static_cast<uint32_t>(1 + random_.below(4));
        const auto add_to = [&](const std::string& key, int64_t delta) {
            auto& counter = next[key];
            const auto before = counter.value.empty() ? 0 : decode_counter(counter.value);
            counter = {{}, std::nullopt, version};
            append_le(counter.value, before + delta);
            return static_cast<uint64_t>(before);
        };
        const auto offset = add_to(next_offset_key(sequence), count);
        batch.append(sequence, count, value, body);
        next[sequence_key(sequence, offset)] = {
            value, body.empty() ? std::nullopt : std::optional(body), version};
        offsets.push_back(offset);
        batch.add("c/", -3);
        add_to("c/", -3);
    }

    Random random_;
    Records records_;
};

void run(uint64_t seed, int steps) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto options = TestStore::small();
    options.segment_bytes = 256 << 10;
    options.flush_log_bytes = 100 << 10;
    options.relocate_below_live = 0.6;
    TestStore store(options);
    Model model(seed);
    Random random(seed ^ 0x5eed);
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) {
        random.one_in(3) ? model.burst(store, 1 + random.below(40)) : model.step(store);
        if (random.one_in(200)) store.reopen();
        if (random.one_in(150)) store.crash();
        if (random.one_in(100)) {
            const auto reclaimed = store->reclaim();
            ASSERT_TRUE(reclaimed.ok()) << reclaimed.error().message;
        }
        if (random.one_in(50)) model.check(store);
    }
    model.check(store);
}

TEST(Model, RandomBatches) {
    // More of them: TARN_TEST_SEEDS=100 in the environment.
    const auto* seeds = std::getenv("TARN_TEST_SEEDS");
    const auto last = seeds ? std::strtoull(seeds, nullptr, 10) : 4;
    for (uint64_t seed = 1; seed <= last && !HasFatalFailure(); ++seed) run(seed, 500);
}

TEST(Model, AnOlderIndexIsBroughtUpToDateByReplay) {
    auto options = TestStore::small();
    TestStore store(options);
    Model model(11);
    Random random(12);
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 50; ++i) model.step(store);
        store.reopen();  // everything so far is in the index for good
        const auto older = store.copy_index();
        for (int i = 0; i < 200; ++i) model.step(store);
        if (random.one_in(2)) store.reopen();
        store.crash(older);
        model.check(store);
    }
}

TEST(Model, AnIndexWithoutItsLogIsRefused) {
    TestStore store;
    for (int i = 0; i < 10; ++i) store.put("a", std::to_string(i));
    store.close();
    std::filesystem::remove_all(store.directory() + "/wal");
    const auto opened = store.try_open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::corrupted);
}

TEST(Model, ALogWithoutItsIndexIsRebuiltOrRefused) {
    TestStore store;
    const auto body = Random(1).bytes(100'000);
    for (int i = 0; i < 50; ++i) store.put("k" + std::to_string(i % 10), std::to_string(i), body);
    store.close();
    std::filesystem::remove_all(store.directory() + "/index");
    store.open();  // nothing was removed yet: the whole log is there
    EXPECT_EQ(store.keys().size(), 10u);
    EXPECT_EQ(store.value("k3"), "43");
    ASSERT_GT(store->reclaim().value(), 0u);
    store.close();
    std::filesystem::remove_all(store.directory() + "/index");
    const auto opened = store.try_open();
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, Code::corrupted);
}

}  // namespace
}  // namespace tarn::meta
