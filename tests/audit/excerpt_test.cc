#include "audit/excerpt.h"

#include <gtest/gtest.h>

#include <string>

namespace shutdown_auditor::audit {
namespace {

TEST(Excerpt, ShowsTheProgramAndItsTimeOnly) {
  const struct {
    const char* text;
    const char* shown;
  } kRows[] = {
      {"", R"_("")_"},
      {"   ", R"_("")_"},
      {"sleep 10", R"_("sleep 10")_"},
      {"/bin/sleep 1.5m", R"_("/bin/sleep 1.5m")_"},
      {"sleep infinity", R"_("sleep infinity")_"},
      {"sleep $DELAY", R"_("sleep $DELAY")_"},
      {"sleep ${DELAY:-hunter2}", R"_("sleep …")_"},
      {"sh -c sleep 10", R"_("sh -c sleep 10")_"},
      {"/bin/bash -ec sleep 5 && curl -u me:hunter2 x", R"_("/bin/bash -ec sleep 5 …")_"},
      {"sh -c sleep 5; nginx -s quit", R"_("sh -c sleep 5; …")_"},
      {"`cat hunter2`", R"_("`cat…`")_"},
      {"kill -TERM 1", R"_("kill -TERM 1")_"},
      {"kill -SIGQUIT $PID", R"_("kill -SIGQUIT $PID")_"},
      {"nginx -s quit", R"_("nginx -s quit")_"},
      {"nginx -g daemon-off", R"_("nginx -g …")_"},
      {"curl -H 'Authorization: Bearer hunter2' http://x", R"_("curl …")_"},
      {"mysql -phunter2", R"_("mysql …")_"},
      {"PGPASSWORD=hunter2 psql", R"_("PGPASSWORD…")_"},
      {"requests.post('http://x', auth=('me', 'hunter2'))", R"_("requests.post…")_"},
      {"https://me:hunter2@example.com/", R"_("https…")_"},
      {"$(X)", R"_("$(X)")_"},
      {"$(curl -H hunter2 x)", R"_("$(curl…)")_"},
      {"$((hunter2 + 1))", R"_("$((…))")_"},
      {"${NAME}", R"_("${NAME}")_"},
      {"${NAME:-hunter2}", R"_("${NAME…}")_"},
      {"$NAME", R"_("$NAME")_"},
      {"a1b2c3d4e5f6a7b8c9d0e1f2", R"_("…")_"},
      {"/opt/application/shutdown.sh", R"_("/opt/application/shutdown.sh")_"},
      {"'hunter2'", R"_("…")_"},
      {"[ -f x ]", R"_("[ …")_"},
      {": 5", R"_(": …")_"},
      {"sleep -phunter2", R"_("sleep …")_"},
      {"\x1b[31m", R"_("…")_"},
  };
  for (const auto& row : kRows) EXPECT_EQ(excerpt(row.text), row.shown) << row.text;
  EXPECT_EQ(excerpt("sleep 10", 5), "\"sleep…\"");
  EXPECT_LT(excerpt(std::string(1'000'000, 'a')).size(), 100U);
  EXPECT_LT(excerpt(std::string(1'000'000, ' ')).size(), 100U);
}

TEST(Excerpt, Operands) {
  const struct {
    const char* text;
    const char* literal;
    const char* env;
  } kRows[] = {
      {"15", R"_("15")_", R"_("15")_"},
      {"1.5m", R"_("1.5m")_", R"_("1.5m")_"},
      {"-3", R"_("-3")_", R"_("-3")_"},
      {"500ms", R"_("500ms")_", R"_("500ms")_"},
      {"10 seconds", R"_("10 seconds")_", "(not a number, and not shown)"},
      {"soon", R"_("soon")_", "(not a number, and not shown)"},
      {"10hunter2", R"_("10hunter2")_", "(not a number, and not shown)"},
      {"hunter2=x", R"_("hunter2…")_", "(not a number, and not shown)"},
      {"", R"_("")_", "(not a number, and not shown)"},
      {"123456789012345", R"_("123456789012345")_", "(not a number, and not shown)"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(operand_excerpt(row.text), row.literal) << row.text;
    EXPECT_EQ(env_excerpt(row.text), row.env) << row.text;
  }
}

TEST(Excerpt, Paths) {
  EXPECT_EQ(path_excerpt("/drain"), "\"/drain\"");
  EXPECT_EQ(path_excerpt("/drain?token=hunter2"), "\"/drain…\"");
  EXPECT_EQ(path_excerpt("/hooks/a1b2c3d4e5f6a7b8c9d0e1f2"), "\"…\"");
}

}  // namespace
}  // namespace shutdown_auditor::audit
