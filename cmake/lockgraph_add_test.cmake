# lockgraph_add_test(NAME test COMMAND program [argument...]
#                    [FAIL_ON error|warning|note|never] [DEADLOCK_TIMEOUT seconds]
#                    [SUPPRESSIONS file] [OPTIONS option...])
#
# As add_test, under `lockgraph run`: the test also fails (exit status 66) when something
# is found, and a deadlock ends it at once, with its report in the test's output.  What
# was seen stays in ${CMAKE_CURRENT_BINARY_DIR}/lockgraph/test for `lockgraph report`.
# `program` may be a target.  DEADLOCK_TIMEOUT ends a test that hangs for another reason
# and tells who waits for what; make it shorter than the test's own TIMEOUT.  OPTIONS are
# further ones of `lockgraph run`.
function(lockgraph_add_test)
    cmake_parse_arguments(test "" "NAME;FAIL_ON;DEADLOCK_TIMEOUT;SUPPRESSIONS" "COMMAND;OPTIONS" ${ARGN})
    if(NOT test_NAME OR NOT test_COMMAND)
        message(FATAL_ERROR "lockgraph_add_test: NAME and COMMAND are needed")
    endif()
    if(test_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "lockgraph_add_test(${test_NAME}): what is \"${test_UNPARSED_ARGUMENTS}\"?")
    endif()
    list(GET test_COMMAND 0 program)
    if(TARGET ${program})
        list(REMOVE_AT test_COMMAND 0)
        list(INSERT test_COMMAND 0 $<TARGET_FILE:${program}>)
    endif()
    set(options --on-deadlock kill -o ${CMAKE_CURRENT_BINARY_DIR}/lockgraph/${test_NAME} ${test_OPTIONS})
    if(test_FAIL_ON)
        list(APPEND options --fail-on ${test_FAIL_ON})
    endif()
    if(test_DEADLOCK_TIMEOUT)
        list(APPEND options --timeout ${test_DEADLOCK_TIMEOUT})
    endif()
    if(test_SUPPRESSIONS)
        get_filename_component(suppressions ${test_SUPPRESSIONS} ABSOLUTE)
        list(APPEND options --suppressions ${suppressions})
    endif()
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/lockgraph)
    add_test(NAME ${test_NAME} COMMAND ${LOCKGRAPH_COMMAND} run ${options} -- ${test_COMMAND})
endfunction()
