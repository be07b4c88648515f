import { spawnSync } from 'node:child_process'
import { z } from 'zod'
import { requirePulumi } from '../../cli/pulumi-cli.ts'
import { ROOT } from '../../cli/root.ts'

const Outputs = z.object({ url: z.string(), version: z.string() })

/** Says where the throw-away stack of a pull request answers, or that it is not open yet. */
export function describeOwnStack(number: string): string {
  const stack = `pr-${number}`
  const { path, env } = requirePulumi(ROOT, process.env)
  const args = ['stack', 'output', '--json', '--stack', stack, '--non-interactive']
  const { status, stdout } = spawnSync(path, args, { cwd: ROOT, env, encoding: 'utf8' })
  const { data } = Outputs.safeParse(status === 0 ? JSON.parse(stdout) : undefined)
  if (data === undefined) return `The stack ${stack} of this pull request opens once the checks have passed.`
  return `${data.url} is the stack ${stack} of this pull request, at version ${data.version}.`
}
