// `npm run rollback -- --stack prod`: deploys the commit before the one that runs now. What the command line
// says after that goes on to `pulumi up`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { DECLARATION_FILE, parseDeclaration } from '../declaration.ts'
import { type PulumiCli, requirePulumi } from '../doctor/pulumi-cli.ts'
import { LAYOUT_FILE, parseLayout } from '../layout.ts'
import { StartError } from '../local/start-error.ts'
import { git, isSame, lastCommit, previousCommit, readHistory } from './commits.ts'
import { type StackOption, takeStack } from './stack-option.ts'

const ROOT = join(import.meta.dirname, '../..')

/** What tells the stored form of commits that are older than its number. */
const TABLES_FILE = 'worker/src/objects/store/tables.ts'

/** Refuses to go back behind what the objects have stored. */
function checkWayBack(from: string, to: string): void {
  const deployed = tagsOf(from).at(-1)
  if (deployed !== undefined && !tagsOf(to).includes(deployed)) {
    throw new StartError(
      `the migration "${deployed}" stands between ${short(to)} and ${short(from)}: Durable Object classes cannot go back. Fix it forward`,
    )
  }
  const [older, newer] = [layoutOf(to), layoutOf(from)]
  const isReadable =
    older === undefined ? newer === undefined && isSame(ROOT, [to, from], TABLES_FILE) : older >= (newer ?? 0)
  if (!isReadable) {
    throw new StartError(
      `spaces are stored in another form by ${short(from)} (layout ${newer ?? 'without a number'}) than by ${short(to)} (layout ${older ?? 'without a number'}), which cannot read it. Fix it forward`,
    )
  }
}

/** The number of the stored form of a commit; undefined for one that is older than the number. */
function layoutOf(commit: string): number | undefined {
  const isThere = git(ROOT, 'ls-tree', '--name-only', commit, LAYOUT_FILE) !== ''
  return isThere ? parseLayout(git(ROOT, 'show', `${commit}:${LAYOUT_FILE}`)) : undefined
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
