"""The package's metadata, its dependencies and its extras; environment.yml says the same for conda."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+?)"', (HERE / "svhn" / "__init__.py").read_text(encoding="utf-8"))

REQUIRES = [  # enough to read pictures; LiteRT has no wheel for Macs with Intel's processors
    "numpy>=1.26",
    "pillow>=10.4,<13",  # 13 scales other pixels: findings/pillow-changes-scaling-order.sh
    "tqdm>=4.66",
    "absl-py>=2.1",
    "filelock>=3.32.7",
    "ai-edge-litert>=2.0; sys_platform != 'darwin' or platform_machine != 'x86_64'",
    "onnxruntime>=1.20; sys_platform == 'darwin' and platform_machine == 'x86_64'",
]
MATPLOTLIB = "matplotlib>=3.9"
ONNX = "onnx>=1.17", "onnxruntime>=1.20"
FSSPEC, AIOHTTP = "fsspec>=2024.6", "aiohttp>=3.10"
EXTRAS = {
    "train": [  # also to download, wrangle, score and release
        "tensorflow>=2.20",
        "keras>=3.10",
        "tensorboard>=2.20",  # tf.summary writes through it
        "h5py>=3.11",
    ],
    "synthetic": [MATPLOTLIB],  # for its fonts
    "report": [MATPLOTLIB],
    "digits": ["scipy>=1.15"],  # reads MATLAB 5
    "svm": ["scikit-learn>=1.5"],
    "export": [*ONNX, "tf2onnx>=1.17"],
    "web": ["gradio>=6.0"],
    "serve": [
        "fastapi>=0.115",
        "uvicorn>=0.34",
        "pydantic>=2.9",
        "python-multipart>=0.0.34",
        "prometheus-client>=0.21",
    ],
    "labels": ["pyyaml>=6.0"],  # YOLO's data.yaml
    "video": ["av>=15.0"],  # PyAV; its wheels bring FFmpeg
    "heic": ["pillow-heif>=0.20"],  # iPhones' pictures
    "beam": ["apache-beam>=2.77"],  # large jobs on many machines
    "remote": [FSSPEC, AIOHTTP, "gcsfs>=2024.6", "s3fs>=2024.6"],  # pictures on gs://, s3:// and http://
    "parquet": ["pyarrow>=15.0"],
    "ppocr": [*ONNX, "rapidocr==3.10.0"],  # whose file holds the weights that the model ppocr begins with
    "test": [
        FSSPEC,
        AIOHTTP,
        "pytest>=8.2",
        "pytest-xdist>=3.7",
        "ruff>=0.12",
        "pyright>=1.1.400",
        "playwright>=1.50",
        "jsonschema>=4.20",
        "httpx>=0.27",
        "pycocotools>=2.0.8",
    ],
}

setup(
    name="svhn-reader",  # PyPI's package `svhn` is another project; the import stays `svhn`
    version=VERSION[1] if VERSION else "0",
    description="Reads numbers of several digits from pictures: house numbers first",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11.4",  # tarfile's filters
    packages=find_packages(include=["svhn", "svhn.*"]),
    package_data={"svhn": ["released/**", "examples/*", "reading/*.json", "py.typed"]},
    install_requires=REQUIRES,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["svhn = svhn.__main__:main"]},
)
