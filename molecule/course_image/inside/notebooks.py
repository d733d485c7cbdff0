"""Inside the image: the example course's notebooks compute pi, without network."""

import json
import pathlib
import shutil
import subprocess
import sys

work = pathlib.Path("/tmp/course")
shutil.copytree("/verify/example-course", work)
for name, kernel in (("pi_python", "python3"), ("pi_r", "ir")):
    subprocess.run(
        ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--output", f"{name}-run.ipynb",
         f"{name}.ipynb"], cwd=work / "notebooks", check=True)  # fmt: skip
    run = json.loads((work / "notebooks" / f"{name}-run.ipynb").read_text())
    assert run["metadata"]["kernelspec"]["name"] == kernel
    said = []
    for cell in run["cells"]:
        for output in cell.get("outputs", []):
            assert output["output_type"] != "error", output
            said.append("".join(output.get("text") or output["data"].get("text/plain", "")))
    values = [float(text.split()[-1]) for text in said if text.split()[-1][:2] == "3."]
    if len(values) != 3 or any(abs(value - 3.14159) > 0.1 for value in values):
        sys.exit(f"{name}: {said}")
    outputs = [output for cell in run["cells"] for output in cell.get("outputs", [])]
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert figures, f"{name} shows no figure"
    print(name, values)
subprocess.run(["Rscript", "-e", 'knitr::knit("rapport.Rmd", quiet = TRUE)'], cwd=work, check=True)
