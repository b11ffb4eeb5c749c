#!/bin/sh
# Build the kernel with sanitizers, each into a package of its own, and run its tests there.
# Usage: sanitize.sh DIRECTORY_OF_PYTHON [ARGUMENT_OF_PYTEST ...] (called by `make sanitize fuzz`)
set -eu
bin=$(cd "$1" && pwd)
shift
cxx=${CXX:-c++}
"$bin/pip" install --quiet --disable-pip-version-check nanobind cmake ninja
for sanitizers in address,undefined thread; do
    build=$PWD/build/sanitize-$sanitizers
    mkdir -p "$build"
    PATH="$bin:$PATH" cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_BUILD_TYPE=Release \
        -DCHAINRULE_SANITIZE="$sanitizers" -DPython_EXECUTABLE="$bin/python" \
        -Dnanobind_DIR="$("$bin/python" -m nanobind --cmake_dir)" >"$build.log"
    PATH="$bin:$PATH" cmake --build "$build" >>"$build.log"
    case $sanitizers in
        address*) runtime=$("$cxx" -print-file-name=libasan.so) ;;
        thread) runtime=$("$cxx" -print-file-name=libtsan.so) ;;
    esac
    # The tests that compile, start processes of their own or fork are not for sanitizers;
    # what a sanitizer says before it ends the process must not be captured.  All memory begins as NaN
    CHAINRULE_KERNEL="$build" PYTHONPATH=tests:tests/kernel LD_PRELOAD="$runtime $("$cxx" -print-file-name=libstdc++.so)" \
        ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:malloc_fill_byte=255:max_malloc_fill_size=2147483647 UBSAN_OPTIONS=halt_on_error=1 \
        TSAN_OPTIONS=halt_on_error=1:report_signal_unsafe=0 OPENBLAS_NUM_THREADS=1 \
        "$bin/python" -m pytest -q --capture=sys -p no:cacheprovider -p sanitized tests/kernel \
        --ignore tests/kernel/test_functions.py --ignore tests/kernel/test_kernel_builds.py \
        -k "not fork and not process" -o timeout=1200 "$@"
done
