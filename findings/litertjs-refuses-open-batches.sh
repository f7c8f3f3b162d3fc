#!/usr/bin/env bash
# LiteRT.js runs no model whose batch is open, though LiteRT for Python runs the same file.
#
# Expected: a .tflite file with the input [-1, 4], as converters write it for any batch, takes a batch of 1.
# Seen: LiteRT for Python takes it. LiteRT.js gives the input's shape as [-1, 4] and refuses each batch, as its shape is
#   not [-1, 4]; it has no function that sets the shape. A fixed batch of 1 runs.
# Why it matters: a page needs files of its own with a fixed batch, and learns it when the model runs, not at loading.
# Versions: @litertjs/core 2.5.3 in Node.js 20 (Chromium gives the same error), ai-edge-litert 2.3.0, Python 3.11.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --no-deps ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
npm install --silent --prefix . @litertjs/core@2.5.3 @litertjs/wasm-utils@2.5.3 >log.txt
cat >program.py <<'END'
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

for name, shape in {"fixed": [1, 4], "open": [-1, 4]}.items():  # a ReLU for a batch of rows of four numbers
    code, operator, graph, model = schema.OperatorCodeT(), schema.OperatorT(), schema.SubGraphT(), schema.ModelT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RELU
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [operator], [0], [1]
    for role in ("input", "output"):
        tensor = schema.TensorT()
        tensor.name, tensor.type, tensor.buffer, tensor.hasRank = role, schema.TensorType.FLOAT32, 0, True
        tensor.shape, tensor.shapeSignature = [1, 4], shape
        graph.tensors.append(tensor)
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    Path(f"{name}.tflite").write_bytes(builder.Output())
    interpreter = Interpreter(f"{name}.tflite")
    interpreter.allocate_tensors()
    interpreter.set_tensor(0, np.float32([[-1, 2, -3, 4]]))
    interpreter.invoke()
    print(f"Python, {name}: {interpreter.get_tensor(1).tolist()}")
END
cat >program.mjs <<'END'
import { appendFileSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { runInThisContext } from "node:vm";
import { Tensor, loadAndCompile, loadLiteRt } from "@litertjs/core";
const wasm = `${process.cwd()}/node_modules/@litertjs/core/wasm`;
Object.assign(globalThis, { self: globalThis, require: createRequire(import.meta.url), __dirname: wasm });
globalThis.importScripts = (path) => runInThisContext(readFileSync(path, "utf8"));
await loadLiteRt(`${wasm}/`);
for (const name of ["fixed", "open"]) {
  const model = await loadAndCompile(readFileSync(`${name}.tflite`), { accelerator: "wasm" });
  const run = model.run([new Tensor(new Float32Array([-1, 2, -3, 4]), [1, 4])]);
  const answer = await run.then(([output]) => `[[${output.toTypedArray()}]]`, (error) => error.message);
  appendFileSync("seen.txt", `JavaScript, ${name}: ${answer}\n`);
}
END
venv/bin/python program.py >seen.txt
node program.mjs >log.txt 2>&1
cat seen.txt

diff - seen.txt <<'END'
Python, fixed: [[0.0, 2.0, 0.0, 4.0]]
Python, open: [[0.0, 2.0, 0.0, 4.0]]
JavaScript, fixed: [[0,2,0,4]]
JavaScript, open: TensorBuffer ranked tensor type Float32[1, 4] does not match expected ranked tensor type Float32[-1, 4]
END
