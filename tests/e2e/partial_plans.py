"""Plans of which only a part is left, made without the debugger."""


def left(plan, keeps):
    """The plan with every operand float32 of which keeps(operand) is false."""
    operands = []
    for operand in plan["operands"]:
        if not keeps(operand):
            dropped = {"params", "threshold", "method", "weight", "activation"}
            operand = {key: value for key, value in operand.items() if key not in dropped}
            operand |= {"granted": "float32", "reason": "not looked at"}
        operands.append(operand)
    return {**plan, "operands": operands}
