"""Integer graphs as ONNX models, exact on every bit, and onnxruntime as a backend.

What it needs is in the extra `interop`; nothing outside this folder imports it before it is used.
"""
