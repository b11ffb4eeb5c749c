"""The contestants: a module a library, a function a kind of work.

Each function takes the task (and its settings), prepares everything that may be prepared, and
returns ``run``: what is timed.  The result of ``run`` is the contestant's answer: D with J before
it, an unrolled theta, or h.
"""

MODULES = {
    "chainrule": "chainrule_",
    "chainrule's engine": "engine_",
    "NumPy": "numpy_",
    "PyTorch": "torch_",
    "JAX": "jax_",
    "scikit-learn": "sklearn_",
    "ONNX Runtime": "onnx_",
}
MAX_EPOCHS = 60  # an accuracy that takes longer has failed
ACCURACY = 0.98
