# What `cmake --install` puts beside the program: its manual page and completions, which the program prints itself, and the
# names under which kubectl finds it as a plugin.
include(GNUInstallDirs)

install(TARGETS shutdown-auditor RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(CODE "
  set(program \"$<TARGET_FILE:shutdown-auditor>\")
  set(prefix \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  function(install_output file)  # install_output(FILE ARGUMENT…): what the program prints with these arguments
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY \"\${prefix}/\${folder}\")
    message(STATUS \"Installing: \${prefix}/\${file}\")
    execute_process(COMMAND \"\${program}\" \${ARGN} OUTPUT_FILE \"\${prefix}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  install_output(\"${CMAKE_INSTALL_MANDIR}/man1/shutdown-auditor.1\" manual)
  install_output(\"${CMAKE_INSTALL_DATADIR}/bash-completion/completions/shutdown-auditor\" completion bash)
  install_output(\"${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_shutdown-auditor\" completion zsh)
  install_output(\"${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/shutdown-auditor.fish\" completion fish)
  foreach(name kubectl-shutdownaudit kubectl_complete-shutdownaudit)
    message(STATUS \"Installing: \${prefix}/${CMAKE_INSTALL_BINDIR}/\${name}\")
    file(CREATE_LINK shutdown-auditor \"\${prefix}/${CMAKE_INSTALL_BINDIR}/\${name}\" SYMBOLIC)
  endforeach()
")
