#!/usr/bin/env bash
# The steps of a delivery, for any CI system. The workflows in .github/workflows call them.
#
#   deliver.sh prepare         installs the packages and the CLI, and builds the bundle: run it first, without secrets
#   deliver.sh preview STACK   prints what would change, as Markdown for a comment
#   deliver.sh up STACK [VERSION]
#                              deploys, checks and watches, and rolls back to the previous commit if that fails; with a
#                              version, deploys only the very bundle that ran under this version in another stack
#   deliver.sh open STACK      creates or updates a throw-away stack like pr-7, and checks it
#   deliver.sh close STACK     destroys a throw-away stack with all its data
#   deliver.sh drift STACK     fails if somebody has changed the deployed resources by hand
#
# All but `prepare` need in the environment: CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID, and for the state
# PULUMI_BACKEND_URL with PULUMI_CONFIG_PASSPHRASE, or PULUMI_ACCESS_TOKEN. WATCH_MINUTES says how long a delivery is
# watched.
set -euo pipefail
cd "$(dirname "$0")/../.."
node infra/local/install.mjs
# Puts the pinned CLI on the PATH, as npm does for its scripts. The package fetches the CLI from the vendor once.
export PATH="$PWD/node_modules/.bin:$PATH"
pulumi version >&2

prepare() {
  npm run --silent build >&2
}

# PULL_REQUEST, the number of the pull request, adds where its own stack answers.
preview() {
  local findings
  if ! findings=$(doctor "$1"); then
    printf '### Preview of `%s`\n\nIt cannot be deployed:\n\n```\n%s\n```\n' "$1" "$findings"
    return 1
  fi
  npm run --silent preview -- --stack "$1" --format markdown ${PULL_REQUEST:+--pull-request "$PULL_REQUEST"}
}

readonly WATCH_MINUTES="${WATCH_MINUTES:-5}"

up() {
  local log reason before after
  export CHRONICLE_VERSION="${2:-}"
  require_clean "$1"
  doctor "$1"
  before=$(last_update "$1")
  log=$(mktemp)
  if { deploy "$1" && check "$1" --watch "$WATCH_MINUTES"; } 2>&1 | tee "$log"; then
    rm "$log"
    hand_over "$1"
    return
  fi
  reason=$(grep -m 1 '^WRONG' "$log" || grep -m 1 'error: ' "$log" || tail -n 1 "$log")
  rm "$log"
  after=$(last_update "$1")
  if [[ "$after" == "$before" ]]; then
    tell "The delivery of $1 failed before it changed anything, so the stack stays as it is. $reason"
    return 1
  fi
  if is_this_commit <<<"$before"; then
    tell "The delivery of $1 failed, but it was this commit that ran there before, so there is nothing to go back to. $reason"
    return 1
  fi
  tell "The delivery of $1 failed, so it goes back to the previous commit. $reason"
  unset CHRONICLE_VERSION
  npm run --silent rollback -- --stack "$1" --yes
  check "$1"
  return 1
}

# Prints the newest update of a stack. A deployment that its preview refuses makes none. A rollback would then leave the
# commit that still runs.
last_update() {
  pulumi stack history --json --page-size 1 --stack "$1"
}

# Whether the update on standard input was a successful one of this very commit.
is_this_commit() {
  node -e 'const { result, environment } = JSON.parse(fs.readFileSync(0, "utf8"))[0] ?? {}
    process.exit(result === "succeeded" && environment["git.head"] === process.argv[1] ? 0 : 1)' "$(git rev-parse HEAD)"
}

# Tells the next job of a workflow which version runs, so that production gets the same one.
hand_over() {
  local version
  [[ -n "${GITHUB_OUTPUT:-}" ]] || return 0
  version=$(pulumi stack output --json --stack "$1" | field version)
  echo "version=$version" >>"$GITHUB_OUTPUT"
}

# Says why a delivery failed, also on the page of a workflow.
tell() {
  echo "$1" >&2
  [[ -z "${GITHUB_STEP_SUMMARY:-}" ]] || echo "$1" >>"$GITHUB_STEP_SUMMARY"
}

open_stack() {
  cp Pulumi.pr.yaml "Pulumi.$1.yaml"
  pulumi stack select --create "$1"
  doctor "$1"
  deploy "$1"
  check "$1"
}

close_stack() {
  local stacks
  # Inside the condition, a back-end that cannot be read would count as one without the stack.
  stacks=$(pulumi stack ls --json)
  if [[ "$stacks" != *"\"$1\""* ]]; then
    echo "There is no stack $1: nothing to close"
    return
  fi
  cp Pulumi.pr.yaml "Pulumi.$1.yaml"
  pulumi stack select "$1"
  pulumi destroy --yes --stack "$1"
  pulumi stack rm --yes "$1"
}

drift() {
  doctor "$1"
  pulumi preview --refresh --expect-no-changes --diff --stack "$1"
}

# A rollback only goes back to commits that were deployed from a clean tree.
require_clean() {
  local changed
  changed=$(git status --porcelain | cut -c 4- | paste -sd ' ' -)
  if [[ -z "$changed" ]]; then return; fi
  echo "Error: uncommitted changes would be deployed, and no rollback could go back to them. Commit them first, also the" \
    "salt that pulumi writes into Pulumi.$1.yaml: $changed" >&2
  exit 1
}

# Without the doctor, the provider would retry a dead API for minutes without a word.
doctor() {
  npm run --silent doctor -- --stack "$1"
}

deploy() {
  pulumi up --yes --stack "$1" --policy-pack infra/policy
}

# Checks the service like a client, once the deployed version answers. Passes further options to the check.
check() {
  local stack=$1 outputs
  shift
  outputs=$(pulumi stack output --json --show-secrets --stack "$stack")
  CHRONICLE_ADMIN_TOKEN=$(field adminToken <<<"$outputs") \
    npm run --silent smoke -- "$(field url <<<"$outputs")" --stack "$stack" \
    --deployed "$(field version <<<"$outputs")" "$@"
}

# Reads the outputs from standard input, because every user of the machine can see the arguments of a process.
field() {
  node -p 'JSON.parse(fs.readFileSync(0, "utf8"))[process.argv[1]]' "$1"
}

usage() {
  sed -n '4,11s/^# *//p' "$0" >&2
  exit 2
}

is_throw_away() {
  [[ "$1" =~ ^pr-[0-9]+$ ]] && return
  echo "Error: a throw-away stack is called like pr-7, got \"$1\"" >&2
  exit 2
}

if [[ $# == 1 && "$1" == prepare ]]; then
  prepare
  exit
fi
[[ $# == 2 || ($# == 3 && "$1" == up) ]] || usage
case "$1" in
  up) up "${@:2}" ;;
  preview | drift) "$1" "$2" ;;
  open | close) is_throw_away "$2" && "$1_stack" "$2" ;;
  *) usage ;;
esac
