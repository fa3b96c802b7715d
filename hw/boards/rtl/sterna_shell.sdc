# SPDX-License-Identifier: Apache-2.0
# The clock crossings of a shell, wherever it is instantiated. Do not declare its clocks asynchronous groups: that
# would end what is asked for here.

# A code in which one bit changes at a time: the bits may differ in delay by less than a cycle of its clock, and the code
# has to arrive within a cycle of the other one, as in Intel's FIFO of two clocks ("FIFO Intel FPGA IP User Guide",
# document 683522, DCFIFO Timing Constraint Setting).
proc sterna_cross {from to} {
    set_max_skew -from [get_registers $from] -to [get_registers $to] \
        -get_skew_value_from_clock_period src_clock_period -skew_value_multiplier 0.8
    set_net_delay -from [get_registers $from] -to [get_registers $to] -max \
        -get_value_from_clock_period dst_clock_period -value_multiplier 0.8
    set_max_delay -from [get_registers $from] -to [get_registers $to] 100
    set_min_delay -from [get_registers $from] -to [get_registers $to] -100
}

foreach fifo [get_entity_instances -nowarn sterna_async_fifo] {
    sterna_cross "$fifo|write_code_q[*]" "$fifo|u_write_code|first_q[*]"
    sterna_cross "$fifo|read_code_q[*]" "$fifo|u_read_code|first_q[*]"
    # A word is read three cycles or more after it was written.
    set_max_delay -from [get_keepers "$fifo|memory*"] -to [get_registers "$fifo|data_q[*]"] 100
    set_min_delay -from [get_keepers "$fifo|memory*"] -to [get_registers "$fifo|data_q[*]"] -100
}

foreach shell [get_entity_instances -nowarn sterna_shell] {
    set_false_path -from [get_registers "$shell|irq_q"] -to [get_registers "$shell|u_irq|first_q[*]"]
}

# Resets may end at any time; registers end them in step with each clock.
foreach reset [get_entity_instances -nowarn sterna_reset_sync] {
    set_false_path -to [get_pins -compatibility_mode "$reset|ended_q[*]|clrn"]
}
