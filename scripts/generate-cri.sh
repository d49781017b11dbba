#!/bin/sh
# Makes src/adapters/cri/generated/ from src/adapters/cri/api.proto with the buf and protoc-gen-es of node_modules; needs
# no network. The output is committed. JavaScript with declarations, since TypeScript output would hold enums, which
# runtimes that only strip types cannot run.
set -eu
cd -- "$(dirname -- "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
rm -rf src/adapters/cri/generated
buf generate src/adapters/cri --template '{
  "version": "v2",
  "plugins": [{ "local": "protoc-gen-es", "out": "src/adapters/cri/generated", "opt": ["target=js+dts"] }]
}'
