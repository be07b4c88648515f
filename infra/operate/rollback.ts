// `npm run rollback -- --stack prod`: deploys the commit before the current one. Further arguments go to `pulumi up`.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunError } from '@pulumi/pulumi/errors.js'
import { answerHelp } from '../cli/help.ts'
import { type PulumiCli, requirePulumi } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { type StackOption, takeStack } from '../cli/stack-option.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { withAccount } from '../setup/stack-account.ts'
import { git, isSame, lastCommit, previousCommit, readHistory, short } from './commits.ts'
import { checkLayouts, checkMigrations, checkNames } from './way-back.ts'

const USAGE = 'npm run rollback -- [--stack NAME] [options of pulumi up, like --yes]'

interface Rollback {
  readonly from: string
  readonly to: string
}

function deploy(cli: PulumiCli, { from, to }: Rollback, { stack, rest }: StackOption): number {
  const tree = mkdtempSync(join(tmpdir(), 'chronicle-rollback-'))
  try {
    git(ROOT, 'worktree', 'add', '--detach', tree, to)
    installPackages(tree, isSame(ROOT, [to, from], 'package-lock.json'))
    // Uses the policies of this checkout: a rollback must not remove a key or move the data either.
    const args = ['up', '--stack', stack, '--policy-pack', join(ROOT, 'infra/policy'), ...rest]
    return spawnSync(cli.path, args, { cwd: tree, env: cli.env, stdio: 'inherit' }).status ?? 1
  } finally {
    git(ROOT, 'worktree', 'remove', '--force', tree)
    rmSync(tree, { recursive: true, force: true })
  }
}

/** Links the packages of this checkout if both commits have the same lock file. */
function installPackages(tree: string, isLockSame: boolean): void {
  const packages = join(ROOT, 'node_modules')
  if (isLockSame && existsSync(packages)) {
    linkPackages(packages, join(tree, 'node_modules'))
    return
  }
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: tree,
    stdio: 'inherit',
  })
  if (status !== 0) throw new UserError('npm ci failed in the previous commit: see above')
}

/**
 * Fills a folder with links. The pattern `node_modules/` of .gitignore matches a folder but no link, and a link in the
 * tree would make the CLI record a dirty tree, which no later rollback goes back to.
 */
function linkPackages(packages: string, folder: string): void {
  mkdirSync(folder)
  for (const name of readdirSync(packages)) symlinkSync(join(packages, name), join(folder, name))
}

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), USAGE)
  const options = takeStack(process.argv.slice(2))
  const cli = requirePulumi(ROOT, await withAccount(ROOT, options.stack, process.env))
  const history = readHistory(ROOT, cli, options.stack)
  const from = lastCommit(history)
  const to = previousCommit(ROOT, history, from)
  checkMigrations(ROOT, from, to)
  checkLayouts(ROOT, from, to)
  checkNames(ROOT, from, to)
  console.log(
    `The stack "${options.stack}" goes back from ${short(from)} to ${git(ROOT, 'log', '-1', '--format=%h %s', to)}`,
  )
  process.exitCode = deploy(cli, { from, to }, options)
}

main().catch((error: unknown) => {
  console.error(error instanceof RunError ? `Error: ${error.message}` : lineOf(error))
  process.exitCode = 1
})
