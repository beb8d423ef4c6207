#include "report/xml_schema.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include <memory>

namespace shutdown_auditor::report {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

std::string text_of(const xmlError& error) {
  std::string text = "line " + std::to_string(error.line) + ": " + (error.message == nullptr ? "?" : error.message);
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text;
}

// libxml2 2.12 made the error constant.
template <class Error>
void collect(void* list, Error* error) {
  static_cast<std::vector<std::string>*>(list)->push_back(text_of(*error));
}

const xmlChar* xml_text(const std::string& text) { return reinterpret_cast<const xmlChar*>(text.c_str()); }

void ignore(xmlNode* node, const std::vector<std::string>& attributes) {
  for (; node != nullptr; node = node->next) {
    if (node->type == XML_ELEMENT_NODE && xmlStrEqual(node->name, xml_text("testcase")) != 0) {
      for (const std::string& name : attributes) {
        xmlUnsetProp(node, xml_text(name));
      }
    }
    ignore(node->children, attributes);
  }
}

}  // namespace

std::vector<std::string> xml_violations(std::string_view text, const std::string& schema_file,
                                        const std::vector<std::string>& ignored) {
  const Owned<xmlParserCtxt, xmlFreeParserCtxt> parser(xmlNewParserCtxt());
  const Owned<xmlDoc, xmlFreeDoc> document(xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                                             nullptr, XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET));
  if (!document) {
    return {text_of(*xmlCtxtGetLastError(parser.get()))};
  }
  ignore(xmlDocGetRootElement(document.get()), ignored);
  const Owned<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt> reader(xmlSchemaNewParserCtxt(schema_file.c_str()));
  const Owned<xmlSchema, xmlSchemaFree> schema(xmlSchemaParse(reader.get()));
  if (!schema) {
    return {schema_file + " is no XML schema"};
  }
  std::vector<std::string> violations;
  const Owned<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt> validator(xmlSchemaNewValidCtxt(schema.get()));
  xmlSchemaSetValidStructuredErrors(validator.get(), collect, &violations);
  if (xmlSchemaValidateDoc(validator.get(), document.get()) != 0 && violations.empty()) {
    violations.emplace_back("the schema refuses it");
  }
  return violations;
}

}  // namespace shutdown_auditor::report
