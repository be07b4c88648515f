import { execFileSync, spawnSync } from 'node:child_process'
import { z } from 'zod'
import type { PulumiCli } from '../cli/pulumi-cli.ts'
import { UserError } from '../cli/user-error.ts'

/** The CLI's history of a stack: its updates, newest first. */
export const History = z.array(
  z.object({
    kind: z.string(),
    result: z.string().default('in progress'),
    startTime: z.string().optional(),
    environment: z.record(z.string(), z.string()).default({}),
  }),
)
export type History = z.infer<typeof History>

/** Reads the updates of a stack, newest first. */
export function readHistory(root: string, { path, env }: PulumiCli, stack: string): History {
  const args = ['stack', 'history', '--stack', stack, '--json', '--page-size', '50']
  const { status, stdout, stderr } = spawnSync(path, args, { cwd: root, env, encoding: 'utf8' })
  if (status === 0) return History.parse(JSON.parse(stdout))
  throw new UserError(`pulumi stack history failed: ${stderr.trim().split('\n')[0]}`)
}

/** The commit of the newest update, even if the update failed. */
export function lastCommit(history: History): string {
  const commit = history.find(({ kind }) => kind === 'update')?.environment['git.head']
  if (commit) return commit
  throw new UserError('the stack was never deployed from a commit, so there is no commit to go back to')
}

/** The newest commit before `current` that was successfully deployed from a clean tree. */
export function previousCommit(root: string, history: History, current: string): string {
  const [clean, dirty] = [false, true].map((isDirty) =>
    history
      .filter(({ kind, result, environment }) => isGood(kind, result) && isDirty === wasDirty(environment))
      .map(({ environment }) => environment['git.head'] ?? '')
      .find((commit) => commit !== current && isAncestor(root, commit, current)),
  )
  if (clean) return clean
  const reason = dirty
    ? ` (${short(dirty)} was deployed with uncommitted changes: commit before you deploy, also the salt that pulumi writes into Pulumi.<stack>.yaml)`
    : ''
  throw new UserError(
    `no earlier commit than ${short(current)} was deployed to this stack from a clean tree${reason}. Check out the commit that you want, and run npm run deploy`,
  )
}

/** The part of a commit's hash that messages name it by. */
export function short(commit: string): string {
  return commit.slice(0, 12)
}

/** Runs git and returns its output without the last newline. */
export function git(root: string, ...args: readonly string[]): string {
  return execFileSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd()
}

/** Whether two commits have the same file. */
export function isSame(root: string, [one, other]: readonly [string, string], file: string): boolean {
  return spawnSync('git', ['diff', '--quiet', one, other, '--', file], { cwd: root }).status === 0
}

function isGood(kind: string, result: string): boolean {
  return kind === 'update' && result === 'succeeded'
}

function wasDirty(environment: Readonly<Record<string, string>>): boolean {
  return environment['git.dirty'] === 'true'
}

/** Also false for a commit that this clone does not have. */
function isAncestor(root: string, commit: string, current: string): boolean {
  return spawnSync('git', ['merge-base', '--is-ancestor', commit, current], { cwd: root }).status === 0
}
