#!/usr/bin/env bash
# Installs the command-line tools that an agent lacks, in the versions that stand here and nowhere else.
#
#   tools.sh [--into DIR] NAME…
#
# NAME: oras syft helm, and notary, whose source lies beside this file; for the tests alone also kustomize, registry,
# kube-apiserver, kube-controller-manager, kubectl, actionlint.
# Each is built by the Go client from its module, and every module is held against Go's checksum database: nothing is
# installed that cannot be checked. What is there already in the right version stays, so DIR may come from a cache.
# On an agent or a runner, DIR is put first on the PATH of the steps that follow.
#
# Exit codes: 0 all there, 1 one could not be installed, 2 wrong arguments.
set -euo pipefail

declare -rA MODULES=(
  [oras]=oras.land/oras
  [syft]=github.com/anchore/syft
  [helm]=helm.sh/helm/v3
  [kustomize]=sigs.k8s.io/kustomize/kustomize/v5
  [notary]=aks-cicd/notary
  [registry]=github.com/distribution/distribution/v3
  [kube-apiserver]=k8s.io/kubernetes
  [kube-controller-manager]=k8s.io/kubernetes
  [kubectl]=k8s.io/kubernetes
  [actionlint]=github.com/rhysd/actionlint
)
declare -A VERSIONS=(
  [oras]=v1.3.6     # from 1.3 on it lists what is attached as JSON
  [syft]=v1.57.0    # writes SPDX 2.3
  [helm]=v3.22.0    # the last minor of Helm 3: reads the charts and the history of every Helm 3
  [kustomize]=v5.8.1 # what Flux builds a folder with
  [registry]=v3.1.2 # has no referrers API, so that the tag schema is tested too
  [kube-apiserver]=v1.36.3 # the minor version of the shipped stacks
  [kube-controller-manager]=v1.36.3
  [kubectl]=v1.36.3
  [actionlint]=v1.7.12
)

# Our own program has no version but its source, which go.mod and go.sum are part of.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VERSIONS[notary]=$(cat "$here"/notary/* | sha256sum | cut -c1-16)
readonly VERSIONS

usage() {
  echo "usage: tools.sh [--into DIR] NAME…   NAME: $(printf '%s\n' "${!MODULES[@]}" | sort | xargs)" >&2
  exit 2
}

fail() {
  if [ "${TF_BUILD:-}" = True ]; then
    echo "##vso[task.logissue type=error]$1"
  elif [ "${GITHUB_ACTIONS:-}" = true ]; then
    echo "::error::$1"
  else
    echo "error: $1" >&2
  fi
  exit 1
}

# Asked of the file itself: what the Go client builds knows where it comes from.
is_there() {
  if [ "$1" = notary ]; then
    [ -x "$into/$1" ] && go version -m "$into/$1" 2>/dev/null | grep -q "main.source=${VERSIONS[notary]}"
    return
  fi
  [ -x "$into/$1" ] && go version -m "$into/$1" 2>/dev/null |
    awk -v module="${MODULES[$1]}" -v version="${VERSIONS[$1]}" \
      '$1 ~ /^(mod|dep)$/ && $2 == module && $3 == version { found = 1 } END { exit !found }'
}

build() {
  case ${MODULES[$1]} in
    k8s.io/kubernetes) build_kubernetes "$1" ;;
    */kustomize/v5) GOBIN="$into" go install "${MODULES[$1]}@${VERSIONS[$1]}" ;;
    aks-cicd/notary)
      (cd "$here/notary" && go build -mod=readonly -ldflags="-X main.source=${VERSIONS[notary]}" -o "$into/notary" .)
      ;;
    *) GOBIN="$into" go install "${MODULES[$1]}/cmd/$1@${VERSIONS[$1]}" ;;
  esac
}

# The Go client installs no program whose module replaces others. Kubernetes replaces its own parts by directories
# beside it; in a module of ours they are replaced by what was published of them, under the version 0.x.
build_kubernetes() {
  local version=${VERSIONS[$1]} module
  module=$(go mod download -json "k8s.io/kubernetes@$version") &&
    module=$(sed -n 's/^\t"GoMod": "\(.*\)",$/\1/p' <<<"$module") &&
    sed -e 's#^module .*#module kubernetes#' -e "s#=> ./staging/src/\(k8s.io/[a-z-]*\)#=> \1 v0.${version#v1.}#" \
      "$module" >"$work/go.mod" &&
    cd "$work" && go mod edit -require="k8s.io/kubernetes@$version" &&
    go build -mod=mod -o "$into/" "k8s.io/kubernetes/cmd/$1"
}

# The proxy is asked again when it does not answer. A checksum that is wrong stays wrong.
build_patiently() {
  local try
  for try in 1 2 3; do
    if (build "$1") >"$work/said" 2>&1; then return 0; fi
    [ "$try" = 3 ] || sleep $((try * ${TOOLS_PAUSE_SECONDS:-5}))
  done
  return 1
}

into="${AGENT_TOOLSDIRECTORY:-$HOME/.cache}/delivery-tools"
if [ "${1:-}" = --into ]; then
  [ $# -ge 2 ] || usage
  into=$2
  shift 2
fi
[ $# -ge 1 ] || usage
for name in "$@"; do [ -n "${MODULES[$name]:-}" ] || usage; done
command -v go >/dev/null || fail 'go is not on the PATH; use an agent image that has it'
mkdir -p "$into"
into=$(cd "$into" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOFLAGS='' GOSUMDB=sum.golang.org GOPRIVATE='' GONOSUMDB='' GOINSECURE='' # nobody is exempt from the checks

for name in "$@"; do
  if is_there "$name"; then
    echo "$name ${VERSIONS[$name]}: is there"
  elif build_patiently "$name" && is_there "$name"; then
    echo "$name ${VERSIONS[$name]}: built"
  else
    fail "$name ${VERSIONS[$name]} cannot be built: $(tail -n 3 "$work/said" | tr '\n\t' '  ')"
  fi
done
if [ "${TF_BUILD:-}" = True ]; then
  echo "##vso[task.prependpath]$into"
elif [ "${GITHUB_ACTIONS:-}" = true ]; then
  echo "$into" >>"$GITHUB_PATH"
fi
