#!/bin/sh
# Makes generated/ beside the .proto file of each adapter that speaks gRPC, with the buf and protoc-gen-es of node_modules;
# needs no network. The output is committed. JavaScript with declarations, since TypeScript output would hold enums, which
# runtimes that only strip types cannot run.
set -eu
cd -- "$(dirname -- "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
for adapter in cri probing; do
  folder="src/adapters/$adapter"
  rm -rf "$folder/generated"
  buf generate "$folder" --template '{
    "version": "v2",
    "plugins": [{ "local": "protoc-gen-es", "out": "'"$folder"'/generated", "opt": ["target=js+dts"] }]
  }'
done
