// `npm run stacks`: which commit and version runs in each stack of the back-end, and how far it is behind the main branch.
import { execFile } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { answerHelp } from '../cli/help.ts'
import { findPulumi, type PulumiCli } from '../cli/pulumi-cli.ts'
import { ROOT } from '../cli/root.ts'
import { lineOf, UserError } from '../cli/user-error.ts'
import { loadState } from '../local/engine/state.ts'
import { History } from './commits.ts'

const run = promisify(execFile)

const Stacks = z.array(z.object({ name: z.string() }))
const Outputs = z.object({ url: z.string().optional(), version: z.string().optional() })
type Update = History[number]

/** The columns of a stack: its name, what runs, since when, how far behind, and where. */
type Row = readonly string[]

const HEAD: Row = ['stack', 'version', 'commit', 'deployed', 'behind', 'url']

/** Describes every stack of the back-end at once. */
async function rowsOf(cli: PulumiCli): Promise<readonly Row[]> {
  const stacks = Stacks.parse(JSON.parse(await askCli(cli, 'stack', 'ls', '--json')))
  const branch = await mainBranch()
  return Promise.all(stacks.map(({ name }) => rowOf(cli, name, branch)))
}

async function rowOf(cli: PulumiCli, stack: string, branch: string): Promise<Row> {
  const named = ['--stack', stack, '--json']
  const [outputs, history] = await Promise.all([
    askCli(cli, 'stack', 'output', ...named),
    askCli(cli, 'stack', 'history', ...named, '--page-size', '20'),
  ])
  const { url = '', version = '' } = Outputs.parse(JSON.parse(outputs))
  const changes = History.parse(JSON.parse(history)).filter(
    ({ kind }) => kind === 'update' || kind === 'destroy',
  )
  const running = changes.find(({ kind, result }) => kind === 'destroy' || result === 'succeeded')
  if (running === undefined || running.kind === 'destroy')
    return [stack, 'nothing deployed', '', failureOf(changes), '', '']
  const commit = running.environment['git.head'] ?? ''
  const [subject, behind] = await Promise.all([describeCommit(running), distance(commit, branch)])
  return [stack, version, subject, `${timeOf(running)}${failureOf(changes)}`, behind, url]
}

/** Says that a later update failed, after which parts of two commits may run. */
function failureOf([last]: readonly Update[]): string {
  if (last === undefined || last.result === 'succeeded') return ''
  return `, then ${last.kind} ${last.result} at ${timeOf(last)}`
}

function timeOf({ startTime = '' }: Update): string {
  return startTime.slice(0, 16).replace('T', ' ')
}

async function describeCommit({ environment }: Update): Promise<string> {
  const commit = environment['git.head']
  if (!commit) return 'no commit'
  const subject = await git('log', '-1', '--format=%s', commit)
  const dirty = environment['git.dirty'] === 'true' ? ' with uncommitted changes' : ''
  return `${commit.slice(0, 12)}${dirty} ${subject ?? ''}`.trim()
}

/** How many commits of the main branch the deployed commit lacks, and how many it has that the branch lacks. */
async function distance(commit: string, branch: string): Promise<string> {
  const counts = commit && (await git('rev-list', '--left-right', '--count', `${commit}...${branch}`))
  if (!counts) return 'not in this clone'
  const [ahead = '0', behind = '0'] = counts.split('\t')
  const beside = ahead === '0' ? '' : `, ${ahead} not in ${branch}`
  return behind === '0' && ahead === '0' ? `at ${branch}` : `${behind}${beside}`
}

/** The main branch as the remote has it, or else the local one. */
async function mainBranch(): Promise<string> {
  const remote = await git('rev-parse', '--verify', '--quiet', 'origin/main')
  return remote === undefined ? 'main' : 'origin/main'
}

/** Runs git; undefined if git fails, as for a commit that this clone lacks. */
async function git(...args: readonly string[]): Promise<string | undefined> {
  const { stdout } = await run('git', args, { cwd: ROOT }).catch(() => ({ stdout: undefined }))
  return stdout?.trimEnd()
}

async function askCli({ path, env }: PulumiCli, ...args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(path, [...args, '--non-interactive'], { cwd: ROOT, env })
    return stdout
  } catch (cause) {
    const { stderr = String(cause) } = cause as { readonly stderr?: string }
    throw new UserError(`pulumi ${args.slice(0, 2).join(' ')} failed: ${stderr.trim().split('\n')[0]}`)
  }
}

/** The stacks that `npm start` has made on this machine. Their state has no commit. */
function localRows(): readonly Row[] {
  const folders = globSync('.local/*/state.json', { cwd: ROOT }).map((file) => join(ROOT, dirname(file)))
  return folders.map((folder) => {
    const { version } = Outputs.parse(loadState(folder).outputs)
    const isRunning = existsSync(join(folder, 'lock'))
    return [basename(folder), version ?? 'nothing deployed', '', isRunning ? 'running' : 'stopped', '', '']
  })
}

function format(rows: readonly Row[]): string {
  const table = [HEAD, ...rows]
  const widths = HEAD.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)))
  return table
    .map((row) =>
      row
        .map((text, at) => text.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

async function main(): Promise<void> {
  answerHelp(process.argv.slice(2), 'npm run stacks')
  const cli = findPulumi(ROOT, process.env)
  const rows = cli ? await rowsOf(cli) : []
  if (!cli)
    console.log(
      'There is no Pulumi CLI, so only the stacks of this machine are listed. Get it: npx pulumi version\n',
    )
  if (rows.length > 0) console.log(format(rows))
  if (cli && rows.length === 0) console.log('The back-end has no stack. Make one: npx pulumi stack init dev')
  const local = localRows()
  if (local.length > 0) console.log(`\nOn this machine, by npm start:\n${format(local)}`)
}

main().catch((error: unknown) => {
  console.error(lineOf(error))
  process.exitCode = 1
})
