# What the scripts share: where the tree is, and how a missing Debian package gets there.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
tree=$PWD

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# need COMMAND PACKAGE [COMMAND PACKAGE]…: installs the packages whose commands are not there.
need() {
    local missing=()
    while [ $# -gt 1 ]; do
        command -v "$1" >/dev/null || missing+=("$2")
        shift 2
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null ||
        fail "these packages are needed: ${missing[*]} (as root: apt-get install --no-install-recommends ${missing[*]})"
    say "installing ${missing[*]}"
    {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
    } >&2
}
