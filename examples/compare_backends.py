"""The simulated engine against the reference, layer by layer, and where its clock cycles go.

The first simulation builds the simulator, which takes about a minute.
"""

import rich

import sterna
from sterna.report.costs import cost_table, layer_costs

package = sterna.compile("demo-nano", trace=True)
image = sterna.prepare(package.graph, sterna.scene(7))[None]
with sterna.open_backend("sim:", announce=print) as engine:
    compared = sterna.compare("reference:", engine, package, image)
    counters = engine.counters()

print("bit-identical" if compared.equal else f"first difference: {compared.first}")
rich.print(cost_table(layer_costs(package, counters.steps, compared.equal_layers)))
