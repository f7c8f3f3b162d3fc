"""Has a Label Studio write the files below tests/datasets/labels: pictures are uploaded, labeled and exported.

The tests read the files and need no Label Studio. Version 1.23.2 wrote those that are there. To write them anew:

    pip install label-studio
    label-studio start --no-browser --username=me@example.org --password=PASSWORD
    python -m tests.support.label_writers http://localhost:8080 me@example.org PASSWORD
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import httpx

from tests.support.labeled_scene import LABELS, SCENES, Scene, draw_scenes, list_rectangles, list_transcriptions

DIGITS = "".join(f'<Label value="{digit}"/>' for digit in range(10))
PROJECTS = {  # the template "Object Detection with Bounding Boxes", and "Optical Character Recognition"
    "digits": f"""<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image">{DIGITS}</RectangleLabels></View>""",
    "ocr": """<View><Image name="image" value="$ocr"/>
<Labels name="label" toName="image"><Label value="Number"/></Labels>
<Rectangle name="bbox" toName="image"/><Polygon name="poly" toName="image"/>
<TextArea name="transcription" toName="image" editable="true" perRegion="true" required="true"/></View>""",
}
MEDIA = r'\.\.\\/[^"]*\\/upload\\/'  # the server's folder, from the folder of the export
EXPORTS = {"digits": ("JSON", "JSON_MIN", "COCO", "YOLO"), "ocr": ("JSON", "JSON_MIN")}


class Server:
    """A Label Studio, and a user who is logged in."""

    def __init__(self, address: str, user: str, password: str) -> None:
        self.client = httpx.Client(base_url=address, follow_redirects=True, headers={"Referer": address}, timeout=60)
        self.client.get("/user/login/")
        self.post("/user/login/", data={"email": user, "password": password})

    def post(self, path: str, **content: Any) -> httpx.Response:
        token = self.client.cookies["csrftoken"]
        return self.client.post(path, headers={"X-CSRFToken": token}, **content).raise_for_status()

    def fill_project(self, name: str, pictures: Path) -> int:
        project = self.post("/api/projects", json={"title": name, "label_config": PROJECTS[name]}).json()["id"]
        for scene in SCENES:
            files = {"file": (Path(scene.name).name, (pictures / scene.name).read_bytes())}
            self.post(f"/api/projects/{project}/import", files=files)
        for task in self.client.get(f"/api/tasks?project={project}&fields=all&page_size=99").json()["tasks"]:
            uploaded = str(next(iter(task["data"].values())))
            (scene,) = (each for each in SCENES if uploaded.endswith(f"-{Path(each.name).name}"))
            self.label_task(name, task["id"], scene)
        return project

    def label_task(self, name: str, task: int, scene: Scene) -> None:
        path = f"/api/tasks/{task}/annotations"
        results = list_rectangles(scene) if name == "digits" else list_transcriptions(scene)
        if results:
            self.post(path, json={"result": results})
            self.post("/api/predictions", json={"task": task, "result": results[:1], "score": 0.5})
        if name == "ocr":
            self.post(path, json={"result": results[:1], "was_cancelled": True})  # skipped by another person

    def export(self, project: int, kind: str) -> bytes:
        answer = self.client.get(f"/api/projects/{project}/export?exportType={kind}&download_all_tasks=true")
        return answer.raise_for_status().content


def save_export(content: bytes, folder: Path, name: str) -> None:
    """Save an export's text files, without the paths of the server's machine."""
    if not content.startswith(b"PK"):
        (folder / f"{name}.json").write_bytes(content)
        return
    archive = zipfile.ZipFile(io.BytesIO(content))
    for member in archive.namelist():
        if member.endswith((".json", ".txt")):
            target = folder / name / member
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(re.sub(MEDIA, r"..\\/media\\/upload\\/", archive.read(member).decode()))


def main(address: str, user: str, password: str) -> None:
    server, folder = Server(address, user, password), LABELS / "label_studio"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        draw_scenes(Path(name))
        for title, kinds in EXPORTS.items():
            project = server.fill_project(title, Path(name))
            for kind in kinds:
                save_export(server.export(project, kind), folder, f"{title}_{kind.lower()}")


if __name__ == "__main__":
    main(*sys.argv[1:])
