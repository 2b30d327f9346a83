"""ONNX's own node conformance cases that are in scope, as the onnx package makes them."""

import warnings

import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases
from scope import has_our_types, in_scope


def _collect():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite divides by zero on purpose
        cases = [case for case in collect_testcases(None) if in_scope(case.model)]
    return (
        {case.name: case for case in cases if has_our_types(case.model)},
        {case.name: case for case in cases if not has_our_types(case.model)},
    )


CASES, FOREIGN_CASES = _collect()


def to_array(value):
    return (
        onnx.numpy_helper.to_array(value)
        if isinstance(value, onnx.TensorProto)
        else np.asarray(value)
    )


def feeds(case, inputs):
    """The inputs of one data set of a case by name."""
    return {
        value.name: to_array(x) for value, x in zip(case.model.graph.input, inputs, strict=True)
    }
