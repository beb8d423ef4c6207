#include <gmock/gmock.h>

#include <string>

#include "manifest/loaded.h"

// Input made to hurt: every case must end quickly, with an object or a problem.
namespace shutdown_auditor::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string repeated(std::string_view piece, std::size_t count) {
  std::string text;
  text.reserve(piece.size() * count);
  for (std::size_t i = 0; i < count; ++i) text += piece;
  return text;
}

const std::string kHead = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n";

TEST(HostileInputTest, Depth) {
  EXPECT_THAT(load_text(kHead + "data: " + repeated("[", 400) + repeated("]", 400)).problems, IsEmpty());
  for (const std::string& text : {
           kHead + "data: " + repeated("[", 1'000'000),
           kHead + "data: " + repeated("{a: ", 300'000),
           kHead + "data:\n " + repeated("- ", 100'000),
           repeated("{\"a\":", 200'000),
           repeated("[", 1'000'000),
           kHead + "data: " + repeated("? ", 50'000),
       }) {
    EXPECT_THAT(load_text(text).problems, SizeIs(1)) << text.substr(60, 20);
  }
}

TEST(HostileInputTest, AliasBombs) {
  std::string lists = kHead + "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  std::string merges = kHead + "m0: &m0 {k: v}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string n = std::to_string(i);
    const std::string before = std::to_string(i - 1);
    lists += "a" + n + ": &a" + n + " [" + repeated("*a" + before + ", ", 10) + "]\n";
    merges += "m" + n + ": &m" + n + " {" + "x" + n + ": *m" + before + ", <<: [" + repeated("*m" + before + ", ", 10) + "]}\n";
  }
  EXPECT_THAT(load_text(lists).problems, ElementsAre(HasSubstr("expand to more than 100000 values")));
  EXPECT_THAT(load_text(merges).problems, ElementsAre(HasSubstr("expand to more than 100000 values")));
}

TEST(HostileInputTest, LongScalarsAndKeys) {
  const std::string megabyte(1 << 20, 'x');
  EXPECT_THAT(load_text(kHead + "data: {a: \"" + megabyte + "\"}\n").problems, IsEmpty());
  EXPECT_THAT(load_text(kHead + "data:\n  a: |\n" + repeated("    line of text\n", 60'000)).problems, IsEmpty());
  EXPECT_THAT(load_text(kHead + megabyte + ": 1\n").problems, SizeIs(1));
  const Loaded name = load_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + megabyte + "}\n");
  ASSERT_THAT(name.objects, SizeIs(1));
  EXPECT_EQ(meta_of(name.objects[0]).name.size(), megabyte.size());
  const Loaded bad = load_text("apiVersion: v1\nkind: Pod\nmetadata: {generation: " + megabyte + "}\n");
  ASSERT_THAT(bad.problems, SizeIs(1));
  EXPECT_LT(bad.problems[0].size(), 300U);
}

TEST(HostileInputTest, HugeNumbers) {
  for (const char* number : {"9223372036854775808", "-9223372036854775809", "99999999999999999999999999", "1e400", ".inf", "-.inf",
                             ".nan", "0xffffffffffffffffff", "1.5", "1_0.1"}) {
    const Loaded loaded = load_text(std::string("apiVersion: v1\nkind: Pod\nspec: {terminationGracePeriodSeconds: ") + number + "}\n");
    ASSERT_THAT(loaded.problems, SizeIs(1)) << number;
    EXPECT_THAT(loaded.problems[0], HasSubstr("spec.terminationGracePeriodSeconds: expected an integer, got")) << number;
  }
  for (const char* number : {"9223372036854775807", "-5", "0", "0x7fffffffffffffff"}) {
    const Loaded loaded = load_text(std::string("apiVersion: v1\nkind: Pod\nspec: {terminationGracePeriodSeconds: ") + number + "}\n");
    EXPECT_THAT(loaded.problems, IsEmpty()) << number;
    EXPECT_THAT(loaded.objects, SizeIs(1)) << number;
  }
}

TEST(HostileInputTest, ManyKeysAndManyDocuments) {
  std::string keys = kHead + "data:\n";
  for (int i = 0; i < 50'000; ++i) keys += "  k" + std::to_string(i) + ": v\n";
  EXPECT_THAT(load_text(keys).problems, IsEmpty());
  EXPECT_THAT(load_text(keys + "  k7: again\n").problems, ElementsAre(HasSubstr("key \"k7\" is already set at line 12")));
  EXPECT_THAT(load_text(repeated("---\n" + kHead, 5'000)).objects, SizeIs(5'000));
  EXPECT_THAT(load_text(repeated("---\n", 200'000)).problems, IsEmpty());
  EXPECT_THAT(load_text(repeated("---\n[\n", 5'000)).problems, SizeIs(5'000));
}

TEST(HostileInputTest, EveryPrefixOfAManifestEnds) {
  const std::string text =
      "apiVersion: apps/v1\r\nkind: Deployment\nmetadata: {name: \"w\\u00e9b\", labels: &l {a: 'b'}}\nspec:\n  selector: {matchLabels: *l}\n"
      "  template:\n    spec:\n      containers:\n      - name: app\n        command: [\"sh\", -c, 'sleep 5']\n        args:\n        - |\n"
      "          é 😀\n---\n{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"s\",\"labels\":{\"x\":\"\\ud83d\\ude00\"}}}\n";
  ASSERT_THAT(load_text(text).objects, SizeIs(2));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const Loaded loaded = load_text(std::string_view(text).substr(0, size));
    EXPECT_LE(loaded.objects.size() + loaded.problems.size(), 3U) << size;
  }
}

}  // namespace
}  // namespace shutdown_auditor::manifest
