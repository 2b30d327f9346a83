"""What import asks of a node's inputs and outputs, against the schemas of the onnx package."""

import onnx
import pytest
import twofold
from onnx import TensorProto, helper

Option = onnx.defs.OpSchema.FormalParameterOption
TYPES = {
    "tensor(float)": TensorProto.FLOAT,
    "tensor(double)": TensorProto.DOUBLE,
    "tensor(float16)": TensorProto.FLOAT16,
    "tensor(bfloat16)": TensorProto.BFLOAT16,
    "tensor(int8)": TensorProto.INT8,
    "tensor(int16)": TensorProto.INT16,
    "tensor(int32)": TensorProto.INT32,
    "tensor(int64)": TensorProto.INT64,
    "tensor(uint8)": TensorProto.UINT8,
    "tensor(uint16)": TensorProto.UINT16,
    "tensor(uint32)": TensorProto.UINT32,
    "tensor(uint64)": TensorProto.UINT64,
    "tensor(bool)": TensorProto.BOOL,
}
Attribute = onnx.defs.OpSchema.AttrType
VALUES = {Attribute.INT: 1, Attribute.INTS: [1], Attribute.FLOATS: [1.0], Attribute.STRING: "none"}
OLDEST = 7
# Constants have no inputs, and operators with bodies are tested by hand.
LEFT_OUT = {"Constant", "If", "Loop", "Scan"}


def allowed(schema, parameter):
    constraints = {c.type_param_str: c.allowed_type_strs for c in schema.type_constraints}
    return sorted(set(constraints.get(parameter.type_str, [parameter.type_str])) & set(TYPES))


def schemas():
    """Every form of every operator that opsets from 7 on can mean, where its inputs are tensors."""
    by_name = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            by_name.setdefault(schema.name, []).append(schema)
    for name, forms in sorted(by_name.items()):
        forms.sort(key=lambda schema: schema.since_version)
        for i, schema in enumerate(forms):
            ends = forms[i + 1].since_version if i + 1 < len(forms) else None
            replaced = ends is not None and ends <= OLDEST
            if name in LEFT_OUT or schema.deprecated or replaced:
                continue
            if all(allowed(schema, parameter) for parameter in schema.inputs):
                yield schema


def error_of(schema, types, absent=None, count=None):
    """What import says of a node with inputs of these types but `absent`, and `count` outputs."""
    names = ["" if i == absent else f"x{i}" for i in range(len(types))]
    outputs = [f"y{i}" for i in range(schema.min_output if count is None else count)]
    required = {a.name: VALUES[a.type] for a in schema.attributes.values() if a.required}
    node = helper.make_node(schema.name, names, outputs, name="n", **required)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(f"x{i}", TYPES[t], None) for i, t in enumerate(types)],
        [helper.make_tensor_value_info(y, TensorProto.FLOAT, None) for y in outputs[:1]],
    )
    opset = max(schema.since_version, OLDEST)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    try:
        twofold.Session(model.SerializeToString())
    except twofold.Error as error:
        return str(error)
    return ""


ALL = list(schemas())
IDS = [f"{schema.name}-{schema.since_version}" for schema in ALL]


@pytest.mark.parametrize("schema", ALL, ids=IDS)
def test_what_onnx_allows_is_not_refused(schema):
    choices = [allowed(schema, parameter) for parameter in schema.inputs]
    for k in range(max(map(len, choices), default=1)):
        types = [choice[min(k, len(choice) - 1)] for choice in choices]
        for count in {schema.min_output, min(schema.max_output, 4)}:
            assert "but the operator" not in error_of(schema, types, count=max(count, 1))


@pytest.mark.parametrize("schema", ALL, ids=IDS)
def test_required_inputs_are_missed(schema):
    types = [allowed(schema, parameter)[0] for parameter in schema.inputs]
    # Exporters leave these out where sizes are given instead; opset 11 made Gemm's C optional.
    lenient = {("Resize", 11): {1, 2}, ("Gemm", 7): {2}, ("Gemm", 9): {2}}
    for i, parameter in enumerate(schema.inputs):
        if parameter.option == Option.Optional:
            continue
        if i in lenient.get((schema.name, schema.since_version), set()):
            continue
        message = error_of(schema, types, absent=i)
        if "is not supported" in message or "Twofold does not support" in message:
            continue
        assert (
            f"node 'n' ({schema.name}): input {i} is absent, but the operator needs it" in message
        )


def test_a_type_that_no_form_has():
    schema = onnx.defs.get_schema("Conv")
    message = error_of(schema, ["tensor(float)", "tensor(int64)", "tensor(float)"])
    assert message.endswith(
        "node 'n' (Conv): input 1 ('x1') is int64, but the operator takes floats there"
    )
