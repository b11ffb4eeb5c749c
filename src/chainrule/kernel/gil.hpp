// How a call lets the GIL go, and takes it back.
#pragma once
#include <chrono>
#include <thread>
#include <utility>

#include <Python.h>

namespace chainrule {
namespace {

// Call `take`, which takes the GIL.  While Python shuts down, it ends a thread that asks for the
// GIL by pthread_exit, which aborts the process if it has to unwind a C++ function that may not
// throw. So such a thread sleeps until the process is over, as Python 3.14 itself lets it do.
template <class Take>
auto take_gil(Take take) {
    try {
        return take();
    } catch (...) {  // Python throws nothing: this is pthread_exit
        for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

// This thread's state while it has let the GIL go.  PyGILState_Ensure would look for it in a table
// that is gone once Python has shut down, and crash.
inline thread_local PyThreadState* let_go = nullptr;

// The GIL is let go for the life of this.
class WithoutGil {
public:
    WithoutGil() : state(PyEval_SaveThread()) { let_go = state; }
    ~WithoutGil() {
        take_gil([this] { PyEval_RestoreThread(state); });
    }
    WithoutGil(const WithoutGil&) = delete;

private:
    PyThreadState* state;
};

// What this thread's long calls ask on their way, or null: a callable that raises to end them.
inline thread_local PyObject* asked = nullptr;

// Whether Ctrl-C was pressed, or `asked` has raised; the exception is then set.  Only a thread that
// has let the GIL go asks.  Python code runs in here, which may let the GIL go and want it back.
inline bool interrupted() {
    return take_gil([] {
        PyEval_RestoreThread(let_go);
        bool raised = PyErr_CheckSignals() != 0;
        if (!raised && asked != nullptr) {
            PyObject* const ask = std::exchange(asked, nullptr);  // what it calls asks nobody
            PyObject* const answer = PyObject_CallNoArgs(ask);
            raised = answer == nullptr;
            Py_XDECREF(answer);
            asked = ask;
        }
        let_go = PyEval_SaveThread();
        return raised;
    });
}

}  // namespace
}  // namespace chainrule
