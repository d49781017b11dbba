# Package lists of other Debian suites in a private directory: what is installed here, and apt's own lists, stay as they are.
# To be sourced; needs say(). Works on Debian, over the mirror and the keys that this system's apt uses.

# suites_open DIRECTORY SUITE…: reads their lists. Sets suites_options for apt-get; leaves the script with 1 where there are none.
suites_open() {
  suites_work=$1
  shift
  # shellcheck source=/dev/null
  if ! { [ -r /etc/os-release ] && . /etc/os-release && [ "${ID:-}" = debian ] && command -v apt-get >/dev/null; }; then
    say "only Debian's apt has these packages"
    exit 1
  fi
  suites_mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  if [ -z "$suites_mirror" ]; then
    say "apt knows no Debian mirror: run apt-get update once"
    exit 1
  fi
  mkdir -p "$suites_work/lists/partial" "$suites_work/cache/archives/partial"
  chmod 755 "$suites_work"
  for suite in "$@"; do
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$suites_mirror" "$suite"
  done >"$suites_work/sources.list"
  suites_options="-q -o Dir::Etc::sourcelist=$suites_work/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::State::lists=$suites_work/lists -o Dir::Cache=$suites_work/cache"
  # shellcheck disable=SC2086 # words without spaces
  if ! apt-get $suites_options update >"$suites_work/log" 2>&1; then
    tail -n 5 "$suites_work/log" >&2
    say "no package lists of $* from $suites_mirror"
    exit 1
  fi
}

# unpack OPTIONS DIRECTORY PACKAGE…: fetches packages with those options of apt-get and unpacks them into the directory; installs nothing.
unpack() {
  unpack_options=$1
  unpack_into=$2
  shift 2
  mkdir -p "$suites_work/packages" "$unpack_into"
  # apt fetches as a user of its own
  chmod 777 "$suites_work/packages"
  # shellcheck disable=SC2086
  if ! (cd "$suites_work/packages" && apt-get $unpack_options download "$@" >"$suites_work/log" 2>&1); then
    tail -n 5 "$suites_work/log" >&2
    say "no $* for this machine"
    exit 1
  fi
  for package in "$suites_work/packages"/*.deb; do dpkg -x "$package" "$unpack_into"; done
  rm -f "$suites_work/packages"/*.deb
}
