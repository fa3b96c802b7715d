"""ONNX and QONNX models as integer graphs, exact or refused.

What it needs is in the extra `interop`; nothing outside this folder imports it before it is used.
"""
