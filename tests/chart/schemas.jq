# From an API server's /openapi/v2 to one JSON schema for each kind, as an object {"file name": schema}. Strict: a field that
# the server does not know is an error, where the server's own schema is silent about it.

def strict:
  if type != "object" then .
  else
    (if .properties and (has("additionalProperties") | not) and (.["x-kubernetes-preserve-unknown-fields"] | not)
     then .additionalProperties = false else . end)
    | (if .properties then .properties |= map_values(strict) else . end)
    | (if .items then .items |= strict else . end)
    | (if (.additionalProperties | type) == "object" then .additionalProperties |= strict else . end)
    | (if .["x-kubernetes-int-or-string"] or .format == "int-or-string" then {type: ["integer", "string"]} else . end)
    | del(.format)
  end;

# The definitions that a list of them refers to, with themselves.
def closure($all):
  . as $names
  | ($names + [$names[] | $all[.] | .. | objects | .["$ref"]? | strings | sub("^#/definitions/"; "")] | unique) as $more
  | if ($more | length) == ($names | length) then $names else $more | closure($all) end;

.definitions as $raw
| ($raw | map_values(strict)
  | .["io.k8s.apimachinery.pkg.api.resource.Quantity"] = {type: ["string", "number"]}
  | .["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = {type: ["string", "integer"]}) as $all
| [$raw | to_entries[] | .key as $name | .value["x-kubernetes-group-version-kind"][]?
    | select(.kind | IN($kinds[]))
    | {key: ("\(if .group == "" then .version else .group end)_\(.version)_\(.kind).json" | ascii_downcase),
       value: {
         "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/definitions/\($name)",
         definitions: ([$name] | closure($all) | map({key: ., value: $all[.]}) | from_entries)}}]
| from_entries
