#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::audit {

// A token of the POSIX shell language (IEEE 1003.1, Shell Command Language, 2.3 Token Recognition).
struct ShellToken {
  enum class Kind : std::uint8_t {
    kWord,      // `value`, `text` and the flags
    kIoNumber,  // digits right before a redirection
    kOperator,  // `text`: && || ;; ;& ; & | ( ) < > >> << <<- <<< <& >& <> >|
    kNewline,
    kEnd,
    kError,     // `value` says what is not closed; nothing follows
  };
  Kind kind = Kind::kEnd;
  std::size_t position = 0;  // offset of the first character
  std::string_view text;     // as written, borrowed from the script
  std::string value;         // of a word: after quote removal, expansions left as written

  // What a word holds besides literal characters.
  bool quoted = false;              // some quote or backslash: never a reserved word
  bool parameter = false;           // $x, ${…}, $'…'
  bool substitution = false;        // $(…), $((…)), `…`
  bool variable_reference = false;  // $(NAME) in capitals: meant for Kubernetes, which does not expand it here
  bool pattern = false;             // * ? [ ~ { outside quotes

  bool literal() const { return !parameter && !substitution && !pattern; }
  bool is_operator(std::string_view which) const { return kind == Kind::kOperator && text == which; }
};

// Splits a script into tokens, one at a time, without recursion: the time is linear in the script, the memory is that of
// the current word plus one byte for each open bracket in it. Inside $(…) here-documents and case patterns are not
// recognised: `doubtful()` says that one may have been met. Borrows the script; for one thread.
class ShellTokenizer {
 public:
  explicit ShellTokenizer(std::string_view script) : script_(script) {}

  ShellToken next();

  // Called right after the delimiter of << or <<- was returned: its body starts after the next newline. Returns the
  // number `here_document` knows it by.
  std::size_t expect_here_document(const ShellToken& delimiter, bool strip_tabs);
  // The lines of that body, as written (2.7.4 Here-Document); empty before the newline was read.
  std::string_view here_document(std::size_t number) const { return documents_.at(number).body; }

  // Called when "(" was returned and another one follows at once: takes (( … )), nullopt when it is not closed. The text
  // between them, borrowed from the script.
  std::optional<std::string_view> arithmetic();

  // The character right behind the token returned last.
  bool next_is(char c) const { return peek() == c; }

  // True when a word held a $(…) with what this tokenizer does not recognise in there: tokens since may be wrong.
  bool doubtful() const { return doubtful_; }

  // Characters looked at so far, for tests of the linear time.
  std::uint64_t steps() const { return steps_; }

 private:
  bool at_end() const { return at_ >= script_.size(); }
  char peek(std::size_t ahead = 0) const { return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0'; }
  void take(ShellToken& token, std::size_t count);
  void skip(std::size_t count);
  void skip_blanks();
  ShellToken read_operator();
  ShellToken read_word();
  bool read_quotes(ShellToken& token);
  void read_dollar(ShellToken& token);
  void read_backslash(ShellToken& token);
  bool in_double_quotes() const { return !open_.empty() && open_.back() == '"'; }
  bool raw() const;
  void read_here_documents();

  struct HereDocument {
    std::string delimiter;
    bool strip_tabs = false;
    std::string_view body;
  };

  std::string_view script_;
  std::size_t at_ = 0;
  std::uint64_t steps_ = 0;
  std::string open_;       // what is open in the current word, outermost first: " ( {
  std::size_t nested_ = 0;  // how many of these are ( or {
  std::string_view unclosed_;
  std::vector<HereDocument> documents_;
  std::size_t documents_read_ = 0;
  bool doubtful_ = false;
};

}  // namespace shutdown_auditor::audit
