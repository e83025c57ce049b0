# Source this to put the project's Node 24 first on PATH: . scripts/env.sh
_mesh_expansion_root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)
PATH="$(node "$_mesh_expansion_root/scripts/node24.mjs"):$PATH"
export PATH
unset _mesh_expansion_root
