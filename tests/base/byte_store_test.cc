#include "base/byte_store.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace shutdown_auditor::base {
namespace {

TEST(ByteStore, BytesStayWhereTheyAre) {
  ByteStore store;
  std::vector<std::string_view> kept;
  for (std::size_t size : {0U, 1U, 1000U, 70000U, 5U, 65536U, 64U}) kept.push_back(store.keep(std::string(size, 'a')));
  ByteStore other;
  kept.push_back(other.keep("last"));
  store.append(std::move(other));
  ByteStore moved = std::move(store);
  std::size_t sizes = 0;
  for (const std::string_view bytes : kept) {
    sizes += bytes.size();
    EXPECT_TRUE(bytes == "last" || bytes == std::string(bytes.size(), 'a'));
  }
  EXPECT_EQ(sizes, 0U + 1 + 1000 + 70000 + 5 + 65536 + 64 + 4);
  moved.drop_before(kept[4]);
  EXPECT_EQ(kept[4], "aaaaa");
  EXPECT_EQ(kept.back(), "last");
  moved.drop_before(kept.back());
  EXPECT_EQ(kept.back(), "last");
}

}  // namespace
}  // namespace shutdown_auditor::base
