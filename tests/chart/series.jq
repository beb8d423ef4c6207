# From queries in PromQL (an array of strings) to the series that they ask for: [{name, labels: {label: value or null}}],
# null where any value will do. Labels that Prometheus adds by itself are left out.

def words($pattern): [scan($pattern)];
def of_the_program: test("^(shutdownaudit|shutdown_auditor|workqueue|rest_client|leader_election|process)_");
def added_by_prometheus: IN("namespace", "pod", "instance", "job", "le");

[.[]
  | (words("([a-z_]+)(?:\\{([^}]*)\\})")[]
    | {name: .[0], labels: (.[1] | words("([a-z_]+)(=~|!=|!~|=)\"([^\"]*)\"")
        | map({key: .[0], value: (if .[1] == "=" and (.[2] | contains("$") | not) then .[2] else null end)}))}),
    # sum by (a, b) (rate(name{…
    (words("by \\(([^)]*)\\) \\((?:[a-z_]+\\()*([a-z_]+)\\{")[]
    | {name: .[1], labels: (.[0] | split(", ") | map({key: ., value: null}))})
  | select(.name | of_the_program)
  | .name |= sub("_bucket$"; "")
  | .labels |= (map(select(.key | added_by_prometheus | not)) | from_entries)]
| unique
