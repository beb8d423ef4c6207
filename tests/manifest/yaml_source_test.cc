#include "manifest/yaml_source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "objects/recording_handler.h"

namespace shutdown_auditor::manifest {
namespace {

using objects::RecordingHandler;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One line per document: its events, or "line:column: message", with " (template)" where it looks like one.
std::vector<std::string> read(std::string_view text, bool marks = false) {
  DocumentReader reader(text);
  std::vector<std::string> documents;
  while (std::optional<DocumentResult> document = reader.next()) {
    if (!*document) {
      const DocumentProblem& problem = document->error();
      documents.push_back(fmt::format("{}:{}: {}{}", problem.mark.line, problem.mark.column, problem.message,
                                      problem.template_ ? " (template)" : ""));
      continue;
    }
    RecordingHandler handler(marks);
    objects::Mark stopped;
    EXPECT_TRUE((*document)->replay(0, handler, stopped));
    std::string events;
    for (const std::string& event : handler.events()) events += (events.empty() ? "" : " ") + event;
    documents.push_back(events);
  }
  return documents;
}

TEST(DocumentReaderTest, ReadsYamlWithMarks) {
  EXPECT_THAT(read("a: 1\nb:\n  - x\n  - {c: d}\né: ü\n", true),
              ElementsAre("{ @1:1 key a @1:1 int 1 @1:4 key b @2:1 [ @3:3 str x @3:5 { @4:5 key c @4:6 str d @4:9 } ] "
                          "key é @5:1 str ü @5:4 }"));
}

TEST(DocumentReaderTest, ReadsScalarsAsKubernetesDoes) {
  EXPECT_THAT(read("[~, yes, 'yes', \"1\", 1, 010, 1.20, 1.2.3, 2026-01-02, !!str 5, !!int '5', !!binary aGk=]"),
              ElementsAre("[ null bool true (yes) str yes str 1 int 1 int 8 (010) num 1.20 str 1.2.3 str 2026-01-02 str 5 "
                          "int 5 str hi ]"));
  EXPECT_THAT(read("a: |\n  x\n  --- y\nb: >-\n  p\n  q\n"), ElementsAre("{ key a str x\n--- y\n key b str p q }"));
  EXPECT_THAT(read("on: 1\n0x10: 2\n'null': 3\n"), ElementsAre("{ key true int 1 key 16 int 2 key null int 3 }"));
}

TEST(DocumentReaderTest, SplitsDocuments) {
  const std::vector<std::string> two{"{ key a int 1 }", "{ key b int 2 }"};
  for (const char* text : {
           "a: 1\n---\nb: 2\n",
           "---\na: 1\n---\nb: 2",
           "--- \na: 1\n--- # comment\nb: 2\n...\n",
           "a: 1\r\n---\r\nb: 2\r\n",
           "a: 1\n...\nb: 2\n",
           "\xEF\xBB\xBF" "a: 1\n---\nb: 2\n",
           "---\n---\n# only a comment\n---\na: 1\n---\n\n---\nnull\n---\nb: 2\n---\n",
           "%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n---\nb: 2\n",
           "# comment\n---\n{a: 1}\n--- {b: 2}\n",
           "{\"a\":1}{\"b\":2}",
           "{\"a\":1}\n---\n{\"b\":2}\n",
       }) {
    EXPECT_EQ(read(text), two) << text;
  }
  EXPECT_THAT(read(""), IsEmpty());
  EXPECT_THAT(read("\n\n# nothing\n"), IsEmpty());
  EXPECT_THAT(read("---\n---\n"), IsEmpty());
  EXPECT_THAT(read("a: '--- x'\nb: ---x\n"), ElementsAre("{ key a str --- x key b str ---x }"));
}

TEST(DocumentReaderTest, ResolvesAliasesAndMergeKeys) {
  EXPECT_THAT(read("a: &x {p: 1, q: [2]}\nb: *x\nc: &y text\nd: *y\n*y : 3\n"),
              ElementsAre("{ key a { key p int 1 key q [ int 2 ] } key b { key p int 1 key q [ int 2 ] } key c str text "
                          "key d str text key text int 3 }"));
  EXPECT_THAT(read("base: &b {p: 1, q: 2}\nuse:\n  <<: *b\n  q: 3\n"),
              ElementsAre("{ key base { key p int 1 key q int 2 } key use { key q int 3 key p int 1 } }"));
  EXPECT_THAT(read("use:\n  q: 3\n  <<: [{p: 1}, {p: 5, r: 6, q: 7}]\n"),
              ElementsAre("{ key use { key p int 1 key r int 6 key q int 7 } }"));
  EXPECT_THAT(read("a: &a {x: &i {z: 1}, <<: {w: 2}}\nb: *i\nc: {<<: *a}\n"),
              ElementsAre("{ key a { key x { key z int 1 } key w int 2 } key b { key z int 1 } "
                          "key c { key x { key z int 1 } key w int 2 } }"));
  EXPECT_THAT(read("'<<': 1\n"), ElementsAre("{ key << int 1 }"));
  EXPECT_THAT(read("a: &x 1\nb: &x 2\nc: *x\n"), ElementsAre("{ key a int 1 key b int 2 key c int 2 }"));
}

TEST(DocumentReaderTest, RefusesWithAPlace) {
  const struct {
    const char* text;
    const char* problem;
  } rows[] = {
      {"a: 1\nb: 2\na: 3\n", "3:1: key \"a\" is already set at line 1"},
      {"x:\n  - {k: 1,\n     k: 2}\n", "3:6: key \"k\" is already set at line 2"},
      {"1: a\n0x1: b\n", "2:1: key \"1\" is already set at line 1"},
      {"{\"a\": 1,\n \"a\": 2}", "2:2: key \"a\" is already set at line 1"},
      {"a: *nope\n", "1:4: unknown anchor \"nope\""},
      {"a: &x [1, *x]\n", "1:11: the value of anchor \"x\" contains itself"},
      {"a: &x {b: {c: *x}}\n", "1:15: the value of anchor \"x\" contains itself"},
      {"? [a]\n: b\n", "1:3: a key must be a plain value, not a list or an object"},
      {"~: b\n", "1:1: a key must not be null"},
      {"<<: 5\n", "1:5: a merge key needs an object or a list of objects"},
      {"a: !!int x\n", "1:4: the value is no !!int"},
      {"a: !!binary '*'\n", "1:4: !!binary: not base64: unexpected \"*\""},
      {"a: b: c\n", "1:5: mapping values are not allowed in this context"},
      {"a:\n\t- b\n", "2:1: found character that cannot start any token, while scanning for the next token (line 2)"},
      {"a: 'x\n", "2:1: found unexpected end of stream, while scanning a quoted scalar (line 1)"},
      {"a: [1, 2\n", "2:1: did not find expected ',' or ']', while parsing a flow sequence (line 1)"},
      {"a: \"\\q\"\n", "1:5: found unknown escape character, while parsing a quoted scalar (line 1)"},
      {"ok: 1\nbad: \xff\n", "2:6: byte 0xff is not UTF-8"},
      {"é: \xc3(\n", "1:4: byte 0xc3 is not UTF-8"},
      {"a: \x01\n", "1:4: control character 0x01"},
      {"a: 12345678\x01\n", "1:12: control character 0x01"},
      {"key: \t value\r\nother: ~~~~~~\x7f~~~~~~~~~~\n", "2:14: control character 0x7f"},
      {"12345678: 12345\x1f", "1:16: control character 0x1f"},
      {"1234567: \xff" "2345678\n", "1:10: byte 0xff is not UTF-8"},
      {"a: \xC2\x80\n", "1:4: a character that YAML does not allow"},
      {"{\"a\": nul}", "{ key a str nul }"},
      {"{\"a\": tru", "1:10: invalid JSON: the text ends too early"},
  };
  for (const auto& row : rows) EXPECT_THAT(read(row.text), ElementsAre(row.problem)) << row.text;
  EXPECT_THAT(read(std::string_view("a: b\0c\n", 7)), ElementsAre("1:5: control character 0x00"));
  EXPECT_THAT(read(std::string_view("\xFF\xFE" "a\0:\0", 6)), ElementsAre("1:1: byte 0xff is not UTF-8"));
}

TEST(DocumentReaderTest, ABrokenDocumentDoesNotHideTheOthers) {
  EXPECT_THAT(read("a: 1\n---\nb: [\n---\nc: 3\n---\nd: 'open\n---\ne: 5\n---\nf: \xff\n---\ng: 7\n"),
              ElementsAre("{ key a int 1 }", HasSubstr("4:1: did not find expected"), "{ key c int 3 }",
                          HasSubstr("8:1: found unexpected end of stream"), "{ key e int 5 }",
                          "11:4: byte 0xff is not UTF-8", "{ key g int 7 }"));
}

TEST(DocumentReaderTest, TellsTemplatesFromMistakes) {
  EXPECT_THAT(read("{{- if .Values.on }}\na: 1\n{{- end }}\n"), ElementsAre(HasSubstr("(template)")));
  EXPECT_THAT(read("a: {{ .Values.a }}\n"), ElementsAre(HasSubstr("(template)")));
  EXPECT_THAT(read("name: web-{{ .Values.a }}\n"), ElementsAre("1:1: unrendered template (template)"));
  EXPECT_THAT(read("a: \"{{ .Values.a }}\"\nb: |\n  {{ .x }}\n"),
              ElementsAre("{ key a str {{ .Values.a }} key b str {{ .x }}\n }"));
  EXPECT_THAT(read("a: x-{{inputs.parameters.b}}\n"), ElementsAre("{ key a str x-{{inputs.parameters.b}} }"));
  EXPECT_THAT(read("a: [\n"), ElementsAre(testing::Not(HasSubstr("template"))));
}

TEST(DocumentReaderTest, ReadsJsonThatYamlCannot) {
  EXPECT_THAT(read("{\n\t\"a\": \"\\ud83d\\ude00\",\n\t\"b\": [1, 2.5, null, true]\n}\n", true),
              ElementsAre("{ @1:1 key a @2:2 str 😀 @2:7 key b @3:2 [ @3:7 int 1 @3:8 num 2.5 @3:11 null @3:16 bool true @3:22 ] }"));
  const std::string long_key(2000, 'k');
  EXPECT_THAT(read("{\"" + long_key + "\": 1}"), ElementsAre("{ key " + long_key + " int 1 }"));
}

TEST(TapeTest, FindsMembersAndItems) {
  DocumentReader reader("kind: List\nitems:\n- {a: 1}\n- [2]\n- x\n");
  const std::optional<DocumentResult> document = reader.next();
  ASSERT_TRUE(document && *document);
  const Tape& tape = **document;
  EXPECT_EQ(tape.string(tape.member(0, "kind")), "List");
  EXPECT_EQ(tape.member(0, "none"), Tape::kNone);
  const std::vector<std::size_t> items = tape.items(tape.member(0, "items"));
  ASSERT_EQ(items.size(), 3U);
  EXPECT_TRUE(tape.is_object(items[0]));
  EXPECT_TRUE(tape.is_array(items[1]));
  EXPECT_EQ(tape.string(items[2]), "x");
  EXPECT_EQ(tape.mark(items[1]), (objects::Mark{4, 3}));
  RecordingHandler handler;
  objects::Mark stopped;
  EXPECT_TRUE(tape.replay(items[0], handler, stopped));
  EXPECT_THAT(handler.events(), ElementsAre("{", "key a", "int 1", "}"));
  RecordingHandler stops;
  stops.stop_at("int 1");
  EXPECT_FALSE(tape.replay(items[0], stops, stopped));
  EXPECT_EQ(stopped, (objects::Mark{3, 7}));
}

}  // namespace
}  // namespace shutdown_auditor::manifest
