"""The lecture notes as code, in their order; NumPy only.

The order to read in: activations, costs, network, theta, regularisation, backprop, trace,
gradient_check, gradient_report, minibatch, second_order.
"""
