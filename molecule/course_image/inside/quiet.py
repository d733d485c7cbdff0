"""Inside the image: the server starts at once, in the learner's language, calling nobody."""

import json
import subprocess
import time
import urllib.request

server = subprocess.Popen(
    [
        *("jupyter", "lab", "--no-browser", "--ip=127.0.0.1", "--port=9999"),
        "--IdentityProvider.token=t",
    ],
    stderr=subprocess.PIPE,
    text=True,
)
base = "http://127.0.0.1:9999"


def get(path):
    request = urllib.request.Request(base + path, headers={"Authorization": "token t"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


try:
    deadline = time.monotonic() + 60
    while True:
        try:
            assert json.loads(get("/api/status"))["kernels"] == 0
            break
        except OSError:
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.2)
    page = get("/lab")
    data = page.split('id="jupyter-config-data"', 1)[1].split(">", 1)[1]
    config = json.loads(data.split("</script>")[0])
    assert config["news"] == {"disabled": True}, config["news"]
    disabled = config["disabledExtensions"]
    for name in ("@jupyterlab/apputils-extension:announcements", "nbdime-jupyterlab"):
        assert name in disabled, disabled
    french = json.loads(get("/lab/api/translations/default"))
    assert french["data"], french["message"]
    assert "Enregistrer" in json.dumps(french["data"], ensure_ascii=False)
    assert "Jupyter Notebook" in get("/tree")
finally:
    server.terminate()
