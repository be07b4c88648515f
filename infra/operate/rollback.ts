// `npm run rollback -- --stack prod`: deploys the commit before the one that runs now. What the command line
// says after that goes on to `pulumi up`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, parseDeclaration } from '../declaration.ts'
import { type PulumiCli, requirePulumi } from '../doctor/pulumi-cli.ts'
import { StartError } from '../local/start-error.ts'
import { git, isSame, lastCommit, previousCommit, readHistory } from './commits.ts'
import { type StackOption, takeStack } from './stack-option.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What a space's tables look like. An older version of it cannot read what a newer one has stored. */
const TABLES_FILE = 'worker/src/objects/tables.ts'

/** Refuses to go back behind what the objects have stored. */
function checkWayBack(from: string, to: string): void {
  const deployed = tagsOf(from).at(-1)
  if (deployed !== undefined && !tagsOf(to).includes(deployed)) {
    throw new StartError(
      `the migration "${deployed}" stands between ${short(to)} and ${short(from)}: Durable Object classes cannot go back. Fix it forward`,
    )
  }
  if (!isSame(ROOT, [to, from], TABLES_FILE)) {
    throw new StartError(
      `${TABLES_FILE} differs between ${short(to)} and ${short(from)}: the older version cannot read tables that the newer one has changed. Fix it forward`,
    )
  }
}

function tagsOf(commit: string): readonly string[] {
  const text = git(ROOT, 'show', `${commit}:${DECLARATION_FILE}`)
  return parseDeclaration(text).migrations.map(({ tag }) => tag)
}

interface Way {
  readonly commit: string
  readonly current: string
}

function deploy(cli: PulumiCli, { commit, current }: Way, { stack, rest }: StackOption): number {
  const tree = mkdtempSync(join(tmpdir(), 'chronicle-rollback-'))
  try {
    git(ROOT, 'worktree', 'add', '--detach', tree, commit)
    installPackages(tree, isSame(ROOT, [commit, current], 'package-lock.json'))
    // The policies of today: going back must not take away a key, or move the data.
    const args = ['up', '--stack', stack, '--policy-pack', join(ROOT, 'infra/policy'), ...rest]
    return spawnSync(cli.path, args, { cwd: tree, env: cli.env, stdio: 'inherit' }).status ?? 1
  } finally {
    git(ROOT, 'worktree', 'remove', '--force', tree)
    rmSync(tree, { recursive: true, force: true })
  }
}

/** Equal locks make equal packages: those of this checkout will do. */
function installPackages(tree: string, isLockSame: boolean): void {
  if (isLockSame && existsSync(join(ROOT, 'node_modules'))) {
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
    return
  }
  const { status } = spawnSync('npm', ['ci', '--loglevel=error'], { cwd: tree, stdio: 'inherit' })
  if (status !== 0) throw new StartError('npm ci failed in the previous commit: see above')
}

function short(commit: string): string {
  return commit.slice(0, 12)
}

function main(): void {
  const options = takeStack(process.argv.slice(2))
  const cli = requirePulumi(ROOT, process.env)
  const history = readHistory(ROOT, cli, options.stack)
  const current = lastCommit(history)
  const previous = previousCommit(ROOT, history, current)
  checkWayBack(current, previous)
  console.log(
    `The stack "${options.stack}" goes back from ${short(current)} to ${git(ROOT, 'log', '-1', '--format=%h %s', previous)}`,
  )
  process.exitCode = deploy(cli, { commit: previous, current }, options)
}

try {
  main()
} catch (error) {
  const isMeant = error instanceof StartError || error instanceof RunError
  console.error(isMeant ? `Error: ${error.message}` : error)
  process.exitCode = 1
}
