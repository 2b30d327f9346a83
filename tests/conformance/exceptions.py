"""Cases of ONNX's conformance suite that Twofold does not pass, each with the reason."""

EXCEPTIONS = {}
