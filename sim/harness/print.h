// Included before everything, so that the Verilator run-time prints through the harness (VL_PRINTF).
#pragma once

#ifdef __cplusplus
int sterna_print(const char* format, ...) __attribute__((format(printf, 1, 2)));
#endif
