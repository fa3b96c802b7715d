"""Edit the engine's SystemVerilog and see where it then differs: `python examples/change_rtl.py FOLDER`.

The edit drops the rounding of requantisation. Edit the files in FOLDER as you like and compare again by
`sterna compare PACKAGE IMAGES --engine FOLDER`; a simulator is built for each state of the sources.
"""

import sys
from pathlib import Path

import sterna

ROUNDED, CUT = "value_q5[i][ActW:1] + ActW'(value_q5[i][0]);", "value_q5[i][ActW:1];"

folder = Path(sys.argv[1])
sterna.generate("nano", folder)
source = next(folder.rglob("sterna_requant.sv"))
source.write_text(source.read_text().replace(ROUNDED, CUT))

package = sterna.compile("demo-nano", "nano", trace=True)
image = sterna.prepare(package.graph, sterna.scene(7))[None]
with sterna.open_backend(f"sim:{folder}", announce=print) as engine:
    compared = sterna.compare("reference:", engine, package, image)
print("equal" if compared.equal else f"differs first in {compared.first}")
