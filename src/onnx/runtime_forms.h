// A quantized graph in the forms that ONNX Runtime's optimizer takes at its default level, with the same numbers.
//
// Its rewrites of quantized models go wrong in three places (seen in 1.32), whatever the file means. Other runtimes
// read the forms below like any other.
#ifndef TWOFOLD_SRC_ONNX_RUNTIME_FORMS_H_
#define TWOFOLD_SRC_ONNX_RUNTIME_FORMS_H_

#include "graph/graph.h"

namespace twofold {

// 1. Integers that only move, with one scale, are quantized again behind each move, which changes none:
//
//      q -> DQ -> Reshape -> y        =>   q -> DQ -> Reshape -> Q -> DQ -> y
//
//    ONNX Runtime would put that pair there itself, and since opset 21 makes an int8 one of it that it then refuses
//    ("output_dtype INT8 does not match y_zero_point type UINT8"). What is quantized behind a move, and an output of
//    the graph in front of it, is quantized in front too: the optimizer would round the output.
//
//      x -> Transpose -> Q -> DQ     =>   x -> Q -> DQ -> Transpose -> Q -> DQ     (x an output)
//
// 2. What is added to a product of 8-bit integers of rank r > 2, and is a constant, has rank r:
//
//      MatMul [1,8,16] + b [16]       =>   MatMul [1,8,16] + b [1,1,16]
//
//    With a vector ONNX Runtime makes a Gemm of the two, with a Reshape in front of it, and then errs as in 1.
//
// 3. Constant 8-bit matrices in a stack with a scale per column stay apart from their MatMul:
//
//      W [3,6,5] -> DQ -> MatMul      =>   W -> DQ -> Concat (of one) -> MatMul
//
//    ONNX Runtime's MatMulIntegerToFloat takes one scale per column for a single matrix only.
//
// Bodies of If, Loop and Scan are done too.
void use_runtime_forms(Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_RUNTIME_FORMS_H_
