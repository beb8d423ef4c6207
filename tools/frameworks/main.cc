// sa_compile_frameworks IN.yaml OUT.cc
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "frameworks/knowledge.h"
#include "frameworks/table_writer.h"

int main(int argc, char** argv) {
  using namespace shutdown_auditor;
  if (argc != 3) {
    std::fputs("usage: sa_compile_frameworks IN.yaml OUT.cc\n", stderr);
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto knowledge = tools::read_knowledge(text, argv[1]);
  if (!in || !knowledge) {
    std::fprintf(stderr, "%s\n", in ? knowledge.error().message.c_str() : "cannot read the input");
    return 1;
  }
  std::ofstream out(argv[2], std::ios::binary);
  out << tools::write_tables(*knowledge);
  out.close();
  return out ? 0 : 1;
}
