// Where compaction put the rows of files that it wrote again: for those who know rows by their
// place (ingest's key index) and would have to read the new files otherwise. Kept in memory, the
// newest ones of each table; who misses one reads the files. Lane: any but a loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tables/scan.h"

namespace tarn::tables {

class Catalog;

/// Rows of `from`, file after file in their order without those that its delete files named, are
/// the rows of `to`, file after file.
struct Rewrite {
    std::vector<ScanTask> from;
    std::vector<DataFilePtr> to;
};
using RewritePtr = std::shared_ptr<const Rewrite>;

/// To be called once it is committed, while the table's turn is still held: whoever takes the next
/// one finds it.
void note_rewrite(Catalog& catalog, const std::string& table_uuid, Rewrite rewrite);
/// In the order of their commits; the last ones only.
std::vector<RewritePtr> rewrites_of(Catalog& catalog, const std::string& table_uuid);

}  // namespace tarn::tables
