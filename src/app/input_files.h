#pragma once

#include <string>
#include <vector>

#include "manifest/loader.h"

namespace shutdown_auditor::app {

// What one path given to -f stands for: the files to read, in order, and what is to be said about the others.
struct InputFiles {
  std::vector<std::string> files;
  std::vector<manifest::Problem> problems;
};

// A file is itself. A directory is its *.yaml, *.yml and *.json in name order, with `recursive` also those of the
// directories below it (links to directories are not followed). What cannot be listed or followed, a device, and a
// directory without any such file are errors that name it; the rest is used. Files that only another tool can read are
// passed over with one note a directory: templates of a Helm chart, and its own Chart.yaml and values; a kustomization.
InputFiles find_input_files(const std::string& path, bool recursive);

}  // namespace shutdown_auditor::app
